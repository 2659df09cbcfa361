/* SPDX-License-Identifier: ISC */
/*
 * Alters a mail as whoever asked a reader does (header fields by name, octets of the body by place)
 * and checks what must hold of every altered mail; for the unit tests and the fuzz target. Written
 * apart from transport/reader/alter.c.
 */
#ifndef TESTS_UNIT_ALTER_CHECK_H
#define TESTS_UNIT_ALTER_CHECK_H

#include "transport/reader/alter.h"
#include "transport/reader/decode.h"
#include "transport/reader/mail.h"
#include <string.h>

/* Octets of the header line at line, without its end; 0: an empty line, or none of a header. */
static inline gsize
alter_header_line(const char *line, gsize len, bool first)
{
    const char *lf = memchr(line, '\n', len);
    gsize length = lf ? (gsize)(lf - line) : len;
    gsize name = 0;

    if (lf && length > 0 && line[length - 1] == '\r')
        length--;
    if (length > 0 && (line[0] == ' ' || line[0] == '\t'))
        return first ? 0 : length;
    while (name < length && line[name] > ' ' && line[name] < 0x7F && line[name] != ':')
        name++;
    if (name == 0)
        return 0;
    while (name < length && (line[name] == ' ' || line[name] == '\t'))
        name++;
    return name < length && line[name] == ':' ? length : 0;
}

/* Where the header ends; *ret_body is behind the empty line, if there is one. */
static inline gsize
alter_header_end(const char *mail, gsize len, gsize *ret_body)
{
    gsize at = 0;
    bool first = true;

    if (len >= 5 && memcmp(mail, "From ", 5) == 0) {
        const char *lf = memchr(mail, '\n', len);

        at = lf ? (gsize)(lf - mail) + 1 : len;
    }
    while (at < len && alter_header_line(mail + at, len - at, first) > 0) {
        const char *lf = memchr(mail + at, '\n', len - at);

        at = lf ? (gsize)(lf - mail) + 1 : len;
        first = false;
    }
    *ret_body = at;
    if (at < len && mail[at] == '\n')
        *ret_body = at + 1;
    else if (at + 1 < len && mail[at] == '\r' && mail[at + 1] == '\n')
        *ret_body = at + 2;
    else if (first)
        at = *ret_body = 0; /* what looked like a mailbox file's separator is text */
    return at;
}

static inline void
alter_append_field(GString *to, const char *name, const char *value, const char *eol)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
    g_autofree char *folded = g_strjoinv(eol, lines);

    g_string_append_printf(to, "%s: %s%s", name, folded, eol);
}

/* Changes the first field of that name in header, or adds it. */
static inline void
alter_change_header(GString *header, const char *name, const char *value, const char *eol)
{
    g_autoptr(GString) field = g_string_new(NULL);
    const char *stop = header->str + header->len;
    gsize at = 0;

    if (!value)
        return;
    alter_append_field(field, name, value, eol);
    while (at < header->len) {
        const char *line = header->str + at;
        const char *end = memchr(line, '\n', header->len - at);
        gsize name_end = strlen(name);

        if (g_ascii_strncasecmp(line, name, strlen(name)) == 0) {
            name_end += strspn(line + name_end, " \t");
            if (line[name_end] == ':') {
                while (end && (end[1] == ' ' || end[1] == '\t'))
                    end = memchr(end + 1, '\n', (gsize)(stop - end - 1));
                g_string_erase(header, (gssize)at, end ? end + 1 - line : -1);
                g_string_insert_len(header, (gssize)at, field->str, (gssize)field->len);
                return;
            }
        }
        at = end ? (gsize)(end - header->str) + 1 : header->len;
    }
    if (header->len > 0 && header->str[header->len - 1] != '\n')
        g_string_append(header, eol);
    g_string_append_len(header, field->str, (gssize)field->len);
}

/* The altered mail. */
static inline GString *
alter_apply(const char *mail, gsize len, const struct rewrite *rewrite)
{
    const char *lf = memchr(mail, '\n', len);
    const char *eol = lf && lf > mail && lf[-1] == '\r' ? "\r\n" : "\n";
    gsize body;
    gsize end = alter_header_end(mail, len, &body);
    GString *to = g_string_new_len(mail, (gssize)end);

    alter_change_header(to, "Subject", rewrite->subject, eol);
    alter_change_header(to, "MIME-Version", rewrite->mime_version, eol);
    alter_change_header(to, "Content-Type", rewrite->content_type, eol);
    alter_change_header(to, "Content-Transfer-Encoding", rewrite->transfer_encoding, eol);
    if (to->len > 0 && to->str[to->len - 1] != '\n')
        g_string_append(to, eol);
    if (body > end)
        g_string_append_len(to, mail + end, (gssize)(body - end));
    else
        g_string_append(to, eol);
    for (guint i = 0; i < rewrite->n_edits; i++) {
        gsize from = i > 0 ? rewrite->edits[i - 1].to : 0;

        g_string_append_len(to, mail + body + from, (gssize)(rewrite->edits[i].from - from));
        g_string_append(to, rewrite->edits[i].octets);
    }
    if (rewrite->n_edits > 0)
        body += rewrite->edits[rewrite->n_edits - 1].to;
    g_string_append_len(to, mail + body, (gssize)(len - body));
    return to;
}

