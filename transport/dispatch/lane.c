/* SPDX-License-Identifier: ISC */
/*
 * Owns one queue for each gateway and its slots. A part leaves only after the round has
 * "submitting" on disk; what comes back is handed to the round, whoever still waits.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include <string.h>

struct lane {
    struct dispatch *dispatch;
    struct gateway *gateway;
    bool active;    /* configured and active: takes parts */
    GQueue waiting; /* struct job * */
    guint in_flight;
};

static void
lane_free(gpointer data)
{
    struct lane *lane = data;

    gateway_free(lane->gateway);
    g_queue_clear(&lane->waiting);
    g_free(lane);
}

void
lanes_configure(struct dispatch *dispatch)
{
    const struct conf *conf = dispatch->setup->conf;
    GHashTableIter iter;
    gpointer id, value;

    if (!dispatch->lanes)
        dispatch->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lane_free);
    for (guint i = 0; i < conf->gateways->len; i++) {
        const struct conf_gateway *settings = conf->gateways->pdata[i];
        struct lane *lane = g_hash_table_lookup(dispatch->lanes, settings->id);

        if (lane) {
            gateway_configure(lane->gateway, settings);
            continue;
        }
        lane = g_new0(struct lane, 1);
        lane->dispatch = dispatch;
        lane->gateway = gateway_new(settings, dispatch->loop, dispatch->clk);
        g_queue_init(&lane->waiting);
        g_hash_table_insert(dispatch->lanes, g_strdup(settings->id), lane);
    }
    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        const struct conf_gateway *settings = conf_gateway(conf, id);
        struct lane *lane = value;
        struct outcome why;
        struct job *job;

        lane->active = settings && settings->active;
        out_set(&why, OUT_CONFIG, "4.3.5", "%s: not configured any more, or not active",
                (const char *)id);
        while (!lane->active && (job = g_queue_pop_head(&lane->waiting)))
            job_finish(job, &why);
    }
}

void
lanes_refuse(struct dispatch *dispatch, const struct outcome *why)
{
    GHashTableIter iter;
    gpointer value;
    struct job *job;

    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        while ((job = g_queue_pop_head(&((struct lane *)value)->waiting)))
            job_finish(job, why);
}

void
lanes_free(struct dispatch *dispatch)
{
    g_clear_pointer(&dispatch->lanes, g_hash_table_unref);
}

struct lane *
lane_find(struct dispatch *dispatch, const char *id)
{
    struct lane *lane = g_hash_table_lookup(dispatch->lanes, id);

    return lane && lane->active ? lane : NULL;
}

struct gateway *
lane_gateway(const struct lane *lane)
{
    return lane->gateway;
}

void
lane_add(struct lane *lane, struct job *job, bool first)
{
    job->lane = lane;
    job->stage = JOB_WAITING;
    if (first)
        g_queue_push_head(&lane->waiting, job);
    else
        g_queue_push_tail(&lane->waiting, job);
}

void
lane_remove(struct lane *lane, struct job *job)
{
    g_queue_remove(&lane->waiting, job);
}

guint
lane_waiting(const struct lane *lane)
{
    return g_queue_get_length((GQueue *)(guintptr)&lane->waiting);
}

struct job *
lane_next(struct lane *lane)
{
    struct job *job;

    if (lane->in_flight >= gateway_slots(lane->gateway) ||
        !(job = g_queue_pop_head(&lane->waiting)))
        return NULL;
    lane->in_flight++;
    return job;
}

void
lane_release(struct lane *lane)
{
    lane->in_flight--;
}

static void
on_result(void *context, const struct gateway_result *result)
{
    struct job *job = context;

    lane_release(job->lane);
    job->result = result->class;
    job->result_why = result->why;
    g_free(job->result_ref);
    job->result_ref = g_strdup(result->gateway_ref);
    job->stage = JOB_RESULT;
    if (result->class != GATEWAY_ACCEPTED)
        log_warnx("%s", result->why.text);
    g_ptr_array_add(job->dispatch->results, job);
    round_wake(job->dispatch);
}

void
lane_submit(struct job *job)
{
    const struct spool_delivery *delivery = job->delivery;

    job->submission = (struct gateway_part){
        .ref = job->part->ref,
        .number = delivery->number,
        .originator = delivery->originator,
        .encoding = delivery->encoding,
        .dcs = delivery->dcs,
        .text = job->part->text,
        .udh = job->part->udh,
        .part = job->part->seq,
        .parts = (int)delivery->parts->len,
    };
    gateway_submit(job->lane->gateway, &job->submission, on_result, job);
}
