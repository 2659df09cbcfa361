/* SPDX-License-Identifier: ISC */
/*
 * Owns what postsmsd says to Postfix by SMTP: mail that it makes, and ETRN. Mail is in the ledger
 * before it is handed over and leaves it after Postfix's 250, so a crash costs at worst a second
 * copy with the same Message-ID. Everything is sent from <> and says that a machine wrote it:
 * nobody's vacation program may answer.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include "transport/dispatch/transfer.h"
#include <string.h>

#define AGAIN_USEC                                                                                 \
    (30 * G_USEC_PER_SEC) /* after a failure; and the least time from one ETRN to the next */
#define TIMEOUT_SECONDS 20L
#define ETRN_TRIES      10 /* 30 s apart */
#define DOMAINS_MAX     20 /* in one ETRN round */

struct post {
    struct dispatch *dispatch;
    struct transfers *transfers;
    sd_event_source *again;
    struct sending *sending; /* the mail under way; NULL if none */
    char *handed;            /* the mail that Postfix got last; NULL if none */
    gint64 etrn_last;        /* milliseconds, monotonic; 0: never */
    bool etrn_wanted, etrn_forced;
    guint etrn_failures; /* in a row */
    sd_event_source *etrn_later;
};

struct sending {
    struct post *post;
    gint64 id;
    char *stored;  /* as the ledger has it */
    char *message; /* CRLF line ends */
    gsize len, at;
    struct curl_slist *recipients;
};

static CURL *
easy_new(const struct post *post)
{
    CURL *easy = curl_easy_init();
    g_autofree char *url = g_strconcat(post->dispatch->setup->conf->submit, "/localhost", NULL);

    g_assert(easy); /* fails only without memory */
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
    return easy;
}

/* Mail */

static size_t
give_octets(char *to, size_t size, size_t count, void *data)
{
    struct sending *sending = data;
    gsize part = MIN(size * count, sending->len - sending->at);

    memcpy(to, sending->message + sending->at, part);
    sending->at += part;
    return part;
}

static void
sending_free(struct sending *sending)
{
    curl_slist_free_all(sending->recipients);
    g_free(sending->stored);
    g_free(sending->message);
    g_free(sending);
}

static void
not_before_again(struct post *post)
{
    sd_event_source_set_time_relative(post->again, AGAIN_USEC);
    sd_event_source_set_enabled(post->again, SD_EVENT_ONESHOT);
}

static void
mail_done(void *context, CURL *easy, CURLcode result)
{
    struct sending *sending = context;
    struct post *post = sending->post;
    long code = 0;

    KILL_POINT("mail-handed");
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(easy);
    post->sending = NULL;
    if (post->dispatch->spool && (result == CURLE_OK || code / 100 == 5)) {
        if (result != CURLE_OK)
            log_err("%s: mail of ours to <%s> is refused for good (%ld) and dropped",
                    post->dispatch->setup->conf->submit, sending->recipients->data, code);
        g_free(post->handed);
        post->handed = g_steal_pointer(&sending->stored);
        spool_outbox_done(post->dispatch->spool, sending->id);
        round_wake(post->dispatch); /* commits, and looks for the next one */
    } else {
        log_warnx("%s: mail of ours to <%s>: %s (%ld)", post->dispatch->setup->conf->submit,
                  sending->recipients->data, curl_easy_strerror(result), code);
        /* One that Postfix does not want now must not hold up the others. */
        if (post->dispatch->spool && code / 100 == 4)
            spool_outbox_last(post->dispatch->spool, sending->id);
        round_wake(post->dispatch);
        not_before_again(post);
    }
    sending_free(sending);
}

