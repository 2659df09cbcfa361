/* SPDX-License-Identifier: ISC */
/*
 * Owns the altering of a mail: which octets change so that subject and text become others, and the
 * proof that nothing else does. Says what is to be done and never does it but to look whether it
 * would be right. Header fields and parts are found by the walk that reads mail, so both mean the
 * same part.
 */
#include "transport/reader/alter.h"

#include "transport/reader/decode.h"
#include "transport/reader/encode.h"
#include "transport/reader/mail.h"
#include "transport/reader/mime.h"
#include <string.h>

/* What SMTP lets a line have without its end (RFC 5321 section 4.5.3.1.6). */
#define TEXT_LINE_MAX 998

/* Octets that a rewrite puts into the body: it has to fit into one answer. */
#define EDITS_MAX (WIRE_FRAME_MAX - FIELDS * REWRITE_HEADER_MAX)

/* Header fields with the values they are to have; NULL: stays as it is. */
enum { SUBJECT, MIME_VERSION, CONTENT_TYPE, TRANSFER_ENCODING, FIELDS };
static const char *const field_names[FIELDS] = {"Subject", "MIME-Version", "Content-Type",
                                                "Content-Transfer-Encoding"};

/* A mail that is to be altered. */
struct task {
    const guint8 *data;
    gsize len;
    const char *eol;   /* its line end */
    struct fields top; /* its header */
    struct chosen chosen;
    const struct mail_view *view; /* as it is */
    const char *subject;          /* as it is to be; NULL: no change */
    const char *text;
};

static int
cannot(struct outcome *why, const char *reason)
{
    out_set(why, OUT_DATA, "5.6.0", "the mail cannot be altered: %s", reason);
    return -1;
}

/* The mail's line end; LF if it has no line. */
static const char *
line_end(const guint8 *data, gsize len)
{
    const guint8 *lf = memchr(data, '\n', len);

    return lf && lf > data && lf[-1] == '\r' ? "\r\n" : "\n";
}

static void
append_with_ends(GString *to, const char *text, const char *eol)
{
    for (const char *lf; (lf = strchr(text, '\n')); text = lf + 1) {
        g_string_append_len(to, text, lf - text);
        g_string_append(to, eol);
    }
    g_string_append(to, text);
}

static void
append_field(GString *to, const char *name, const char *value, const char *eol)
{
    g_string_append_printf(to, "%s: ", name);
    append_with_ends(to, value, eol);
    g_string_append(to, eol);
}

/* The header, and the empty line behind it, with those values: the first field of each name has it,
 * or it comes at the end. */
static void
append_header(GString *to, const struct fields *fields, const char *const values[FIELDS],
              const char *eol)
{
    const char *data = (const char *)fields->data;
    struct field places[FIELDS];
    bool found[FIELDS];
    gsize at = 0;

    for (int i = 0; i < FIELDS; i++)
        found[i] = values[i] && fields_next(fields, field_names[i], 0, &places[i]);
    for (;;) {
        int next = -1;

        for (int i = 0; i < FIELDS; i++)
            if (found[i] && places[i].start >= at &&
                (next < 0 || places[i].start < places[next].start))
                next = i;
        if (next < 0)
            break;
        g_string_append_len(to, data + at, (gssize)(places[next].start - at));
        append_field(to, field_names[next], values[next], eol);
        at = places[next].end;
    }
    g_string_append_len(to, data + at, (gssize)(fields->len - at));
    if (to->len > 0 && to->str[to->len - 1] != '\n')
        g_string_append(to, eol);
    for (int i = 0; i < FIELDS; i++)
        if (values[i] && !found[i])
            append_field(to, field_names[i], values[i], eol);
    if (fields->body > fields->len)
        g_string_append_len(to, data + fields->len, (gssize)(fields->body - fields->len));
    else
        g_string_append(to, eol);
}

/* May the octets stand in a mail as they are? */
static bool
is_plain(const GByteArray *octets, bool eight_bits)
{
    gsize line = 0;

    for (guint i = 0; i < octets->len; i++) {
        guint8 octet = octets->data[i];

        line = octet == '\n' ? 0 : line + (octet != '\r');
        if (line > TEXT_LINE_MAX || octet == '\0' || (octet >= 0x80 && !eight_bits))
            return false;
    }
    return true;
}

/* text in the part's own charset if it reads back from there, else in UTF-8; *ret_type is the
 * Content-Type that this needs. */
