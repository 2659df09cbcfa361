/* SPDX-License-Identifier: ISC */
/*
 * Owns lines: white space as browsers collapse it, line ends that are wanted but not yet written,
 * prefixes of quotes and lists, the bound of the whole. Knows no element. What is written is never
 * taken back, so blanks and line ends wait until a character follows.
 */
#include "transport/reader/html_inside.h"

#include <string.h>

#define INDENT "  "

/* windows-1252 from 0x80: numbers between 128 and 159 mean that in HTML, whatever Unicode says.
 * 0: not assigned. */
static const gunichar high_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

void
html_lines_open(struct html_lines *lines, GString *to, gsize max)
{
    *lines = (struct html_lines){
        .to = to,
        .start = to->len,
        .max = max,
        .prefix = g_string_new(NULL),
        .last = g_string_new(NULL),
        .marker = g_string_new(NULL),
        .blanks = g_string_new(NULL),
    };
}

bool
html_lines_close(struct html_lines *lines)
{
    gsize end = lines->start + lines->max;
    bool cut = lines->full;

    if (lines->to->len > end) {
        while (end > lines->start && ((guint8)lines->to->str[end] & 0xC0) == 0x80)
            end--;
        g_string_truncate(lines->to, end);
        cut = true;
    }
    g_string_free(lines->prefix, TRUE);
    g_string_free(lines->last, TRUE);
    g_string_free(lines->marker, TRUE);
    g_string_free(lines->blanks, TRUE);
    return cut;
}

bool
html_lines_none(const struct html_lines *lines)
{
    return lines->to->len == lines->start;
}

static gsize
without_blanks(const char *text, gsize len)
{
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len;
}

/* Line ends with what is between them: a blank line between a quote and what is around it is
 * not the quote's. */
static void
end_lines(struct html_lines *lines, guint count)
{
    gsize common = 0;

    while (common < lines->last->len && common < lines->prefix->len &&
           lines->last->str[common] == lines->prefix->str[common])
        common++;
    common = without_blanks(lines->prefix->str, common);
    for (; count > 1 && lines->to->len - lines->start <= lines->max; count--) {
        g_string_append_c(lines->to, '\n');
        g_string_append_len(lines->to, lines->prefix->str, (gssize)common);
    }
    g_string_append_c(lines->to, '\n');
    lines->breaks++;
}

static void
begin_line(struct html_lines *lines)
{
    gsize at = lines->marker->len > 0 ? lines->marker_at : lines->prefix->len;

    g_string_append_len(lines->to, lines->prefix->str, (gssize)at);
    if (lines->marker->len > 0) {
        gsize behind = MIN(at + strlen(INDENT), lines->prefix->len);

        g_string_append_len(lines->to, lines->marker->str, (gssize)lines->marker->len);
        g_string_append_len(lines->to, lines->prefix->str + behind,
                            (gssize)(lines->prefix->len - behind));
        g_string_truncate(lines->marker, 0);
    }
    g_string_assign(lines->last, lines->prefix->str);
}

/* What stands before a character that will be seen. */
static void
before_character(struct html_lines *lines)
{
    bool none = html_lines_none(lines);

    if (none || lines->wanted > 0 || lines->rule > 0) {
        if (!none) {
            if (lines->rule > 0) {
                end_lines(lines, lines->rule);
                g_string_append_len(lines->to, lines->prefix->str, (gssize)lines->prefix->len);
                g_string_append(lines->to, "---");
            }
            end_lines(lines, MAX(lines->wanted, 1));
        }
        begin_line(lines);
    } else if (lines->blank) {
        g_string_append_c(lines->to, ' ');
    } else if (lines->joiner) {
        g_string_append_unichar(lines->to, lines->joiner);
    }
    g_string_append_len(lines->to, lines->blanks->str, (gssize)lines->blanks->len);
    g_string_truncate(lines->blanks, 0);
    lines->wanted = lines->rule = 0;
    lines->joiner = 0;
    lines->blank = lines->hard = lines->soft = lines->pre_start = false;
}

static void
put(struct html_lines *lines, const char *character, gsize len)
{
    before_character(lines);
    g_string_append_len(lines->to, character, (gssize)len);
    lines->full = lines->to->len - lines->start > lines->max;
}

