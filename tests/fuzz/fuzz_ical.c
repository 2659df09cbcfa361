/* SPDX-License-Identifier: ISC */
/* Any octets as a calendar: a few short, valid lines come out, or nothing. */
#include "transport/reader/ical.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) text = g_string_new(NULL);
    guint lines = 0;

    g_assert_true(ical_text((const char *)data, size, text) == (text->len > 0));
    g_assert_true(g_utf8_validate(text->str, (gssize)text->len, NULL));
    for (gsize i = 0; i < text->len; i++) {
        g_assert_true(text->str[i] == '\n' || (guint8)text->str[i] >= 0x20);
        lines += text->str[i] == '\n';
    }
    g_assert_cmpuint(lines, <=, 5);
    g_assert_cmpuint(text->len, <=, 8 * ICAL_VALUE_MAX);
    return 0;
}
