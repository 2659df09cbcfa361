/* SPDX-License-Identifier: ISC */
/* tests/data/flowed/cases.txt, and what joining must never do. */
#include "tests/unit/cases.h"
#include "transport/reader/flowed.h"

static void
check_case(const struct unit_case *unit_case)
{
    g_autofree char *got = flowed_join(unit_case->input, strcmp(unit_case->options, "delsp") == 0);

    ck_assert_msg(strcmp(got, unit_case->want) == 0, "%s: got\n%s\n---- want\n%s", unit_case->where,
                  got, unit_case->want);
}

START_TEST(flowed_cases)
{
    ck_assert_uint_ge(cases_each("flowed/cases.txt", check_case), 20);
}
END_TEST

/* A line end at the end stays; one that was not there does not come. */
START_TEST(flowed_last_line)
{
    g_autofree char *with = flowed_join("a \nb\n", false);
    g_autofree char *soft = flowed_join("a \n", false);
    g_autofree char *without = flowed_join("a \nb", false);

    ck_assert_str_eq(with, "a b\n");
    ck_assert_str_eq(soft, "a \n");
    ck_assert_str_eq(without, "a b");
}
END_TEST

UNIT_SUITE("flowed", tcase_add_test(unit, flowed_cases); tcase_add_test(unit, flowed_last_line))
