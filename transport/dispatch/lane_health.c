/* SPDX-License-Identifier: ISC */
/*
 * Owns whether a gateway takes anything now: it is out after failures in a row, is asked from time
 * to time whether it is well, and comes back by that or by one message that it is tried with; it
 * may ask for a pause, which is no failure. Log and alarm mail tell of each way once.
 */
#include "transport/dispatch/lane.h"

#include "lib/log.h"
#include <string.h>

#define PROBE_FIRST_MS 2000 /* after it went out; then twice as long each time, up to */
#define PROBE_LAST_MS  60000

void
lane_health_free(struct lane *lane)
{
    sd_event_source_disable_unref(lane->probe);
    sd_event_source_disable_unref(lane->wake);
}

/* A gateway's reason begins with its id, and so does every text of ours: once is enough. */
static const char *
bare(const struct lane *lane, const char *reason)
{
    gsize len = strlen(lane->id);

    return g_str_has_prefix(reason, lane->id) && g_str_has_prefix(reason + len, ": ")
               ? reason + len + 2
               : reason;
}

void
lane_out_text(const struct lane *lane, struct outcome *why)
{
    g_autofree char *since = clk_string(lane->out_since);

    out_set(why, OUT_RETRY, "4.3.2", "%s: out since %.5s: %s", lane->id,
            since + strlen("2026-11-22T"), bare(lane, lane->out_why.text));
}

gint64
lane_pause_left(const struct lane *lane)
{
    return MAX(0, lane->paused_until - lane->dispatch->clk->mono());
}

void
lane_pause_text(const struct lane *lane, struct outcome *why)
{
    out_set(why, OUT_RETRY, "4.3.2", "%s: asks to wait %" G_GINT64_FORMAT " s: %s", lane->id,
            (lane_pause_left(lane) + 999) / 1000, bare(lane, lane->pause_why.text));
}

bool
lane_is_out(const struct lane *lane)
{
    return lane->out && lane->trial != TRIAL_OPEN;
}

/* A timer of the lane's, made when it is first needed. */
static void
set_timer(struct lane *lane, sd_event_source **source, gint64 ms, sd_event_time_handler_t fire)
{
    int error = 0;

    if (*source)
        error = sd_event_source_set_time_relative(*source, (uint64_t)ms * 1000);
    else
        error = sd_event_add_time_relative(lane->dispatch->loop, source, CLOCK_MONOTONIC,
                                           (uint64_t)ms * 1000, 1, fire, lane);
    if (error < 0 || sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT) < 0)
        log_err("%s: no timer", lane->id);
}

static int
on_wake(sd_event_source *source, uint64_t usec, void *data)
{
    struct lane *lane = data;

    (void)source;
    (void)usec;
    round_wake(lane->dispatch);
    if (lane_pause_left(lane) == 0)
        lane_ask_back(lane);
    return 0;
}

void
lane_wake_in(struct lane *lane, gint64 ms)
{
    set_timer(lane, &lane->wake, ms, on_wake);
}

static void
back(struct lane *lane)
{
    lane->out = false;
    lane->trial = TRIAL_NONE;
    lane->failures = 0;
    sd_event_source_set_enabled(lane->probe, SD_EVENT_OFF);
    log_info("%s: back", lane->id);
    post_alarm(lane->dispatch, lane->id, "back", "it takes SMS again");
    post_come_back(lane->dispatch);
}

static int on_probe(sd_event_source *source, uint64_t usec, void *data);

static void
still_out(struct lane *lane, const struct outcome *why)
{
    lane->trial = TRIAL_NONE;
    lane->out_why = *why;
    lane->probe_ms = MIN(lane->probe_ms * 2, PROBE_LAST_MS);
    set_timer(lane, &lane->probe, lane->probe_ms, on_probe);
}

static void
on_probed(void *context, enum gateway_health health, const struct outcome *why)
{
    struct lane *lane = context;

    lane->probing = false;
    if (!lane->out || lane->trial != TRIAL_NONE)
        return;
    if (health == GATEWAY_WELL) {
        back(lane);
    } else if (health == GATEWAY_TRY) {
        lane->trial = TRIAL_OPEN;
        post_come_back(lane->dispatch); /* somebody has to try it */
    } else {
        still_out(lane, why);
    }
}

static int
on_probe(sd_event_source *source, uint64_t usec, void *data)
{
    struct lane *lane = data;

    (void)source;
    (void)usec;
    if (lane->probing)
        return 0; /* the answer that is still to come will do */
    lane->probing = true;
    gateway_probe(lane->gateway, on_probed, lane);
    return 0;
}

static void
goes_out(struct lane *lane, const struct outcome *why)
{
    lane->out = true;
    lane->trial = TRIAL_NONE;
    lane->out_since = lane->dispatch->clk->wall();
    lane->out_why = *why;
    lane->probe_ms = PROBE_FIRST_MS;
    log_warnx("%s: out after %u failure%s: %s", lane->id, lane->failures,
              lane->failures == 1 ? "" : "s", bare(lane, why->text));
    post_alarm(lane->dispatch, lane->id, "out", why->text);
    lane_send_back(lane, G_MAXINT64);
    set_timer(lane, &lane->probe, PROBE_FIRST_MS, on_probe);
}

static void
begin_pause(struct lane *lane, const struct gateway_result *result)
{
    gint64 until = lane->dispatch->clk->mono() + result->wait_ms;

    if (until <= lane->paused_until)
        return;
    lane->paused_until = until;
    lane->pause_why = result->why;
    lane_send_back(lane, result->wait_ms - 1);
    lane_wake_in(lane, result->wait_ms);
}

void
lane_judge(struct lane *lane, const struct gateway_result *result, bool trial)
{
    if (result->wait_ms > 0)
        begin_pause(lane, result);
    if (result->class == GATEWAY_ACCEPTED || result->class == GATEWAY_PERMANENT) {
        lane->failures = 0;
        if (lane->out)
            back(lane);
    } else if (lane->out && trial) {
        still_out(lane, &result->why);
    } else if (!lane->out && result->wait_ms == 0 && ++lane->failures >= (guint)lane->out_after) {
        goes_out(lane, &result->why);
    }
}
