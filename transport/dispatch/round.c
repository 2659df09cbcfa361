/* SPDX-License-Identifier: ISC */
/*
 * Owns the one group of ledger changes that is open at a time. A round writes what became of parts
 * in flight, plans new deliveries and marks the parts that go next; only when all of it is durable
 * are parts handed over and verdicts given. Nothing slow happens between the first change and the
 * commit.
 */
#include "transport/dispatch/plan.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include <string.h>

#define STOP_TRIES 3              /* groups that may fail before postsmsd ends all the same */
#define RETRY_USEC G_USEC_PER_SEC /* after a group that failed with results in it */

void
round_wake(struct dispatch *dispatch)
{
    sd_event_source_set_enabled(dispatch->round, SD_EVENT_ONESHOT);
}

bool
round_idle(const struct dispatch *dispatch)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        enum job_stage stage = ((struct job *)key)->stage;

        if (stage == JOB_SUBMITTING || stage == JOB_RESULT)
            return false;
    }
    return true;
}

int
round_open_ledger(struct dispatch *dispatch)
{
    g_autofree char *path = conf_ledger(dispatch->setup->conf);

    if (!dispatch->spool && spool_open(path, true, &dispatch->spool, &dispatch->spool_why) < 0) {
        log_err("%s", dispatch->spool_why.text);
        return -1;
    }
    if (spool_usable(dispatch->spool, &dispatch->spool_why) < 0) {
        log_err("%s", dispatch->spool_why.text);
        return -1;
    }
    return 0;
}

static void
admit_all(struct round *round)
{
    struct dispatch *dispatch = round->dispatch;
    g_autoptr(GPtrArray) fresh = dispatch->fresh;

    dispatch->fresh = g_ptr_array_new();
    for (guint i = 0; i < fresh->len; i++) {
        struct job *job = fresh->pdata[i];

        if (job->conns->len == 0)
            job_drop(job);
        else if (dispatch->stopping)
            course_finish(round, job, OUT_RETRY, "4.3.2", "postsmsd is stopping");
        else if (!round->writable)
            course_finish(round, job, dispatch->spool_why.kind, dispatch->spool_why.dsn,
                          dispatch->spool_why.text);
        else if (job->delivery)
            course_again(round, job);
        else
            course_admit(round, job);
    }
}

static void
mark_next(struct round *round)
{
    struct dispatch *dispatch = round->dispatch;
    GHashTableIter iter;
    gpointer value;
    struct job *job;

    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (!dispatch->stopping && g_hash_table_iter_next(&iter, NULL, &value))
        while ((job = lane_next(value))) {
            job->part = job_next_part(job);
            job->stage = JOB_SUBMITTING;
            if (spool_part_to(dispatch->spool, job->delivery, job->part, PART_SUBMITTING, NULL, "",
                              round->now)) {
                g_ptr_array_add(round->marked, job);
            } else {
                lane_release(job);
                g_ptr_array_remove(round->admitted, job);
                course_finish(round, job, OUT_BUG, "4.3.0",
                              "the ledger was changed by somebody else");
            }
        }
}

/* The end must not wait for a disk that has no room: "submitting" is on it, which the next start
 * makes unknown. */
static void
give_up_results(struct dispatch *dispatch)
{
    g_autoptr(GPtrArray) results = g_steal_pointer(&dispatch->results);

    dispatch->results = g_ptr_array_new();
    for (guint i = 0; i < results->len; i++) {
        struct job *job = results->pdata[i];
        struct outcome why;

        out_set(&why, OUT_UNKNOWN, "4.4.2",
                "%s: part %d of %u may have been sent; the ledger cannot be written",
                job->delivery->gateway, job->part->seq, job->delivery->parts->len);
        job_finish(job, &why);
    }
}

/* Nothing of the group is kept: results stay in hand for a later round, everybody else hears why
 * and comes again. */
static void
take_back(struct round *round, const struct outcome *why)
{
    struct dispatch *dispatch = round->dispatch;

    log_err("%s", why->text);
    for (guint i = 0; i < round->marked->len; i++)
        lane_release(round->marked->pdata[i]);
    for (guint i = 0; i < round->settled->len; i++) {
        struct job *job = round->settled->pdata[i];

        if (job->stage == JOB_WAITING)
            lane_remove(job);
        plan_restore(job);
        course_restore(job);
        for (guint n = 0; n < job->delivery->parts->len; n++)
            if (((struct spool_part *)job->delivery->parts->pdata[n])->state == PART_SUBMITTING)
                job->part = job->delivery->parts->pdata[n];
        job->stage = JOB_RESULT;
        g_ptr_array_add(dispatch->results, job);
        g_ptr_array_remove(round->marked, job);
        g_ptr_array_remove(round->finished, job);
    }
    for (guint i = 0; i < round->admitted->len; i++) {
        struct job *job = round->admitted->pdata[i];

        if (job->stage == JOB_WAITING) {
            lane_remove(job);
            job_finish(job, why);
        }
    }
    for (guint i = 0; i < round->marked->len; i++)
        job_finish(round->marked->pdata[i], why);
    for (guint i = 0; i < round->finished->len; i++)
        job_finish(round->finished->pdata[i], why);
    if (dispatch->stopping && ++dispatch->stop_tries >= STOP_TRIES)
        give_up_results(dispatch);
    if (dispatch->results->len > 0) {
        sd_event_source_set_time_relative(dispatch->round_later, RETRY_USEC);
        sd_event_source_set_enabled(dispatch->round_later, SD_EVENT_ONESHOT);
    }
}

