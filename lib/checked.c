/* SPDX-License-Identifier: ISC */
/*
 * Owns the checks that every answer of a reader goes through. A reader has looked at hostile octets
 * and may no longer be itself. No MIME, no GMime.
 */
#include "lib/checked.h"

#include <string.h>

/* What a reader may find; the class of its status goes with each. */
static const struct {
    const char *name;
    enum out_kind kind;
    char class;
} verdicts[] = {
    {"ok", OUT_OK, '2'},
    {"retry", OUT_RETRY, '4'},
    {"data", OUT_DATA, '5'},
};

bool
checked_fit(const char *value, gsize max, bool text)
{
    if (strlen(value) > max || !g_utf8_validate(value, -1, NULL))
        return false;
    for (const guchar *c = (const guchar *)value; *c; c++) {
        bool control = *c < 0x20 || *c == 0x7F || (*c == 0xC2 && c[1] < 0xA0);

        if (control && !(text && (*c == '\n' || *c == '\t')))
            return false;
    }
    return true;
}

/* "5.6.0": the class given, two numbers of one to three digits. */
static bool
is_status(const char *dsn, char class)
{
    gsize subject = strspn(dsn + (dsn[0] && dsn[1] ? 2 : 0), "0123456789");
    gsize detail;

    if (dsn[0] != class || dsn[1] != '.' || subject < 1 || subject > 3 || dsn[2 + subject] != '.')
        return false;
    detail = strspn(dsn + 3 + subject, "0123456789");
    return detail >= 1 && detail <= 3 && dsn[3 + subject + detail] == '\0';
}

void
checked_put_verdict(GString *to, const struct outcome *verdict)
{
    const char *name = "retry"; /* any other kind is a fault of ours: the mail stays in the queue */

    for (gsize i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (verdicts[i].kind == verdict->kind)
            name = verdicts[i].name;
    wire_put(to, "verdict", name);
    wire_put(to, "dsn", verdict->dsn);
    wire_put(to, "reason", verdict->text);
}

const char *
checked_get_verdict(const struct wire *wire, struct outcome *ret)
{
    const char *name = wire_get(wire, "verdict");
    const char *dsn = wire_get(wire, "dsn");
    const char *reason = wire_get(wire, "reason");

    if (!reason || *reason == '\0' || !checked_fit(reason, sizeof(ret->text) - 1, false))
        return "reason";
    for (gsize i = 0; name && i < G_N_ELEMENTS(verdicts); i++) {
        if (strcmp(name, verdicts[i].name) != 0)
            continue;
        if (!dsn || !is_status(dsn, verdicts[i].class))
            return "dsn";
        out_set(ret, verdicts[i].kind, dsn, "%s", reason);
        return NULL;
    }
    return "verdict";
}

static void
count_one(void *context, const char *name, const char *value)
{
    (void)name;
    (void)value;
    (*(gsize *)context)++;
}

gsize
checked_names(const struct wire *wire)
{
    gsize names = 0;

    wire_each(wire, count_one, &names);
    return names;
}

int
checked_wrong(const char *name, struct outcome *why)
{
    out_set(why, OUT_RETRY, "4.3.0",
            "the mail could not be read (the reader's answer has a wrong %s)", name);
    return -1;
}
