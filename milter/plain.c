/* SPDX-License-Identifier: ISC */
/*
 * Owns the question whether a mail needs decoding at all. Most alarms and scripts write mail that
 * does not, and a reader's answer costs more than all rules. Decodes nothing: whatever is not known
 * to be plain is not. Must give what transport/reader gives for the same mail, octet for octet;
 * tests/system/test_milter.py holds the two against each other.
 */
#include "milter/plain.h"

#include <string.h>

#define BODY_MAX 65536 /* octets; what is larger is worth a reader */

/* Values that change nothing about ASCII text, in lower case. */
static const char *const types[] = {
    "text/plain",
    "text/plain;charset=us-ascii",
    "text/plain;charset=\"us-ascii\"",
    "text/plain;charset=utf-8",
    "text/plain;charset=\"utf-8\"",
    "text/plain;charset=iso-8859-1",
    "text/plain;charset=\"iso-8859-1\"",
    NULL,
};
static const char *const encodings[] = {"7bit", "8bit", NULL};

/* What begins a line that a reader would take for more than text. */
static const char *const marks[] = {"begin ", "=ybegin ", "-----BEGIN PGP ", NULL};

/* Octets of the line at, its end excluded; *next: where the next one begins. */
static gsize
line_length(const char *at, const char *end, const char **next)
{
    const char *newline = memchr(at, '\n', (gsize)(end - at));
    gsize len = (gsize)((newline ? newline : end) - at);

    *next = newline ? newline + 1 : end;
    if (newline && len > 0 && at[len - 1] == '\r')
        len--;
    return len;
}

static bool
is_printable(const char *at, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (at[i] < ' ' || at[i] > '~')
            return false;
    return true;
}

/* The value is one of list, case aside and blanks where a header may have them. */
static bool
is_one_of(const char *value, gsize len, const char *const *list)
{
    char dense[64];
    gsize count = 0;

    while (len > 0 && value[len - 1] == ' ')
        len--;
    for (gsize i = 0; i < len; i++) {
        if (value[i] == ' ' && (count == 0 || dense[count - 1] == ';'))
            continue;
        if (count == sizeof(dense) - 1)
            return false;
        dense[count++] = g_ascii_tolower(value[i]);
    }
    dense[count] = '\0';
    return g_strv_contains(list, dense);
}

static bool
name_is(const char *line, gsize len, const char *name)
{
    gsize name_len = strlen(name);

    return len > name_len && line[name_len] == ':' &&
           g_ascii_strncasecmp(line, name, name_len) == 0;
}

/* One field of the header, a fold excluded: *subject is set at the first Subject. False: a reader
 * has to look. */
static bool
take_field(const char *line, gsize len, bool folded, char **subject)
{
    const char *colon = memchr(line, ':', len);
    const char *value = colon ? colon + 1 : line;
    gsize value_len = (gsize)(line + len - value);

    if (!colon || colon == line || memchr(line, ' ', (gsize)(colon - line)))
        return false;
    if (name_is(line, len, "Content-Type"))
        return !folded && is_one_of(value, value_len, types);
    if (name_is(line, len, "Content-Transfer-Encoding"))
        return !folded && is_one_of(value, value_len, encodings);
    if (len > strlen("Content-") && g_ascii_strncasecmp(line, "Content-", strlen("Content-")) == 0)
        return false;
    if (!name_is(line, len, "Subject"))
        return true;
    if (folded || *subject || g_strstr_len(value, (gssize)value_len, "=?"))
        return false;
    *subject = g_strstrip(g_strndup(value, value_len));
    return strlen(*subject) <= VIEW_HEADER_MAX;
}

static bool
take_header(const char *header, gsize len, char **subject)
{
    const char *end = header + len;
    const char *next;

    for (const char *at = header; at < end; at = next) {
        gsize line = line_length(at, end, &next);
        bool folded = next < end && (*next == ' ' || *next == '\t');

        if (line == 0 || !is_printable(at, line) || !take_field(at, line, folded, subject))
            return false;
        for (; next < end && (*next == ' ' || *next == '\t');) {
            const char *fold = next;
            gsize fold_len = line_length(fold, end, &next);

            if (!is_printable(fold + 1, fold_len - 1))
                return false;
        }
    }
    return true;
}

/* The body with LF line ends; NULL: a reader has to look. */
static char *
take_body(const char *body, gsize len)
{
    g_autoptr(GString) text = g_string_sized_new(len);
    const char *end = body + len;
    const char *next;
    bool blank = true;

    for (const char *at = body; at < end; at = next) {
        gsize line = line_length(at, end, &next);

        for (gsize i = 0; i < line; i++) {
            if (at[i] != '\t' && (at[i] < ' ' || at[i] > '~'))
                return NULL;
            blank = blank && (at[i] == ' ' || at[i] == '\t');
        }
        for (const char *const *mark = marks; *mark; mark++)
            if (line >= strlen(*mark) && memcmp(at, *mark, strlen(*mark)) == 0)
                return NULL;
        g_string_append_len(text, at, (gssize)line);
        if (next > at && next[-1] == '\n')
            g_string_append_c(text, '\n');
    }
    /* A reader gives no text where there are blanks only. */
    return g_string_free(g_steal_pointer(&text), blank);
}

struct mail_view *
plain_view(const char *header, gsize header_len, const char *body, gsize body_len)
{
    g_autofree char *subject = NULL;
    char *text;
    struct mail_view *view;

    if (body_len > BODY_MAX || !take_header(header, header_len, &subject) ||
        !(text = take_body(body, body_len)))
        return NULL;
    view = g_new0(struct mail_view, 1);
    view->subject = subject ? g_steal_pointer(&subject) : g_strdup("");
    view->text = text;
    out_set(&view->verdict, OUT_OK, "2.0.0", "read");
    return view;
}
