/* SPDX-License-Identifier: ISC */
/*
 * Owns the form in which a rewrite crosses from a reader to whoever has the mail. What is unpacked
 * here ends up in a header and a body: nothing may get out of its field, or out of the body's
 * bounds, whatever has become of the reader. No MIME, no GMime.
 */
#include "lib/rewrite.h"

#include "lib/checked.h"
#include <stddef.h>
#include <string.h>

/* The header fields; one that stays as it is has no name in the list. */
static const struct {
    const char *name;
    size_t offset;
} values[] = {
    {"subject", offsetof(struct rewrite, subject)},
    {"content-type", offsetof(struct rewrite, content_type)},
    {"transfer-encoding", offsetof(struct rewrite, transfer_encoding)},
    {"mime-version", offsetof(struct rewrite, mime_version)},
};

/* The names of each edit. */
static const struct {
    const char *from, *to, *octets;
} edits[REWRITE_EDITS_MAX] = {
    {"edit-1-from", "edit-1-to", "edit-1-octets"},
    {"edit-2-from", "edit-2-to", "edit-2-octets"},
};

static char **
value_at(const struct rewrite *rewrite, gsize i)
{
    return (char **)((guintptr)rewrite + values[i].offset);
}

void
rewrite_free(struct rewrite *rewrite)
{
    if (!rewrite)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        g_free(*value_at(rewrite, i));
    for (gsize i = 0; i < REWRITE_EDITS_MAX; i++)
        g_free(rewrite->edits[i].octets);
    g_free(rewrite);
}

void
rewrite_pack(const struct rewrite *rewrite, GString *to)
{
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        if (*value_at(rewrite, i))
            wire_put(to, values[i].name, *value_at(rewrite, i));
    for (guint i = 0; i < rewrite->n_edits; i++) {
        wire_put_int(to, edits[i].from, (gint64)rewrite->edits[i].from);
        wire_put_int(to, edits[i].to, (gint64)rewrite->edits[i].to);
        wire_put(to, edits[i].octets, rewrite->edits[i].octets);
    }
    checked_put_verdict(to, &rewrite->verdict);
    wire_end(to);
}

/* A line end is a fold: a blank follows, and then something to be seen. */
static bool
is_fold(const char *value, const char *lf)
{
    const char *behind = lf + 1 + strspn(lf + 1, " \t");

    return lf > value && behind > lf + 1 && *behind && *behind != '\n';
}

static bool
is_value(const char *value)
{
    if (*value == '\0' || strlen(value) > REWRITE_HEADER_MAX)
        return false;
    for (const char *c = value; *c; c++) {
        bool control = (guchar)*c < 0x20 || *c == 0x7F;

        if (control && *c != '\t' && !(*c == '\n' && is_fold(value, c)))
            return false;
    }
    return true;
}

/* NULL if all is well, else the name of what is not. *ret_names: how many the list should have. */
static const char *
unpack_values(const struct wire *wire, struct rewrite *rewrite, gsize *ret_names)
{
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        const char *value = wire_get(wire, values[i].name);

        if (!value)
            continue;
        if (!is_value(value))
            return values[i].name;
        *value_at(rewrite, i) = g_strdup(value);
        *ret_names += 1;
    }
    return NULL;
}

static const char *
unpack_edits(const struct wire *wire, gsize body_len, struct rewrite *rewrite, gsize *ret_names)
{
    gint64 least = 0;

    for (guint i = 0; i < REWRITE_EDITS_MAX; i++) {
        const char *octets = wire_get(wire, edits[i].octets);
        gint64 from = wire_get_int(wire, edits[i].from, least, (gint64)body_len, -1);
        gint64 to = wire_get_int(wire, edits[i].to, from, (gint64)body_len, -1);

        if (!octets)
            break;
        if (from < 0 || to < 0)
            return from < 0 ? edits[i].from : edits[i].to;
        rewrite->edits[i] = (struct rewrite_edit){(gsize)from, (gsize)to, g_strdup(octets)};
        rewrite->n_edits++;
        least = to;
        *ret_names += 3;
    }
    return NULL;
}

int
rewrite_unpack(const struct wire *wire, gsize body_len, struct rewrite **ret, struct outcome *why)
{
    g_autoptr(Rewrite) rewrite = g_new0(struct rewrite, 1);
    gsize names = CHECKED_VERDICT_NAMES;
    const char *wrong = checked_get_verdict(wire, &rewrite->verdict);

    /* A mail that is not altered has nothing but a verdict. */
    if (!wrong && rewrite->verdict.kind == OUT_OK)
        wrong = unpack_values(wire, rewrite, &names);
    if (!wrong && rewrite->verdict.kind == OUT_OK)
        wrong = unpack_edits(wire, body_len, rewrite, &names);
    if (!wrong && checked_names(wire) != names)
        wrong = "names";
    if (wrong)
        return checked_wrong(wrong, why);
    *ret = g_steal_pointer(&rewrite);
    return 0;
}
