/* SPDX-License-Identifier: ISC */
/*
 * Owns the course of a delivery inside a round: what a result, a new offer, an operator or the
 * clock makes of it, and the sentence that says so. All changes go into the open group. Must never
 * call a part sent or unsent without proof.
 */
#include "transport/dispatch/plan.h"

#include "lib/killpoint.h"
#include <string.h>

#define CANCELLED_TEXT   "cancelled by the administrator"
#define UNKNOWN_AFTER_MS 3600000 /* of a gateway that is not configured any more */

void
course_remember(struct job *job)
{
    g_array_set_size(job->saved, 0);
    for (guint i = 0; i < job->delivery->parts->len; i++)
        g_array_append_val(job->saved,
                           ((struct spool_part *)job->delivery->parts->pdata[i])->state);
}

void
course_restore(struct job *job)
{
    for (guint i = 0; i < job->saved->len; i++)
        ((struct spool_part *)job->delivery->parts->pdata[i])->state =
            g_array_index(job->saved, enum part_state, i);
    g_free(job->delivery->state);
    job->delivery->state = g_strdup("open");
}

void
course_finish(struct round *round, struct job *job, enum out_kind kind, const char *dsn,
              const char *text)
{
    out_set(&job->verdict, kind, dsn, "%s", text);
    job_add_sent_parts(job, &job->verdict);
    g_ptr_array_add(round->finished, job);
}

/* What is written about a verdict: whoever asks later, and "postsms trace", find it there. */
static void
write_verdict(struct round *round, struct job *job, const char *state)
{
    spool_verdict(round->dispatch->spool, job->delivery, state, &job->verdict, round->now);
}

/* "TEXT; 1 of 3 parts were sent before": a bounce must say so. */
static char *
with_sent_parts(const struct spool_delivery *delivery, const char *text)
{
    guint accepted = spool_delivery_accepted(delivery);

    if (accepted == 0)
        return g_strdup(text);
    return g_strdup_printf("%s; %u of %u parts were sent before", text, accepted,
                           spool_delivery_sms(delivery));
}

static void
all_parts_to(struct dispatch *dispatch, struct spool_delivery *delivery, enum part_state from,
             enum part_state to, const char *detail, gint64 now)
{
    for (guint i = 0; i < delivery->parts->len; i++) {
        struct spool_part *part = delivery->parts->pdata[i];

        if (part->state == from)
            spool_part_to(dispatch->spool, delivery, part, to, NULL, detail, now);
    }
}

static void
finish_sent(struct round *round, struct job *job)
{
    g_autofree char *reference = g_strdup_printf("ref %" G_GINT64_FORMAT, job->delivery->id);

    course_finish(round, job, OUT_OK, "2.0.0", reference);
    if (strcmp(job->delivery->state, "sent") != 0)
        write_verdict(round, job, "sent");
}

/* The end before every part was accepted: what is planned will never be sent. */
static void
finish_early(struct round *round, struct job *job, const char *state, enum out_kind kind,
             const char *dsn, const char *reason)
{
    all_parts_to(round->dispatch, job->delivery, PART_PLANNED, PART_CANCELLED,
                 "the message ended before it", round->now);
    course_finish(round, job, kind, dsn, reason);
    write_verdict(round, job, state);
}

void
round_cancel(struct dispatch *dispatch, struct spool_delivery *delivery, struct outcome *verdict)
{
    gint64 now = dispatch->clk->wall();
    g_autofree char *text = with_sent_parts(delivery, CANCELLED_TEXT);

    all_parts_to(dispatch, delivery, PART_PLANNED, PART_CANCELLED, "cancelled by the administrator",
                 now);
    out_set(verdict, OUT_REFUSED, "5.7.1", "%s", text);
    spool_verdict(dispatch->spool, delivery, "cancelled", verdict, now);
}

void
round_cancel_rest(struct dispatch *dispatch, struct spool_delivery *delivery)
{
    all_parts_to(dispatch, delivery, PART_PLANNED, PART_CANCELLED, CANCELLED_TEXT,
                 dispatch->clk->wall());
}