/* rewrite as it comes out of a socket. */
static inline struct rewrite *
alter_over_wire(const struct rewrite *rewrite, gsize body_len)
{
    g_autoptr(GString) packed = g_string_new(NULL);
    g_autoptr(GString) frame = g_string_new(NULL);
    g_autoptr(Wire) wire = NULL;
    struct rewrite *copy = NULL;
    struct outcome why = {0};
    gsize used = 0;

    rewrite_pack(rewrite, packed);
    wire_frame(frame, packed);
    if (wire_parse_frame(frame->str, frame->len, &wire, &used, &why) != 1 || used != frame->len ||
        rewrite_unpack(wire, body_len, &copy, &why) < 0)
        g_error("%s", why.text);
    return copy;
}

/* Everything but size, digest and what was to be altered is the same. */
static inline void
alter_check_views(const struct mail_view *before, const struct mail_view *after,
                  const char *subject, const char *text)
{
    g_assert_cmpint(after->verdict.kind, ==, OUT_OK);
    g_assert_cmpstr(after->subject, ==, subject);
    g_assert_cmpstr(after->text, ==, text);
    g_assert_cmpstr(after->message_id, ==, before->message_id);
    g_assert_cmpstr(after->date, ==, before->date);
    g_assert_cmpstr(after->from, ==, before->from);
    g_assert_cmpstr(after->from_address, ==, before->from_address);
    g_assert_cmpstr(after->from_name, ==, before->from_name);
    g_assert_cmpstr(after->to, ==, before->to);
    g_assert_cmpstr(after->auto_submitted, ==, before->auto_submitted);
    g_assert_cmpstr(after->precedence, ==, before->precedence);
    g_assert_true(after->list == before->list && after->report == before->report);
    g_assert_true(after->loop == before->loop && after->rewritten == before->rewritten);
    g_assert_true(!after->sealed && after->text_cut == before->text_cut);
}

/* Lines as SMTP takes them wherever the reader has written: no CR or NUL, no bare line end in a
 * CRLF mail, at most 998 octets. */
static inline void
alter_check_octets(const char *octets, const char *eol)
{
    gsize line = 0;

    for (const char *c = octets; *c; c++) {
        bool cr = *c == '\r';

        if (cr)
            g_assert_true(c[1] == '\n' && strlen(eol) == 2);
        if (*c == '\n' && c > octets)
            g_assert_true((c[-1] == '\r') == (strlen(eol) == 2));
        line = *c == '\n' ? 0 : line + !cr;
        g_assert_cmpuint(line, <=, 998);
    }
}

/*
 * Alters the mail; subject, text: valid UTF-8 within a view's bounds, or NULL. Returns the altered
 * mail; NULL: it cannot be, *verdict says why.
 */
static inline GString *
alter_check(const char *mail, gsize len, const char *subject, const char *text,
            struct outcome *verdict)
{
    const char *lf = memchr(mail, '\n', len);
    const char *eol = lf && lf > mail && lf[-1] == '\r' ? "\r\n" : "\n";
    g_autoptr(GString) want_subject = g_string_new(subject);
    g_autoptr(GString) want_text = g_string_new(text);
    g_autoptr(MailView) before = NULL;
    g_autoptr(MailView) after = NULL;
    g_autoptr(Rewrite) made = NULL;
    g_autoptr(Rewrite) rewrite = NULL;
    GString *altered;
    gsize body;

    reader_parse((const guint8 *)mail, len, &before);
    reader_alter((const guint8 *)mail, len, subject, text, &made);
    alter_header_end(mail, len, &body);
    rewrite = alter_over_wire(made, len - body);
    *verdict = rewrite->verdict;
    if (verdict->kind != OUT_OK) {
        g_assert_cmpint(verdict->kind, ==, OUT_DATA);
        g_assert_true(!rewrite->subject && !rewrite->content_type && rewrite->n_edits == 0);
        return NULL;
    }
    g_assert_false(before->sealed);
    clean_line(want_subject, VIEW_HEADER_MAX);
    clean_text(want_text);
    if (clean_is_white(want_text))
        g_string_truncate(want_text, 0);
    altered = alter_apply(mail, len, rewrite);
    reader_parse((const guint8 *)altered->str, altered->len, &after);
    alter_check_views(before, after, subject ? want_subject->str : before->subject,
                      text ? want_text->str : before->text);
    if (rewrite->n_edits == 1)
        alter_check_octets(rewrite->edits[0].octets, eol);
    return altered;
}

#endif
