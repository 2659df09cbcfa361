/* SPDX-License-Identifier: ISC */
/* The one unit test runner. A test file ends with UNIT_SUITE("name", tcase_add_test(...); …) and is
 * found by itself. */
#ifndef TESTS_UNIT_CHECK_ALL_H
#define TESTS_UNIT_CHECK_ALL_H

#include <check.h>
#include <glib.h>

void unit_add_suite(Suite *suite);

/* statements: tcase_add_test(unit, name) and the like, with "unit" the suite's one TCase. */
#define UNIT_SUITE(name, statements)                                                               \
    __attribute__((constructor)) static void unit_register(void)                                   \
    {                                                                                              \
        Suite *suite = suite_create(name);                                                         \
        TCase *unit = tcase_create(name);                                                          \
        tcase_set_timeout(unit, 60);                                                               \
        statements;                                                                                \
        suite_add_tcase(suite, unit);                                                              \
        unit_add_suite(suite);                                                                     \
    }

/* A new private folder below the system's temporary one; unit_rmdir removes it with what is in it.
 */
char *unit_tmpdir(void);
void unit_rmdir(const char *path);

/* tests/data/PATH, read whole. Freed by the caller. */
char *unit_data(const char *path, gsize *ret_len);

/* tests/data/PATH, what is expected; with ACCEPT in the environment ("make accept") got is written
 * there first. */
char *unit_want(const char *path, const char *got);

#endif
