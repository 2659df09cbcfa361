/* SPDX-License-Identifier: ISC */
/* postsms status: one line for each fault, for monitors and for people at night; figures for
 * Prometheus. */
#include "admin/admin.h"

#include "lib/clk.h"
#include "transport/dispatch/control.h"
#include <stdio.h>
#include <string.h>

#define OUTBOX_LATE_MS (10 * 60 * 1000)

struct status {
    json_t *faults;   /* array of strings */
    json_t *gateways; /* array of objects */
    gint64 open, unknown_parts, waiting_parts;
};

static void
fault(struct status *status, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    json_array_append_new(status->faults, json_string(text));
}

static bool
count_delivery(void *context, const struct spool_delivery *delivery)
{
    struct status *status = context;

    status->open++;
    for (guint i = 0; i < delivery->parts->len; i++) {
        enum part_state state = ((const struct spool_part *)delivery->parts->pdata[i])->state;

        status->unknown_parts += state == PART_UNKNOWN;
        status->waiting_parts += state == PART_PLANNED || state == PART_SUBMITTING;
    }
    return true;
}

static void
look_at_ledger(const struct conf *conf, struct status *status)
{
    g_autofree char *path = conf_ledger(conf);
    g_autoptr(Spool) spool = NULL;
    struct spool_mail mail = {0};
    struct outcome why;

    if (spool_open(path, false, &spool, &why) < 0 ||
        spool_each_open(spool, count_delivery, status, &why) < 0 ||
        spool_outbox_first(spool, &mail, &why) < 0) {
        fault(status, "%s", why.text);
        return;
    }
    if (spool_usable(spool, &why) < 0)
        fault(status, "%s", why.text);
    if (status->unknown_parts > 0)
        fault(status,
              "%" G_GINT64_FORMAT
              " parts may have been sent and wait for a report or \"postsms resolve\"",
              status->unknown_parts);
    if (mail.id && clk_system.wall() - mail.created > OUTBOX_LATE_MS)
        fault(status, "mail of ours to %s is not taken by %s", mail.recipient, conf->submit);
    g_free(mail.recipient);
    g_free(mail.message);
}

static void
look_at_gateway(struct status *status, const struct wire *wire)
{
    const char *id = wire_get(wire, "gateway");
    const char *state = wire_get(wire, "state");
    const char *reason = wire_get(wire, "reason");

    if (!id || !state || !reason)
        return;
    if (strcmp(state, "out") == 0)
        fault(status, "%s: out: %s", id, reason);
    else if (strcmp(state, "trial") == 0)
        fault(status, "%s: out, the next message tries it: %s", id, reason);
    json_array_append_new(
        status->gateways,
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "gateway", id, "state", state,
                  "reason", reason, "waiting",
                  (json_int_t)wire_get_int(wire, "waiting", 0, G_MAXINT, 0), "in_flight",
                  (json_int_t)wire_get_int(wire, "in-flight", 0, G_MAXINT, 0), "share",
                  (json_int_t)wire_get_int(wire, "share", 0, G_MAXINT, 0), "part_ms",
                  (json_int_t)wire_get_int(wire, "part-ms", 0, G_MAXINT, 0), "pause_ms",
                  (json_int_t)wire_get_int(wire, "pause-ms", 0, G_MAXINT64, 0)));
}

static void
look_at_daemon(const struct conf *conf, struct status *status)
{
    struct outcome why;
    g_autoptr(GPtrArray) lists = admin_ask(conf, CONTROL_STATUS, NULL, NULL, NULL, &why);

    if (!lists) {
        fault(status, "%s", why.text);
        return;
    }
    if (g_strcmp0(wire_get(lists->pdata[0], "ok"), "yes") != 0)
        fault(status, "%s", wire_get(lists->pdata[0], "text"));
    for (guint i = 1; i < lists->len; i++)
        look_at_gateway(status, lists->pdata[i]);
}

/* The text format wants all lines of one name together. */
static void
print_family(const json_t *gateways, const char *name)
{
    printf("# TYPE postsms_gateway_%s gauge\n", name);
    for (size_t i = 0; i < json_array_size(gateways); i++) {
        const json_t *gateway = json_array_get(gateways, i);

        printf("postsms_gateway_%s{gateway=\"%s\"} %" JSON_INTEGER_FORMAT "\n", name,
               json_string_value(json_object_get(gateway, "gateway")),
               json_integer_value(json_object_get(gateway, name)));
    }
}

/* 1 for each gateway in one of these states. */
static void
print_states(const json_t *gateways, const char *name, const char *const *states)
{
    printf("# TYPE postsms_gateway_%s gauge\n", name);
    for (size_t i = 0; i < json_array_size(gateways); i++) {
        const json_t *gateway = json_array_get(gateways, i);

        printf("postsms_gateway_%s{gateway=\"%s\"} %d\n", name,
               json_string_value(json_object_get(gateway, "gateway")),
               g_strv_contains(states, json_string_value(json_object_get(gateway, "state"))));
    }
}

static void
print_prometheus(const struct status *status)
{
    printf("# TYPE postsms_faults gauge\npostsms_faults %zu\n", json_array_size(status->faults));
    printf("# TYPE postsms_messages_open gauge\npostsms_messages_open %" G_GINT64_FORMAT "\n",
           status->open);
    printf("# TYPE postsms_parts_unknown gauge\npostsms_parts_unknown %" G_GINT64_FORMAT "\n",
           status->unknown_parts);
    print_family(status->gateways, "waiting");
    print_family(status->gateways, "in_flight");
    print_states(status->gateways, "up", (const char *const[]){"up", "paused", NULL});
    print_states(status->gateways, "paused", (const char *const[]){"paused", NULL});
    print_states(status->gateways, "trial", (const char *const[]){"trial", NULL});
}

static void
print_status(const struct status *status)
{
    size_t gateways = json_array_size(status->gateways);

    for (size_t i = 0; i < json_array_size(status->faults); i++)
        puts(json_string_value(json_array_get(status->faults, i)));
    if (json_array_size(status->faults) == 0)
        printf("ok: %" G_GINT64_FORMAT " message%s on their way, %zu gateway%s\n", status->open,
               status->open == 1 ? "" : "s", gateways, gateways == 1 ? "" : "s");
}

int
admin_status(struct admin *admin)
{
    struct status status = {.faults = json_array(), .gateways = json_array()};
    bool prometheus = admin->argc == 2 && strcmp(admin->args[1], "--prometheus") == 0;
    g_autoptr(Conf) conf = NULL;
    int result;

    if (admin->argc == 1 + prometheus && (conf = admin_conf(admin))) {
        look_at_daemon(conf, &status);
        look_at_ledger(conf, &status);
    }
    result = !conf ? admin->argc != 1 + prometheus ? ADMIN_USAGE : ADMIN_FAULT
             : json_array_size(status.faults) > 0 ? ADMIN_FAULT
                                                  : ADMIN_DONE;
    if (conf && prometheus)
        print_prometheus(&status);
    else if (conf && admin->json)
        admin_print_json(json_pack("{s:O, s:O, s:I, s:I}", "faults", status.faults, "gateways",
                                   status.gateways, "open", (json_int_t)status.open,
                                   "unknown_parts", (json_int_t)status.unknown_parts));
    else if (conf)
        print_status(&status);
    json_decref(status.faults);
    json_decref(status.gateways);
    return result;
}
