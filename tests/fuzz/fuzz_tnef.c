/* SPDX-License-Identifier: ISC */
/* Any octets as winmail.dat, as packed RTF and as RTF: valid UTF-8 within its bounds comes out. */
#include "transport/reader/rtf.h"
#include "transport/reader/tnef.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) plain = g_string_new(NULL);
    g_autoptr(GByteArray) rtf = g_byte_array_new();
    guint replaced = 0;
    bool html;

    g_assert_true(tnef_text(data, size, text, &html, &replaced) == (text->len > 0));
    g_assert_true(g_utf8_validate(text->str, (gssize)text->len, NULL));
    rtf_unpack(data, size, rtf);
    g_assert_cmpuint(rtf->len, <=, RTF_MAX + 17);
    rtf_text(data, size, plain, &replaced);
    g_assert_true(g_utf8_validate(plain->str, (gssize)plain->len, NULL));
    return 0;
}
