/* SPDX-License-Identifier: ISC */
/* Tables of cases: one a line, fields parted by tabs, "#" comments. */
#ifndef TESTS_UNIT_TSV_H
#define TESTS_UNIT_TSV_H

#include "tests/unit/check_all.h"

/*
 * Calls row for each line of tests/data/PATH, with its fields: C escapes are resolved (octal, no
 * hexadecimal), and <160*ab> is "ab" 160 times. where is "path:line", for messages.
 */
static inline void
tsv_each(const char *path, guint columns, void (*row)(char **fields, const char *where))
{
    g_autofree char *text = unit_data(path, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GRegex) repeat = g_regex_new("<(\\d+)\\*([^>]*)>", 0, 0, NULL);
    guint seen = 0;

    for (guint n = 0; lines[n]; n++) {
        g_autofree char *where = g_strdup_printf("%s:%u", path, n + 1);
        g_auto(GStrv) fields = NULL;

        if (!lines[n][0] || lines[n][0] == '#')
            continue;
        fields = g_strsplit(lines[n], "\t", -1);
        ck_assert_msg(g_strv_length(fields) == columns, "%s: %u fields", where,
                      g_strv_length(fields));
        for (guint i = 0; i < columns; i++) {
            g_autofree char *plain = g_strcompress(fields[i]);
            g_autoptr(GString) whole = g_string_new(NULL);
            const char *p = plain;
            g_autoptr(GMatchInfo) match = NULL;

            for (g_regex_match(repeat, plain, G_REGEX_MATCH_DEFAULT, &match);
                 g_match_info_matches(match); g_match_info_next(match, NULL)) {
                g_autofree char *count = g_match_info_fetch(match, 1);
                g_autofree char *piece = g_match_info_fetch(match, 2);
                int from, to;

                g_match_info_fetch_pos(match, 0, &from, &to);
                g_string_append_len(whole, p, plain + from - p);
                for (guint k = atoi(count); k; k--)
                    g_string_append(whole, piece);
                p = plain + to;
            }
            g_string_append(whole, p);
            g_free(fields[i]);
            fields[i] = g_string_free(g_steal_pointer(&whole), FALSE);
        }
        row(fields, where);
        seen++;
    }
    ck_assert_uint_gt(seen, 0);
}

#endif
