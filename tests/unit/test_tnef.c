/* SPDX-License-Identifier: ISC */
/*
 * tests/data/tnef/NAME.dat is NAME.want, "html " in front if it is HTML, empty if there is no body.
 * make_samples.py in that folder has written them; compressed-1 and -2 are the specification's.
 */
#include "tests/unit/check_all.h"
#include "transport/reader/rtf.h"
#include "transport/reader/tnef.h"
#include <string.h>

static char *
text_of(const char *data, gsize len)
{
    /* A copy of the exact size lets the sanitizers see one octet too far. */
    g_autofree guint8 *exact = g_memdup2(data, MAX(len, 1));
    g_autoptr(GString) text = g_string_new(NULL);
    guint replaced = 0;
    bool html;
    bool found = tnef_text(exact, len, text, &html, &replaced);

    ck_assert(found == (text->len > 0));
    ck_assert(g_utf8_validate(text->str, (gssize)text->len, NULL));
    return g_strconcat(html ? "html " : "", text->str, NULL);
}

START_TEST(tnef_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/tnef", 0, NULL);
    const char *name;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename("tnef", name, NULL);
        gsize len;

        if (!g_str_has_suffix(path, ".dat"))
            continue;
        g_autofree char *data = unit_data(path, &len);
        g_autofree char *got = text_of(data, len);

        path[strlen(path) - strlen(".dat")] = '\0';
        g_autofree char *want_path = g_strconcat(path, ".want", NULL);
        g_autofree char *want = unit_data(want_path, NULL);

        ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%s\nwant\n%s", want_path, got, want);
        count++;
    }
    ck_assert_uint_ge(count, 16);
}
END_TEST

/* Cut anywhere, it is read to its end and no further, and never gives more than the whole. */
START_TEST(tnef_cut_anywhere)
{
    gsize len;
    g_autofree char *data = unit_data("tnef/unicode.dat", &len);

    for (gsize cut = 0; cut <= len; cut++) {
        g_autofree char *got = text_of(data, cut);
        g_autofree char *whole = text_of(data, len);

        /* Half a surrogate pair becomes U+FFFD. */
        if (!strstr(got, "\xEF\xBF\xBD"))
            ck_assert_msg(g_str_has_prefix(whole, got), "%zu: %s", cut, got);
    }
}
END_TEST

/* [MS-OXRTFCP] sections 4.1.1 and 4.1.2. */
START_TEST(rtf_compressed)
{
    static const guint8 first[] = {0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                   0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00,
                                   0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a,
                                   0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77,
                                   0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0};
    static const guint8 second[] = {0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                    0x46, 0x75, 0xe2, 0xd4, 0x4b, 0x51, 0x41, 0x00, 0x04, 0x20,
                                    0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01, 0x0e, 0xb0};
    const char *first_want = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
    const char *second_want = "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}";
    g_autoptr(GByteArray) rtf = g_byte_array_new();

    ck_assert(rtf_unpack(first, sizeof(first), rtf));
    ck_assert_uint_eq(rtf->len, strlen(first_want));
    ck_assert_mem_eq(rtf->data, first_want, rtf->len);
    g_byte_array_set_size(rtf, 0);
    ck_assert(rtf_unpack(second, sizeof(second), rtf));
    ck_assert_uint_eq(rtf->len, strlen(second_want));
    ck_assert_mem_eq(rtf->data, second_want, rtf->len);
    ck_assert(!rtf_unpack(first, 15, rtf));
}
END_TEST

/* A run of pointers into the dictionary, each seventeen octets for two; the header claims 4 GiB. */
START_TEST(rtf_bomb)
{
    g_autoptr(GByteArray) packed = g_byte_array_new();
    g_autoptr(GByteArray) rtf = g_byte_array_new();
    static const guint8 header[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    'L',  'Z',  'F',  'u',  0,    0,    0,    0};
    static const guint8 run[] = {0xff, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15};

    g_byte_array_append(packed, header, sizeof(header));
    while (packed->len < 2 * 1048576)
        g_byte_array_append(packed, run, sizeof(run));
    ck_assert(rtf_unpack(packed->data, packed->len, rtf));
    ck_assert_uint_le(rtf->len, RTF_MAX + 17);
}
END_TEST

/* Groups without end, below each other and behind each other. */
START_TEST(rtf_groups)
{
    g_autoptr(GString) rtf = g_string_new("{\\rtf1 a");
    g_autoptr(GString) text = g_string_new(NULL);
    guint replaced = 0;

    for (int i = 0; i < 1000000; i++)
        g_string_append_c(rtf, '{');
    g_string_append(rtf, "b{\\*\\x c}");
    for (int i = 0; i < 1000002; i++)
        g_string_append_c(rtf, '}');
    g_string_append(rtf, "d");
    rtf_text((const guint8 *)rtf->str, rtf->len, text, &replaced);
    ck_assert_msg(g_str_has_prefix(text->str, "ab"), "%s", text->str);
    ck_assert_uint_eq(replaced, 0);
}
END_TEST

UNIT_SUITE("tnef", tcase_add_test(unit, tnef_cases); tcase_add_test(unit, tnef_cut_anywhere);
           tcase_add_test(unit, rtf_compressed); tcase_add_test(unit, rtf_bomb);
           tcase_add_test(unit, rtf_groups))
