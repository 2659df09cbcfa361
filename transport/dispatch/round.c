/* SPDX-License-Identifier: ISC */
/*
 * Owns the one group of ledger changes that is open at a time. A round writes what became of parts
 * in flight, plans new deliveries and marks the parts that go next; only when all of it is durable
 * are parts handed over and verdicts given. Nothing slow happens between the first change and the
 * commit.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include <string.h>

#define RETRY_USEC G_USEC_PER_SEC /* after a group that failed with results in it */

/* What one round has in hand. */
struct round {
    struct dispatch *dispatch;
    gint64 now;
    bool writable;       /* the ledger takes new deliveries */
    GPtrArray *settled;  /* jobs of dispatch->results */
    GPtrArray *admitted; /* jobs that came into a lane */
    GPtrArray *finished; /* jobs whose verdict waits for the commit */
    GPtrArray *marked;   /* jobs whose part goes out after the commit */
};

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

/* The states as the ledger has them now, before this round changes them. */
static void
remember_states(struct job *job)
{
    g_array_set_size(job->saved, 0);
    for (guint i = 0; i < job->delivery->parts->len; i++)
        g_array_append_val(job->saved,
                           ((struct spool_part *)job->delivery->parts->pdata[i])->state);
}

static void
restore_states(struct job *job)
{
    for (guint i = 0; i < job->saved->len; i++)
        ((struct spool_part *)job->delivery->parts->pdata[i])->state =
            g_array_index(job->saved, enum part_state, i);
}

static void
finish(struct round *round, struct job *job, enum out_kind kind, const char *dsn, const char *text)
{
    out_set(&job->verdict, kind, dsn, "%s", text);
    g_ptr_array_add(round->finished, job);
}

/* What is written about a verdict: whoever asks later, and "postsms trace", find it there. */
static void
write_verdict(struct round *round, struct job *job, const char *state)
{
    spool_verdict(round->dispatch->spool, job->delivery, state, &job->verdict, round->now);
}

static void
finish_sent(struct round *round, struct job *job)
{
    g_autofree char *reference = g_strdup_printf("ref %" G_GINT64_FORMAT, job->delivery->id);

    finish(round, job, OUT_OK, "2.0.0", reference);
    if (strcmp(job->delivery->state, "sent") != 0)
        write_verdict(round, job, "sent");
}

static void
finish_failed(struct round *round, struct job *job)
{
    struct dispatch *dispatch = round->dispatch;
    guint accepted = job_accepted(job);
    g_autofree char *text = NULL;
    struct spool_part *part;

    while ((part = job_next_part(job)))
        spool_part_to(dispatch->spool, job->delivery, part, PART_CANCELLED, NULL,
                      "an earlier part failed", round->now);
    if (accepted > 0)
        text = g_strdup_printf("%s; %u of %u parts were sent before", job->result_why.text,
                               accepted, job->delivery->parts->len);
    finish(round, job, OUT_REFUSED, "5.7.1", text ? text : job->result_why.text);
    write_verdict(round, job, "failed");
}

/* A part came back from its gateway. */
static void
settle(struct round *round, struct job *job)
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
    struct lane *lane;

    remember_states(job);
    spool_part_to(dispatch->spool, job->delivery, job->part, table[job->result].state,
                  job->result_ref, job->result == GATEWAY_ACCEPTED ? "" : job->result_why.text,
                  round->now);
    if (job->result == GATEWAY_PERMANENT) {
        finish_failed(round, job);
    } else if (job->result != GATEWAY_ACCEPTED) {
        finish(round, job, table[job->result].kind,
               job->result_why.dsn[0] == '4' ? job->result_why.dsn : table[job->result].dsn,
               job->result_why.text);
        write_verdict(round, job, NULL);
    } else if (!job_next_part(job)) {
        finish_sent(round, job);
    } else if (job->conns->len == 0 || dispatch->stopping) {
        finish(round, job, OUT_RETRY, "4.3.2",
               dispatch->stopping ? "postsmsd is stopping" : "nobody waits any more");
    } else if (!round->writable) {
        finish(round, job, dispatch->spool_why.kind, dispatch->spool_why.dsn,
               dispatch->spool_why.text);
    } else if (!(lane = lane_find(dispatch, job->delivery->gateway))) {
        finish(round, job, OUT_CONFIG, "4.3.5",
               "the gateway of the parts that are left is not configured any more");
    } else {
        lane_add(lane, job, true);
    }
}

