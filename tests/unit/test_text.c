/* SPDX-License-Identifier: ISC */
/* Which part is a mail's text, and what is taken out of it before anybody reads it. */
#include "tests/unit/cases.h"
#include "transport/reader/decode.h"
#include "transport/reader/mail.h"
#include "transport/reader/mime.h"
#include "transport/reader/sandbox.h"

static void
compare(const struct unit_case *unit_case, const char *text, const char *notes)
{
    ck_assert_msg(strcmp(text, unit_case->want) == 0, "%s: got\n%s\n---- want\n%s",
                  unit_case->where, text, unit_case->want);
    ck_assert_msg(strcmp(notes, unit_case->notes) == 0, "%s: notes \"%s\", want \"%s\"",
                  unit_case->where, notes, unit_case->notes);
}

static void
check_armour(const struct unit_case *unit_case)
{
    g_autoptr(GString) text = g_string_new(unit_case->input);
    bool encrypted = false;
    bool found = armour_strip(text, &encrypted);

    compare(unit_case, text->str, encrypted ? "encrypted" : found ? "stripped" : "none");
}

START_TEST(armour)
{
    ck_assert_uint_ge(cases_each("text/armour.txt", check_armour), 15);
}
END_TEST

static void
check_attached(const struct unit_case *unit_case)
{
    g_autoptr(GString) text = g_string_new(unit_case->input);

    attached_strip(text);
    compare(unit_case, text->str, "");
}

START_TEST(attached)
{
    ck_assert_uint_ge(cases_each("text/attached.txt", check_attached), 12);
}
END_TEST

static void
check_choice(const struct unit_case *unit_case)
{
    gsize len = strlen(unit_case->input);
    struct chosen chosen;
    struct outcome why;
    g_autoptr(GString) notes = g_string_new(NULL);

    ck_assert_int_eq(text_choose((const guint8 *)unit_case->input, len, &chosen, &why), 0);
    g_string_printf(notes, "%s%s%s%s", chosen.encrypted ? "encrypted " : "",
                    chosen.sealed ? "sealed " : "", chosen.cut ? "cut " : "",
                    chosen.verbatim ? "verbatim " : "");
    compare(unit_case, chosen.text ? chosen.text->str : "", g_strchomp(notes->str));
    if (chosen.text)
        g_string_free(chosen.text, TRUE);
}

START_TEST(choice)
{
    reader_prepare();
    ck_assert_uint_ge(cases_each("text/choice.txt", check_choice), 20);
}
END_TEST

/* One form of a character that has several; what is invisible or turns the direction goes. */
static const struct {
    const char *text, *want;
} cleaned[] = {
    {"e\u0301 o\u0308\nn\u0303", "é ö\nñ"},
    {"\u1100\u1161\u11A8", "각"},
    {"\u212B \u2126", "Å Ω"},
    {"a\u0323\u0301", "ạ\u0301"},
    {"a\u0301\u0323", "ạ\u0301"}, /* order of marks is no difference */
    {"\u0958", "\u0915\u093C"},   /* excluded from composition */
    {"ﬁ ²", "ﬁ ²"},               /* what looks different stays different */
    {"a\u202Eb\u202Cc\u2066d\u2069", "abcd"},
    {"a\u2060b\u2063c\u2064d", "abcd"},
    {"a\u200Bb\uFEFFc\u00ADd\u200Ee\u061Cf", "abcdef"},
    {"👩\u200D🚒 می\u200Cخواهم", "👩\u200D🚒 می\u200Cخواهم"},
    {"\uFEFFa\rb\r\nc\r\r\nd\x01\x7F\xC2\x85", "a\nb\nc\nd"},
    {"\tx\n", "\tx\n"},
};

START_TEST(cleaning)
{
    g_autoptr(GString) text = g_string_new(cleaned[_i].text);

    clean_text(text);
    ck_assert_str_eq(text->str, cleaned[_i].want);
    clean_text(text);
    ck_assert_str_eq(text->str, cleaned[_i].want);
}
END_TEST

/* A word with more marks than any language has stays as it is: sorting them takes the square of
 * their number. The words around it are composed. */
START_TEST(marks_flood)
{
    g_autoptr(GString) text = g_string_new("e\u0301 x");
    g_autoptr(GString) want = g_string_new("é x");
    g_autoptr(GString) thirty = g_string_new("a\u0301");

    for (int i = 0; i < 250000; i++) {
        g_string_append(text, i % 2 ? "\u0301" : "\u0316");
        g_string_append(want, i % 2 ? "\u0301" : "\u0316");
    }
    g_string_append(text, " e\u0301");
    g_string_append(want, " é");
    clean_text(text);
    ck_assert(g_string_equal(text, want));
    for (int i = 1; i < 30; i++)
        g_string_append(thirty, "\u0301");
    clean_text(thirty);
    ck_assert(g_str_has_prefix(thirty->str, "á\u0301"));
}
END_TEST

/* Blocks made to be searched for their ends again and again: as much as is decoded, and the suite's
 * time limit. AddressSanitizer's strstr looks at the whole text each time. */
START_TEST(blocks_are_linear)
{
    static const char *const pieces[] = {
        "=ybegin x\n",
        "begin 644 x\n",
        "begin 644 x\n#0V%T\n",
        "-----BEGIN PGP MESSAGE-----\n",
        "-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n",
        "-----BEGIN PGP SIGNED MESSAGE-----\n",
        "-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE-----\n"
        "-----END PGP SIGNATURE-----\n",
        "-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE-----\n",
        "x-----BEGIN PGP MESSAGE-----\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new("begin\n");
        bool encrypted;

        while (text->len < (SANITIZED ? 64 * 1024 : 8 * 1048576))
            g_string_append(text, pieces[i]);
        attached_strip(text);
        armour_strip(text, &encrypted);
        ck_assert(g_str_has_prefix(text->str, "begin\n"));
    }
}
END_TEST

UNIT_SUITE("text", tcase_add_test(unit, armour); tcase_add_test(unit, attached);
           tcase_add_test(unit, choice);
           tcase_add_loop_test(unit, cleaning, 0, G_N_ELEMENTS(cleaned));
           tcase_add_test(unit, marks_flood); tcase_add_test(unit, blocks_are_linear))
