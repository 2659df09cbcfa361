/* SPDX-License-Identifier: ISC */
/*
 * Owns the choice of the mail's text among its parts, and the way from a part's octets to that
 * text. What a person wrote wins over what a program made of it; nothing is dropped because it is
 * in the wrong kind of part, and a text that nobody can read is said to be that.
 */
#include "lib/clean.h"
#include "transport/reader/decode.h"
#include "transport/reader/flowed.h"
#include "transport/reader/html.h"
#include "transport/reader/ical.h"
#include "transport/reader/mime.h"
#include "transport/reader/tnef.h"

#include <string.h>

/* A text that only says where the real one is has at most so many octets, and lines. */
#define HINT_MAX   500
#define HINT_LINES 4

/* The decoded octets; false for an encoding whose octets are no text. cut: not all of them. */
static bool
transfer_decode(const struct fields *fields, gsize len, GByteArray *to, bool *cut)
{
    const guint8 *body = fields->data + fields->body;
    gsize use = MIN(len, MIME_DECODE_MAX);

    *cut = use < len;
    switch (fields_encoding(fields)) {
    case ENCODING_UU:
        return false;
    case ENCODING_BASE64:
        decode_base64((const char *)body, use, to);
        return true;
    case ENCODING_QUOTED:
        decode_quoted((const char *)body, use, to);
        return true;
    case ENCODING_7BIT:
    case ENCODING_8BIT:
        break;
    }
    g_byte_array_append(to, body, (guint)use);
    return true;
}

/* The octets of a part as characters: label, what HTML says of itself, evidence. */
static void
part_characters(const struct place *place, bool html, const GByteArray *octets, GString *to,
                guint *replaced)
{
    g_autofree char *claimed =
        html && !place->charset ? html_charset(octets->data, octets->len) : NULL;

    charset_decode(claimed ? claimed : place->charset, octets->data, octets->len, to, replaced);
}

static void
flow(const struct place *place, GString *text)
{
    g_autofree char *joined = place->flowed ? flowed_join(text->str, place->delsp) : NULL;

    if (joined)
        g_string_assign(text, joined);
}

/* What Outlook packed into a winmail.dat. True if there was more. */
static bool
packed_text(const GByteArray *octets, GString *text, guint *replaced)
{
    g_autoptr(GString) packed = g_string_new(NULL);
    bool html = false;

    if (!tnef_text(octets->data, octets->len, packed, &html, replaced))
        return false;
    if (html)
        return html_text(packed->str, packed->len, text);
    g_string_append_len(text, packed->str, (gssize)packed->len);
    return false;
}

/* A part's text as it is read, cleaned; NULL if it has none. */
static GString *
part_text(const struct place *place, enum text_kind kind, struct chosen *ret)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autoptr(GString) characters = g_string_new(NULL);
    g_autoptr(GString) text = NULL;
    bool cut = false;
    guint replaced = 0;

    if (!transfer_decode(&place->fields, place->len, octets, &cut) || octets->len == 0)
        return NULL;
    if (kind == TEXT_CALENDAR &&
        (!place->charset || g_ascii_strcasecmp(place->charset, "utf-8") == 0))
        g_string_append_len(characters, (const char *)octets->data,
                            octets->len); /* folds tear characters */
    else if (kind != TEXT_TNEF)
        part_characters(place, kind == TEXT_HTML, octets, characters, &replaced);
    text = kind == TEXT_PLAIN ? g_steal_pointer(&characters) : g_string_new(NULL);
    if (kind == TEXT_PLAIN)
        flow(place, text);
    else if (kind == TEXT_HTML)
        cut |= html_text(characters->str, characters->len, text);
    else if (kind == TEXT_CALENDAR)
        ical_text(characters->str, characters->len, text);
    else
        cut |= packed_text(octets, text, &replaced);
    clean_text(text);
    if (clean_is_white(text))
        return NULL;
    ret->cut |= cut;
    ret->replaced += replaced;
    return g_steal_pointer(&text);
}

/* Appends the texts of places that are in the same multipart/mixed as first, behind it. */
static void
append_together(const GArray *places, enum text_kind kind, const struct place *first,
                struct chosen *ret)
{
    for (guint i = 0; first->together > 0 && i < places->len; i++) {
        const struct place *place = &g_array_index(places, struct place, i);
        g_autoptr(GString) text = NULL;

        if (place->together != first->together || place->fields.data <= first->fields.data)
            continue;
        text = part_text(place, kind, ret);
        if (!text)
            continue;
        g_string_append_printf(ret->text, "\n\n%s", text->str);
        ret->verbatim = false;
    }
}

