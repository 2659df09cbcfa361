/* SPDX-License-Identifier: ISC */
/*
 * Cases of several lines each, many in a file:
 *
 *     %%% case NAME: OPTIONS
 *     what goes in
 *     %%% want NOTES
 *     what comes out
 *
 * OPTIONS and NOTES may be empty. Lines before the first case are a comment.
 */
#ifndef TESTS_UNIT_CASES_H
#define TESTS_UNIT_CASES_H

#include "tests/unit/check_all.h"
#include <string.h>

struct unit_case {
    const char *where; /* "path: name", for messages */
    const char *options;
    const char *input; /* without the LF of its last line */
    const char *notes;
    const char *want; /* the same */
};

/* Calls check for each case of tests/data/PATH. Returns how many there are. */
static inline guint
cases_each(const char *path, void (*check)(const struct unit_case *unit_case))
{
    g_autofree char *text = unit_data(path, NULL);
    g_auto(GStrv) cases = g_strsplit(text, "%%% case ", -1);
    guint count = 0;

    for (; cases[count + 1]; count++) {
        char *name = cases[count + 1];
        char *input = strchr(name, '\n');
        char *want = strstr(name, "%%% want");
        char *body = want ? strchr(want, '\n') : NULL;
        char *options = strchr(name, ':');
        g_autofree char *where = NULL;

        ck_assert_msg(input && body && options && options < input, "%s: %s", path, name);
        *input++ = *body++ = *options++ = '\0';
        want[0] = '\0';
        if (want > input)
            want[-1] = '\0';
        if (*body && body[strlen(body) - 1] == '\n')
            body[strlen(body) - 1] = '\0';
        where = g_strdup_printf("%s: %s", path, name);
        check(&(struct unit_case){where, g_strstrip(options), input,
                                  g_strstrip(want + strlen("%%% want")), body});
    }
    return count;
}

#endif
