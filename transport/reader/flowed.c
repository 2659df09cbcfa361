/* SPDX-License-Identifier: ISC */
/*
 * Owns format=flowed: quote depth, space-stuffing, soft line ends (RFC 3676 section 4). Pure; must
 * never change what stands inside a line.
 */
#include "transport/reader/flowed.h"

#include <string.h>

#define SIGNATURE "-- "

/* A line as it was meant: its quote marks counted, its stuffing gone. */
struct flowed_line {
    const char *text;
    gsize len;
    guint depth;
    bool soft; /* goes on in the next line */
};

static bool
is_signature(const struct flowed_line *line)
{
    return line->len == strlen(SIGNATURE) && memcmp(line->text, SIGNATURE, line->len) == 0;
}

static struct flowed_line
line_read(const char *start, gsize len)
{
    struct flowed_line line = {0};
    gsize at = 0;

    while (at < len && start[at] == '>')
        at++;
    line.depth = (guint)at;
    if (at < len && start[at] == ' ')
        at++;
    line.text = start + at;
    line.len = len - at;
    line.soft = line.len > 0 && line.text[line.len - 1] == ' ' && !is_signature(&line);
    return line;
}

static void
begin_line(GString *out, guint depth)
{
    for (guint i = 0; i < depth; i++)
        g_string_append_c(out, '>');
    if (depth > 0)
        g_string_append_c(out, ' ');
}

char *
flowed_join(const char *text, bool delsp)
{
    GString *out = g_string_sized_new(strlen(text));
    bool inside = false; /* a paragraph that goes on here */

    while (*text) {
        gsize len = strcspn(text, "\n");
        const char *next = text + len + (text[len] == '\n');
        struct flowed_line line = line_read(text, len);
        struct flowed_line following = line_read(next, strcspn(next, "\n"));
        /* Section 4.3: a signature line ends a paragraph, whatever stood before it. */
        bool goes_on =
            line.soft && *next && following.depth == line.depth && !is_signature(&following);

        if (!inside)
            begin_line(out, line.depth);
        g_string_append_len(out, line.text, (gssize)(line.len - (goes_on && delsp)));
        if (!goes_on && text[len] == '\n')
            g_string_append_c(out, '\n');
        inside = goes_on;
        text = next;
    }
    return g_string_free(out, FALSE);
}
