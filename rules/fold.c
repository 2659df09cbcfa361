/* SPDX-License-Identifier: ISC */
/* Owns what "case-insensitive" means in rules. Pure: no locale, no state, any thread. */
#include "rules/fold.h"

#include <stdbool.h>
#include <string.h>

static bool
is_ascii(const char *text)
{
    for (; *text; text++)
        if (*text & 0x80)
            return false;
    return true;
}

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

char *
fold_text(const char *text)
{
    GString *folded;

    if (is_ascii(text))
        return g_ascii_strdown(text, -1);
    folded = g_string_sized_new(strlen(text));
    while (*text) {
        gunichar c = g_utf8_get_char_validated(text, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_c(folded, *text++);
            continue;
        }
        g_string_append_unichar(folded, fold_char(c));
        text = g_utf8_next_char(text);
    }
    return g_string_free(folded, FALSE);
}
