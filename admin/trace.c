/* SPDX-License-Identifier: ISC */
/* postsms trace: the whole life of a message, as the ledger has it: what SMTP rules did with the
 * mail, what became of each delivery, in the order in which it happened. */
#include "admin/admin.h"

#include "lib/addr.h"
#include "lib/clk.h"
#include "lib/hex.h"
#include <stdio.h>
#include <string.h>

struct trace {
    struct spool *spool;
    json_t *array;       /* NULL: printed as text */
    GPtrArray *filtered; /* struct row *, oldest first */
    guint shown;         /* of filtered */
    guint found;
    struct outcome why;
    bool failed;
};

/* A filtered mail, until its turn comes. */
struct row {
    gint64 at;
    json_t *json;
    char *text;
};

static void
row_free(gpointer data)
{
    struct row *row = data;

    json_decref(row->json);
    g_free(row->text);
    g_free(row);
}

/* What became of a mail by this effect of a line. */
static const char *
state_of_effect(const char *effect)
{
    static const char *const states[][2] = {{"delete", "discarded"},
                                            {"hold", "held"},
                                            {"redirect", "redirected"},
                                            {"remove", "removed"},
                                            {"declare", "declared"}};

    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (strcmp(states[i][0], effect) == 0)
            return states[i][1];
    return effect;
}

/* lines with commas between them. */
static char *
in_one_line(const char *lines)
{
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);

    return g_strjoinv(", ", list);
}

static bool
take_filtered(void *context, const struct spool_filtered *filtered)
{
    struct trace *trace = context;
    struct row *row = g_new0(struct row, 1);
    g_autofree char *at = clk_string(filtered->at);
    g_autofree char *recipients = in_one_line(filtered->recipients);
    g_autofree char *numbers = in_one_line(filtered->numbers);
    const char *state = state_of_effect(filtered->effect);

    row->at = filtered->at;
    row->json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:[]}",
                          "queue_id", filtered->queue_id, "state", state, "created", at, "sender",
                          filtered->sender, "recipient", recipients, "number", numbers,
                          "message_id", filtered->message_id, "declared", filtered->class, "rule",
                          filtered->rule, "reason", filtered->detail, "parts", "events");
    row->text = g_strdup_printf("SMTP rules: %s from <%s> to <%s>, %s%s%s, %s\n  %s%s%s\n",
                                filtered->queue_id, filtered->sender, recipients, state,
                                *filtered->class ? " " : "", filtered->class, at, filtered->rule,
                                *filtered->detail ? ": " : "", filtered->detail);
    g_ptr_array_add(trace->filtered, row);
    return true;
}

/* Those that came before this moment. */
static void
show_filtered(struct trace *trace, gint64 until)
{
    for (; trace->shown < trace->filtered->len; trace->shown++) {
        const struct row *row = trace->filtered->pdata[trace->shown];

        if (row->at > until)
            return;
        trace->found++;
        if (trace->array)
            json_array_append(trace->array, row->json);
        else
            fputs(row->text, stdout);
    }
}

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

/* One that a rule discarded was refused, but nobody was told: that is another word. */
static const char *
state_of(const struct spool_delivery *delivery)
{
    return spool_delivery_dropped(delivery) ? "discarded" : delivery->state;
}

static json_t *
delivery_json(const struct spool_delivery *delivery)
{
    g_autofree char *created = clk_string(delivery->created);
    json_t *parts = json_array();

    for (guint i = 0; i < delivery->parts->len; i++) {
        const struct spool_part *part = delivery->parts->pdata[i];
        g_autofree char *udh = hex_of(part->udh);

        json_array_append_new(parts, json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "part",
                                               part->seq, "state", part_state_name(part->state),
                                               "ref", part->ref, "gateway_ref", part->gateway_ref,
                                               "text", part->text, "units", (int)part->units, "sms",
                                               (int)part->sms, "udh", udh));
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, "
                     "s:b, s:s, s:s, s:s, s:o}",
                     "id", (json_int_t)delivery->id, "queue_id", delivery->queue_id, "state",
                     state_of(delivery), "declared", delivery->declared, "created", created,
                     "sender", delivery->sender, "recipient", delivery->recipient, "original",
                     delivery->original, "number", delivery->number, "login", delivery->login,
                     "message_id", delivery->message_id, "gateway", delivery->gateway, "originator",
                     delivery->originator, "encoding", delivery->encoding, "dcs", delivery->dcs,
                     "truncated", delivery->truncated, "rule", delivery->rule, "status",
                     delivery->dsn, "reason", delivery->reason, "parts", parts);
}

static void
delivery_print(const struct spool_delivery *delivery)
{
    g_autofree char *created = clk_string(delivery->created);

    printf("%" G_GINT64_FORMAT ": %s from <%s> to <%s>, %s, %s\n", delivery->id, delivery->queue_id,
           delivery->sender, delivery->recipient, state_of(delivery), created);
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

    show_filtered(trace, delivery->created);
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
    g_autoptr(GPtrArray) filtered = NULL;
    g_autofree char *number = NULL;
    struct outcome why;

    if (admin->argc != 2)
        return ADMIN_USAGE;
    if (!(conf = admin_conf(admin)) || !(spool = admin_ledger(conf)))
        return ADMIN_FAULT;
    trace.spool = spool;
    trace.array = admin->json ? json_array() : NULL;
    trace.filtered = filtered = g_ptr_array_new_with_free_func(row_free);
    /* A number is found in every form in which one can mail it. */
    if (addr_number(admin->args[1], conf->country_code, &number, &why) < 0)
        number = NULL;
    if (spool_each_filtered(spool, admin->args[1], number, take_filtered, &trace, &trace.why) < 0 ||
        spool_each_key(spool, admin->args[1], number, each, &trace, &trace.why) < 0 ||
        trace.failed) {
        json_decref(trace.array);
        return admin_fault("%s", trace.why.text);
    }
    show_filtered(&trace, G_MAXINT64);
    if (trace.array && admin_print_json(trace.array) != ADMIN_DONE)
        return ADMIN_FAULT;
    if (trace.found == 0)
        return admin_fault("the ledger has nothing under \"%s\"", admin->args[1]);
    return ADMIN_DONE;
}
