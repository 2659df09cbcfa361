/* SPDX-License-Identifier: ISC */
/* postsms trace: the whole life of a message, as the ledger has it. */
#include "admin/admin.h"

#include "lib/addr.h"
#include "lib/clk.h"
#include <stdio.h>

struct trace {
    struct spool *spool;
    json_t *array; /* NULL: printed as text */
    guint found;
    struct outcome why;
    bool failed;
};

static void
event_json(void *context, const struct spool_event *event)
{
    g_autofree char *at = clk_string(event->at);

    json_array_append_new(context, json_pack("{s:s, s:i, s:s, s:s}", "at", at, "part", event->part,
                                             "what", event->what, "detail", event->detail));
}

static void
event_print(void *context, const struct spool_event *event)
{
    g_autofree char *at = clk_string(event->at);

    (void)context;
    if (event->part)
        printf("  %s part %d: %s%s%s\n", at, event->part, event->what, *event->detail ? ", " : "",
               event->detail);
    else
        printf("  %s %s%s%s\n", at, event->what, *event->detail ? ": " : "", event->detail);
}

static json_t *
delivery_json(const struct spool_delivery *delivery)
{
    g_autofree char *created = clk_string(delivery->created);
    json_t *parts = json_array();

    for (guint i = 0; i < delivery->parts->len; i++) {
        const struct spool_part *part = delivery->parts->pdata[i];
        g_autofree char *udh = admin_hex(part->udh);

        json_array_append_new(parts,
                              json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "part", part->seq,
                                        "state", part_state_name(part->state), "ref", part->ref,
                                        "gateway_ref", part->gateway_ref, "text", part->text,
                                        "units", (int)part->units, "udh", udh));
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, "
                     "s:s, s:s, s:s, s:o}",
                     "id", (json_int_t)delivery->id, "queue_id", delivery->queue_id, "state",
                     delivery->state, "created", created, "sender", delivery->sender, "recipient",
                     delivery->recipient, "original", delivery->original, "number",
                     delivery->number, "login", delivery->login, "message_id", delivery->message_id,
                     "gateway", delivery->gateway, "originator", delivery->originator, "encoding",
                     delivery->encoding, "dcs", delivery->dcs, "truncated", delivery->truncated,
                     "rule", delivery->rule, "status", delivery->dsn, "reason", delivery->reason,
                     "parts", parts);
}

static void
delivery_print(const struct spool_delivery *delivery)
{
    g_autofree char *created = clk_string(delivery->created);

    printf("%" G_GINT64_FORMAT ": %s from <%s> to <%s>, %s, %s\n", delivery->id, delivery->queue_id,
           delivery->sender, delivery->recipient, delivery->state, created);
    if (*delivery->reason)
        printf("  %s %s\n", delivery->dsn, delivery->reason);
    for (guint i = 0; i < delivery->parts->len; i++) {
        const struct spool_part *part = delivery->parts->pdata[i];

        printf("  part %d of %u: %s, %s, %u units, ref %s\n", part->seq, delivery->parts->len,
               part_state_name(part->state), delivery->gateway, part->units, part->ref);
    }
}

static bool
each(void *context, const struct spool_delivery *delivery)
{
    struct trace *trace = context;
    json_t *object = NULL;
    json_t *events = NULL;

    trace->found++;
    if (trace->array) {
        object = delivery_json(delivery);
        events = json_array();
        json_object_set_new(object, "events", events);
        json_array_append_new(trace->array, object);
    } else {
        delivery_print(delivery);
    }
    trace->failed = spool_each_event(trace->spool, delivery->id, events ? event_json : event_print,
                                     events, &trace->why) < 0;
    return !trace->failed;
}

int
admin_trace(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autoptr(Spool) spool = NULL;
    struct trace trace = {0};
    g_autofree char *number = NULL;
    struct outcome why;

    if (admin->argc != 2)
        return ADMIN_USAGE;
    if (!(conf = admin_conf(admin)) || !(spool = admin_ledger(conf)))
        return ADMIN_FAULT;
    trace.spool = spool;
    trace.array = admin->json ? json_array() : NULL;
    /* A number is found in every form in which one can mail it. */
    if (addr_number(admin->args[1], conf->country_code, &number, &why) < 0)
        number = NULL;
    if (spool_each_key(spool, admin->args[1], number, each, &trace, &trace.why) < 0 ||
        trace.failed) {
        json_decref(trace.array);
        return admin_fault("%s", trace.why.text);
    }
    if (trace.array && admin_print_json(trace.array) != ADMIN_DONE)
        return ADMIN_FAULT;
    if (trace.found == 0)
        return admin_fault("the ledger has nothing under \"%s\"", admin->args[1]);
    return ADMIN_DONE;
}
