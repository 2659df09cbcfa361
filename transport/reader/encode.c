/* SPDX-License-Identifier: ISC */
/*
 * Owns the writing of encoded words, quoted-printable and base64. GMime's encoders are not used:
 * its encoded words depend on options and locale, and its quoted-printable does not know that a
 * line may look like a delimiter.
 */
#include "transport/reader/encode.h"

#include <string.h>

#define WORD_START  "=?UTF-8?"
#define WORD_MAX    75  /* octets of an encoded word */
#define WIDTH_MAX   76  /* of a line with one, and of both encodings of text */
#define PLAIN_MAX   900 /* of a header line without a place to fold */
#define NAME_LENGTH strlen("Subject: ")
/* "=?UTF-8?Q?" and "?=" */
#define WORD_AROUND (strlen(WORD_START) + strlen("Q?") + strlen("?="))

static bool
is_ascii(const char *text)
{
    while (*text && (guchar)*text < 0x80)
        text++;
    return *text == '\0';
}

/* Octets from at to the next blank that may be a fold, or to the end: blanks in a row must stay
 * together, for a fold is one. */
static gsize
unfoldable(const char *at)
{
    const char *c = at;

    while (*c && !(*c == ' ' && c > at && c[-1] != ' ' && c[1] != ' ' && c[1] != '\0'))
        c++;
    return (gsize)(c - at);
}

/* subject in lines; false if one would be too long. */
static bool
fold_plain(const char *subject, GString *to)
{
    gsize line = NAME_LENGTH;

    for (const char *at = subject; *at;) {
        gsize len = unfoldable(at);

        if (at > subject) {
            bool fits = line + 1 + len <= WIDTH_MAX;

            g_string_append(to, fits ? " " : "\n ");
            line = fits ? line + 1 : 1;
        }
        line += len;
        if (line > PLAIN_MAX)
            return false;
        g_string_append_len(to, at, (gssize)len);
        at += len + (at[len] == ' ');
    }
    return true;
}

/* RFC 2047 section 5 (3), the strictest set: may this octet stand for itself in a Q word? */
static bool
is_q_safe(guchar octet)
{
    return g_ascii_isalnum(octet) || octet == '!' || octet == '*' || octet == '+' || octet == '-' ||
           octet == '/';
}

static gsize
q_length(const char *text, gsize len)
{
    gsize count = 0;

    for (gsize i = 0; i < len; i++)
        count += text[i] == ' ' || is_q_safe((guchar)text[i]) ? 1 : 3;
    return count;
}

static gsize
b_length(gsize len)
{
    return (len + 2) / 3 * 4;
}

static void
append_word(GString *to, const char *text, gsize len, bool base64)
{
    g_string_append_printf(to, WORD_START "%c?", base64 ? 'B' : 'Q');
    if (base64) {
        g_autofree char *octets = g_base64_encode((const guchar *)text, len);

        g_string_append(to, octets);
    }
    for (gsize i = 0; i < len && !base64; i++) {
        if (text[i] == ' ')
            g_string_append_c(to, '_');
        else if (is_q_safe((guchar)text[i]))
            g_string_append_c(to, text[i]);
        else
            g_string_append_printf(to, "=%02X", (guchar)text[i]);
    }
    g_string_append(to, "?=");
}

/* Words end with a character (RFC 2047 section 5): what is joined within one is our own kindness.
 */
static void
append_words(GString *to, const char *subject, bool base64)
{
    gsize room = WIDTH_MAX - NAME_LENGTH - WORD_AROUND;
    const char *start = subject;

    for (const char *at = subject; *at;) {
        const char *next = g_utf8_next_char(at);
        gsize with = (gsize)(next - start);

        if ((base64 ? b_length(with) : q_length(start, with)) > room) {
            append_word(to, start, (gsize)(at - start), base64);
            g_string_append(to, "\n ");
            room = WORD_MAX - WORD_AROUND;
            start = at;
        }
        at = next;
    }
    append_word(to, start, strlen(start), base64);
}

char *
encode_subject(const char *subject)
{
    GString *to = g_string_new(NULL);

    /* An empty value would take the field away, and let another of that name count. */
    if (*subject == '\0')
        subject = " ";
    else if (is_ascii(subject) && !strstr(subject, "=?") && fold_plain(subject, to))
        return g_string_free(to, FALSE);
    g_string_truncate(to, 0);
    append_words(to, subject, b_length(strlen(subject)) < q_length(subject, strlen(subject)));
    return g_string_free(to, FALSE);
}

static bool
starts(const guint8 *octets, gsize len, const char *what)
{
    return len >= strlen(what) && memcmp(octets, what, strlen(what)) == 0;
}

/* Octets of the line end at octets, 0 if there is none. */
static gsize
line_end(const guint8 *octets, gsize len)
{
    return starts(octets, len, "\n") ? 1 : starts(octets, len, "\r\n") ? 2 : 0;
}

/* Must the octet be written as "=XX"? first: of a line as it is written. */
static bool
is_quoted(const guint8 *octets, gsize len, bool first)
{
    guint8 octet = octets[0];

    if (octet == ' ' || octet == '\t')
        return len == 1 || line_end(octets + 1, len - 1) > 0;
    if (first && (octet == '.' || starts(octets, len, "From ") || starts(octets, len, "--")))
        return true;
    return octet < 0x20 || octet >= 0x7F || octet == '=';
}

void
encode_quoted(const guint8 *octets, gsize len, const char *eol, bool ended, GString *to)
{
    gsize line = 0;

    for (gsize i = 0; i < len;) {
        gsize end = line_end(octets + i, len - i);
        bool quoted;

        if (end > 0) {
            g_string_append(to, eol);
            line = 0;
            i += end;
            continue;
        }
        /* One octet stays free for a soft line break. */
        quoted = is_quoted(octets + i, len - i, line == 0);
        if (line + (quoted ? 3 : 1) > WIDTH_MAX - 1) {
            g_string_append_printf(to, "=%s", eol);
            line = 0;
            quoted = is_quoted(octets + i, len - i, true);
        }
        if (quoted)
            g_string_append_printf(to, "=%02X", octets[i]);
        else
            g_string_append_c(to, (char)octets[i]);
        line += quoted ? 3 : 1;
        i++;
    }
    if (ended && line > 0)
        g_string_append_printf(to, "=%s", eol);
}

void
encode_base64(const guint8 *octets, gsize len, const char *eol, bool ended, GString *to)
{
    g_autofree char *digits = g_base64_encode(octets, len);
    gsize count = strlen(digits);

    for (gsize i = 0; i < count; i += WIDTH_MAX) {
        gsize line = MIN(count - i, WIDTH_MAX);

        g_string_append_len(to, digits + i, (gssize)line);
        if (i + line < count || ended)
            g_string_append(to, eol);
    }
}
