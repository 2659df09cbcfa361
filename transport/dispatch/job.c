/* SPDX-License-Identifier: ISC */
/*
 * Owns a job from its request to its verdict, and the log line. Must never submit or write the
 * ledger itself: lanes and rounds do.
 */
#include "transport/dispatch/plan.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include <string.h>

#define SENT_BEFORE "parts were sent before"

static struct request *
request_dup(const struct request *request)
{
    struct request *copy = g_new0(struct request, 1);

    for (int i = 0; i < ENVELOPE_COUNT; i++)
        copy->value[i] = g_strdup(request->value[i]);
    copy->deadline_ms = request->deadline_ms;
    return copy;
}

struct job *
job_new(struct dispatch *dispatch, struct conn *conn)
{
    struct job *job = g_new0(struct job, 1);

    job->dispatch = dispatch;
    job->setup = setup_ref(dispatch->setup);
    job->conns = g_ptr_array_new();
    job->request = request_dup(conn_request(conn));
    job->started = dispatch->clk->mono();
    job->declared = "";
    job->saved = g_array_new(FALSE, FALSE, sizeof(enum part_state));
    job->tried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(job->conns, conn);
    g_hash_table_add(dispatch->jobs, job);
    return job;
}

void
job_drop(struct job *job)
{
    g_hash_table_remove(job->dispatch->jobs, job);
    setup_unref(job->setup);
    g_ptr_array_unref(job->conns);
    request_clear(job->request);
    g_free(job->request);
    g_clear_pointer(&job->view, mail_view_free);
    g_free(job->rule);
    g_free(job->notes);
    g_clear_pointer(&job->delivery, spool_delivery_free);
    g_free(job->result_ref);
    g_free(job->last_reason);
    g_array_unref(job->saved);
    g_hash_table_unref(job->tried);
    plan_forget(job);
    g_free(job);
}

guint
job_accepted(const struct job *job)
{
    return job->delivery ? spool_delivery_accepted(job->delivery) : 0;
}

guint
job_parts_left(const struct job *job)
{
    guint left = 0;

    for (guint i = 0; i < job->delivery->parts->len; i++)
        left += !part_state_accepted(((struct spool_part *)job->delivery->parts->pdata[i])->state);
    return left;
}

void
job_add_sent_parts(const struct job *job, struct outcome *verdict)
{
    guint accepted = job_accepted(job);
    g_autofree char *text = g_strdup(verdict->text);
    g_autofree char *dsn = g_strdup(verdict->dsn);

    if (verdict->kind == OUT_OK || accepted == 0 || strstr(text, SENT_BEFORE))
        return;
    out_set(verdict, verdict->kind, dsn, "%s; %u of %u " SENT_BEFORE, text, accepted,
            spool_delivery_sms(job->delivery));
}

struct spool_part *
job_next_part(const struct job *job)
{
    for (guint i = 0; i < job->delivery->parts->len; i++) {
        struct spool_part *part = job->delivery->parts->pdata[i];

        if (part->state == PART_PLANNED)
            return part;
    }
    return NULL;
}

gint64
job_patience(const struct job *job)
{
    gint64 longest = 0;

    for (guint i = 0; i < job->conns->len; i++)
        longest = MAX(longest, conn_patience(job->conns->pdata[i]));
    return longest;
}

struct job *
job_of_delivery(const struct dispatch *dispatch, gint64 id)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (((struct job *)key)->delivery && ((struct job *)key)->delivery->id == id)
            return key;
    return NULL;
}

void
jobs_clock_jumped(struct dispatch *dispatch, gint64 by_ms)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct spool_delivery *delivery = ((struct job *)key)->delivery;

        if (!delivery)
            continue;
        delivery->created += by_ms;
        delivery->updated += by_ms;
        for (guint i = 0; i < delivery->parts->len; i++)
            ((struct spool_part *)delivery->parts->pdata[i])->since += by_ms;
    }
}

