/* SPDX-License-Identifier: ISC */
/*
 * One interface to everything that takes SMS. A gateway is handed one part at a time, as often as
 * it has slots, and reports through the event loop what became of it. It never sees a mail, a rule
 * or the ledger.
 */
#ifndef TRANSPORT_GATEWAY_GATEWAY_H
#define TRANSPORT_GATEWAY_GATEWAY_H

#include "lib/clk.h"
#include "lib/conf.h"
#include "lib/outcome.h"
#include <systemd/sd-event.h>

/* One part to be sent. Everything is the caller's and stays valid until the result. */
struct gateway_part {
    const char *ref; /* ours, unique: 32 hex digits */
    const char *number;
    const char *originator; /* "" if none */
    const char *encoding;   /* "gsm7", "ucs2" or "8bit" */
    int dcs, pid;
    const char *text; /* "" if it is 8bit */
    GBytes *udh;
    GBytes *data;    /* of an 8bit part; else of size 0 */
    int part, parts; /* 1-based */
};

/* "Not sent" needs proof (reliability: the request never left, or the gateway said it kept
 * nothing). */
enum gateway_class {
    GATEWAY_ACCEPTED,  /* confirmed: never to be submitted again */
    GATEWAY_TEMPORARY, /* proven not sent; later */
    GATEWAY_PERMANENT, /* proven not sent; never */
    GATEWAY_CONFIG,    /* proven not sent; our settings are wrong */
    GATEWAY_UNKNOWN,   /* everything else */
};

struct gateway_result {
    enum gateway_class class;
    const char *gateway_ref; /* the gateway's own name for it, "" if none */
    struct outcome why;      /* for every class; its text begins with the gateway's id */
};
typedef void gateway_done_fn(void *context, const struct gateway_result *result);

enum gateway_trace { GATEWAY_HAS_IT, GATEWAY_HAS_IT_NOT, GATEWAY_CANNOT_TELL };

struct gateway;

/* conf is copied from. Never fails: what is not reachable yet says so when it is used. */
struct gateway *gateway_new(const struct conf_gateway *conf, sd_event *loop, const struct clk *clk);

/* Not while a part is in flight. */
void gateway_free(struct gateway *gateway);

/* New settings, from the next part on. */
void gateway_configure(struct gateway *gateway, const struct conf_gateway *conf);

/* How many parts may be in flight at once. */
guint gateway_slots(const struct gateway *gateway);

/* How long a part takes before any was seen, in milliseconds. */
gint64 gateway_expected_ms(const struct gateway *gateway);

/* Would it take a part now? Asked while it is out; sends nothing. -1: why not. */
int gateway_probe(struct gateway *gateway, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Hands over one part; done is called exactly once, from the loop, never from in here. */
void gateway_submit(struct gateway *gateway, const struct gateway_part *part, gateway_done_fn *done,
                    void *context);

/* Has the gateway a part with this reference of ours? For parts whose answer was lost. */
enum gateway_trace gateway_find(struct gateway *gateway, const char *ref);

#endif
