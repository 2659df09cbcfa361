/* SPDX-License-Identifier: ISC */
/*
 * Which gateways may take a message (design section 7), and whose turn it is. Pure: what a gateway
 * is doing comes from the caller.
 */
#ifndef TRANSPORT_DISPATCH_ROUTE_H
#define TRANSPORT_DISPATCH_ROUTE_H

#include "lib/conf.h"
#include "lib/outcome.h"

/*
 * The active gateways for number ("+digits"), in the order of the configuration, at least one:
 * pinned (NULL: none) alone, else those of the longest prefix, else all. *ret: const struct
 * conf_gateway *, borrowed from conf; the array is the caller's. -1: why is REFUSED 5.7.1 (pinned
 * is none of ours), RETRY 4.3.2 (none of them is active) or CONFIG 4.3.5 (there is none at all).
 */
int route_candidates(const struct conf *conf, const char *pinned, const char *number,
                     GPtrArray **ret, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* One of several that may take a message. */
struct route_choice {
    const struct conf_gateway *gateway;
    bool healthy;   /* would take it now or while its sender waits */
    bool idle;      /* at once */
    gint64 wait_ms; /* about, until it would */
    gint64 *turn;   /* what it is owed; kept between calls, 0 at first */
};

/* Whose turn it is, by index: healthy idle ones take turns by their weights; if none is idle, the
 * healthy one that has the shortest wait; if none is healthy, the first. count: at least 1. */
guint route_choose(const struct route_choice *choices, guint count);

/* How a decision asks for one of its candidates. */
struct router {
    /* class: by which the message waits. NULL: none of them. */
    const struct conf_gateway *(*choose)(void *context, const GPtrArray *candidates,
                                         const char *class);
    void *context;
};

/* The one that was chosen before. */
const struct router *route_same(const struct conf_gateway *gateway, struct router *ret);

#endif
