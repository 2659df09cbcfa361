/* SPDX-License-Identifier: ISC */
/*
 * Owns what is done at a message's end: the rules are asked once, and what they say is noted, then
 * changed, then logged. Must never let a mail that has other recipients wait for ever, nor alter
 * what they get.
 */
#include "milter/milter.h"

#include "lib/log.h"
#include "milter/plain.h"
#include <string.h>
#include <unistd.h>

#define CRASHES_MAX 2 /* readers that a mail may cost */

/* What is known at the end of one message. */
struct eom {
    struct session *session;
    struct message *message;
    bool mixed;
    bool alterable;
    GPtrArray *standing;    /* SMS recipients that rules about contents speak about */
    struct mail_view *view; /* NULL: nobody had to decode, or nobody could */
    bool crashed;           /* a reader died over it */
    bool dropped;           /* nothing of the mail is left to go on */
    struct outcome reason;  /* for the log, where the client is told less */
    struct smtp_verdict verdict;
    struct smtp_mail mail; /* while the rules are asked */
};

/* A second reader is asked where the first one died: that may have been the machine's doing, and a
 * mixed mail would go on without SPAM rules. */
static int
read_mail(struct eom *eom, struct outcome *why)
{
    const struct conf *conf = eom->session->snapshot->conf;
    struct ask_wait wait = {change_progress, eom->session};
    int crashes = 0;

    while (crashes < CRASHES_MAX) {
        struct ask *ask = message_reader(eom->message, conf, why);
        int fd = ask ? content_lend(&eom->message->content, NULL, why) : -1;
        int asked;

        if (fd < 0)
            return -1;
        asked = ask_read(ask, fd, &wait, &eom->view, &eom->crashed, why);
        close(fd);
        if (asked == 0)
            return 0;
        if (eom->crashed)
            crashes++;
        else if (!ask_lost(ask))
            return -1;
    }
    return -1;
}

static int
decode(void *context, const char **ret_subject, const char **ret_text, struct outcome *why)
{
    struct eom *eom = context;

    eom->view =
        plain_view(eom->mail.header, eom->mail.header_len, eom->mail.body, eom->mail.body_len);
    if (!eom->view && read_mail(eom, why) < 0)
        return -1;
    if (eom->view->verdict.kind == OUT_RETRY) {
        *why = eom->view->verdict;
        return -1;
    }
    *ret_subject = eom->view->subject;
    *ret_text = eom->view->text;
    return eom->view->verdict.kind == OUT_OK ? 1 : 0;
}

static int
ask_rules(struct eom *eom, struct outcome *why)
{
    const struct snapshot *snapshot = eom->session->snapshot;
    g_autoptr(GPtrArray) bare = g_ptr_array_new();
    struct smtp_mail *mail = &eom->mail;

    for (guint i = 0; i < eom->message->recipients->len; i++)
        g_ptr_array_add(bare, ((struct recipient *)eom->message->recipients->pdata[i])->bare);
    g_ptr_array_add(bare, NULL);
    *mail = (struct smtp_mail){.recipients = (const char *const *)bare->pdata,
                               .mixed = eom->mixed,
                               .decode = decode,
                               .context = eom};
    if (content_octets(&eom->message->content, &mail->header, &mail->header_len, &mail->body,
                       &mail->body_len, why) < 0)
        return -1;
    return smtp_rules_mail(snapshot->rules, snapshot->conf, mail, &eom->verdict, why);
}

static int
remove_all(struct eom *eom, const GPtrArray *recipients, struct outcome *why)
{
    for (guint i = 0; i < recipients->len; i++) {
        const struct recipient *recipient = recipients->pdata[i];

        if (change_remove_recipient(eom->session, recipient->given, why) < 0)
            return -1;
    }
    return 0;
}

/* The SMS half ends here: with others about, its recipients are taken out, else the whole mail is
 * dropped. */
static int
drop(struct eom *eom, struct outcome *why)
{
    if (eom->mixed)
        return remove_all(eom, eom->standing, why);
    eom->dropped = true;
    return 0;
}

static int
discard(struct eom *eom, struct record *record, struct outcome *why)
{
    record->effect = "delete";
    record->status = "discarded";
    if (eom->verdict.nowhere)
        record->detail = "no spam_target";
    /* Without its row the mail is gone all the same: to keep spam alive for a note would be
     * worse. */
    (void)!record_note(eom->session, record);
    if (drop(eom, why) < 0)
        return -1;
    record_log(eom->session, record);
    return 0;
}

static int
hold(struct eom *eom, struct record *record, struct outcome *why)
{
    g_autofree char *file = g_path_get_basename(smtp_rules_file(eom->session->snapshot->rules));
    g_autofree char *reason = g_strdup_printf("%s:%d", file, record->hits->line);

    record->effect = "hold";
    record->status = "held";
    /* The row is the only place where somebody who looks at the queue finds the reason. */
    if (record_note(eom->session, record) < 0 && !eom->message->local) {
        message_undecided(why);
        return -1;
    }
    if (change_hold(eom->session, reason, why) < 0)
        return -1;
    record_log(eom->session, record);
    return 0;
}

