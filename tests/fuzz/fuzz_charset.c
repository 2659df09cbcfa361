/* SPDX-License-Identifier: ISC */
/*
 * Octets that claim a charset: the first line is the label, empty for none. What comes out is valid
 * UTF-8 behind what was there, whatever the claim; UTF-8 without one comes out as it was; and what
 * can be written in a charset is read as it was.
 */
#include "transport/reader/decode.h"
#include "transport/reader/encode.h"
#include "transport/reader/mail.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GString *
decode(const char *label, const guint8 *data, gsize len, guint *replaced)
{
    GString *to = g_string_new("before");
    gsize marks = 0;

    *replaced = 0;
    charset_decode(label, data, len, to, replaced);
    g_assert_true(g_str_has_prefix(to->str, "before"));
    g_assert_true(g_utf8_validate_len(to->str, to->len, NULL));
    g_assert_cmpuint(strlen(to->str), ==, to->len);
    g_string_erase(to, 0, strlen("before"));
    for (const char *c = to->str; (c = strstr(c, "\uFFFD")); c += strlen("\uFFFD"))
        marks++;
    g_assert_cmpuint(*replaced, <=, marks); /* each that was put in is there */
    g_assert_cmpuint(to->len, <=, 12 * len + 12);
    return to;
}

/* Japanese charsets have makers' versions that differ in a few signs; what is written is the common
 * one, what is read the wider one. */
static bool
has_versions(const char *label)
{
    static const char *const names[] = {"j", "932", "kanji"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcasestr(label, names[i]))
            return true;
    return false;
}

/* The same text again from what was written of it, unless that may as well be UTF-8. */
static void
write_and_read(const char *label, const GString *text)
{
    g_autoptr(GByteArray) written = g_byte_array_new();
    g_autoptr(GString) again = NULL;
    g_autofree char *once = NULL;
    g_autofree char *twice = NULL;
    guint replaced;

    if (!charset_encode(label, text->str, text->len, written) ||
        g_utf8_validate((const char *)written->data, written->len, NULL))
        return;
    again = decode(label, written->data, written->len, &replaced);
    g_assert_cmpuint(replaced, ==, 0);
    /* iconv composes Hebrew, a reader does not, and long runs of marks stay as they are. */
    once = g_utf8_normalize(text->str, -1, G_NORMALIZE_NFD);
    twice = g_utf8_normalize(again->str, -1, G_NORMALIZE_NFD);
    if (has_versions(label))
        g_assert_cmpint(g_utf8_strlen(twice, -1), ==, g_utf8_strlen(once, -1));
    else
        g_assert_cmpstr(twice, ==, once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size ? memchr(data, '\n', size) : NULL;
    g_autofree char *label = NULL;
    g_autoptr(GString) text = NULL;
    const guint8 *rest;
    gsize len;
    guint replaced;

    if (!line_end)
        return 0;
    reader_prepare();
    label = g_strndup((const char *)data, (gsize)(line_end - data));
    rest = line_end + 1;
    len = size - (gsize)(rest - data);
    text = decode(*label ? label : NULL, rest, len, &replaced);
    if (!*label && len && g_utf8_validate((const char *)rest, (gssize)len, NULL)) {
        g_assert_cmpuint(replaced, ==, 0);
        g_assert_true(text->len == len && memcmp(text->str, rest, len) == 0);
    }
    clean_text(text);
    g_assert_true(g_utf8_validate_len(text->str, text->len, NULL));
    write_and_read(label, text);
    return 0;
}
