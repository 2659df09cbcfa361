/* SPDX-License-Identifier: ISC */
/* Owns what "postsms explain" says about the time when the sender is there: postsms-milter's part,
 * by the same engine. Must never touch the mail itself. */
#include "admin/explain.h"

#include "lib/sock.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
read_all(int from, GByteArray *octets)
{
    guint8 buffer[65536];
    gssize got;

    while ((got = read(from, buffer, sizeof(buffer))) != 0) {
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            g_byte_array_append(octets, buffer, (guint)got);
    }
    return 0;
}

int
explain_mail_read(const char *path, struct explain_mail *ret, struct outcome *why)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    int from = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    int done = from < 0 ? -1 : read_all(from, octets);

    if (done < 0)
        out_set(why, OUT_CONFIG, "4.3.5", "%s: cannot be read", path ? path : "standard input");
    if (path && from >= 0)
        close(from);
    if (done < 0)
        return -1;
    ret->fd = memfd_create("mail", MFD_CLOEXEC);
    if (ret->fd < 0 || sock_write_all(ret->fd, octets->data, octets->len) < 0 ||
        lseek(ret->fd, 0, SEEK_SET) < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "the mail cannot be handed to a reader: %s",
                g_strerror(errno));
        if (ret->fd >= 0)
            close(ret->fd);
        return -1;
    }
    ret->octets = g_steal_pointer(&octets);
    return 0;
}

void
explain_mail_clear(struct explain_mail *mail)
{
    g_byte_array_unref(mail->octets);
    close(mail->fd);
}

/* Length of a field's name at the begin of a line, as Postfix has it; *ret_colon: where its colon
 * is. 0 if the line is no field. */
static gsize
name_length(const char *line, gsize len, gsize *ret_colon)
{
    gsize name = 0;
    gsize colon;

    while (name < len && line[name] > ' ' && line[name] < 0x7F && line[name] != ':')
        name++;
    for (colon = name; colon < len && (line[colon] == ' ' || line[colon] == '\t');)
        colon++;
    *ret_colon = colon;
    return colon < len && line[colon] == ':' ? name : 0;
}

/* The header as Postfix shows it to the milter: it ends where a line is no field, and a name has no
 * blanks behind it. *ret_body: where the body begins. */
static GString *
read_header(const char *octets, gsize len, gsize *ret_body)
{
    GString *header = g_string_new(NULL);
    gsize at = 0;

    while (at < len) {
        const char *line = octets + at;
        const char *end = memchr(line, '\n', len - at);
        gsize length = end ? (gsize)(end - line) + 1 : len - at;
        bool empty = *line == '\n' || (*line == '\r' && length == 2);
        bool folded = at > 0 && (*line == ' ' || *line == '\t');
        bool mailbox = at == 0 && length > 5 && memcmp(line, "From ", 5) == 0;
        gsize colon = 0;
        gsize name = empty || folded || mailbox ? 0 : name_length(line, length, &colon);

        if (empty)
            at += length;
        if (empty || (!folded && !mailbox && name == 0))
            break;
        if (mailbox)
            g_string_append(header, "X-Mailbox-Line: ");
        g_string_append_len(header, line, (gssize)name);
        g_string_append_len(header, line + colon, (gssize)(length - colon));
        at += length;
    }
    *ret_body = at;
    return header;
}

static int
give_view(void *context, const char **ret_subject, const char **ret_text, struct outcome *why)
{
    const struct mail_view *view = context;

    if (view->verdict.kind == OUT_RETRY) {
        *why = view->verdict;
        return -1;
    }
    *ret_subject = view->subject;
    *ret_text = view->text;
    return view->verdict.kind == OUT_OK;
}

/* What the milter refuses, or does not look at, never gets to the other rules. */
static bool
gets_in(const struct setup *setup, const struct request *request)
{
    const char *recipient = request_get(request, RECIPIENT);
    const char *const *domains = (const char *const *)setup->conf->domains;
    g_autoptr(Addr) addr = NULL;
    struct smtp_hit hit;
    struct outcome why;

    if (!addr_in_domains(recipient, domains) ||
        !smtp_rules_sender(setup->smtp_rules, request_get(request, SENDER), NULL, NULL))
        return false;
    if (addr_parse(recipient, setup->conf->country_code, &addr, &why) < 0)
        addr = NULL;
    return !setup->conf->filter_reject ||
           smtp_rules_recipient(setup->smtp_rules, recipient, addr ? addr->number : NULL, &hit);
}