static bool
line_empty(const struct html_lines *lines)
{
    return lines->wanted > 0 || html_lines_none(lines);
}

void
html_lines_want(struct html_lines *lines, guint count)
{
    if (lines->hard)
        count = HTML_LINES_GAP;
    lines->hard = false;
    lines->blank = false;
    lines->joiner = 0;
    g_string_truncate(lines->blanks, 0);
    if (lines->soft) {
        /* A cell that follows another one in its line stays there. */
        lines->blank = lines->wanted == 0;
        return;
    }
    lines->wanted = MIN(MAX(lines->wanted, count), HTML_LINES_GAP);
}

void
html_lines_break(struct html_lines *lines)
{
    guint wanted = lines->wanted;

    html_lines_want(lines, MIN(wanted + 1, HTML_LINES_GAP));
}

void
html_lines_rule(struct html_lines *lines)
{
    html_lines_want(lines, 1);
    if (lines->rule == 0)
        lines->rule = MAX(lines->wanted, 1);
    lines->wanted = 1;
}

static void
pre_break(struct html_lines *lines)
{
    g_string_truncate(lines->blanks, 0);
    if (!lines->pre_start && !lines->soft && !html_lines_none(lines))
        lines->wanted++;
    lines->pre_start = false;
}

static void
white(struct html_lines *lines, gunichar c, bool pre)
{
    lines->joiner = 0;
    if (pre && c == '\n')
        pre_break(lines);
    else if (pre)
        g_string_append_c(lines->blanks, c == '\t' ? '\t' : ' ');
    else if (!line_empty(lines))
        lines->blank = true;
    else if (c >= 0x00A0 && !lines->soft)
        lines->hard = true;
}

/* Invisible, and put between characters to pad or to let a line break there. */
static bool
is_filler(gunichar c)
{
    return c == 0x00AD || c == 0x034F || c == 0x180E || c == 0x200B || c == 0x2060 || c == 0xFEFF;
}

/* Blanks of any width, and those that keep a line together: in a text they are blanks. The one as
 * wide as a Chinese character is left alone. */
static bool
is_wide_blank(gunichar c)
{
    return c == 0x00A0 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F;
}

static void
character(struct html_lines *lines, const char *text, gsize len, bool pre)
{
    gunichar c = g_utf8_get_char(text);
    char buffer[6];

    if (c == ' ' || c == '\t' || c == '\n' || is_wide_blank(c)) {
        white(lines, c, pre);
    } else if (c == 0x200C || c == 0x200D) {
        /* Holds letters together or apart and pads nothing. */
        if (!lines->blank && !line_empty(lines))
            lines->joiner = c;
    } else if (c >= 0x80 && c < 0xA0) {
        if (high_1252[c - 0x80])
            put(lines, buffer, (gsize)g_unichar_to_utf8(high_1252[c - 0x80], buffer));
    } else if (c > ' ' && c != 0x7F && !is_filler(c)) {
        put(lines, text, len);
    }
}

void
html_lines_text(struct html_lines *lines, const char *text, gsize len, bool pre)
{
    const char *end = text + len;

    while (text < end && !lines->full) {
        const char *next = g_utf8_next_char(text);

        character(lines, text, (gsize)(next - text), pre);
        text = next;
    }
}

void
html_lines_attach(struct html_lines *lines, const char *text)
{
    g_string_append(lines->to, text);
    lines->full = lines->to->len - lines->start > lines->max;
}

void
html_lines_join(struct html_lines *lines)
{
    lines->wanted = 0;
    lines->hard = false;
    lines->blank = true;
}

void
html_lines_cell(struct html_lines *lines, bool joined)
{
    if (joined)
        html_lines_join(lines);
    else
        html_lines_want(lines, 1);
    lines->soft = true;
}

void
html_lines_item(struct html_lines *lines, const char *marker)
{
    lines->soft = false;
    html_lines_want(lines, 1);
    g_string_assign(lines->marker, marker);
    lines->marker_at = lines->prefix->len;
    g_string_append(lines->prefix, INDENT);
    lines->soft = true;
}
