/* SPDX-License-Identifier: ISC */
/*
 * Any text, trimmed and joined: what is left is valid, was there before, is not empty unless the
 * text was, and nothing goes without a note. The first octet chooses the settings.
 */
#include "transport/reader/decode.h"
#include "transport/reader/flowed.h"
#include "transport/reader/trim.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gsize
letters(const char *text)
{
    gsize count = 0;

    for (; *text; text = g_utf8_next_char(text))
        count += !g_unichar_isspace(g_utf8_get_char(text));
    return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const disclaimers[] = {"This e-mail", "a  b", NULL};
    guint flags = size > 0 ? data[0] : 0;
    struct trim_settings settings = {.signature = flags & 1,
                                     .quotes = flags & 2,
                                     .sent_from = flags & 4,
                                     .forwarded = flags & 8,
                                     .reply = flags & 64,
                                     .disclaimers = flags & 16 ? disclaimers : NULL,
                                     .blank_lines = (int)(flags >> 6) - 1};
    g_autofree char *valid = g_utf8_make_valid((const char *)data, (gssize)size);
    g_autoptr(GString) text = g_string_new(valid);
    g_autoptr(GString) notes = g_string_new(NULL);
    g_autofree char *joined = NULL;
    g_autofree char *trimmed = NULL;

    clean_text(text);
    joined = flowed_join(text->str, flags & 32);
    g_assert_true(g_utf8_validate(joined, -1, NULL));
    trimmed = trim_text(text->str, &settings, notes);
    g_assert_true(g_utf8_validate(trimmed, -1, NULL));
    g_assert_cmpuint(letters(trimmed), <=, letters(text->str));
    g_assert_true(letters(text->str) == 0 || letters(trimmed) > 0);
    if (notes->len == 0)
        g_assert_cmpuint(letters(trimmed), ==, letters(text->str));
    trim_is_forward(text->str);
    return 0;
}
