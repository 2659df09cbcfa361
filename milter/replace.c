/* SPDX-License-Identifier: ISC */
/*
 * Owns the rewriting of a mail whose subject or text REPLACE lines changed: a reader says how, the
 * mail server does it, and a mark in the header tells the transport. Must never leave a mark on a
 * mail that was not altered: whatever stays as it is, the transport replaces itself.
 */
#include "milter/milter.h"

#include "lib/log.h"
#include <string.h>
#include <unistd.h>

/* Why the mail stays as it is, or NULL. */
static const char *
obstacle(const struct session *session, const struct smtp_verdict *verdict,
         const struct mail_view *view)
{
    if (view->sealed)
        return "signed or encrypted, not altered";
    if (verdict->text && view->text_cut)
        return "text too long to be altered";
    if (!change_may_rewrite(session))
        return "the mail server does not let mail be rewritten";
    return NULL;
}

/* *ret_body: the body that the answer is about. */
static int
ask_how(struct session *session, const struct smtp_verdict *verdict, struct rewrite **ret,
        const char **ret_body, gsize *ret_len, struct outcome *why)
{
    struct message *message = &session->message;
    g_autoptr(GString) front = ask_rewrite_front(verdict->subject, verdict->text);
    struct ask_wait wait = {change_progress, session};
    struct ask *ask = message_reader(message, session->snapshot->conf, why);
    const char *header;
    gsize header_len;
    int fd;
    int asked;

    fd = ask ? content_lend(&message->content, front, why) : -1;
    if (fd < 0)
        return -1;
    if (content_octets(&message->content, &header, &header_len, ret_body, ret_len, why) < 0)
        asked = -1;
    else
        asked = ask_rewrite(ask, fd, *ret_len, &wait, ret, why);
    close(fd);
    if (asked == 0 && (*ret)->verdict.kind != OUT_OK) {
        *why = (*ret)->verdict;
        return -1;
    }
    return asked;
}

static int
apply_header(struct session *session, const struct rewrite *rewrite, struct outcome *why)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"Subject", rewrite->subject},
        {"MIME-Version", rewrite->mime_version},
        {"Content-Type", rewrite->content_type},
        {"Content-Transfer-Encoding", rewrite->transfer_encoding},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].value && change_header(session, fields[i].name, fields[i].value, why) < 0)
            return -1;
    return 0;
}

static int
apply_body(struct session *session, const struct rewrite *rewrite, const char *body, gsize len,
           struct outcome *why)
{
    gsize at = 0;
    gsize made = len;

    if (rewrite->n_edits == 0)
        return 0;
    for (guint i = 0; i < rewrite->n_edits; i++) {
        const struct rewrite_edit *edit = &rewrite->edits[i];

        made += strlen(edit->octets) - (edit->to - edit->from);
        if (change_body(session, body + at, edit->from - at, why) < 0 ||
            change_body(session, edit->octets, strlen(edit->octets), why) < 0)
            return -1;
        at = edit->to;
    }
    /* A body of nothing would be no change at all. */
    if (made == 0)
        return change_body(session, "\r\n", 2, why);
    return change_body(session, body + at, len - at, why);
}

static int
apply(struct session *session, const struct rewrite *rewrite, const char *body, gsize len,
      struct outcome *why)
{
    g_autofree char *mark = g_strdup_printf("generation %u", session->snapshot->generation);

    if (apply_header(session, rewrite, why) < 0 || apply_body(session, rewrite, body, len, why) < 0)
        return -1;
    return change_add_header(session, VIEW_MARK_HEADER, mark, why);
}

guint
replace_count(const GArray *hits)
{
    guint count = 0;

    while (count < hits->len && g_array_index(hits, struct smtp_hit, count).section == SMTP_REPLACE)
        count++;
    return count;
}

int
replace_apply(struct session *session, const GPtrArray *recipients,
              const struct smtp_verdict *verdict, const struct mail_view *view, struct outcome *why)
{
    g_autoptr(Rewrite) rewrite = NULL;
    const char *body;
    gsize len;
    struct outcome reason;
    struct record record = {
        .recipients = recipients,
        .hits = (const struct smtp_hit *)verdict->hits->data,
        .n_hits = replace_count(verdict->hits),
        .status = "replaced",
        .detail = "",
    };
    const char *stays = obstacle(session, verdict, view);

    if (!stays && ask_how(session, verdict, &rewrite, &body, &len, &reason) < 0)
        stays = reason.text;
    if (stays) {
        record.status = "unaltered";
        record.detail = stays;
    } else if (apply(session, rewrite, body, len, why) < 0) {
        return -1;
    }
    record_log(session, &record);
    return 0;
}