void
post_send(struct dispatch *dispatch)
{
    struct post *post = dispatch->post;
    struct spool_mail mail;
    struct outcome why;
    struct sending *sending;
    GString *message;
    CURL *easy;
    int again = SD_EVENT_OFF;

    if (!post || post->sending || !dispatch->spool || dispatch->stopping)
        return;
    sd_event_source_get_enabled(post->again, &again);
    if (again != SD_EVENT_OFF || spool_outbox_first(dispatch->spool, &mail, &why) < 0 ||
        mail.id == 0)
        return;
    if (g_strcmp0(mail.message, post->handed) == 0) {
        /* Postfix has it, but the ledger could not be written: that must not become a flood. */
        spool_outbox_done(dispatch->spool, mail.id);
        round_wake(dispatch);
        not_before_again(post);
        g_free(mail.recipient);
        g_free(mail.message);
        return;
    }
    sending = post->sending = g_new0(struct sending, 1);
    sending->post = post;
    sending->id = mail.id;
    message = g_string_new(mail.message);
    g_string_replace(message, "\n", "\r\n", 0);
    sending->len = message->len;
    sending->message = g_string_free(message, FALSE);
    sending->recipients = curl_slist_append(NULL, mail.recipient);
    easy = easy_new(post);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, sending->recipients);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_octets);
    curl_easy_setopt(easy, CURLOPT_READDATA, sending);
    sending->stored = mail.message;
    g_free(mail.recipient);
    KILL_POINT("mail-before");
    if (!transfers_add(post->transfers, easy, mail_done, sending))
        mail_done(sending, easy, CURLE_OUT_OF_MEMORY);
}

static int
on_again(sd_event_source *source, uint64_t usec, void *data)
{
    struct post *post = data;

    (void)usec;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    post_send(post->dispatch);
    return 0;
}

static const char *
own_domain(const struct dispatch *dispatch)
{
    const char *domain = dispatch->setup->conf->domains[0];

    return domain + (domain[0] == '.');
}

/* Subject and text are ours; what is foreign in them was cleaned when it became an outcome. */
static void
post_write(struct dispatch *dispatch, const char *recipient, const char *submitted,
           const char *subject, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *date = g_date_time_format(now, "%a, %d %b %Y %H:%M:%S %z");
    g_autofree char *clean = log_clean(subject, 200);
    g_autofree char *message = NULL;
    guint64 chance;

    if (!dispatch->spool)
        return;
    dispatch->clk->random(&chance, sizeof(chance));
    message = g_strdup_printf(
        "From: postsms <postmaster@%s>\nTo: <%s>\nSubject: %s\nDate: %s\n"
        "Message-ID: <postsms.%" G_GINT64_MODIFIER "x@%s>\nAuto-Submitted: %s\n"
        "X-Postsms-Loop: 1\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\n%s",
        own_domain(dispatch), recipient, clean, date, chance, own_domain(dispatch), submitted,
        text);
    spool_outbox_add(dispatch->spool, recipient, message, dispatch->clk->wall());
    KILL_POINT("mail-inside");
    round_wake(dispatch);
}

void
post_alarm(struct dispatch *dispatch, const char *what, const char *state, const char *reason)
{
    const char *to = dispatch->setup->conf->alarm_to;
    g_autofree char *subject = g_strdup_printf("postsms: %s %s", what, state);
    g_autofree char *when = clk_string(dispatch->clk->wall());
    g_autofree char *text = g_strdup_printf("%s: %s since %s\n%s\n", what, state, when, reason);

    if (*to)
        post_write(dispatch, to, "auto-generated", subject, text);
}

/* Addresses that must never get mail from a machine (RFC 3834 and the usual list owners). */
static bool
is_machine(const char *sender)
{
    static const char *const names[] = {"mailer-daemon@", "postmaster@", "owner-"};
    g_autofree char *folded = g_ascii_strdown(sender, -1);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(folded, names[i]))
            return true;
    return !*sender || strstr(folded, "-request@") || strstr(folded, "-bounces@") ||
           strstr(folded, "-owner@");
}

void
post_warn_sender(struct dispatch *dispatch, const struct spool_delivery *delivery)
{
    g_autofree char *created = clk_string(delivery->created);
    g_autofree char *subject = g_strdup_printf("SMS to %s is not sent yet", delivery->number);
    guint accepted = 0;
    g_autofree char *text = NULL;

    accepted = spool_delivery_accepted(delivery);
    text = g_strdup_printf(
        "Your SMS of %s to %s has not been sent yet: %u of %u parts have left.\n\n"
        "The last reason: %s\n\n"
        "You need not do anything. We go on trying, and you hear from us if we give up.\n",
        created, delivery->number, accepted, spool_delivery_sms(delivery),
        *delivery->reason ? delivery->reason : "it waits for its turn");
    spool_warned(dispatch->spool, delivery->id, dispatch->clk->wall());
    if (!is_machine(delivery->sender))
        post_write(dispatch, delivery->sender, "auto-replied", subject, text);
}

/* ETRN */

static size_t
take_nothing(char *from, size_t size, size_t count, void *data)
{
    (void)from;
    (void)data;
    return size * count;
}