void
round_resolved(struct dispatch *dispatch, struct spool_delivery *delivery)
{
    gint64 now = dispatch->clk->wall();
    guint open = 0, dropped = 0;
    struct outcome verdict;

    for (guint i = 0; i < delivery->parts->len; i++) {
        enum part_state state = ((struct spool_part *)delivery->parts->pdata[i])->state;

        open += state == PART_PLANNED || state == PART_SUBMITTING || state == PART_UNKNOWN;
        dropped += state == PART_GAVE_UP;
    }
    if (dropped > 0) {
        all_parts_to(dispatch, delivery, PART_PLANNED, PART_CANCELLED,
                     "the message ended before it", now);
        out_set(&verdict, OUT_EXPIRED, "5.4.7", "%s: may have been delivered, will not be repeated",
                delivery->gateway);
        spool_verdict(dispatch->spool, delivery, "gave_up", &verdict, now);
    } else if (open == 0) {
        out_set(&verdict, OUT_OK, "2.0.0", "ref %" G_GINT64_FORMAT, delivery->id);
        spool_verdict(dispatch->spool, delivery, "sent", &verdict, now);
    }
}

/* It was in flight when the last postsmsd ended. */
static void
lost_answer(struct dispatch *dispatch, struct spool_delivery *delivery, struct spool_part *part,
            gint64 now)
{
    g_autofree char *text =
        g_strdup_printf("%s: part %d of %u may have been sent, no answer was seen",
                        delivery->gateway, part->seq, delivery->parts->len);

    spool_part_to(dispatch->spool, delivery, part, PART_UNKNOWN, NULL, "no answer was seen", now);
    post_alarm(dispatch, delivery->gateway, "unknown", text);
}

void
course_ask_gateway(struct dispatch *dispatch, struct spool_delivery *delivery, gint64 now)
{
    struct lane *lane = g_hash_table_lookup(dispatch->lanes, delivery->gateway);

    for (guint i = 0; i < delivery->parts->len; i++) {
        struct spool_part *part = delivery->parts->pdata[i];
        enum gateway_trace trace = GATEWAY_CANNOT_TELL;

        if (part->state != PART_SUBMITTING && part->state != PART_UNKNOWN)
            continue;
        if (lane)
            trace = gateway_find(lane_gateway(lane), part->ref);
        if (trace == GATEWAY_HAS_IT)
            spool_part_to(dispatch->spool, delivery, part, PART_ACCEPTED, part->ref,
                          "the gateway has it", now);
        else if (trace == GATEWAY_HAS_IT_NOT)
            spool_part_to(dispatch->spool, delivery, part, PART_PLANNED, NULL,
                          "the gateway has it not", now);
        else if (part->state == PART_SUBMITTING)
            lost_answer(dispatch, delivery, part, now);
    }
}

static bool
has_state(const struct spool_delivery *delivery, enum part_state state)
{
    for (guint i = 0; i < delivery->parts->len; i++)
        if (((const struct spool_part *)delivery->parts->pdata[i])->state == state)
            return true;
    return false;
}

static struct spool_part *
unknown_part(const struct spool_delivery *delivery)
{
    for (guint i = 0; i < delivery->parts->len; i++) {
        struct spool_part *part = delivery->parts->pdata[i];

        if (part->state == PART_UNKNOWN)
            return part;
    }
    return NULL;
}

/* Does its gateway know the part again, so that it does not send it twice? For so long after it was
 * handed over first. */
static bool
is_safe_to_repeat(const struct round *round, const struct spool_delivery *delivery,
                  const struct spool_part *part, const struct conf_gateway *settings)
{
    gint64 first = spool_first_submitted(round->dispatch->spool, delivery->id, part->seq);

    return settings && first > 0 && round->now - first < settings->repeat_safe_ms &&
           round->now - part->since < settings->repeat_safe_ms;
}

/* Why nobody knows: in the gateway's words while they are there. */
static char *
doubt_text(const struct job *job, const struct spool_part *part, bool just_now)
{
    static const char head[] = "may have been sent: ";
    const char *words = just_now ? strstr(job->result_why.text, head) : NULL;

    return g_strdup_printf("%s: part %d of %u may have been sent%s %s", job->delivery->gateway,
                           part->seq, job->delivery->parts->len, words ? ":" : ",",
                           words ? words + strlen(head) : "no answer was seen");
}

