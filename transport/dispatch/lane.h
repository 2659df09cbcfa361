/* SPDX-License-Identifier: ISC */
/* What lane.c, which owns the queue of a gateway, and lane_health.c, which owns whether the gateway
 * takes anything now, share. */
#ifndef TRANSPORT_DISPATCH_LANE_H
#define TRANSPORT_DISPATCH_LANE_H

#include "transport/dispatch/dispatch.h"
#include "transport/dispatch/pace.h"

enum lane_class { LANE_ALARM, LANE_NORMAL, LANE_BULK, LANE_CLASSES };

/* A gateway that is out and can be reached is tried with one message. */
enum lane_trial { TRIAL_NONE, TRIAL_OPEN, TRIAL_TAKEN };

struct lane {
    struct dispatch *dispatch;
    struct gateway *gateway;
    char *id;
    bool active; /* configured and active: takes parts */
    int weight;
    int out_after;
    GQueue waiting[LANE_CLASSES]; /* struct job *, oldest first */
    guint held[LANE_CLASSES];     /* waiting or in flight */
    guint in_flight;
    double part_ms; /* average from submission to result */
    bool was_full;  /* somebody was turned away since the share was last half empty */
    gint64 turn;    /* transport/dispatch/route.h */

    struct pace pace;
    gint64 paused_until; /* milliseconds, monotonic */
    struct outcome pause_why;
    sd_event_source *wake; /* when pause or rate let the next part go; NULL before the first time */

    guint failures; /* in a row */
    bool out;
    gint64 out_since; /* milliseconds since 1970 */
    struct outcome out_why;
    enum lane_trial trial; /* while it is out */
    guint probe_ms;
    bool probing;           /* its answer is awaited */
    sd_event_source *probe; /* NULL before the first time */
};

/* lane.c */
guint lane_waiting(const struct lane *lane);
/* Postfix is asked to bring what was turned away, if there is room for it. */
void lane_ask_back(struct lane *lane);
/* Waiting jobs whose connections wait no longer than that, in milliseconds, are fresh again: the
 * next round finds them another gateway, or tells them why there is none. */
void lane_send_back(struct lane *lane, gint64 patience);

/* lane_health.c */
void lane_health_free(struct lane *lane);
/* What a result says about the gateway itself; trial: of the one message that it was tried with. */
void lane_judge(struct lane *lane, const struct gateway_result *result, bool trial);
/* How long it wants to be left alone, in milliseconds. */
gint64 lane_pause_left(const struct lane *lane);
/* It is out, and not to be tried now. */
bool lane_is_out(const struct lane *lane);
/* "gsm1: out since 10:15: …" */
void lane_out_text(const struct lane *lane, struct outcome *why);
/* Wakes the round after that many milliseconds. */
void lane_wake_in(struct lane *lane, gint64 ms);

#endif