/* Parts in doubt whose gateway can be asked are not in doubt. */
static void
ask_gateway(struct dispatch *dispatch, struct spool_delivery *delivery, gint64 now)
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
            spool_part_to(dispatch->spool, delivery, part, PART_UNKNOWN, NULL, "no answer was seen",
                          now);
    }
}

static void
go_on(struct round *round, struct job *job)
{
    struct spool_delivery *delivery = job->delivery;
    struct lane *lane = lane_find(round->dispatch, delivery->gateway);
    g_autofree char *text = NULL;

    ask_gateway(round->dispatch, delivery, round->now);
    for (guint i = 0; i < delivery->parts->len; i++)
        if (((struct spool_part *)delivery->parts->pdata[i])->state == PART_UNKNOWN) {
            text = g_strdup_printf("%s: part %u of %u may have been sent, no answer was seen",
                                   delivery->gateway, i + 1, delivery->parts->len);
            finish(round, job, OUT_UNKNOWN, "4.4.2", text);
            return;
        }
    if (strcmp(delivery->state, "open") != 0 && strcmp(delivery->state, "sent") != 0) {
        finish(round, job, OUT_REFUSED, delivery->dsn, delivery->reason);
    } else if (!job_next_part(job)) {
        finish_sent(round, job);
    } else if (!lane) {
        text = g_strdup_printf("%s: not configured any more, or not active", delivery->gateway);
        finish(round, job, OUT_CONFIG, "4.3.5", text);
    } else {
        lane_add(lane, job, false);
        g_ptr_array_add(round->admitted, job);
    }
}

/* The row of a delivery, as far as the envelope and the mail tell. */
static struct spool_delivery *
delivery_of(const struct job *job, const struct decision *decision)
{
    struct spool_delivery *delivery = spool_delivery_new();

    delivery->queue_id = g_strdup(request_get(job->request, QUEUE_ID));
    memcpy(delivery->k1, decision->identity.k1, SPOOL_KEY);
    memcpy(delivery->k2, decision->identity.k2, SPOOL_KEY);
    delivery->has_k2 = decision->identity.has_k2;
    delivery->sender = g_strdup(request_get(job->request, SENDER));
    delivery->recipient = addr_loggable(request_get(job->request, RECIPIENT), true);
    delivery->original = addr_loggable(request_get(job->request, ORIGINAL), true);
    delivery->number = g_strdup(decision->number);
    delivery->login = g_strdup(request_get(job->request, LOGIN));
    delivery->client = g_strdup(request_get(job->request, CLIENT));
    delivery->message_id = g_strdup(job->view->message_id);
    delivery->gateway = g_strdup(decision->gateway ? decision->gateway->id : "");
    delivery->originator = g_strdup(decision->originator);
    delivery->rule = g_strdup(decision->rule);
    delivery->state = g_strdup(decision->verdict.kind == OUT_OK ? "open" : "refused");
    /* Until there is a verdict, the reason is what the sender may wonder about. */
    delivery->dsn = g_strdup(decision->verdict.kind == OUT_OK ? "" : decision->verdict.dsn);
    delivery->reason =
        g_strdup(decision->verdict.kind == OUT_OK ? decision->notes : decision->verdict.text);
    return delivery;
}

static void
plan_parts(struct dispatch *dispatch, struct spool_delivery *delivery,
           const struct sms_message *message)
{
    delivery->encoding = g_strdup(sms_encoding_name(message->encoding));
    delivery->dcs = message->dcs;
    delivery->truncated = message->truncated;
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *planned = message->parts->pdata[i];
        struct spool_part *part = spool_delivery_add_part(delivery);
        guint64 chance[2];

        dispatch->clk->random(chance, sizeof(chance));
        part->state = PART_PLANNED;
        part->ref = g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                                    chance[0], chance[1]);
        part->gateway_ref = g_strdup("");
        part->text = g_strdup(planned->text);
        part->units = planned->units;
        part->udh = g_bytes_ref(planned->udh);
    }
}

