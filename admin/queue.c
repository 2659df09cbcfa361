/* SPDX-License-Identifier: ISC */
/*
 * postsms queue: what is on its way, one line a message. The ledger knows what was planned,
 * Postfix's queue knows what never came that far; neither is changed.
 */
#include "admin/admin.h"

#include "lib/addr.h"
#include "lib/clk.h"
#include "transport/dispatch/control.h"
#include <stdio.h>
#include <string.h>

struct line {
    gint64 id; /* 0: only in Postfix's queue */
    char *queue_id, *number, *gateway, *reason;
    const char *state;
    guint parts, accepted;
    gint64 since; /* milliseconds since 1970 */
    bool held;    /* postsmsd has it in hand: */
    gint64 place, wait_ms;
};

static void
line_free(gpointer data)
{
    struct line *line = data;

    g_free(line->queue_id);
    g_free(line->number);
    g_free(line->gateway);
    g_free(line->reason);
    g_free(line);
}

static const char *
state_of(const struct spool_delivery *delivery)
{
    const char *state = *delivery->dsn == '4' ? "failed" : "waiting";

    for (guint i = 0; i < delivery->parts->len; i++) {
        enum part_state part = ((const struct spool_part *)delivery->parts->pdata[i])->state;

        if (part == PART_UNKNOWN)
            return "unknown";
        if (part == PART_SUBMITTING)
            state = "submitting";
    }
    return state;
}

static bool
add_delivery(void *context, const struct spool_delivery *delivery)
{
    struct line *line = g_new0(struct line, 1);

    line->id = delivery->id;
    line->queue_id = g_strdup(delivery->queue_id);
    line->number = g_strdup(delivery->number);
    line->gateway = g_strdup(delivery->gateway);
    line->reason = g_strdup(delivery->reason);
    line->state = state_of(delivery);
    line->parts = spool_delivery_sms(delivery);
    line->accepted = spool_delivery_accepted(delivery);
    line->since = delivery->created;
    g_ptr_array_add(context, line);
    return true;
}

static struct line *
listed(const GPtrArray *lines, const char *queue_id, const char *number)
{
    for (guint i = 0; i < lines->len; i++) {
        struct line *line = lines->pdata[i];

        if (strcmp(line->queue_id, queue_id) == 0 && strcmp(line->number, number) == 0)
            return line;
    }
    return NULL;
}

/* Whoever put it there, a rule or a person: Postfix does not try it, whatever came before. */
static const char on_hold[] =
    "on hold in Postfix's queue: postsuper -H releases it, trace may say why";

static void
add_recipient(GPtrArray *lines, const struct conf *conf, const json_t *mail,
              const json_t *recipient)
{
    const char *address = json_string_value(json_object_get(recipient, "address"));
    const char *reason = json_string_value(json_object_get(recipient, "delay_reason"));
    const char *queue_id = json_string_value(json_object_get(mail, "queue_id"));
    const char *queue = json_string_value(json_object_get(mail, "queue_name"));
    bool stopped = queue && strcmp(queue, "hold") == 0;
    g_autoptr(Addr) addr = NULL;
    struct outcome why;
    const char *number;
    struct line *line;

    if (!address || !queue_id || !addr_in_domains(address, (const char *const *)conf->domains))
        return;
    number = addr_parse(address, conf->country_code, &addr, &why) == 0 ? addr->number : "";
    if ((line = listed(lines, queue_id, number))) {
        /* Postfix knows the last answer, also of one that was turned away before it got a place. */
        if (!line->held && (stopped || reason)) {
            g_free(line->reason);
            line->reason = g_strdup(stopped ? on_hold : reason);
        }
        return;
    }
    line = g_new0(struct line, 1);
    line->queue_id = g_strdup(queue_id);
    line->number = g_strdup(number);
    line->gateway = g_strdup("");
    line->reason = g_strdup(stopped ? on_hold : reason ? reason : "");
    line->state = reason ? "failed" : "waiting";
    line->since = (gint64)json_integer_value(json_object_get(mail, "arrival_time")) * 1000;
    g_ptr_array_add(lines, line);
}

