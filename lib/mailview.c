/* SPDX-License-Identifier: ISC */
/*
 * Owns the form in which a view crosses from a reader to those who ask. A reader has looked at
 * hostile octets and may no longer be itself: nothing it says is believed before it is checked
 * here. No MIME, no GMime.
 */
#include "lib/mailview.h"

#include "lib/checked.h"
#include <stddef.h>
#include <string.h>

#define DIGEST_LENGTH 64

/* Every string of a view: one table packs, unpacks and frees. */
static const struct {
    const char *name;
    size_t offset;
    gsize max;
    bool text; /* may have LF and TAB */
} strings[] = {
    {"digest", offsetof(struct mail_view, digest), DIGEST_LENGTH, false},
    {"message-id", offsetof(struct mail_view, message_id), VIEW_HEADER_MAX, false},
    {"date", offsetof(struct mail_view, date), VIEW_HEADER_MAX, false},
    {"from", offsetof(struct mail_view, from), VIEW_HEADER_MAX, false},
    {"from-address", offsetof(struct mail_view, from_address), VIEW_HEADER_MAX, false},
    {"from-name", offsetof(struct mail_view, from_name), VIEW_HEADER_MAX, false},
    {"subject", offsetof(struct mail_view, subject), VIEW_HEADER_MAX, false},
    {"text", offsetof(struct mail_view, text), VIEW_TEXT_MAX, true},
    {"auto-submitted", offsetof(struct mail_view, auto_submitted), VIEW_HEADER_MAX, false},
    {"precedence", offsetof(struct mail_view, precedence), VIEW_HEADER_MAX, false},
    {"to", offsetof(struct mail_view, to), VIEW_TO_MAX, true},
    {"declared", offsetof(struct mail_view, declared), VIEW_HEADER_MAX, false},
};

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    {"list", offsetof(struct mail_view, list)},
    {"report", offsetof(struct mail_view, report)},
    {"loop", offsetof(struct mail_view, loop)},
    {"text-cut", offsetof(struct mail_view, text_cut)},
    {"rewritten", offsetof(struct mail_view, rewritten)},
    {"sealed", offsetof(struct mail_view, sealed)},
    {"encrypted", offsetof(struct mail_view, encrypted)},
    {"reply", offsetof(struct mail_view, reply)},
};

/* size, replaced and the verdict come on top of the two tables. */
#define NAMES (G_N_ELEMENTS(strings) + G_N_ELEMENTS(flags) + 2 + CHECKED_VERDICT_NAMES)

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
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        wire_put(to, strings[i].name, *string_at(view, i));
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
        wire_put_int(to, flags[i].name, *flag_at(view, i));
    wire_put_int(to, "size", view->size);
    wire_put_int(to, "replaced", view->replaced);
    checked_put_verdict(to, &view->verdict);
    wire_end(to);
}

static bool
is_digest(const char *value)
{
    return strlen(value) == DIGEST_LENGTH && strspn(value, "0123456789abcdef") == DIGEST_LENGTH;
}

/* The classes that SMTP rules can declare (rules.h). */
static bool
is_class(const char *value)
{
    return *value == '\0' || strcmp(value, "copy-to") == 0 || strcmp(value, "list") == 0;
}

static const char *
unpack_values(const struct wire *wire, struct mail_view *view)
{
    gint64 number;

    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
        const char *value = wire_get(wire, strings[i].name);

        if (!value || !checked_fit(value, strings[i].max, strings[i].text))
            return strings[i].name;
        *string_at(view, i) = g_strdup(value);
    }
    if (!is_digest(view->digest))
        return "digest";
    if (!is_class(view->declared))
        return "declared";
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
    return checked_get_verdict(wire, &view->verdict);
}

int
mail_view_unpack(const struct wire *wire, struct mail_view **ret, struct outcome *why)
{
    g_autoptr(MailView) view = g_new0(struct mail_view, 1);
    const char *wrong = unpack_values(wire, view);

    if (!wrong && checked_names(wire) != NAMES)
        wrong = "names";
    if (wrong)
        return checked_wrong(wrong, why);
    *ret = g_steal_pointer(&view);
    return 0;
}
