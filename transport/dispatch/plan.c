/* SPDX-License-Identifier: ISC */
/*
 * Owns how a decision becomes a delivery's plan in the ledger, and the move of a delivery to
 * another gateway. Must never move anything that a gateway has or may have.
 */
#include "transport/dispatch/plan.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include "transport/dispatch/reference.h"
#include <string.h>

/* What another plan replaces. */
struct plan {
    char *gateway, *originator, *encoding, *phone, *extra;
    int dcs, pid;
    bool truncated;
    GPtrArray *parts;
    struct lane *lane;
};

/* Which of several gateways a job is for. */
struct choosing {
    struct round *round;
    const struct job *job;
    bool moving; /* healthy ones only, each once */
    const struct conf_gateway *chosen;
};

static const struct conf_gateway *
choose(void *context, const GPtrArray *candidates, const char *class)
{
    struct choosing *choosing = context;
    struct dispatch *dispatch = choosing->round->dispatch;
    gint64 patience = job_patience(choosing->job);
    g_autoptr(GArray) choices = g_array_new(FALSE, FALSE, sizeof(struct route_choice));
    gint64 nobody = 0;

    for (guint i = 0; i < candidates->len; i++) {
        const struct conf_gateway *gateway = candidates->pdata[i];
        struct route_choice choice;
        struct outcome why;

        if (g_hash_table_contains(choosing->job->tried, gateway->id))
            continue;
        lane_would_admit(dispatch, gateway->id, class, patience, &choice, &why);
        choice.gateway = gateway;
        if (!choice.turn)
            choice.turn = &nobody;
        if (choice.healthy || !choosing->moving)
            g_array_append_val(choices, choice);
    }
    choosing->chosen = NULL;
    if (choices->len > 0) {
        const struct route_choice *all = (const struct route_choice *)(void *)choices->data;

        choosing->chosen = all[route_choose(all, choices->len)].gateway;
    }
    return choosing->chosen;
}

/* The decision, with a concatenation reference that the number has not seen for a day. -1: the
 * ledger cannot say which. */
static int
decide_with_reference(struct choosing *choosing, struct decision *decision, struct outcome *why)
{
    struct spool *spool = choosing->round->dispatch->spool;
    const struct job *job = choosing->job;
    struct router router = {choose, choosing};
    struct reference reference;
    int found;

    decide(job->setup, job->request, job->view, job->declared, NULL, &router, decision);
    found = reference_for(spool, decision, choosing->round->now, &reference, why);
    if (found < 0) {
        decision_clear(decision);
        return -1;
    }
    if (found > 0)
        spool_reference_used(spool, decision->number, reference.number, reference.wide,
                             choosing->round->now);
    if (found == 2) {
        const struct conf_gateway *gateway = decision->gateway;

        decision_clear(decision);
        decide(job->setup, job->request, job->view, job->declared, &reference,
               route_same(gateway, &router), decision);
    }
    return 0;
}

/* The row of a delivery, as far as the envelope and the mail tell. */
static struct spool_delivery *
delivery_of(const struct job *job, const struct decision *decision)
{
    struct spool_delivery *delivery = spool_delivery_new();
    bool sends = decision->verdict.kind == OUT_OK;

    delivery->queue_id = g_strdup(request_get(job->request, QUEUE_ID));
    memcpy(delivery->k1, decision->identity.k1, SPOOL_KEY);
    memcpy(delivery->k2, decision->identity.k2, SPOOL_KEY);
    delivery->has_k2 = decision->identity.has_k2;
    delivery->sender = g_strdup(request_get(job->request, SENDER));
    delivery->recipient = addr_loggable(request_get(job->request, RECIPIENT), true);
    delivery->original = addr_loggable(request_get(job->request, ORIGINAL), true);
    delivery->number = g_strdup(decision->number);
    delivery->login = g_strdup(request_get(job->request, LOGIN));
    delivery->client = g_strdup(request_get(job->request, CLIENT));
    delivery->message_id = g_strdup(job->view->message_id);
    delivery->class = g_strdup(decision->class);
    delivery->declared = g_strdup(decision->declared);
    delivery->rule = g_strdup(decision->rule);
    delivery->state = g_strdup(sends ? "open" : "refused");
    /* Until there is a verdict, the reason is what the sender may wonder about. */
    delivery->dsn = g_strdup(sends ? "" : decision->verdict.dsn);
    delivery->reason = g_strdup(sends ? decision->notes : decision->verdict.text);
    return delivery;
}

