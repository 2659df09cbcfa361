/* SPDX-License-Identifier: ISC */
/*
 * Owns the filling of a mail view: digest, the header fields that decide, the chosen text. Never
 * fails; what a mail lacks is "", what it may not be is in the verdict.
 */
#include "transport/reader/mail.h"

#include "transport/reader/decode.h"
#include "transport/reader/html.h"
#include "transport/reader/mime.h"
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <string.h>

void
reader_prepare(void)
{
    static bool done;

    if (done)
        return;
    content_prepare();
    charset_prepare();
    html_prepare();
    done = true;
}

static char *
digest_of(const guint8 *data, gsize len)
{
    struct sha256_ctx sha;
    guint8 digest[SHA256_DIGEST_SIZE];
    char *hex = g_malloc0(BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE) + 1);

    sha256_init(&sha);
    sha256_update(&sha, len, data);
    sha256_digest(&sha, sizeof(digest), digest);
    base16_encode_update(hex, sizeof(digest), digest);
    return hex;
}

struct mail_view *
reader_blank(void)
{
    struct mail_view *view = g_new0(struct mail_view, 1);

    view->digest = digest_of((const guint8 *)"", 0);
    view->message_id = g_strdup("");
    view->date = g_strdup("");
    view->from = g_strdup("");
    view->from_address = g_strdup("");
    view->from_name = g_strdup("");
    view->subject = g_strdup("");
    view->text = g_strdup("");
    view->auto_submitted = g_strdup("");
    view->precedence = g_strdup("");
    view->to = g_strdup("");
    view->declared = g_strdup("");
    out_set(&view->verdict, OUT_OK, "2.0.0", "read");
    return view;
}

static void
set(char **field, GString *value)
{
    g_free(*field);
    *field = g_string_free(value, FALSE);
}

/* Characters of a raw value; words: encoded words in it are decoded, too. */
static void
set_line(char **field, const char *raw, gsize len, bool words, guint *replaced)
{
    GString *line = g_string_new(NULL);

    if (words)
        words_decode(raw, len, line, replaced);
    else
        charset_decode(NULL, (const guint8 *)raw, len, line, replaced);
    clean_line(line, VIEW_HEADER_MAX);
    set(field, line);
}

static void
set_field(char **field, const struct fields *fields, const char *name, bool words, guint *replaced)
{
    GString *raw = fields_get(fields, name, MIME_VALUE_MAX);

    if (!raw)
        return;
    set_line(field, raw->str, raw->len, words, replaced);
    g_string_free(raw, TRUE);
}

/* The keyword a value begins with, in lower case; comments and parameters are for others. */
static void
set_keyword(char **field, const struct fields *fields, const char *name, guint *replaced)
{
    char *keyword;

    set_field(field, fields, name, false, replaced);
    keyword = *field;
    while (*keyword == '(' && strchr(keyword, ')'))
        keyword = g_strchug(strchr(keyword, ')') + 1);
    keyword[strcspn(keyword, " ;(")] = '\0';
    keyword = g_ascii_strdown(keyword, -1);
    g_free(*field);
    *field = keyword;
}

static void
set_from(struct mail_view *view, const struct fields *fields)
{
    GString *raw = fields_get(fields, "From", MIME_ADDRESS_MAX);
    g_autoptr(GString) address = g_string_new(NULL);
    g_autoptr(GString) name = g_string_new(NULL);
    guint again = 0; /* the same octets a second time */
    const char *at;

    if (!raw)
        return;
    at = raw->str;
    set_line(&view->from, raw->str, raw->len, true, &view->replaced);
    mailbox_next(&at, raw->str + raw->len, address, name);
    set_line(&view->from_address, address->str, address->len, false, &again);
    set_line(&view->from_name, name->str, name->len, true, &again);
    g_string_free(raw, TRUE);
}

/* All addresses of one To: field; one that does not fit any more is left out. */
static void
append_to(GString *to, const GString *raw)
{
    g_autoptr(GString) address = g_string_new(NULL);
    g_autoptr(GString) name = g_string_new(NULL);
    const char *at = raw->str;
    guint ignored = 0; /* no text of this mail */

    while (mailbox_next(&at, raw->str + raw->len, address, name)) {
        g_autofree char *line = NULL;

        set_line(&line, address->str, address->len, false, &ignored);
        if (*line == '\0' || to->len + 1 + strlen(line) > VIEW_TO_MAX)
            continue;
        g_string_append_printf(to, "%s%s", to->len > 0 ? "\n" : "", line);
    }
}

static void
set_to(struct mail_view *view, const struct fields *fields)
{
    GString *to = g_string_new(NULL);
    struct field field = {0};

    while (fields_next(fields, "To", field.end, &field)) {
        GString *raw = fields_value(fields, &field, MIME_VALUE_MAX);

        append_to(to, raw);
        g_string_free(raw, TRUE);
    }
    set(&view->to, to);
}

/* What SMTP rules have declared; what they do not say is nothing. */
static void
set_declared(struct mail_view *view, const struct fields *fields)
{
    GString *raw = fields_get(fields, VIEW_CLASS_HEADER, MIME_VALUE_MAX);

    if (raw && (strcmp(raw->str, "copy-to") == 0 || strcmp(raw->str, "list") == 0))
        set(&view->declared, g_steal_pointer(&raw));
    if (raw)
        g_string_free(raw, TRUE);
}

static bool
has_field(const struct fields *fields, const char *name)
{
    GString *value = fields_get(fields, name, 1);

    if (value)
        g_string_free(value, TRUE);
    return value != NULL;
}

static void
set_fields(struct mail_view *view, const struct fields *fields)
{
    g_auto(Content) content = {0};

    set_field(&view->message_id, fields, "Message-ID", false, &view->replaced);
    set_field(&view->date, fields, "Date", false, &view->replaced);
    set_field(&view->subject, fields, "Subject", true, &view->replaced);
    set_from(view, fields);
    set_keyword(&view->auto_submitted, fields, "Auto-Submitted", &view->replaced);
    set_keyword(&view->precedence, fields, "Precedence", &view->replaced);
    view->list = has_field(fields, "List-Id");
    view->loop = has_field(fields, "X-Postsms-Loop");
    view->reply = has_field(fields, "In-Reply-To") || has_field(fields, "References");
    view->rewritten = has_field(fields, VIEW_MARK_HEADER);
    set_to(view, fields);
    set_declared(view, fields);
    content_read(fields, "text/plain", &content);
    view->report = strcmp(content.type, "multipart/report") == 0;
}

struct mail_view *
mail_look(const guint8 *data, gsize len, struct chosen *ret)
{
    struct mail_view *view = reader_blank();
    struct fields fields;

    reader_prepare();
    view->size = (gint64)len;
    fields_scan(data, len, &fields);
    set_fields(view, &fields);
    if (text_choose(data, len, ret, &view->verdict) == 0 && ret->text) {
        view->text_cut = clean_cut(ret->text, VIEW_TEXT_MAX) || ret->cut;
        view->replaced += ret->replaced;
        set(&view->text, g_steal_pointer(&ret->text));
    }
    view->sealed = ret->sealed;
    view->encrypted = ret->encrypted;
    return view;
}

void
reader_parse(const guint8 *data, gsize len, struct mail_view **ret)
{
    struct mail_view *view;
    struct chosen chosen;

    if (len == 0)
        data = (const guint8 *)""; /* an empty array's data may be NULL */
    view = mail_look(data, len, &chosen);
    g_free(view->digest);
    view->digest = digest_of(data, len);
    *ret = view;
}
