/* SPDX-License-Identifier: ISC */
/* Runs every suite that registered itself; CK_RUN_SUITE=name runs one, CK_FORK=no suits a debugger.
 */
#include "tests/unit/check_all.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdlib.h>

static SRunner *runner;

void
unit_add_suite(Suite *suite)
{
    if (!runner)
        runner = srunner_create(suite);
    else
        srunner_add_suite(runner, suite);
}

char *
unit_tmpdir(void)
{
    char *path = g_dir_make_tmp("postsms-unit-XXXXXX", NULL);

    ck_assert_ptr_nonnull(path);
    return path;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void
unit_rmdir(const char *path)
{
    ck_assert_int_eq(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

char *
unit_data(const char *path, gsize *ret_len)
{
    g_autofree char *whole = g_build_filename("tests", "data", path, NULL);
    char *text = NULL;

    ck_assert_msg(g_file_get_contents(whole, &text, ret_len, NULL), "%s", whole);
    return text;
}

char *
unit_want(const char *path, const char *got)
{
    g_autofree char *whole = g_build_filename("tests", "data", path, NULL);

    if (g_getenv("ACCEPT"))
        ck_assert(g_file_set_contents(whole, got, -1, NULL));
    return unit_data(path, NULL);
}

int
main(void)
{
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