/* Added to a mail that it is a recipient of already, it would get a second copy. */
static bool
is_recipient(const struct message *message, const char *address)
{
    for (guint i = 0; i < message->recipients->len; i++) {
        const struct recipient *recipient = message->recipients->pdata[i];

        if (!recipient->sms && g_ascii_strcasecmp(recipient->bare, address) == 0)
            return true;
    }
    return false;
}

static int
redirect(struct eom *eom, struct record *record, struct outcome *why)
{
    const char *target = eom->session->snapshot->conf->spam_target;
    g_autofree char *bracketed = g_strdup_printf("<%s>", target);
    g_autofree char *detail = g_strdup_printf("to <%s>", target);

    record->effect = "redirect";
    record->status = "redirected";
    record->detail = detail;
    (void)!record_note(eom->session, record);
    if (!is_recipient(eom->message, target) &&
        change_add_recipient(eom->session, bracketed, NULL, why) < 0)
        return -1;
    if (remove_all(eom, eom->standing, why) < 0)
        return -1;
    record_log(eom->session, record);
    return 0;
}

/* The recipients that the FILTER line of the first of them takes out, moved from todo. */
static GPtrArray *
same_line(GPtrArray *todo)
{
    GPtrArray *same = g_ptr_array_new();
    int line = ((struct recipient *)todo->pdata[0])->filter.line;

    for (guint i = 0; i < todo->len;) {
        struct recipient *recipient = todo->pdata[i];

        if (recipient->filter.line == line) {
            g_ptr_array_add(same, recipient);
            g_ptr_array_remove_index(todo, i);
        } else {
            i++;
        }
    }
    return same;
}

/* FILTER-ADDRESSES: takes them out of the mail and of standing. */
static int
remove_filtered(struct eom *eom, struct outcome *why)
{
    g_autoptr(GPtrArray) todo = g_ptr_array_new();

    for (guint i = 0; i < eom->standing->len;) {
        struct recipient *recipient = eom->standing->pdata[i];

        if (recipient->filtered) {
            g_ptr_array_add(todo, recipient);
            g_ptr_array_remove_index(eom->standing, i);
        } else {
            i++;
        }
    }
    eom->dropped = eom->standing->len == 0 && !eom->mixed;
    while (todo->len > 0) {
        g_autoptr(GPtrArray) same = same_line(todo);
        struct record record = {
            .recipients = same,
            .hits = &((struct recipient *)same->pdata[0])->filter,
            .n_hits = 1,
            .status = "removed",
            .detail = eom->dropped ? "no recipient is left" : "",
            .effect = "remove",
        };

        (void)!record_note(eom->session, &record);
        if (!eom->dropped && remove_all(eom, same, why) < 0)
            return -1;
        record_log(eom->session, &record);
    }
    return 0;
}

/* Parameters for a recipient of a declared mail: its own, but for what it asks to be told. NULL: it
 * can stay as it is. */
static char *
quiet_parameters(const char *parameters, enum smtp_class class)
{
    g_auto(GStrv) given = g_strsplit(parameters, " ", -1);
    g_autoptr(GString) quiet = g_string_new(NULL);
    const char *notify = NULL;

    for (guint i = 0; given[i]; i++) {
        if (g_ascii_strncasecmp(given[i], "NOTIFY=", 7) == 0)
            notify = given[i] + 7;
        else if (*given[i])
            g_string_append_printf(quiet, " %s", given[i]);
    }
    if (class == SMTP_CLASS_LIST) {
        if (notify && g_ascii_strcasecmp(notify, "NEVER") == 0)
            return NULL;
        g_string_prepend(quiet, "NOTIFY=NEVER");
    } else {
        /* Without NOTIFY nobody is told of success anyway. */
        g_auto(GStrv) kinds = g_strsplit(notify ? notify : "", ",", -1);
        g_autoptr(GString) kept = g_string_new(NULL);
        bool success = false;

        for (guint i = 0; kinds[i]; i++) {
            if (g_ascii_strcasecmp(kinds[i], "SUCCESS") == 0)
                success = true;
            else
                g_string_append_printf(kept, "%s%s", kept->len ? "," : "", kinds[i]);
        }
        if (!success)
            return NULL;
        g_string_prepend(quiet, kept->len ? kept->str : "NEVER");
        g_string_prepend(quiet, "NOTIFY=");
    }
    return g_string_free(g_steal_pointer(&quiet), FALSE);
}

/* No mail of Postfix's own goes back that the class forbids. */
static int
quieten(struct eom *eom, struct outcome *why)
{
    for (guint i = 0; i < eom->standing->len; i++) {
        const struct recipient *recipient = eom->standing->pdata[i];
        g_autofree char *parameters = quiet_parameters(recipient->parameters, eom->verdict.class);

        if (parameters &&
            (change_remove_recipient(eom->session, recipient->given, why) < 0 ||
             change_add_recipient(eom->session, recipient->given, parameters, why) < 0))
            return -1;
    }
    return 0;
}