/* Never seen before: decided now, and planned or refused in this group. */
static void
begin_delivery(struct round *round, struct job *job)
{
    struct dispatch *dispatch = round->dispatch;
    struct decision decision = {0};
    struct lane *lane;

    decide(job->setup, job->request, job->view, &decision);
    job->rule = g_strdup(decision.rule);
    job->notes = g_strdup(decision.notes);
    if (decision.verdict.kind != OUT_OK && !out_final(decision.verdict.kind)) {
        finish(round, job, decision.verdict.kind, decision.verdict.dsn, decision.verdict.text);
        decision_clear(&decision);
        return;
    }
    job->delivery = delivery_of(job, &decision);
    if (decision.message)
        plan_parts(dispatch, job->delivery, decision.message);
    spool_add(dispatch->spool, job->delivery, round->now);
    lane = decision.gateway ? lane_find(dispatch, decision.gateway->id) : NULL;
    if (decision.verdict.kind != OUT_OK)
        finish(round, job, decision.verdict.kind, decision.verdict.dsn, decision.verdict.text);
    else if (!lane)
        finish(round, job, OUT_CONFIG, "4.3.5", "the gateway was taken out of the configuration");
    else {
        lane_add(lane, job, false);
        g_ptr_array_add(round->admitted, job);
    }
    decision_clear(&decision);
}

static void
admit(struct round *round, struct job *job)
{
    struct dispatch *dispatch = round->dispatch;
    gint64 since = round->now - job->setup->conf->remember_ms;
    const char *queue_id = request_get(job->request, QUEUE_ID);
    const guint8 *k2 = job->identity.has_k2 ? job->identity.k2 : NULL;
    bool by_k2;

    if (spool_find(dispatch->spool, queue_id, job->identity.k1, k2, since, &job->delivery, &by_k2,
                   &job->verdict) < 0) {
        g_ptr_array_add(round->finished, job);
        return;
    }
    if (job->delivery && job->delivery->parts->len == 0)
        g_clear_pointer(&job->delivery,
                        spool_delivery_free); /* refused then; the rules may be others now */
    if (!job->delivery) {
        begin_delivery(round, job);
        return;
    }
    job->rule = g_strdup(job->delivery->rule);
    spool_offered(dispatch->spool, job->delivery, queue_id, job->identity.k1, round->now);
    go_on(round, job);
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
            finish(round, job, OUT_RETRY, "4.3.2", "postsmsd is stopping");
        else if (!round->writable)
            finish(round, job, dispatch->spool_why.kind, dispatch->spool_why.dsn,
                   dispatch->spool_why.text);
        else
            admit(round, job);
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
            spool_part_to(dispatch->spool, job->delivery, job->part, PART_SUBMITTING, NULL, "",
                          round->now);
            g_ptr_array_add(round->marked, job);
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
        lane_release(((struct job *)round->marked->pdata[i])->lane);
    for (guint i = 0; i < round->settled->len; i++) {
        struct job *job = round->settled->pdata[i];

        restore_states(job);
        g_free(job->delivery->state);
        job->delivery->state = g_strdup("open");
        for (guint n = 0; n < job->delivery->parts->len; n++)
            if (((struct spool_part *)job->delivery->parts->pdata[n])->state == PART_SUBMITTING)
                job->part = job->delivery->parts->pdata[n];
        if (job->stage == JOB_WAITING)
            lane_remove(job->lane, job);
        job->stage = JOB_RESULT;
        g_ptr_array_add(dispatch->results, job);
        g_ptr_array_remove(round->marked, job);
        g_ptr_array_remove(round->finished, job);
    }
    for (guint i = 0; i < round->admitted->len; i++) {
        struct job *job = round->admitted->pdata[i];

        if (job->stage == JOB_WAITING) {
            lane_remove(job->lane, job);
            job_finish(job, why);
        }
    }
    for (guint i = 0; i < round->marked->len; i++)
        job_finish(round->marked->pdata[i], why);
    for (guint i = 0; i < round->finished->len; i++)
        job_finish(round->finished->pdata[i], why);
    if (round->settled->len > 0) {
        sd_event_source_set_time_relative(dispatch->round_later, RETRY_USEC);
        sd_event_source_set_enabled(dispatch->round_later, SD_EVENT_ONESHOT);
    }
}

static void
act(struct round *round)
{
    for (guint i = 0; i < round->settled->len; i++)
        g_array_set_size(((struct job *)round->settled->pdata[i])->saved, 0);
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
    struct round round = {dispatch, dispatch->clk->wall(), true, settled, admitted, finished,
                          marked};
    struct outcome why;

    (void)source;
    dispatch->results = g_ptr_array_new();
    round.writable = round_open_ledger(dispatch) == 0;
    for (guint i = 0; i < settled->len; i++)
        settle(&round, settled->pdata[i]);
    admit_all(&round);
    if (round.writable)
        mark_next(&round);
    else
        lanes_refuse(dispatch, &dispatch->spool_why);
    if (dispatch->spool && spool_commit(dispatch->spool, &why) < 0)
        take_back(&round, &why);
    else
        act(&round);
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
    ask_gateway(dispatch, delivery, now);
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