static void
set(char **value, const char *to)
{
    if (!to)
        return;
    g_free(*value);
    *value = g_strdup(to);
}

int
explain_smtp_rules(const struct setup *setup, const struct request *request,
                   const char *const *recipients, const struct explain_mail *mail,
                   struct mail_view *view, struct explain_smtp *ret, struct outcome *why)
{
    const char *octets = (const char *)mail->octets->data;
    gsize body = 0;
    g_autoptr(GString) header = read_header(octets, mail->octets->len, &body);
    struct smtp_mail seen = {
        .recipients = recipients,
        .header = header->str,
        .header_len = header->len,
        .body = octets + body,
        .body_len = mail->octets->len - body,
        .decode = give_view,
        .context = view,
    };

    *ret = (struct explain_smtp){0};
    view->rewritten = false;
    set(&view->declared, "");
    if (!gets_in(setup, request))
        return 0;
    for (const char *const *one = recipients; *one; one++)
        if (!addr_in_domains(*one, (const char *const *)setup->conf->domains))
            seen.mixed = true;
    if (smtp_rules_mail(setup->smtp_rules, setup->conf, &seen, &ret->verdict, why) < 0)
        return -1;
    ret->asked = true;
    set(&view->subject, ret->verdict.subject);
    set(&view->text, ret->verdict.text);
    view->rewritten = true;
    set(&view->declared, smtp_class_name(ret->verdict.class));
    return 0;
}

/* Lines in the order in which they spoke: before the mail came, about the mail, about its
 * recipients. */
static GArray *
in_order(const struct explain_smtp *smtp, const GArray *decided)
{
    GArray *hits = smtp_hits_new();

    for (guint i = 0; i < decided->len; i++)
        if (g_array_index(decided, struct smtp_hit, i).section <= SMTP_DENY)
            g_array_append_val(hits, g_array_index(decided, struct smtp_hit, i));
    g_array_append_vals(hits, smtp->verdict.hits->data, smtp->verdict.hits->len);
    for (guint i = 0; i < decided->len && smtp->verdict.fate == SMTP_PASS; i++)
        if (g_array_index(decided, struct smtp_hit, i).section > SMTP_DENY)
            g_array_append_val(hits, g_array_index(decided, struct smtp_hit, i));
    return hits;
}

void
explain_smtp_apply(const struct setup *setup, const struct explain_smtp *smtp,
                   struct decision *decision)
{
    GArray *hits;

    if (!smtp->asked)
        return;
    hits = in_order(smtp, decision->hits);
    g_array_unref(decision->hits);
    decision->hits = hits;
    if (smtp->verdict.fate == SMTP_PASS)
        return;
    decision->gateway = NULL;
    g_clear_pointer(&decision->originator, g_free);
    g_clear_pointer(&decision->message, sms_message_free);
    if (smtp->verdict.fate == SMTP_HOLD)
        out_set(&decision->verdict, OUT_DROPPED, "2.0.0",
                "held by rule in Postfix's queue until an administrator releases or deletes it");
    else if (smtp->verdict.fate == SMTP_REDIRECT)
        out_set(&decision->verdict, OUT_DROPPED, "2.0.0", "redirected by rule to %s",
                setup->conf->spam_target);
    else
        out_set(&decision->verdict, OUT_DROPPED, "2.0.0", "discarded by rule");
}

const char *
explain_word(const struct explain_smtp *smtp, const struct decision *decision)
{
    if (smtp->asked && smtp->verdict.fate == SMTP_HOLD)
        return "hold";
    if (smtp->asked && smtp->verdict.fate == SMTP_REDIRECT)
        return "redirect";
    if (decision->verdict.kind == OUT_OK)
        return "send";
    if (decision->verdict.kind == OUT_DROPPED)
        return "discard";
    return out_final(decision->verdict.kind) ? "reject" : "defer";
}

void
explain_smtp_clear(struct explain_smtp *smtp)
{
    smtp_verdict_clear(&smtp->verdict);
}