static GByteArray *
in_charset(const struct task *task, enum encoding encoding, char **ret_type)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autoptr(GString) back = g_string_new(NULL);
    g_auto(Content) content = {0};
    guint replaced = 0;

    /* RFC 2045 section 6.8: within base64 a text has CRLF. */
    append_with_ends(lines, task->text, encoding == ENCODING_BASE64 ? "\r\n" : task->eol);
    content_read(&task->chosen.fields, "text/plain", &content);
    /* Joined lines are flowed no more, so that field has to change in any case. */
    if (!content.flowed && charset_encode(content.charset, lines->str, lines->len, octets)) {
        charset_decode(content.charset, octets->data, octets->len, back, &replaced);
        clean_text(back);
        if (strcmp(back->str, task->text) == 0)
            return g_steal_pointer(&octets);
    }
    *ret_type = content_as_utf8(&task->chosen.fields);
    g_byte_array_set_size(octets, 0);
    g_byte_array_append(octets, (const guint8 *)lines->str, (guint)lines->len);
    return g_steal_pointer(&octets);
}

/* The new content; *ret_type and *ret_encoding are the header fields that it needs and the part
 * does not have. */
static GString *
content_of(const struct task *task, bool quoted, char **ret_type, char **ret_encoding)
{
    const struct fields *fields = &task->chosen.fields;
    enum encoding encoding = fields_encoding(fields);
    g_autoptr(GByteArray) octets = in_charset(task, encoding, ret_type);
    GString *to = g_string_new(NULL);
    bool ended = fields->data[fields->body + task->chosen.len - 1] == '\n';

    if (encoding == ENCODING_BASE64) {
        encode_base64(octets->data, octets->len, task->eol, ended, to);
    } else if (encoding == ENCODING_QUOTED || quoted ||
               !is_plain(octets, encoding == ENCODING_8BIT)) {
        encode_quoted(octets->data, octets->len, task->eol, ended, to);
        if (encoding != ENCODING_QUOTED)
            *ret_encoding = g_strdup("quoted-printable");
    } else {
        g_string_append_len(to, (const char *)octets->data, octets->len);
    }
    return to;
}

/* octets become [from, to) of the mail's body. */
static int
add_edit(struct rewrite *rewrite, gsize from, gsize to, GString **octets)
{
    if ((*octets)->len != strlen((*octets)->str))
        return cannot(&rewrite->verdict, "a part's header has a NUL");
    rewrite->edits[rewrite->n_edits++] =
        (struct rewrite_edit){from, to, g_string_free(g_steal_pointer(octets), FALSE)};
    return 0;
}

/* The edits, and the fields if the part is the whole mail. -1: it cannot be, the verdict says why.
 */
static int
alter_text(const struct task *task, bool quoted, struct rewrite *rewrite)
{
    const struct fields *fields = &task->chosen.fields;
    gsize part = (gsize)(fields->data - task->data);
    bool whole = part == 0;
    char *type = NULL;
    char *encoding = NULL;
    GString *content = content_of(task, quoted, &type, &encoding);
    GString *header = NULL;
    gsize header_len = 0;
    struct field version;
    gsize from = part + fields->body - task->top.body;
    int result = 0;

    if (whole) {
        rewrite->content_type = type;
        rewrite->transfer_encoding = encoding;
        if ((type || encoding) && !fields_next(fields, "MIME-Version", 0, &version))
            rewrite->mime_version = g_strdup("1.0");
    } else if (type || encoding || fields->body == fields->len) {
        const char *const values[FIELDS] = {[CONTENT_TYPE] = type, [TRANSFER_ENCODING] = encoding};

        header = g_string_new(NULL);
        append_header(header, fields, values, task->eol);
        header_len = header->len;
        result = add_edit(rewrite, part - task->top.body, from, &header);
        g_free(type);
        g_free(encoding);
    }
    if (header_len + content->len > EDITS_MAX)
        result = cannot(&rewrite->verdict, "a part's header is too large");
    if (result == 0)
        result = add_edit(rewrite, from, from + task->chosen.len, &content);
    if (header)
        g_string_free(header, TRUE);
    if (content)
        g_string_free(content, TRUE);
    return result;
}

/* The altered mail. */
static guint8 *
apply(const struct task *task, const struct rewrite *rewrite, gsize *ret_len)
{
    const char *const values[FIELDS] = {rewrite->subject, rewrite->mime_version,
                                        rewrite->content_type, rewrite->transfer_encoding};
    g_autoptr(GString) header = g_string_new(NULL);
    const guint8 *body = task->data + task->top.body;
    gsize body_len = task->len - task->top.body;
    gsize at = 0;
    gsize len;
    guint8 *mail;
    guint8 *to;

    append_header(header, &task->top, values, task->eol);
    len = header->len + body_len;
    for (guint i = 0; i < rewrite->n_edits; i++)
        len = len + strlen(rewrite->edits[i].octets) -
              (rewrite->edits[i].to - rewrite->edits[i].from);
    mail = g_malloc(len);
    to = mempcpy(mail, header->str, header->len);
    for (guint i = 0; i < rewrite->n_edits; i++) {
        const struct rewrite_edit *edit = &rewrite->edits[i];

        to = mempcpy(to, body + at, edit->from - at);
        to = mempcpy(to, edit->octets, strlen(edit->octets));
        at = edit->to;
    }
    memcpy(to, body + at, body_len - at);
    *ret_len = len;
    return mail;
}

