/* SPDX-License-Identifier: ISC */
/*
 * Owns what must not be in the text of a view, though it is valid UTF-8: control characters, byte
 * order marks, foreign line ends, more octets than a view may have; and one form for characters
 * that have several (NFC). Never changes what a letter looks like.
 */
#include "lib/clean.h"

#include <string.h>

#define BOM "\xEF\xBB\xBF"

#define MARKS_MAX 30 /* on one character (UAX #15, stream-safe text); more is no language */

/* Octets of what stands at c and must not leave: a control character (C0, DEL, C1), or one that is
 * invisible or turns the direction, which makes a text look like another one. 0 if it may stay; ZWJ
 * and ZWNJ may: words and emoji need them. */
static gsize
unwanted_length(const char *c)
{
    guint8 first = (guint8)c[0];
    gunichar this;
    bool unwanted;

    if (first < 0x80)
        return first < 0x20 || first == 0x7F;
    if ((first & 0xC0) == 0x80)
        return 0; /* inside a character that stays */
    this = g_utf8_get_char(c);
    unwanted = this < 0xA0 || this == 0x00AD || this == 0x061C || this == 0x200B ||
               this == 0x200E || this == 0x200F || (this >= 0x202A && this <= 0x202E) ||
               (this >= 0x2060 && this <= 0x2069) || this == 0xFEFF;
    return unwanted ? (gsize)(g_utf8_next_char(c) - c) : 0;
}

/* True if no character carries more marks than any language has: sorting them takes the square of
 * their number. */
static bool
is_stream_safe(const char *word, const char *end)
{
    guint marks = 0;

    for (const char *c = word; c < end; c = g_utf8_next_char(c)) {
        marks = g_unichar_ismark(g_utf8_get_char(c)) ? marks + 1 : 0;
        if (marks > MARKS_MAX)
            return false;
    }
    return true;
}

/* Letters and their marks as one character where there is one (NFC), word by word. */
static void
compose(GString *text)
{
    g_autoptr(GString) composed = NULL;
    const char *at = text->str;

    /* Below U+0300 every character is its own only form. */
    while (*at && (guint8)*at < 0xCC)
        at++;
    if (!*at)
        return;
    composed = g_string_sized_new(text->len);
    for (at = text->str; *at;) {
        gsize len = MAX(strcspn(at, " \n"), 1);

        if (is_stream_safe(at, at + len)) {
            g_autofree char *word = g_utf8_normalize(at, (gssize)len, G_NORMALIZE_NFC);
            g_string_append(composed, word);
        } else {
            g_string_append_len(composed, at, (gssize)len);
        }
        at += len;
    }
    g_string_assign(text, composed->str);
}

void
clean_text(GString *text)
{
    const char *from = text->str;
    const char *end = text->str + text->len;
    char *to = text->str;

    if (g_str_has_prefix(text->str, BOM))
        from += strlen(BOM);
    while (from < end) {
        gsize unwanted = *from == '\n' || *from == '\t' ? 0 : unwanted_length(from);

        if (*from == '\r') {
            /* One line end, however many CR a gateway put before LF; alone it ended lines, too,
             * once. */
            while (from < end && *from == '\r')
                from++;
            if (from == end || *from != '\n')
                *to++ = '\n';
        } else if (unwanted > 0) {
            from += unwanted;
        } else {
            *to++ = *from++;
        }
    }
    g_string_truncate(text, (gsize)(to - text->str));
    compose(text);
}

static void
trim(GString *line)
{
    const char *start = line->str;
    const char *end = line->str + line->len;

    while (start < end && g_unichar_isspace(g_utf8_get_char(start)))
        start = g_utf8_next_char(start);
    while (end > start) {
        const char *last = g_utf8_prev_char(end);

        if (!g_unichar_isspace(g_utf8_get_char(last)))
            break;
        end = last;
    }
    g_string_truncate(line, (gsize)(end - line->str));
    g_string_erase(line, 0, start - line->str);
}

void
clean_line(GString *line, gsize max)
{
    const char *from = line->str;
    const char *end = line->str + line->len;
    char *to = line->str;

    if (g_str_has_prefix(line->str, BOM))
        from += strlen(BOM);
    while (from < end) {
        gsize unwanted = unwanted_length(from);

        if (unwanted == 0) {
            *to++ = *from++;
            continue;
        }
        if (*from == '\r' && from + 1 < end && from[1] == '\n')
            from++;
        if (*from == '\t' || *from == '\n' || *from == '\r')
            *to++ = ' ';
        from += unwanted;
    }
    g_string_truncate(line, (gsize)(to - line->str));
    compose(line);
    trim(line);
    if (clean_cut(line, max))
        trim(line);
}

bool
clean_cut(GString *text, gsize max)
{
    if (text->len <= max)
        return false;
    while (max > 0 && ((guint8)text->str[max] & 0xC0) == 0x80)
        max--;
    g_string_truncate(text, max);
    return true;
}

bool
clean_is_white(const GString *text)
{
    for (const char *c = text->str; *c; c = g_utf8_next_char(c))
        if (!g_unichar_isspace(g_utf8_get_char(c)))
            return false;
    return true;
}

void
clean_body(GString *text)
{
    clean_text(text);
    if (clean_is_white(text))
        g_string_truncate(text, 0);
}