/* Without Postfix on this machine, or the right to ask it, the ledger alone has to do. */
static void
add_postfix(GPtrArray *lines, const struct conf *conf)
{
    const char *const command[] = {"postqueue", "-j", NULL};
    g_autofree char *output = NULL;
    g_auto(GStrv) mails = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)(guintptr)command, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                      &status, NULL) ||
        !g_spawn_check_wait_status(status, NULL))
        return;
    mails = g_strsplit(output, "\n", -1);
    for (char **text = mails; *text; text++) {
        json_t *mail = json_loads(*text, 0, NULL);
        json_t *recipients = json_object_get(mail, "recipients");

        for (size_t i = 0; i < json_array_size(recipients); i++)
            add_recipient(lines, conf, mail, json_array_get(recipients, i));
        json_decref(mail);
    }
}

/* Place and expected time, which only a running postsmsd knows. */
static void
add_places(GPtrArray *lines, const struct conf *conf)
{
    struct outcome why;
    g_autoptr(GPtrArray) lists = admin_ask(conf, CONTROL_QUEUE, NULL, NULL, NULL, &why);

    for (guint i = 1; lists && i < lists->len; i++) {
        gint64 id = wire_get_int(lists->pdata[i], "id", 1, G_MAXINT64, 0);

        for (guint n = 0; n < lines->len; n++) {
            struct line *line = lines->pdata[n];

            if (line->id != id)
                continue;
            line->held = true;
            line->place = wire_get_int(lists->pdata[i], "place", 0, G_MAXINT, 0);
            line->wait_ms = wire_get_int(lists->pdata[i], "wait-ms", 0, G_MAXINT64, 0);
        }
    }
}

static json_t *
lines_json(const GPtrArray *lines)
{
    json_t *array = json_array();

    for (guint i = 0; i < lines->len; i++) {
        const struct line *line = lines->pdata[i];
        g_autofree char *since = clk_string(line->since);

        json_array_append_new(
            array, json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:o, s:o}", "id",
                             line->id ? json_integer(line->id) : json_null(), "queue_id",
                             line->queue_id, "number", line->number, "gateway", line->gateway,
                             "state", line->state, "parts", (int)line->parts, "accepted",
                             (int)line->accepted, "reason", line->reason, "since", since, "place",
                             line->held ? json_integer(line->place) : json_null(), "wait_seconds",
                             line->held ? json_integer(line->wait_ms / 1000) : json_null()));
    }
    return array;
}

static void
print_lines(const GPtrArray *lines)
{
    if (lines->len == 0) {
        puts("nothing is waiting");
        return;
    }
    printf("%-6s %-16s %-16s %-10s %-10s %-6s %-12s %s\n", "id", "queue id", "number", "gateway",
           "state", "parts", "place", "since");
    for (guint i = 0; i < lines->len; i++) {
        const struct line *line = lines->pdata[i];
        g_autofree char *since = clk_string(line->since);
        g_autofree char *id =
            line->id ? g_strdup_printf("%" G_GINT64_FORMAT, line->id) : g_strdup("-");
        g_autofree char *parts = g_strdup_printf("%u/%u", line->accepted, line->parts);

        g_autofree char *place =
            line->held && line->place > 0
                ? g_strdup_printf("%d (%d s)", (int)line->place, (int)(line->wait_ms / 1000))
                : g_strdup("-");

        printf("%-6s %-16s %-16s %-10s %-10s %-6s %-12s %s\n", id, line->queue_id,
               *line->number ? line->number : "-", *line->gateway ? line->gateway : "-",
               line->state, parts, place, since);
        if (*line->reason)
            printf("       (%s)\n", line->reason);
    }
}

int
admin_queue(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autoptr(Spool) spool = NULL;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(line_free);
    struct outcome why;

    if (admin->argc != 1)
        return ADMIN_USAGE;
    if (!(conf = admin_conf(admin)) || !(spool = admin_ledger(conf)))
        return ADMIN_FAULT;
    if (spool_each_open(spool, add_delivery, lines, &why) < 0)
        return admin_fault("%s", why.text);
    add_places(lines, conf);
    add_postfix(lines, conf);
    if (admin->json)
        return admin_print_json(lines_json(lines));
    print_lines(lines);
    return ADMIN_DONE;
}
