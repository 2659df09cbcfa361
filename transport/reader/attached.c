/* SPDX-License-Identifier: ISC */
/*
 * Owns files that stand inside a text, as they did before MIME: uuencode (POSIX) and yEnc blocks.
 * They are attachments, and no part of what is read. Decodes nothing.
 */
#include "lib/clean.h"
#include "transport/reader/decode.h"

#include <string.h>

#define YENC_END "\n=yend "

static gsize
line_length(const char *line)
{
    return strcspn(line, "\n");
}

static const char *
next_line(const char *line)
{
    line += line_length(line);
    return *line ? line + 1 : line;
}

static bool
line_is(const char *line, const char *text)
{
    gsize len = strlen(text);

    return line_length(line) == len && strncmp(line, text, len) == 0;
}

/* "begin 644 plan.txt" */
static bool
begins_uu(const char *line)
{
    gsize digits;

    if (!g_str_has_prefix(line, "begin "))
        return false;
    line += strlen("begin ");
    digits = strspn(line, "01234567");
    return digits >= 3 && digits <= 4 && line[digits] == ' ' && line[digits + 1] != '\n';
}

/* The first character tells how many octets the line holds, of four characters each three. */
static bool
is_uu_line(const char *line)
{
    gsize len = line_length(line);
    gsize octets = len ? ((guchar)*line - ' ') & 0x3F : 0;

    if (len == 0 || *line < ' ' || *line > '`')
        return false;
    return len >= 1 + (octets * 4 + 2) / 3 && len <= 1 + (octets + 2) / 3 * 4 + 2;
}

/* Behind the block that begins at line; NULL if none does. In front of its end is a line of no
 * octets, whose one blank may have gone on the way; without that it is a sentence. */
static const char *
uu_end(const char *line)
{
    const char *first = next_line(line);
    const char *at = first;

    if (!begins_uu(line))
        return NULL;
    while (is_uu_line(at) && !line_is(at, "end"))
        at = next_line(at);
    if (line_is(at, ""))
        at = next_line(at);
    return at > first && line_is(at, "end") ? next_line(at) : NULL;
}

/* last: where the last line ends that has another behind it which ends a block; NULL: none does. */
static const char *
yenc_end(const char *line, const char *last)
{
    if (!last || line > last || !g_str_has_prefix(line, "=ybegin "))
        return NULL;
    return next_line(strstr(line, YENC_END) + 1);
}

void
attached_strip(GString *text)
{
    g_autoptr(GString) rest = g_string_sized_new(text->len);
    const char *at = text->str;
    const char *yenc = g_strrstr(at, YENC_END);

    if (!strstr(at, "begin "))
        return;
    while (*at) {
        const char *end = uu_end(at);
        const char *next = next_line(at);

        if (!end)
            end = yenc_end(at, yenc);
        if (!end)
            g_string_append_len(rest, at, next - at);
        at = end ? end : next;
    }
    if (rest->len < text->len && !clean_is_white(rest))
        g_string_assign(text, rest->str);
}