static int
declare(struct eom *eom, struct outcome *why)
{
    guint replaced = replace_count(eom->verdict.hits);
    struct record record = {
        .recipients = eom->standing,
        .hits = (const struct smtp_hit *)eom->verdict.hits->data + replaced,
        .n_hits = eom->verdict.hits->len - replaced,
        .status = "declared",
        .detail = smtp_class_name(eom->verdict.class),
        .effect = "declare",
        .class = eom->verdict.class,
    };

    if (eom->verdict.class == SMTP_CLASS_NONE)
        return 0;
    (void)!record_note(eom->session, &record);
    if (eom->alterable && change_add_header(eom->session, VIEW_CLASS_HEADER,
                                            smtp_class_name(eom->verdict.class), why) < 0)
        return -1;
    if (quieten(eom, why) < 0)
        return -1;
    record_log(eom->session, &record);
    return 0;
}

static int
pass(struct eom *eom, struct outcome *why)
{
    bool unreadable = eom->view && eom->view->verdict.kind != OUT_OK;

    if (remove_filtered(eom, why) < 0)
        return -1;
    if (eom->standing->len == 0)
        return 0;
    if (unreadable && !eom->mixed) {
        *why = eom->view->verdict;
        return -1;
    }
    if (declare(eom, why) < 0)
        return -1;
    if (eom->alterable && (eom->verdict.subject || eom->verdict.text))
        return replace_apply(eom->session, eom->standing, &eom->verdict, eom->view, why);
    return 0;
}

static int
carry_out(struct eom *eom, struct outcome *why)
{
    struct record record = {
        .recipients = eom->standing,
        .hits = &eom->verdict.fatal,
        .n_hits = 1,
        .detail = "",
        .class = eom->verdict.class,
    };

    switch (eom->verdict.fate) {
    case SMTP_DISCARD:
        return discard(eom, &record, why);
    case SMTP_HOLD:
        return hold(eom, &record, why);
    case SMTP_REDIRECT:
        return redirect(eom, &record, why);
    case SMTP_PASS:
        break;
    }
    return pass(eom, why);
}

static void
log_reply(const struct eom *eom, const struct outcome *why)
{
    struct record record = {
        .recipients = eom->standing,
        .status = why->kind == OUT_DATA ? "rejected" : "deferred",
        .dsn = why->dsn,
        .detail = *eom->reason.text ? eom->reason.text : why->text,
    };

    record_log(eom->session, &record);
}

/* The rules could not be asked. A mail of sendmail(1) would wait in its maildrop unseen, and other
 * recipients for ever: those go on, and the transport applies what it can. */
static int
undecided(struct eom *eom, struct outcome *why)
{
    bool final = why->kind == OUT_DATA;

    if (final && !eom->mixed)
        return -1;
    if (!final && !eom->message->local && !(eom->mixed && eom->crashed)) {
        eom->reason = *why;
        message_undecided(why);
        return -1;
    }
    log_warnx("%s: goes on without SPAM rules: %s", change_queue_id(eom->session), why->text);
    return remove_filtered(eom, why);
}

static int
remove_forged(struct eom *eom, struct outcome *why)
{
    const guint *count = eom->message->forged;

    if (change_remove_headers(eom->session, VIEW_MARK_HEADER, count[FORGED_MARK], why) < 0 ||
        change_remove_headers(eom->session, VIEW_CLASS_HEADER, count[FORGED_CLASS], why) < 0)
        return -1;
    if (count[FORGED_MARK] || count[FORGED_CLASS])
        log_info("%s: %u forged header fields removed", change_queue_id(eom->session),
                 count[FORGED_MARK] + count[FORGED_CLASS]);
    return 0;
}

/* A mail server that cannot do what it must: never against other recipients, nor against a mail
 * that nobody would see wait. */
static bool
must_go_on(const struct eom *eom, const struct outcome *why)
{
    return why->kind == OUT_CONFIG && (eom->mixed || eom->message->local);
}

static int
reach(struct eom *eom, struct outcome *why)
{
    if (remove_forged(eom, why) < 0)
        return -1;
    if (ask_rules(eom, why) < 0)
        return undecided(eom, why);
    return carry_out(eom, why);
}

void
verdict_reach(struct session *session, struct outcome *why)
{
    struct message *message = &session->message;
    struct eom eom = {
        .session = session,
        .message = message,
        .mixed = message_mixed(message),
        .alterable = message_alterable(message),
        .standing = message_standing(message),
    };

    bool reply = eom.standing->len > 0 && reach(&eom, why) < 0;

    if (reply && must_go_on(&eom, why)) {
        log_err("%s: goes on as it is: %s", change_queue_id(session), why->text);
        reply = false;
    }
    if (reply)
        log_reply(&eom, why);
    else if (eom.dropped)
        out_set(why, OUT_DROPPED, "2.0.0", "nothing of it is left");
    else
        out_set(why, OUT_OK, "2.0.0", "passed");
    g_ptr_array_unref(eom.standing);
    mail_view_free(eom.view);
    smtp_verdict_clear(&eom.verdict);
}