/* Does the altered mail's text come from the very octets that were put in? A line of the text may
 * look like a delimiter, or leave the text to another part. */
static bool
in_place(const struct rewrite *rewrite, const guint8 *mail, gsize len, const struct chosen *chosen)
{
    const struct rewrite_edit *first = &rewrite->edits[0];
    const struct rewrite_edit *content = &rewrite->edits[rewrite->n_edits - 1];
    gsize from = content == first ? first->from : first->from + strlen(first->octets);
    struct fields top;

    fields_scan(mail, len, &top);
    return (gsize)(chosen->fields.data - mail) + chosen->fields.body == top.body + from &&
           chosen->len == strlen(content->octets);
}

/* Does the altered mail read as it should? */
static bool
reads_right(const struct task *task, const struct rewrite *rewrite)
{
    gsize len;
    g_autofree guint8 *mail = apply(task, rewrite, &len);
    struct chosen chosen;
    g_autoptr(MailView) view = mail_look(mail, len, &chosen);

    if (view->verdict.kind != OUT_OK || view->text_cut != task->view->text_cut || view->sealed ||
        strcmp(view->subject, task->subject ? task->subject : task->view->subject) != 0 ||
        strcmp(view->text, task->text ? task->text : task->view->text) != 0)
        return false;
    return rewrite->n_edits == 0 || *view->text == '\0' || in_place(rewrite, mail, len, &chosen);
}

/* One way to do it; false if the mail would not read as it should. */
static bool
try(const struct task *task, bool quoted, struct rewrite **ret)
{
    g_autoptr(Rewrite) rewrite = reader_leave();

    if (task->subject)
        rewrite->subject = encode_subject(task->subject);
    if (task->text && alter_text(task, quoted, rewrite) < 0) {
        *ret = reader_leave();
        (*ret)->verdict = rewrite->verdict;
        return true;
    }
    if (!reads_right(task, rewrite))
        return false;
    *ret = g_steal_pointer(&rewrite);
    return true;
}

/* -1: nothing of this mail may be altered, or not its text. */
static int
may_alter(const struct task *task, struct outcome *why)
{
    const struct mail_view *view = task->view;

    if (view->verdict.kind != OUT_OK) {
        *why = view->verdict;
        return -1;
    }
    if (task->len > READER_ALTER_MAX)
        return cannot(why, "it is too large");
    if (view->sealed)
        return cannot(why, "it is signed or encrypted");
    if (task->text && *view->text == '\0')
        return cannot(why, "it has no text");
    if (task->text && !task->chosen.verbatim)
        return cannot(why, "its text is not that of one text/plain part");
    if (task->text && view->text_cut)
        return cannot(why, "its text is too long");
    return 0;
}

struct rewrite *
reader_leave(void)
{
    struct rewrite *rewrite = g_new0(struct rewrite, 1);

    out_set(&rewrite->verdict, OUT_OK, "2.0.0", "altered");
    return rewrite;
}

/* wanted without what no view has; NULL if it is NULL or the same as now. */
static char *
changed(const char *wanted, const char *now, bool line)
{
    GString *clean;

    if (!wanted)
        return NULL;
    clean = g_string_new(wanted);
    if (line)
        clean_line(clean, VIEW_HEADER_MAX);
    else
        clean_body(clean);
    if (strcmp(clean->str, now) == 0) {
        g_string_free(clean, TRUE);
        return NULL;
    }
    return g_string_free(clean, FALSE);
}

void
reader_alter(const guint8 *data, gsize len, const char *subject, const char *text,
             struct rewrite **ret)
{
    struct task task = {.data = len > 0 ? data : (const guint8 *)"", .len = len};
    g_autoptr(MailView) view = mail_look(task.data, len, &task.chosen);
    g_autofree char *new_subject = changed(subject, view->subject, true);
    g_autofree char *new_text = changed(text, view->text, false);
    struct outcome why;

    task.eol = line_end(task.data, len);
    task.view = view;
    task.subject = new_subject;
    task.text = new_text;
    fields_scan(task.data, len, &task.top);
    if (may_alter(&task, &why) == 0) {
        if (try(&task, false, ret) || try(&task, true, ret))
            return;
        cannot(&why, "it would not read as it should");
    }
    *ret = reader_leave();
    (*ret)->verdict = why;
}
