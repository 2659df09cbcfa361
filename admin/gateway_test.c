/* SPDX-License-Identifier: ISC */
/*
 * postsms gateway test: shows what one gateway would be sent, whether it can be reached, and with
 * --send what it answers and how that is judged. Beside postsmsd and its ledger: an SMS sent here
 * is in neither, but in the log.
 */
#include "admin/admin.h"

#include "lib/addr.h"
#include "lib/clk.h"
#include "lib/log.h"
#include "transport/dispatch/setup.h"
#include "transport/gateway/gateway.h"
#include <stdio.h>
#include <string.h>

#define TEXT   "postsms test: this gateway works"
#define NUMBER "+10000000" /* stands in what is only shown */

struct trial {
    sd_event *loop;
    struct gateway *gateway;
    const struct conf_gateway *conf;
    char *number;
    char ref[33];
    GBytes *nothing;
    struct gateway_part part;
    GString *request;
    enum gateway_health health;
    struct outcome connection;
    bool sent;
    enum gateway_class class;
    struct outcome why;
    char *seen;
};

static void
on_probed(void *context, enum gateway_health health, const struct outcome *why)
{
    struct trial *trial = context;

    trial->health = health;
    if (health == GATEWAY_ILL)
        trial->connection = *why;
    sd_event_exit(trial->loop, 0);
}

static void
on_result(void *context, const struct gateway_result *result)
{
    struct trial *trial = context;

    trial->sent = true;
    trial->class = result->class;
    trial->why = result->why;
    trial->seen = g_strdup(result->seen ? result->seen : "");
    sd_event_exit(trial->loop, 0);
}

static void
make_part(struct trial *trial)
{
    guint64 chance[2];

    clk_system.random(chance, sizeof(chance));
    g_snprintf(trial->ref, sizeof(trial->ref),
               "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", chance[0], chance[1]);
    trial->nothing = g_bytes_new(NULL, 0);
    trial->part = (struct gateway_part){
        .ref = trial->ref,
        .number = trial->number ? trial->number : NUMBER,
        .originator = trial->conf->originator,
        .phone = *trial->conf->originator == '+' ? trial->conf->originator : "",
        .encoding = "gsm7",
        .text = TEXT,
        .udh = trial->nothing,
        .data = trial->nothing,
        .part = 1,
        .parts = 1,
        .sms = 1,
        .values = "",
    };
}

/* A loop that was exited does not run again: one for each step. */
static void
step(struct trial *trial, bool send)
{
    struct gateway_host *host;

    if (sd_event_new(&trial->loop) < 0)
        g_error("no event loop"); /* only without memory */
    host = gateway_host_new(trial->loop, &clk_system);
    trial->gateway = gateway_new(trial->conf, host);
    gateway_watch(trial->gateway);
    if (send)
        gateway_submit(trial->gateway, &trial->part, on_result, trial);
    else
        gateway_probe(trial->gateway, on_probed, trial);
    sd_event_loop(trial->loop);
    gateway_free(trial->gateway);
    gateway_host_free(host);
    trial->loop = sd_event_unref(trial->loop);
}

/* What would be sent, for a person; -1 and why: nothing can be. */
static int
show(struct trial *trial, struct outcome *why)
{
    struct gateway_host *host;
    int result;

    if (sd_event_new(&trial->loop) < 0)
        g_error("no event loop"); /* only without memory */
    host = gateway_host_new(trial->loop, &clk_system);
    trial->gateway = gateway_new(trial->conf, host);
    result = gateway_show(trial->gateway, &trial->part, trial->request, why);
    gateway_free(trial->gateway);
    gateway_host_free(host);
    trial->loop = sd_event_unref(trial->loop);
    return result;
}

static int
report(const struct admin *admin, const struct trial *trial)
{
    bool reached = trial->health != GATEWAY_ILL;
    bool good = trial->sent ? trial->class == GATEWAY_ACCEPTED : reached;
    int status = good ? ADMIN_DONE : ADMIN_FAULT;

    if (admin->json) {
        int printed = admin_print_json(
            json_pack("{s:s, s:s, s:b, s:s?, s:b, s:s?, s:s?, s:b}", "gateway", trial->conf->id,
                      "request", trial->request->str, "reached", reached, "connection",
                      reached ? NULL : trial->connection.text, "sent", trial->sent, "answer",
                      trial->sent ? trial->seen : NULL, "reason",
                      trial->sent ? trial->why.text : NULL, "ok", good));

        return printed == ADMIN_DONE ? status : printed;
    }
    printf("--- request\n%s", trial->request->str);
    printf("--- connection\n%s\n", reached ? "ok" : trial->connection.text);
    if (trial->sent)
        printf("--- answer\n%s--- verdict\n%s %s\n", trial->seen, trial->why.dsn, trial->why.text);
    else if (reached)
        printf("--- nothing was sent; --send NUMBER sends a test SMS, at your cost\n");
    return status;
}

static int
try_it(const struct admin *admin, struct trial *trial)
{
    struct outcome why;
    int status;

    make_part(trial);
    trial->request = g_string_new(NULL);
    if (show(trial, &why) < 0) {
        status = admin_fault("%s", why.text);
    } else {
        step(trial, false);
        if (trial->number && trial->health != GATEWAY_ILL) {
            step(trial, true);
            log_info("%s: test SMS to %s: %s", trial->conf->id, trial->number, trial->why.text);
        }
        status = report(admin, trial);
    }
    g_string_free(trial->request, TRUE);
    g_bytes_unref(trial->nothing);
    g_free(trial->seen);
    return status;
}

/* The number, if an SMS may go there. */
static char *
number_of(const struct conf *conf, const char *text)
{
    g_autofree char *number = NULL;
    struct outcome why;

    if (addr_number(text, conf->country_code, &number, &why) < 0) {
        admin_fault("%s", why.text);
        return NULL;
    }
    for (char **prefix = conf->prefixes; *prefix; prefix++)
        if (g_str_has_prefix(number, *prefix))
            return g_steal_pointer(&number);
    if (!*conf->prefixes)
        return g_steal_pointer(&number);
    admin_fault("%s: no prefix of access.prefixes", number);
    return NULL;
}

int
admin_gateway_test(struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = NULL;
    g_autofree char *number = NULL;
    struct trial trial = {0};

    if (admin->argc != 3 && !(admin->argc == 5 && strcmp(admin->args[3], "--send") == 0))
        return ADMIN_USAGE;
    if (!(setup = setup_load(admin->conf_file, faults))) {
        faults_print(faults, stderr);
        return ADMIN_FAULT;
    }
    if (!(trial.conf = conf_gateway(setup->conf, admin->args[2])))
        return admin_fault("%s: there is no gateway of this name", admin->args[2]);
    g_ptr_array_set_size(faults, 0);
    gateway_check_files(trial.conf, faults);
    faults_print(faults, stderr);
    if (faults_errors(faults))
        return ADMIN_FAULT;
    if (admin->argc == 5 && !(number = number_of(setup->conf, admin->args[4])))
        return ADMIN_FAULT;
    trial.number = number;
    return try_it(admin, &trial);
}
