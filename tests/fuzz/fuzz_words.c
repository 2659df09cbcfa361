/* SPDX-License-Identifier: ISC */
/* A raw header value: what is decoded of it is valid UTF-8, and as a subject it is read again as it
 * was written. What has no encoded word is what its characters are. */
#include "transport/reader/decode.h"
#include "transport/reader/encode.h"
#include "transport/reader/mail.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GString *
decode(const char *raw, gsize len)
{
    GString *to = g_string_new("before");
    guint replaced = 0;

    words_decode(raw, len, to, &replaced);
    g_assert_true(g_str_has_prefix(to->str, "before"));
    g_assert_true(g_utf8_validate_len(to->str, to->len, NULL));
    g_assert_cmpuint(replaced, <=, len);
    g_string_erase(to, 0, strlen("before"));
    return to;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of the exact size: words end where the value does. */
    g_autofree char *raw = g_memdup2(data, size);
    g_autoptr(GString) line = NULL;
    g_autoptr(GString) again = NULL;
    g_autofree char *value = NULL;
    char *fold;

    reader_prepare();
    line = decode(size ? raw : "", size);
    if (!memmem(data, size, "=?", 2)) {
        g_autoptr(GString) plain = g_string_new(NULL);
        guint replaced = 0;

        charset_decode(NULL, data, size, plain, &replaced);
        g_assert_true(g_string_equal(plain, line));
    }
    clean_line(line, 4096);
    value = encode_subject(line->str);
    while ((fold = strchr(value, '\n'))) /* unfolded: what follows is a blank */
        memmove(fold, fold + 1, strlen(fold));
    again = decode(value, strlen(value));
    clean_line(again, 4096);
    g_assert_cmpstr(again->str, ==, line->str);
    return 0;
}