void
job_log(const struct dispatch *dispatch, const struct job *job, const struct request *request,
        gint64 started, const struct outcome *verdict)
{
    bool full = dispatch->setup->conf->log_numbers_full;
    const struct spool_delivery *delivery = job ? job->delivery : NULL;
    g_autofree char *to = addr_loggable(request_get(request, RECIPIENT), full);
    g_autofree char *original = addr_loggable(request_get(request, ORIGINAL), full);
    g_autoptr(GString) line = g_string_new(NULL);
    gint64 delay = dispatch->clk->mono() - started;

    g_string_append_printf(
        line, "%s: to=<%s>",
        *request_get(request, QUEUE_ID) ? request_get(request, QUEUE_ID) : "NOQUEUE", to);
    if (g_ascii_strcasecmp(to, original) != 0)
        g_string_append_printf(line, ", orig_to=<%s>", original);
    g_string_append_printf(
        line, ", sender=<%s>, account=%s, relay=%s, parts=%u/%u, rule=%s, delay=%.1f, dsn=%s",
        request_get(request, SENDER),
        *request_get(request, LOGIN) ? request_get(request, LOGIN) : "-",
        delivery && *delivery->gateway ? delivery->gateway : "none", job ? job_accepted(job) : 0,
        delivery ? spool_delivery_sms(delivery) : 0,
        job && job->rule && *job->rule ? job->rule : "-", (double)delay / 1000, verdict->dsn);
    if (job && job->notes && *job->notes)
        g_string_append_printf(line, ", note=%s", job->notes);
    g_string_append_printf(line, ", status=%s (%s)", out_status(verdict->kind), verdict->text);
    if (verdict->kind == OUT_CONFIG || verdict->kind == OUT_BUG)
        log_err("%s", line->str);
    else
        log_info("%s", line->str);
}

void
job_finish(struct job *job, const struct outcome *verdict)
{
    struct outcome last = *verdict; /* may lie in the job */

    job_add_sent_parts(job, &last);
    for (guint i = 0; i < job->conns->len; i++)
        conn_answer(job->conns->pdata[i], job, &last);
    if (job->conns->len == 0)
        job_log(job->dispatch, job, job->request, job->started, &last);
    job_drop(job);
}

void
job_conn_gone(struct job *job, const struct conn *conn)
{
    g_ptr_array_remove(job->conns, (gpointer)(guintptr)conn);
    if (job->conns->len > 0)
        return;
    switch (job->stage) {
    case JOB_READING:
        if (readers_take_back(job->dispatch->readers, &job->reading))
            job_drop(job);
        break;
    case JOB_WAITING:
        /* What is planned stays in the ledger; Postfix will ask again. */
        lane_remove(job);
        job_drop(job);
        break;
    case JOB_FRESH:
    case JOB_SUBMITTING:
    case JOB_RESULT:
        break; /* the round sees that nobody waits */
    }
}

/* The open job that this one repeats: the same mail offered twice, or once directly and once
 * through an alias. */
static struct job *
job_twin(const struct job *job)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, job->dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct job *other = key;

        if (other == job || other->stage == JOB_READING)
            continue;
        if (memcmp(other->identity.k1, job->identity.k1, SPOOL_KEY) == 0 ||
            (job->identity.has_k2 && other->identity.has_k2 &&
             memcmp(other->identity.k2, job->identity.k2, SPOOL_KEY) == 0))
            return other;
    }
    return NULL;
}

/* Whoever may not send does not get another one's verdict either. */
static bool
may_join(const struct job *job)
{
    struct decision decision;
    bool may;

    decide_again(job->setup, job->request, job->view, job->declared, &decision);
    may = decision.verdict.kind == OUT_OK;
    decision_clear(&decision);
    return may;
}

/* Everybody who waits for job waits for twin from now on. */
static void
join(struct job *job, struct job *twin)
{
    struct dispatch *dispatch = job->dispatch;

    if (twin->delivery && dispatch->spool) {
        /* "postsms trace" finds it under this name too. */
        spool_offered(dispatch->spool, twin->delivery, request_get(job->request, QUEUE_ID),
                      job->identity.k1, dispatch->clk->wall());
        round_wake(dispatch);
    }
    for (guint i = 0; i < job->conns->len; i++) {
        conn_set_job(job->conns->pdata[i], twin);
        g_ptr_array_add(twin->conns, job->conns->pdata[i]);
    }
    job_drop(job);
}

