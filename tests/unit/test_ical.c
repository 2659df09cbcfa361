/* SPDX-License-Identifier: ISC */
/* tests/data/ical/NAME.ics, as clients send them, are NAME.want; an empty one: no event. */
#include "tests/unit/check_all.h"
#include "transport/reader/ical.h"
#include <string.h>

static char *
text_of(const char *data, gsize len)
{
    /* A copy of the exact size lets the sanitizers see one octet too far. */
    g_autofree char *exact = g_memdup2(data, MAX(len, 1));
    GString *text = g_string_new("before\n");
    bool found = ical_text(exact, len, text);

    ck_assert(g_str_has_prefix(text->str, "before\n"));
    g_string_erase(text, 0, strlen("before\n"));
    ck_assert(found == (text->len > 0));
    ck_assert(g_utf8_validate(text->str, -1, NULL));
    return g_string_free(text, FALSE);
}

START_TEST(calendar_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/ical", 0, NULL);
    const char *name;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename("ical", name, NULL);
        gsize len;

        if (!g_str_has_suffix(path, ".ics"))
            continue;
        g_autofree char *data = unit_data(path, &len);
        g_autofree char *got = text_of(data, len);

        memcpy(path + strlen(path) - strlen(".ics"), ".wan", strlen(".wan"));
        g_autofree char *want_path = g_strconcat(path, "t", NULL);
        g_autofree char *want = unit_data(want_path, NULL);

        ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%swant\n%s", want_path, got, want);
        count++;
    }
    ck_assert_uint_ge(count, 18);
}
END_TEST

/* What is long becomes short, on a character's end. */
START_TEST(calendar_bounds)
{
    g_autoptr(GString) data = g_string_new("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:");
    g_autofree char *got = NULL;

    for (int i = 0; i < 200000; i++)
        g_string_append(data, "\xC3\xA4\n ");
    got = text_of(data->str, data->len);
    ck_assert_uint_eq(strlen(got), ICAL_VALUE_MAX + 1);
}
END_TEST

START_TEST(calendar_nothing)
{
    g_autofree char *empty = text_of("", 0);
    g_autofree char *nul = text_of("BEGIN:VEVENT\0\nSUMMARY:a", 23);
    g_autofree char *bare = text_of("BEGIN:VEVENT\nEND:VEVENT", 23);

    ck_assert_str_eq(empty, "");
    ck_assert_str_eq(nul, "a\n");
    ck_assert_str_eq(bare, "");
}
END_TEST

UNIT_SUITE("ical", tcase_add_test(unit, calendar_cases); tcase_add_test(unit, calendar_bounds);
           tcase_add_test(unit, calendar_nothing))
