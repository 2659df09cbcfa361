/* SPDX-License-Identifier: ISC */
/*
 * Owns what happens by the clock: warnings to senders, deliveries that Postfix has stopped
 * offering, old rows, the low-water mark, and a wall clock that jumps. Ages are the ledger's times
 * against the wall clock; a jump moves the times of what is open, so that nothing gets old or young
 * by it.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include <string.h>

#define TICK_USEC (10 * G_USEC_PER_SEC)
#define JUMP_MS   60000 /* what is less is a clock being set right */
#define STEP_USEC 20000 /* between two steps of a purge: mail goes on in between */

struct keeper {
    struct dispatch *dispatch;
    sd_event_source *tick;
    sd_event_source *step;
    gint64 wall, mono; /* at the last tick */
};

void
keeper_look_at_clock(struct dispatch *dispatch)
{
    struct keeper *keeper = dispatch->keeper;
    gint64 wall = dispatch->clk->wall();
    gint64 mono = dispatch->clk->mono();
    gint64 jump = keeper ? (wall - keeper->wall) - (mono - keeper->mono) : 0;
    struct outcome why;

    if (!keeper || (ABS(jump) >= JUMP_MS && !dispatch->spool))
        return;
    if (ABS(jump) >= JUMP_MS) {
        log_warnx("the clock jumped by %" G_GINT64_FORMAT " s; waiting messages keep their age",
                  (jump + (jump > 0 ? 500 : -500)) / 1000);
        spool_clock_jumped(dispatch->spool, jump);
        if (spool_commit(dispatch->spool, &why) < 0) {
            log_err("%s", why.text);
            return; /* the next look finds it again */
        }
        jobs_clock_jumped(dispatch, jump);
    }
    keeper->wall = wall;
    keeper->mono = mono;
}

/* Nobody asks for it any more: Postfix has dropped or delivered the mail without us. */
static void
give_up(struct dispatch *dispatch, const struct spool_delivery *found, gint64 now)
{
    g_autoptr(SpoolDelivery) delivery = NULL;
    bool doubt = false;
    struct outcome why;

    if (spool_get(dispatch->spool, found->id, &delivery, &why) < 0 || !delivery)
        return;
    for (guint i = 0; i < delivery->parts->len; i++) {
        struct spool_part *part = delivery->parts->pdata[i];

        if (part->state == PART_PLANNED)
            spool_part_to(dispatch->spool, delivery, part, PART_CANCELLED, NULL,
                          "not asked for any more", now);
        if (part->state == PART_UNKNOWN) {
            spool_part_to(dispatch->spool, delivery, part, PART_GAVE_UP, NULL,
                          "not asked for any more", now);
            doubt = true;
        }
    }
    out_set(&why, OUT_EXPIRED, "5.4.7", "Postfix has not asked for it any more%s",
            doubt ? "; it may have been delivered" : "");
    spool_verdict(dispatch->spool, delivery, doubt ? "gave_up" : "cancelled", &why, now);
    if (doubt)
        post_alarm(dispatch, delivery->gateway, "unknown", why.text);
}

static bool
look_at_delivery(void *context, const struct spool_delivery *delivery)
{
    struct dispatch *dispatch = context;
    const struct conf *conf = dispatch->setup->conf;
    gint64 now = dispatch->clk->wall();

    if (!job_of_delivery(dispatch, delivery->id) && now - delivery->updated > conf->remember_ms)
        give_up(dispatch, delivery, now);
    else if (conf->warn_after_ms > 0 && !delivery->warned &&
             strcmp(delivery->declared, "list") != 0 && /* its senders get no mail from us */
             now - delivery->created > conf->warn_after_ms)
        post_warn_sender(dispatch, delivery);
    return true;
}

static int
on_step(sd_event_source *source, uint64_t usec, void *data)
{
    struct keeper *keeper = data;
    struct dispatch *dispatch = keeper->dispatch;
    const struct conf *conf = dispatch->setup->conf;
    gint64 now = dispatch->clk->wall();
    bool more;

    (void)usec;
    if (!dispatch->spool)
        return 0;
    more = spool_blank(dispatch->spool, now - conf->keep_text_ms);
    more |= spool_purge(dispatch->spool, now - conf->keep_ms);
    round_wake(dispatch);
    if (more) {
        sd_event_source_set_time_relative(source, STEP_USEC);
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    }
    return 0;
}

static int
on_tick(sd_event_source *source, uint64_t usec, void *data)
{
    struct keeper *keeper = data;
    struct dispatch *dispatch = keeper->dispatch;
    struct outcome why;

    (void)usec;
    keeper_look_at_clock(dispatch);
    if (dispatch->spool) {
        if (spool_each_open(dispatch->spool, look_at_delivery, dispatch, &why) < 0)
            log_err("%s", why.text);
        spool_low_water(dispatch->spool);
        sd_event_source_set_time_relative(keeper->step, STEP_USEC);
        sd_event_source_set_enabled(keeper->step, SD_EVENT_ONESHOT);
        round_wake(dispatch);
    }
    sd_event_source_set_time_relative(source, TICK_USEC);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

int
keeper_start(struct dispatch *dispatch, struct outcome *why)
{
    struct keeper *keeper = g_new0(struct keeper, 1);

    keeper->dispatch = dispatch;
    keeper->wall = dispatch->clk->wall();
    keeper->mono = dispatch->clk->mono();
    dispatch->keeper = keeper;
    if (sd_event_add_time_relative(dispatch->loop, &keeper->tick, CLOCK_MONOTONIC, G_USEC_PER_SEC,
                                   0, on_tick, keeper) < 0 ||
        sd_event_add_time_relative(dispatch->loop, &keeper->step, CLOCK_MONOTONIC, STEP_USEC, 1000,
                                   on_step, keeper) < 0 ||
        sd_event_source_set_enabled(keeper->step, SD_EVENT_OFF) < 0) {
        out_set(why, OUT_BUG, "4.3.0", "event loop");
        return -1;
    }
    return 0;
}

void
keeper_free(struct dispatch *dispatch)
{
    struct keeper *keeper = dispatch->keeper;

    if (!keeper)
        return;
    sd_event_source_disable_unref(keeper->tick);
    sd_event_source_disable_unref(keeper->step);
    g_free(keeper);
    dispatch->keeper = NULL;
}