/* A reader has read its mail. */
static void
job_read(struct job *job)
{
    struct job *twin;

    KILL_POINT("mail-read");
    for (guint i = job->conns->len; i-- > 0;)
        if (!conn_alive(job->conns->pdata[i])) {
            /* The end of the mail may have been the end of the pipe: what was read is worth
             * nothing. Its own event frees the connection. */
            conn_set_job(job->conns->pdata[i], NULL);
            g_ptr_array_remove_index(job->conns, i);
        }
    if (job->conns->len == 0) {
        job_drop(job);
        return;
    }
    decide_identity(job->setup, job->request, job->view, &job->identity);
    twin = job_twin(job);
    if (twin && may_join(job)) {
        join(job, twin);
        return;
    }
    job->stage = JOB_FRESH;
    g_ptr_array_add(job->dispatch->fresh, job);
    round_wake(job->dispatch);
}

/* The delivery that this mail became at an earlier offer, if it did: its parts go into the verdict,
 * and end with it. */
static void
end_of_earlier_offer(struct job *job, const struct outcome *verdict)
{
    struct dispatch *dispatch = job->dispatch;
    g_autofree char *recipient = addr_loggable(request_get(job->request, RECIPIENT), true);
    struct outcome cancelled, why;

    if (spool_find_open(dispatch->spool, request_get(job->request, QUEUE_ID),
                        request_get(job->request, SENDER), recipient, &job->delivery, &why) < 0 ||
        !job->delivery)
        return;
    round_cancel(dispatch, job->delivery, &cancelled);
    spool_verdict(dispatch->spool, job->delivery, NULL, verdict, dispatch->clk->wall());
    if (spool_commit(dispatch->spool, &why) < 0)
        log_err("%s", why.text);
}

static int
mail_of(struct reading *reading)
{
    struct job *job = reading->owner;

    if (job->conns->len > 0)
        return conn_fd(job->conns->pdata[0]);
    job_drop(job);
    return -1;
}

static bool
on_answered(struct reading *reading, const struct wire *wire, const char *frame, gsize len,
            struct outcome *why)
{
    struct job *job = reading->owner;

    (void)frame;
    (void)len;
    if (mail_view_unpack(wire, &job->view, why) < 0)
        return false;
    if (job->view->verdict.kind == OUT_RETRY && job->conns->len > 0)
        job_finish(job, &job->view->verdict);
    else
        job_read(job);
    return true;
}

static void
on_refused(struct reading *reading, const struct outcome *why)
{
    struct job *job = reading->owner;

    if (job->conns->len > 0)
        job_finish(job, why);
    else
        job_drop(job);
}

static void
on_died(struct reading *reading)
{
    struct job *job = reading->owner;
    struct dispatch *dispatch = job->dispatch;
    const char *queue_id = request_get(job->request, QUEUE_ID);
    guint8 envelope[SPOOL_KEY];
    struct outcome why;
    int crashes = 0;

    if (job->conns->len == 0) {
        job_drop(job);
        return;
    }
    identity_envelope(job->request, envelope);
    if (round_open_ledger(dispatch) < 0) {
        job_finish(job, &dispatch->spool_why);
        return;
    }
    spool_crashed(dispatch->spool, queue_id, envelope, dispatch->clk->wall());
    if (spool_commit(dispatch->spool, &why) < 0 ||
        spool_crashes(dispatch->spool, queue_id, envelope, &crashes, &why) < 0) {
        job_finish(job, &why);
        return;
    }
    out_set(&why, OUT_RETRY, "4.3.0", "the mail could not be read (attempt %d of %d)", crashes,
            SPOOL_CRASHES_MAX);
    if (crashes >= SPOOL_CRASHES_MAX) {
        out_set(&why, OUT_DATA, "5.6.0", "the mail cannot be read: %d attempts ended in a crash",
                crashes);
        end_of_earlier_offer(job, &why);
    }
    job_finish(job, &why);
}

void
job_begin(struct job *job)
{
    static const struct reading_kind kind = {mail_of, on_answered, on_died, on_refused};

    job->stage = JOB_READING;
    job->reading = (struct reading){.kind = &kind, .owner = job};
    readers_add(job->dispatch->readers, &job->reading);
}