static void
etrn_done(void *context, CURL *easy, CURLcode result)
{
    struct post *post = context;

    curl_easy_cleanup(easy);
    if (result == CURLE_OK) {
        post->etrn_failures = 0;
        return;
    }
    /* At boot Postfix comes up after us. */
    if (++post->etrn_failures <= ETRN_TRIES) {
        post->etrn_forced = true;
        post_come_back(post->dispatch);
        return;
    }
    log_warnx("%s: ETRN: %s; waiting mail comes when Postfix retries",
              post->dispatch->setup->conf->submit, curl_easy_strerror(result));
}

static bool
add_domain(void *context, const struct spool_delivery *delivery)
{
    GHashTable *domains = context;
    const char *at = strrchr(delivery->recipient, '@');

    if (at && g_hash_table_size(domains) < DOMAINS_MAX)
        g_hash_table_add(domains, g_ascii_strdown(at + 1, -1));
    return true;
}

static void
etrn_now(struct post *post)
{
    struct dispatch *dispatch = post->dispatch;
    g_autoptr(GHashTable) domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    struct outcome why;
    gpointer domain;

    post->etrn_wanted = false;
    if (!dispatch->spool || spool_each_open(dispatch->spool, add_domain, domains, &why) < 0)
        return;
    /* At start there may be mail that came while postsmsd was away, which the ledger has never
     * seen. */
    for (char **own = dispatch->setup->conf->domains; post->etrn_forced && *own; own++)
        g_hash_table_add(domains, g_strdup(*own + ((*own)[0] == '.')));
    post->etrn_forced = false;
    if (g_hash_table_size(domains) == 0)
        return;
    post->etrn_last = dispatch->clk->mono();
    g_hash_table_iter_init(&iter, domains);
    while (g_hash_table_iter_next(&iter, &domain, NULL)) {
        g_autofree char *command = g_strdup_printf("ETRN %s", (const char *)domain);
        CURL *easy = easy_new(post);

        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, command);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_nothing);
        if (!transfers_add(post->transfers, easy, etrn_done, post))
            etrn_done(post, easy, CURLE_OUT_OF_MEMORY);
    }
}

static int
on_etrn_later(sd_event_source *source, uint64_t usec, void *data)
{
    (void)source;
    (void)usec;
    etrn_now(data);
    return 0;
}

void
post_come_back(struct dispatch *dispatch)
{
    struct post *post = dispatch->post;
    gint64 since;

    if (!post || dispatch->stopping || post->etrn_wanted)
        return;
    post->etrn_wanted = true;
    since = (dispatch->clk->mono() - post->etrn_last) * 1000;
    /* A moment later at least: what is under way in this round counts as waiting otherwise. */
    sd_event_source_set_time_relative(post->etrn_later, post->etrn_last == 0 || since >= AGAIN_USEC
                                                            ? G_USEC_PER_SEC / 10
                                                            : (uint64_t)(AGAIN_USEC - since));
    sd_event_source_set_enabled(post->etrn_later, SD_EVENT_ONESHOT);
}

int
post_start(struct dispatch *dispatch, struct outcome *why)
{
    struct post *post = g_new0(struct post, 1);

    post->dispatch = dispatch;
    dispatch->post = post;
    if (!(post->transfers = transfers_new(dispatch->loop)) ||
        sd_event_add_time_relative(dispatch->loop, &post->again, CLOCK_MONOTONIC, AGAIN_USEC, 0,
                                   on_again, post) < 0 ||
        sd_event_source_set_enabled(post->again, SD_EVENT_OFF) < 0 ||
        sd_event_add_time_relative(dispatch->loop, &post->etrn_later, CLOCK_MONOTONIC, AGAIN_USEC,
                                   0, on_etrn_later, post) < 0 ||
        sd_event_source_set_enabled(post->etrn_later, SD_EVENT_OFF) < 0) {
        out_set(why, OUT_BUG, "4.3.0", "libcurl");
        return -1;
    }
    post->etrn_forced = true;
    post_come_back(dispatch);
    post_send(dispatch);
    return 0;
}

void
post_free(struct dispatch *dispatch)
{
    struct post *post = dispatch->post;

    if (!post)
        return;
    if (!transfers_free(post->transfers))
        return; /* threads still read what is here; the process ends before them */
    if (post->sending)
        sending_free(post->sending);
    g_free(post->handed);
    sd_event_source_disable_unref(post->again);
    sd_event_source_disable_unref(post->etrn_later);
    g_free(post);
    dispatch->post = NULL;
}