static void
act(struct round *round)
{
    for (guint i = 0; i < round->settled->len; i++) {
        g_array_set_size(((struct job *)round->settled->pdata[i])->saved, 0);
        plan_forget(round->settled->pdata[i]);
    }
    for (guint i = 0; i < round->admitted->len; i++)
        plan_forget(round->admitted->pdata[i]);
    for (guint i = 0; i < round->admitted->len; i++)
        if (((struct job *)round->admitted->pdata[i])->stage == JOB_WAITING)
            KILL_POINT("planned");
    for (guint i = 0; i < round->marked->len; i++) {
        struct job *job = round->marked->pdata[i];

        g_array_set_size(job->saved, 0);
        lane_submit(job);
    }
    for (guint i = 0; i < round->finished->len; i++) {
        struct job *job = round->finished->pdata[i];

        job_finish(job, &job->verdict);
    }
}

static int
on_round(sd_event_source *source, void *data)
{
    struct dispatch *dispatch = data;
    g_autoptr(GPtrArray) settled = dispatch->results;
    g_autoptr(GPtrArray) admitted = g_ptr_array_new();
    g_autoptr(GPtrArray) finished = g_ptr_array_new();
    g_autoptr(GPtrArray) marked = g_ptr_array_new();
    struct round round = {dispatch, 0, true, settled, admitted, finished, marked};
    bool failed;
    struct outcome why;

    (void)source;
    dispatch->results = g_ptr_array_new();
    keeper_look_at_clock(dispatch);
    round.now = dispatch->clk->wall();
    round.writable = round_open_ledger(dispatch) == 0;
    for (guint i = 0; i < settled->len; i++)
        course_settle(&round, settled->pdata[i]);
    admit_all(&round);
    if (round.writable) {
        mark_next(&round);
        asks_write_notes(dispatch->asks, round.now);
    } else {
        lanes_refuse(dispatch, &dispatch->spool_why);
    }
    failed = dispatch->spool && spool_commit(dispatch->spool, &why) < 0;
    asks_notes_written(dispatch->asks, failed           ? &why
                                       : round.writable ? NULL
                                                        : &dispatch->spool_why);
    if (failed)
        take_back(&round, &why);
    else
        act(&round);
    post_send(dispatch);
    if (dispatch->stopping && round_idle(dispatch))
        sd_event_exit(dispatch->loop, 0);
    return 0;
}

static int
on_later(sd_event_source *source, uint64_t usec, void *data)
{
    (void)source;
    (void)usec;
    round_wake(data);
    return 0;
}

int
round_start(struct dispatch *dispatch, struct outcome *why)
{
    dispatch->fresh = g_ptr_array_new();
    dispatch->results = g_ptr_array_new();
    /* Of lower priority than everything else: a round collects all that is waiting. */
    if (sd_event_add_defer(dispatch->loop, &dispatch->round, on_round, dispatch) < 0 ||
        sd_event_source_set_priority(dispatch->round, SD_EVENT_PRIORITY_IDLE) < 0 ||
        sd_event_source_set_enabled(dispatch->round, SD_EVENT_OFF) < 0 ||
        sd_event_add_time_relative(dispatch->loop, &dispatch->round_later, CLOCK_MONOTONIC,
                                   RETRY_USEC, 0, on_later, dispatch) < 0 ||
        sd_event_source_set_enabled(dispatch->round_later, SD_EVENT_OFF) < 0) {
        out_set(why, OUT_BUG, "4.3.0", "event loop");
        return -1;
    }
    return 0;
}

static bool
settle_delivery(void *context, const struct spool_delivery *found)
{
    struct dispatch *dispatch = context;
    gint64 now = dispatch->clk->wall();
    g_autoptr(SpoolDelivery) delivery = NULL;
    struct outcome why;

    if (spool_get(dispatch->spool, found->id, &delivery, &why) < 0 || !delivery)
        return true;
    course_ask_gateway(dispatch, delivery, now);
    for (guint i = 0; i < delivery->parts->len; i++)
        if (!part_state_accepted(((struct spool_part *)delivery->parts->pdata[i])->state))
            return true;
    out_set(&why, OUT_OK, "2.0.0", "ref %" G_GINT64_FORMAT, delivery->id);
    spool_verdict(dispatch->spool, delivery, "sent", &why, now);
    return true;
}

void
round_settle_all(struct dispatch *dispatch)
{
    struct outcome why;

    if (round_open_ledger(dispatch) < 0)
        return;
    spool_low_water(dispatch->spool);
    if (spool_each_open(dispatch->spool, settle_delivery, dispatch, &why) < 0 ||
        spool_commit(dispatch->spool, &why) < 0)
        log_err("%s", why.text);
}
