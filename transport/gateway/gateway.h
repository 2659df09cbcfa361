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
    const char *ref; /* ours, unique: 32 hex digits; the same in every attempt */
    const char *number;
    const char *originator; /* "" if none */
    const char *phone;      /* the sender's own number, "" if none */
    const char *encoding;   /* "gsm7", "ucs2" or "8bit" */
    int dcs, pid;
    const char *text; /* "" if it is 8bit; the whole message where the provider splits */
    GBytes *udh;
    GBytes *data;       /* of an 8bit part; else of size 0 */
    int part, parts;    /* 1-based */
    guint sms;          /* that it is: more than one where the provider splits */
    const char *values; /* parameters that the address's value= adds, "&name=value", "" if none */
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
    gint64 wait_ms;          /* it asks for a pause before anything else comes; 0: it does not */
    struct outcome why;      /* for every class; its text begins with the gateway's id */
    const char *seen;        /* for a person: what it answered, what decided; NULL unless watched */
};
typedef void gateway_done_fn(void *context, const struct gateway_result *result);

enum gateway_trace { GATEWAY_HAS_IT, GATEWAY_HAS_IT_NOT, GATEWAY_CANNOT_TELL };

/* Whether a gateway that was out takes parts again. */
enum gateway_health {
    GATEWAY_WELL,
    GATEWAY_ILL,
    GATEWAY_TRY, /* it can be reached; only a part can tell more */
};
/* why is set if ILL. */
typedef void gateway_probed_fn(void *context, enum gateway_health health,
                               const struct outcome *why);

/* What all gateways of a process share. */
struct gateway_host;
struct gateway_host *gateway_host_new(sd_event *loop, const struct clk *clk);
void gateway_host_free(struct gateway_host *host); /* after every gateway */

struct gateway;

/* What is wrong with its settings (templates, rules), without a look at files that only the daemon
 * may read; and what is wrong with those. */
void gateway_check(const struct conf_gateway *conf, Faults *faults);
void gateway_check_files(const struct conf_gateway *conf, Faults *faults);

/* conf, which gateway_check found good, is copied from. Never fails: what is not reachable yet says
 * so when it is used. */
struct gateway *gateway_new(const struct conf_gateway *conf, struct gateway_host *host);

/* Not while a part is in flight. */
void gateway_free(struct gateway *gateway);

/* New settings, from the next part on. */
void gateway_configure(struct gateway *gateway, const struct conf_gateway *conf);

/* From now on results say what was seen. */
void gateway_watch(struct gateway *gateway);

/* What would be handed over for this part, secrets masked, for a person. -1: it cannot be. */
int gateway_show(struct gateway *gateway, const struct gateway_part *part, GString *out,
                 struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* How many parts may be in flight at once. */
guint gateway_slots(const struct gateway *gateway);

/* How long a part takes before any was seen, in milliseconds. */
gint64 gateway_expected_ms(const struct gateway *gateway);

/* Would it take a part now? Asked while it is out; costs nothing. done is called exactly once, from
 * the loop, never from in here; not if the gateway is freed before. One at a time. */
void gateway_probe(struct gateway *gateway, gateway_probed_fn *done, void *context);

/* Hands over one part; done is called exactly once, from the loop, never from in here. */
void gateway_submit(struct gateway *gateway, const struct gateway_part *part, gateway_done_fn *done,
                    void *context);

/* Has the gateway a part with this reference of ours? For parts whose answer was lost. */
enum gateway_trace gateway_find(struct gateway *gateway, const char *ref);

#endif