static struct spool_part *
add_part(struct dispatch *dispatch, struct spool_delivery *delivery, const char *text)
{
    struct spool_part *part = spool_delivery_add_part(delivery);
    guint64 chance[2];

    dispatch->clk->random(chance, sizeof(chance));
    part->state = PART_PLANNED;
    part->ref = g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", chance[0],
                                chance[1]);
    part->gateway_ref = g_strdup("");
    part->text = g_strdup(text ? text : "");
    return part;
}

/* Where the provider splits, one part is the whole text. */
static void
add_whole(struct dispatch *dispatch, struct spool_delivery *delivery,
          const struct sms_message *message)
{
    struct spool_part *part = add_part(dispatch, delivery, message->text);

    part->sms = message->parts->len;
    for (guint i = 0; i < message->parts->len; i++)
        part->units += ((const struct sms_part *)message->parts->pdata[i])->units;
    part->udh = g_bytes_new(NULL, 0);
    part->data = g_bytes_new(NULL, 0);
}

static void
add_each(struct dispatch *dispatch, struct spool_delivery *delivery,
         const struct sms_message *message)
{
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *planned = message->parts->pdata[i];
        struct spool_part *part = add_part(dispatch, delivery, planned->text);

        part->units = planned->units;
        part->udh = g_bytes_ref(planned->udh);
        part->data = planned->data ? g_bytes_ref(planned->data) : g_bytes_new(NULL, 0);
    }
}

/* All that depends on the gateway. */
static void
set_plan(struct dispatch *dispatch, struct spool_delivery *delivery,
         const struct decision *decision)
{
    const struct sms_message *message = decision->message;

    delivery->gateway = g_strdup(decision->gateway ? decision->gateway->id : "");
    delivery->originator = g_strdup(decision->originator);
    delivery->phone = g_strdup(decision->phone);
    delivery->extra = g_strdup(decision->values);
    if (!message)
        return;
    delivery->encoding = g_strdup(sms_encoding_name(message->encoding));
    delivery->dcs = message->dcs;
    delivery->pid = message->pid;
    delivery->truncated = message->truncated;
    if (decision_is_whole(decision))
        add_whole(dispatch, delivery, message);
    else
        add_each(dispatch, delivery, message);
}

bool
plan_begin(struct round *round, struct job *job)
{
    struct choosing choosing = {.round = round, .job = job};
    struct decision decision = {0};
    struct outcome verdict;

    if (decide_with_reference(&choosing, &decision, &verdict) < 0) {
        course_finish(round, job, verdict.kind, verdict.dsn, verdict.text);
        return false;
    }
    verdict = decision.verdict;
    job->rule = g_strdup(decision.rule);
    job->notes = g_strdup(decision.notes);
    if (verdict.kind == OUT_OK || out_final(verdict.kind)) {
        job->delivery = delivery_of(job, &decision);
        set_plan(round->dispatch, job->delivery, &decision);
        KILL_POINT("plan-before");
        spool_add(round->dispatch->spool, job->delivery, round->now);
        KILL_POINT("plan-inside");
    }
    decision_clear(&decision);
    if (verdict.kind == OUT_OK)
        return true;
    course_finish(round, job, verdict.kind, verdict.dsn, verdict.text);
    return false;
}

static void
plan_free(struct plan *plan)
{
    g_free(plan->gateway);
    g_free(plan->originator);
    g_free(plan->encoding);
    g_free(plan->phone);
    g_free(plan->extra);
    g_ptr_array_unref(plan->parts);
    g_free(plan);
}