/* The first text among places, with those of the same multipart/mixed behind it. NULL: none. */
static const struct place *
first_text(const GArray *places, enum text_kind kind, struct chosen *ret)
{
    for (guint i = 0; i < places->len; i++) {
        const struct place *place = &g_array_index(places, struct place, i);

        ret->text = part_text(place, kind, ret);
        if (!ret->text)
            continue;
        ret->sealed = place->sealed;
        ret->verbatim = kind == TEXT_PLAIN;
        ret->fields = place->fields;
        ret->len = place->len;
        append_together(places, kind, place, ret);
        return place;
    }
    return NULL;
}

static void
chosen_reset(struct chosen *chosen)
{
    if (chosen->text)
        g_string_free(chosen->text, TRUE);
    *chosen = (struct chosen){0};
}

/* May the plain text say no more than that there is another one? Such sentences name the format, or
 * a browser, or a version elsewhere, and little besides. */
static bool
may_be_hint(const GString *text)
{
    static const char *const words[] = {
        "html",        "browser",         "navigateur",       "navegador",   "przeglądar",
        "prohlížeč",   "браузер",         "webversion",       "web version", "online version",
        "view online", "onlineversion",   "version en ligne", "version web", "versione web",
        "versión web", "versione online", "в браузере",       "ブラウザ",    "浏览器",
        "瀏覽器",
    };
    g_autofree char *folded = NULL;
    guint lines = 0;

    if (text->len > HINT_MAX)
        return false;
    folded = g_utf8_casefold(text->str, -1);
    for (const char *c = text->str; *c; c++)
        lines += *c == '\n' && c[1] && c[1] != '\n';
    for (gsize i = 0; lines < HINT_LINES && i < G_N_ELEMENTS(words); i++)
        if (strstr(folded, words[i]))
            return true;
    return false;
}

/* It is no hint if the other text says the same. */
static bool
is_said_in(const char *text, const char *html)
{
    g_autofree char *first = g_strstrip(g_strndup(text, strcspn(text, "\n")));

    return strstr(html, first) != NULL;
}

/* The HTML in front of the plain text in the same multipart/mixed; NULL if there is none. There it
 * is no alternative but the mail, and the plain text the footer of a mailing list or a scanner. */
static const struct place *
html_above(const GArray *places, const struct place *plain)
{
    for (guint i = 0; plain->together > 0 && i < places->len; i++) {
        const struct place *html = &g_array_index(places, struct place, i);

        if (html->together == plain->together && html->fields.data < plain->fields.data)
            return html;
    }
    return NULL;
}

/* HTML, if the plain text that was found is a footer below it or a hint to it. */
static bool
better_html(GArray *const *places, const struct place *plain, const struct chosen *found,
            struct chosen *ret)
{
    const struct place *above = html_above(places[TEXT_HTML], plain);
    const struct place *html;

    /* HTML costs more than all else: it is read only where it may be taken. */
    if (!above && !may_be_hint(found->text))
        return false;
    html = first_text(places[TEXT_HTML], TEXT_HTML, ret);
    if (html && html == above) {
        append_together(places[TEXT_PLAIN], TEXT_PLAIN, html, ret);
        return true;
    }
    return html && may_be_hint(found->text) && !is_said_in(found->text->str, ret->text->str);
}

/* Plain text or, if that is a hint or a footer, HTML. */
static bool
best_text(GArray *const *places, struct chosen *ret)
{
    const struct place *plain = first_text(places[TEXT_PLAIN], TEXT_PLAIN, ret);
    struct chosen html = {0};

    if (plain) {
        bool better = better_html(places, plain, ret, &html);

        chosen_reset(better ? ret : &html);
        if (better)
            *ret = html;
        return true;
    }
    for (int kind = TEXT_HTML; kind < TEXT_KINDS; kind++)
        if (first_text(places[kind], (enum text_kind)kind, ret))
            return true;
    return false;
}

int
text_choose(const guint8 *data, gsize len, struct chosen *ret, struct outcome *why)
{
    g_auto(Places) places = {0};
    int result = parts_walk(data, len, &places, why);

    *ret = (struct chosen){0};
    if (result == 0 && !best_text(places.direct, ret) && !places.encrypted)
        best_text(places.nested, ret);
    if (ret->text) {
        gsize before = ret->text->len;

        attached_strip(ret->text);
        ret->sealed |= armour_strip(ret->text, &ret->encrypted);
        ret->verbatim &= ret->text->len == before;
    } else if (result == 0) {
        ret->encrypted = places.encrypted;
    }
    ret->sealed |= places.sealed;
    ret->cut |= places.more;
    return result;
}