/* A part that may have been sent: held, repeated or given up, as its gateway's settings say. True:
 * that was the verdict. */
static bool
unknown_decides(struct round *round, struct job *job, bool just_now)
{
    struct spool_delivery *delivery = job->delivery;
    const struct conf_gateway *settings =
        conf_gateway(round->dispatch->setup->conf, delivery->gateway);
    enum conf_unknown policy = settings ? settings->unknown : CONF_UNKNOWN_HOLD;
    gint64 after = settings ? settings->unknown_after_ms : UNKNOWN_AFTER_MS;
    const struct spool_part *part = unknown_part(delivery);
    g_autofree char *text = NULL;

    if (!part)
        return false;
    if (job->cancelled || has_state(delivery, PART_CANCELLED))
        policy = CONF_UNKNOWN_GIVE_UP; /* nobody wants it any more */
    else if (!just_now && is_safe_to_repeat(round, delivery, part, settings)) {
        all_parts_to(round->dispatch, delivery, PART_UNKNOWN, PART_PLANNED,
                     "sent again: the gateway knows the reference", round->now);
        return false;
    }
    if (policy == CONF_UNKNOWN_RETRY && !just_now) {
        all_parts_to(round->dispatch, delivery, PART_UNKNOWN, PART_PLANNED,
                     "unknown = retry: sent again, it may arrive twice", round->now);
        return false;
    }
    if (policy == CONF_UNKNOWN_GIVE_UP ||
        (policy == CONF_UNKNOWN_HOLD && round->now - part->since > after)) {
        text = g_strdup_printf("%s: part %d of %u may have been delivered, will not be repeated",
                               delivery->gateway, part->seq, delivery->parts->len);
        all_parts_to(round->dispatch, delivery, PART_UNKNOWN, PART_GAVE_UP, "given up", round->now);
        finish_early(round, job, "gave_up", OUT_EXPIRED, "5.4.7", text);
        return true;
    }
    text = doubt_text(job, part, just_now);
    course_finish(round, job, OUT_UNKNOWN, "4.4.2", text);
    write_verdict(round, job, NULL);
    if (just_now)
        post_alarm(round->dispatch, delivery->gateway, "unknown", text);
    return true;
}

static bool
lifetime_over(struct round *round, struct job *job)
{
    struct spool_delivery *delivery = job->delivery;
    gint64 lifetime = round->dispatch->setup->conf->lifetime_ms;
    g_autofree char *text = NULL;

    if (lifetime <= 0 || round->now - delivery->created <= lifetime)
        return false;
    text = g_strdup_printf("not sent within %" G_GINT64_FORMAT " min: %s", lifetime / 60000,
                           job->last_reason && *job->last_reason ? job->last_reason
                                                                 : "it waited for its turn");
    finish_early(round, job, "cancelled", OUT_EXPIRED, "5.4.7", text);
    return true;
}

/* Into the lane of its gateway, or turned away. */
static void
queue_up(struct round *round, struct job *job)
{
    struct lane *lane = lane_find(round->dispatch, job->delivery->gateway);
    g_autofree char *text = NULL;
    struct job *displaced;
    struct outcome why;

    if (!lane) {
        text =
            g_strdup_printf("%s: not configured any more, or not active", job->delivery->gateway);
        course_finish(round, job, OUT_CONFIG, "4.3.5", text);
        return;
    }
    if (lane_admit(lane, job, &displaced, &why) < 0)
        course_finish(round, job, why.kind, why.dsn, why.text);
    else
        g_ptr_array_add(round->admitted, job);
    if (displaced) {
        g_ptr_array_remove(round->admitted, displaced);
        course_finish(round, displaced, why.kind, why.dsn, why.text);
    }
}

/* The same for one that waits already or has waited in Postfix's queue: if its gateway does not
 * take it now, another one may. */
static void
queue_anywhere(struct round *round, struct job *job)
{
    struct dispatch *dispatch = round->dispatch;
    const struct spool_delivery *delivery = job->delivery;
    struct route_choice choice;
    struct outcome why;

    if (lane_would_admit(dispatch, delivery->gateway, delivery->class, job_patience(job), &choice,
                         &why) < 0)
        plan_move(round, job, why.text);
    queue_up(round, job);
}