/* The delivery without a plan. */
static struct plan *
take_plan(struct job *job)
{
    struct spool_delivery *delivery = job->delivery;
    struct plan *plan = g_new0(struct plan, 1);
    g_autoptr(SpoolDelivery) empty = spool_delivery_new();

    *plan = (struct plan){g_steal_pointer(&delivery->gateway),
                          g_steal_pointer(&delivery->originator),
                          g_steal_pointer(&delivery->encoding),
                          g_steal_pointer(&delivery->phone),
                          g_steal_pointer(&delivery->extra),
                          delivery->dcs,
                          delivery->pid,
                          delivery->truncated,
                          delivery->parts,
                          job->lane};
    delivery->parts = g_ptr_array_ref(empty->parts);
    return plan;
}

void
plan_restore(struct job *job)
{
    struct spool_delivery *delivery = job->delivery;
    struct plan *before = g_steal_pointer(&job->before);

    if (!before)
        return;
    plan_free(take_plan(job));
    delivery->gateway = g_steal_pointer(&before->gateway);
    delivery->originator = g_steal_pointer(&before->originator);
    delivery->encoding = g_steal_pointer(&before->encoding);
    delivery->phone = g_steal_pointer(&before->phone);
    delivery->extra = g_steal_pointer(&before->extra);
    delivery->dcs = before->dcs;
    delivery->pid = before->pid;
    delivery->truncated = before->truncated;
    g_ptr_array_unref(delivery->parts);
    delivery->parts = g_ptr_array_ref(before->parts);
    job->lane = before->lane;
    plan_free(before);
}

void
plan_forget(struct job *job)
{
    g_clear_pointer(&job->before, plan_free);
}

/* Does an address name its gateway? One that cannot be read may. */
static bool
names_gateway(const struct job *job, const char *recipient)
{
    g_autoptr(Addr) addr = NULL;
    struct outcome why;

    return addr_parse(recipient, job->setup->conf->country_code, &addr, &why) < 0 || addr->gateway;
}

static bool
may_move(const struct round *round, const struct job *job)
{
    const struct spool_delivery *delivery = job->delivery;

    if (job->conns->len == 0 || job->cancelled || round->dispatch->stopping || !round->writable)
        return false;
    for (guint i = 0; i < delivery->parts->len; i++)
        if (((const struct spool_part *)delivery->parts->pdata[i])->state != PART_PLANNED)
            return false;
    return !names_gateway(job, request_get(job->request, RECIPIENT)) &&
           !names_gateway(job, delivery->recipient) &&
           !spool_doubted(round->dispatch->spool, delivery->id);
}

static void
replace_plan(struct round *round, struct job *job, const struct decision *decision,
             const char *reason)
{
    g_autofree char *detail = g_strdup_printf("to %s: %s", decision->gateway->id, reason);
    struct plan *before = take_plan(job);

    log_info("%s: %s moves to %s", before->gateway, job->delivery->queue_id, decision->gateway->id);
    set_plan(round->dispatch, job->delivery, decision);
    spool_replan(round->dispatch->spool, job->delivery, detail, round->now);
    KILL_POINT("moved-inside");
    if (job->before)
        plan_free(before); /* the ledger has never seen it */
    else
        job->before = before;
    g_free(job->notes);
    job->notes = g_strdup(decision->notes);
}

bool
plan_move(struct round *round, struct job *job, const char *reason)
{
    struct choosing choosing = {.round = round, .job = job, .moving = true};
    bool moved = false;

    if (!may_move(round, job))
        return false;
    g_hash_table_add(job->tried, g_strdup(job->delivery->gateway));
    do {
        struct decision decision = {0};
        struct outcome why;

        if (decide_with_reference(&choosing, &decision, &why) < 0)
            return false;
        if (decision.verdict.kind == OUT_OK) {
            replace_plan(round, job, &decision, reason);
            moved = true;
        } else if (choosing.chosen) {
            g_hash_table_add(job->tried, g_strdup(choosing.chosen->id));
        }
        decision_clear(&decision);
    } while (!moved && choosing.chosen);
    return moved;
}
