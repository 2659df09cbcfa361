/* SPDX-License-Identifier: ISC */
/* Owns what "case-insensitive" means in rules. Pure: no locale, no state, any thread. */
#include "rules/fold.h"

#include <string.h>

static gunichar
fold_char(gunichar c)
{
    /* Turkish dotted capital and dotless small i: their mappings to i and I would join four letters
     * into one. */
    if (c == 0x130 || c == 0x131)
        return c;
    /* By way of upper case, so that all forms of a letter meet: final sigma, long s, title case. */
    return g_unichar_tolower(g_unichar_toupper(c));
}

/* The ASCII octets in front of text, folded; how many they are. */
static gsize
fold_ascii(const char *text, gsize len, GString *folded)
{
    gsize from = folded->len;
    gsize n = 0;
    char *to;

    while (n < len && !(text[n] & 0x80))
        n++;
    if (n == 0)
        return 0;
    g_string_set_size(folded, from + n);
    to = folded->str + from;
    for (gsize i = 0; i < n; i++)
        to[i] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
    return n;
}

gsize
fold_octets(const char *text, gsize len, bool more, GString *folded)
{
    gsize at = fold_ascii(text, len, folded);

    while (at < len) {
        gunichar c = g_utf8_get_char_validated(text + at, (gssize)(len - at));

        if (more && c == (gunichar)-2)
            return at;
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_c(folded, text[at++]);
        } else {
            g_string_append_unichar(folded, fold_char(c));
            at += (gsize)(g_utf8_next_char(text + at) - (text + at));
        }
        at += fold_ascii(text + at, len - at, folded);
    }
    return at;
}

char *
fold_text(const char *text)
{
    gsize len = strlen(text);
    GString *folded = g_string_sized_new(len);

    fold_octets(text, len, false, folded);
    return g_string_free(folded, FALSE);
}