void
course_again(struct round *round, struct job *job)
{
    queue_anywhere(round, job);
}

/* A gateway kept nothing of the part, by its own word: it goes to another one, waits for the end of
 * a pause, or the reason is the verdict. */
static void
not_now(struct round *round, struct job *job, enum out_kind kind, const char *dsn)
{
    bool goes_on = job->conns->len > 0 && !round->dispatch->stopping && round->writable;

    if (plan_move(round, job, job->result_why.text)) {
        queue_up(round, job);
        return;
    }
    if (goes_on && job->result_wait_ms > 0 && lane_waits_out(job)) {
        lane_again(job);
        return;
    }
    if (job->result_wait_ms > 0) {
        struct outcome why;

        lane_pause_text(job->lane, &why);
        course_finish(round, job, why.kind, why.dsn, why.text);
    } else {
        course_finish(round, job, kind, dsn, job->result_why.text);
    }
    write_verdict(round, job, NULL);
}

void
course_settle(struct round *round, struct job *job)
{
    static const struct {
        enum part_state state;
        enum out_kind kind;
        const char *dsn;
    } table[] = {
        [GATEWAY_ACCEPTED] = {PART_ACCEPTED, OUT_OK, "2.0.0"},
        [GATEWAY_TEMPORARY] = {PART_PLANNED, OUT_RETRY, "4.3.0"},
        [GATEWAY_PERMANENT] = {PART_FAILED, OUT_REFUSED, "5.7.1"},
        [GATEWAY_CONFIG] = {PART_PLANNED, OUT_CONFIG, "4.3.5"},
        [GATEWAY_UNKNOWN] = {PART_UNKNOWN, OUT_UNKNOWN, "4.4.2"},
    };
    struct dispatch *dispatch = round->dispatch;
    const char *dsn = job->result_why.dsn[0] == '4' ? job->result_why.dsn : table[job->result].dsn;

    g_autofree char *in_doubt =
        g_strdup_printf("%s: part %d of %u may have been sent; the ledger was changed by "
                        "somebody else",
                        job->delivery->gateway, job->part->seq, job->delivery->parts->len);

    course_remember(job);
    if (!spool_part_to(dispatch->spool, job->delivery, job->part, table[job->result].state,
                       job->result_ref, job->result == GATEWAY_ACCEPTED ? "" : job->result_why.text,
                       round->now)) {
        /* Somebody else wrote the ledger: this one job is in doubt, the others are not. */
        course_finish(round, job, OUT_UNKNOWN, "4.4.2", in_doubt);
        return;
    }
    KILL_POINT("result-inside");
    if (job->result == GATEWAY_PERMANENT) {
        finish_early(round, job, "failed", OUT_REFUSED, "5.7.1", job->result_why.text);
    } else if (job->result == GATEWAY_UNKNOWN) {
        unknown_decides(round, job, true);
    } else if (job_parts_left(job) == 0) {
        finish_sent(round, job);
    } else if (job->cancelled) {
        finish_early(round, job, "cancelled", OUT_REFUSED, "5.7.1", CANCELLED_TEXT);
    } else if (job->result != GATEWAY_ACCEPTED) {
        not_now(round, job, table[job->result].kind, dsn);
    } else if (job->conns->len == 0 || dispatch->stopping) {
        course_finish(round, job, OUT_RETRY, "4.3.2",
                      dispatch->stopping ? "postsmsd is stopping" : "nobody waits any more");
    } else if (!round->writable) {
        course_finish(round, job, dispatch->spool_why.kind, dispatch->spool_why.dsn,
                      dispatch->spool_why.text);
    } else if (!lane_find(dispatch, job->delivery->gateway)) {
        queue_up(round, job); /* says what is wrong with its gateway */
    } else {
        lane_again(job);
    }
}

/* The class that SMTP rules declared, when its own header does not say it. */
static const char *
declared_of(const struct job *job)
{
    return *job->declared || !job->delivery ? job->declared : job->delivery->declared;
}

