/* SPDX-License-Identifier: ISC */
/*
 * Owns the form in which a view crosses from a reader to those who ask. A reader has looked at
 * hostile octets and may no longer be itself: nothing it says is believed before it is checked
 * here. No MIME, no GMime.
 */
#include "transport/reader/view.h"

#include <stddef.h>
#include <string.h>

#define DIGEST_LENGTH 64

/* Every string of a view: one table packs, unpacks and frees. */
static const struct {
    const char *name;
    size_t offset;
    gsize max;
} strings[] = {
    {"digest", offsetof(struct mail_view, digest), DIGEST_LENGTH},
    {"message-id", offsetof(struct mail_view, message_id), VIEW_HEADER_MAX},
    {"date", offsetof(struct mail_view, date), VIEW_HEADER_MAX},
    {"from", offsetof(struct mail_view, from), VIEW_HEADER_MAX},
    {"from-address", offsetof(struct mail_view, from_address), VIEW_HEADER_MAX},
    {"from-name", offsetof(struct mail_view, from_name), VIEW_HEADER_MAX},
    {"subject", offsetof(struct mail_view, subject), VIEW_HEADER_MAX},
    {"text", offsetof(struct mail_view, text), VIEW_TEXT_MAX},
    {"auto-submitted", offsetof(struct mail_view, auto_submitted), VIEW_HEADER_MAX},
    {"precedence", offsetof(struct mail_view, precedence), VIEW_HEADER_MAX},
};

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    {"list", offsetof(struct mail_view, list)},
    {"report", offsetof(struct mail_view, report)},
    {"loop", offsetof(struct mail_view, loop)},
    {"text-cut", offsetof(struct mail_view, text_cut)},
};

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

/* size, replaced, verdict, dsn and reason come on top of the two tables. */
#define NAMES (G_N_ELEMENTS(strings) + G_N_ELEMENTS(flags) + 5)

static char **
string_at(const struct mail_view *view, gsize i)
{
    return (char **)((guintptr)view + strings[i].offset);
}

static bool *
flag_at(const struct mail_view *view, gsize i)
{
    return (bool *)((guintptr)view + flags[i].offset);
}

void
mail_view_free(struct mail_view *view)
{
    if (!view)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(*string_at(view, i));
    g_free(view);
}

void
mail_view_pack(const struct mail_view *view, GString *to)
{
    const char *verdict =
        "retry"; /* any other kind is a fault of ours: the mail stays in the queue */

    for (gsize i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (verdicts[i].kind == view->verdict.kind)
            verdict = verdicts[i].name;
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        wire_put(to, strings[i].name, *string_at(view, i));
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
        wire_put_int(to, flags[i].name, *flag_at(view, i));
    wire_put_int(to, "size", view->size);
    wire_put_int(to, "replaced", view->replaced);
    wire_put(to, "verdict", verdict);
    wire_put(to, "dsn", view->verdict.dsn);
    wire_put(to, "reason", view->verdict.text);
    wire_end(to);
}

/* Valid UTF-8, bounded, without control characters; a text has LF and TAB. */
static bool
is_fit(const char *value, gsize max, bool text)
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

static bool
is_digest(const char *value)
{
    return strlen(value) == DIGEST_LENGTH && strspn(value, "0123456789abcdef") == DIGEST_LENGTH;
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

/* NULL if all is well, else the name of what is not. */
static const char *
unpack_verdict(const struct wire *wire, struct outcome *verdict)
{
    const char *name = wire_get(wire, "verdict");
    const char *dsn = wire_get(wire, "dsn");
    const char *reason = wire_get(wire, "reason");

    if (!reason || *reason == '\0' || !is_fit(reason, sizeof(verdict->text) - 1, false))
        return "reason";
    for (gsize i = 0; name && i < G_N_ELEMENTS(verdicts); i++) {
        if (strcmp(name, verdicts[i].name) != 0)
            continue;
        if (!dsn || !is_status(dsn, verdicts[i].class))
            return "dsn";
        out_set(verdict, verdicts[i].kind, dsn, "%s", reason);
        return NULL;
    }
    return "verdict";
}

static const char *
unpack_values(const struct wire *wire, struct mail_view *view)
{
    gint64 number;

    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
        const char *value = wire_get(wire, strings[i].name);
        bool text = strings[i].offset == offsetof(struct mail_view, text);

        if (!value || !is_fit(value, strings[i].max, text))
            return strings[i].name;
        *string_at(view, i) = g_strdup(value);
    }
    if (!is_digest(view->digest))
        return "digest";
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
        number = wire_get_int(wire, flags[i].name, 0, 1, -1);
        if (number < 0)
            return flags[i].name;
        *flag_at(view, i) = number == 1;
    }
    view->size = wire_get_int(wire, "size", 0, G_MAXINT64, -1);
    if (view->size < 0)
        return "size";
    number = wire_get_int(wire, "replaced", 0, G_MAXUINT, -1);
    if (number < 0)
        return "replaced";
    view->replaced = (guint)number;
    return unpack_verdict(wire, &view->verdict);
}

static void
count_one(void *context, const char *name, const char *value)
{
    (void)name;
    (void)value;
    (*(gsize *)context)++;
}

int
mail_view_unpack(const struct wire *wire, struct mail_view **ret, struct outcome *why)
{
    g_autoptr(MailView) view = g_new0(struct mail_view, 1);
    const char *wrong = unpack_values(wire, view);
    gsize names = 0;

    wire_each(wire, count_one, &names);
    if (!wrong && names != NAMES)
        wrong = "names";
    if (wrong) {
        out_set(why, OUT_RETRY, "4.3.0",
                "the mail could not be read (the reader's answer has a wrong %s)", wrong);
        return -1;
    }
    *ret = g_steal_pointer(&view);
    return 0;
}
