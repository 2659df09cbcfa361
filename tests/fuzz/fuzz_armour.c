/* SPDX-License-Identifier: ISC */
/* A text with OpenPGP armour, uuencode and yEnc blocks, or what looks like them: what is left is
 * made of the text's own lines, and something is. */
#include "transport/reader/decode.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is each line of left one of text's, in their order? dashes: "- " in front may be gone. */
static void
check_lines(const char *text, const char *left, bool dashes)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) kept = g_strsplit(left, "\n", -1);
    char **line = lines;

    for (char **one = kept; *one; one++, line++) {
        while (*line && strcmp(*line, *one) != 0 &&
               !(dashes && g_str_has_prefix(*line, "- ") && strcmp(*line + 2, *one) == 0))
            line++;
        /* A block at the end takes the line end in front of nothing along. */
        g_assert_true(*line || (!**one && !one[1]));
        if (!*line)
            return;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *raw = g_strndup((const char *)data, size);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    g_autoptr(GString) left = g_string_new(text);
    g_autofree char *before = NULL;
    bool white = clean_is_white(left);
    bool encrypted = false;

    attached_strip(left);
    g_assert_true(g_utf8_validate(left->str, -1, NULL) && strlen(left->str) == left->len);
    g_assert_true(clean_is_white(left) == white);
    check_lines(text, left->str, false);
    before = g_strdup(left->str);
    if (!armour_strip(left, &encrypted)) {
        g_assert_true(!encrypted && strcmp(left->str, before) == 0);
        return 0;
    }
    g_assert_true(g_utf8_validate(left->str, -1, NULL) && strlen(left->str) == left->len);
    check_lines(before, left->str, true);
    return 0;
}