/* Rules, senders and prefixes of today forbid what was planned, or this is somebody else with the
 * same mail. True: that was the verdict. own: Postfix offers the very delivery again. */
static bool
refused_today(struct round *round, struct job *job, bool own)
{
    struct decision decision;
    bool refused;

    if (own && (strcmp(job->delivery->state, "open") != 0 || !job_next_part(job)))
        return false; /* nothing is left to be refused */
    decide_again(job->setup, job->request, job->view, declared_of(job), &decision);
    refused = decision.verdict.kind != OUT_OK;
    if (refused && own)
        finish_early(round, job, "cancelled", decision.verdict.kind, decision.verdict.dsn,
                     decision.verdict.text);
    else if (refused)
        course_finish(round, job, decision.verdict.kind, decision.verdict.dsn,
                      decision.verdict.text);
    decision_clear(&decision);
    return refused;
}

/* How a delivery ended that was not sent: said again as it was said then. */
static enum out_kind
end_of(const struct spool_delivery *delivery)
{
    if (delivery->dsn[0] == '2')
        return OUT_DROPPED;
    return strcmp(delivery->dsn, "5.4.7") == 0 ? OUT_EXPIRED : OUT_REFUSED;
}

/* Offered before: the plan that is stored goes on, if it still may. */
static void
go_on(struct round *round, struct job *job)
{
    struct spool_delivery *delivery = job->delivery;

    course_ask_gateway(round->dispatch, delivery, round->now);
    if (strcmp(delivery->state, "open") != 0 && strcmp(delivery->state, "sent") != 0)
        course_finish(round, job, end_of(delivery), delivery->dsn, delivery->reason);
    else if (unknown_decides(round, job, false))
        ;
    else if (job_parts_left(job) == 0)
        finish_sent(round, job);
    else if (has_state(delivery, PART_CANCELLED))
        finish_early(round, job, "cancelled", OUT_REFUSED, "5.7.1", CANCELLED_TEXT);
    else if (!lifetime_over(round, job))
        queue_anywhere(round, job);
}

/* Does another job hold this job's delivery? It may be in flight right now, which the gateway does
 * not know yet. */
static bool
is_held(const struct job *job)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, job->dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct job *other = key;

        if (other != job && other->delivery && other->delivery->id == job->delivery->id)
            return true;
    }
    return false;
}

void
course_admit(struct round *round, struct job *job)
{
    struct dispatch *dispatch = round->dispatch;
    gint64 since = round->now - job->setup->conf->remember_ms;
    const char *queue_id = request_get(job->request, QUEUE_ID);
    const guint8 *k2 = job->identity.has_k2 ? job->identity.k2 : NULL;
    g_autofree char *text = NULL;
    bool by_k2;

    if (spool_find(dispatch->spool, queue_id, job->identity.k1, k2, since, &job->delivery, &by_k2,
                   &job->verdict) < 0 ||
        (*queue_id &&
         spool_filtered_class(dispatch->spool, queue_id, &job->declared, &job->verdict) < 0)) {
        g_ptr_array_add(round->finished, job);
        return;
    }
    if (job->delivery && is_held(job)) {
        /* Its parts are in another job's hands: nothing may be said or done about them here. */
        text = g_strdup_printf("%s: the same message is being sent", job->delivery->gateway);
        g_clear_pointer(&job->delivery, spool_delivery_free);
        course_finish(round, job, OUT_RETRY, "4.3.2", text);
        return;
    }
    if (job->delivery && job->delivery->parts->len == 0 && !spool_delivery_dropped(job->delivery))
        g_clear_pointer(&job->delivery,
                        spool_delivery_free); /* refused then; the rules may be others now */
    if (!job->delivery) {
        if (plan_begin(round, job))
            queue_up(round, job);
        return;
    }
    job->rule = g_strdup(job->delivery->rule);
    job->last_reason = g_strdup(job->delivery->reason);
    if (by_k2 && refused_today(round, job, false))
        return;
    /* What was dropped once stays dropped, whatever the rules say now. */
    spool_offered(dispatch->spool, job->delivery, queue_id, job->identity.k1, round->now);
    if (by_k2 || !refused_today(round, job, true))
        go_on(round, job);
}
