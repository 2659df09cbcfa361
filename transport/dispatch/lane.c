/* SPDX-License-Identifier: ISC */
/*
 * Owns one queue for each gateway: its share of the slots, its order (alarms, what people write,
 * what goes to many; the oldest first), its slots at the gateway, and how long a part takes. A part
 * leaves only after the round has "submitting" on disk; what comes back is handed to the round,
 * whoever still waits.
 */
#include "transport/dispatch/lane.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include <string.h>

#define PART_WEIGHT 0.2 /* of the newest part in the average time of a part */

static const char *const class_names[LANE_CLASSES] = {"alarm", "normal", "bulk"};

static enum lane_class
class_by_name(const char *name)
{
    for (int class = 0; class < LANE_CLASSES; class ++)
        if (strcmp(name, class_names[class]) == 0)
            return (enum lane_class) class;
    return LANE_NORMAL;
}

static enum lane_class
class_of(const struct job *job)
{
    return class_by_name(job->delivery->class);
}

static void
lane_free(gpointer data)
{
    struct lane *lane = data;

    lane_health_free(lane);
    gateway_free(lane->gateway);
    for (int class = 0; class < LANE_CLASSES; class ++)
        g_queue_clear(&lane->waiting[class]);
    g_free(lane->id);
    g_free(lane);
}

static struct lane *
lane_new(struct dispatch *dispatch, const struct conf_gateway *settings)
{
    struct lane *lane = g_new0(struct lane, 1);

    lane->dispatch = dispatch;
    lane->id = g_strdup(settings->id);
    lane->gateway = gateway_new(settings, dispatch->gateways);
    for (int class = 0; class < LANE_CLASSES; class ++)
        g_queue_init(&lane->waiting[class]);
    return lane;
}

/* A job that has left its lane before its part was with the gateway: if it was the one to try it
 * with, another one is. */
static void
no_trial(struct job *job)
{
    if (job->trial && job->lane->trial == TRIAL_TAKEN)
        job->lane->trial = TRIAL_OPEN;
    job->trial = false;
}

/* Everybody who waits in one lane hears why. */
static void
refuse_waiting(struct lane *lane, const struct outcome *why)
{
    struct job *job;

    for (int class = 0; class < LANE_CLASSES; class ++)
        while ((job = g_queue_pop_head(&lane->waiting[class]))) {
            lane->held[class]--;
            no_trial(job);
            job_finish(job, why);
        }
}

void
lane_send_back(struct lane *lane, gint64 patience)
{
    for (int class = 0; class < LANE_CLASSES; class ++)
        for (GList *at = lane->waiting[class].head, *next; at; at = next) {
            struct job *job = at->data;

            next = at->next;
            if (job_patience(job) > patience)
                continue;
            g_queue_delete_link(&lane->waiting[class], at);
            lane->held[class]--;
            no_trial(job);
            job->stage = JOB_FRESH;
            g_ptr_array_add(lane->dispatch->fresh, job);
        }
    round_wake(lane->dispatch);
}

static void
configure(struct lane *lane, const struct conf_gateway *settings)
{
    lane->part_ms = (double)gateway_expected_ms(lane->gateway);
    lane->weight = settings->weight;
    lane->out_after = settings->out_after;
    pace_set(&lane->pace, settings->rate, settings->burst, lane->dispatch->clk->mono());
}

void
lanes_configure(struct dispatch *dispatch)
{
    const struct conf *conf = dispatch->setup->conf;
    GHashTableIter iter;
    gpointer id, value;

    if (!dispatch->lanes)
        dispatch->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lane_free);
    for (guint i = 0; i < conf->gateways->len; i++) {
        const struct conf_gateway *settings = conf->gateways->pdata[i];
        struct lane *lane = g_hash_table_lookup(dispatch->lanes, settings->id);

        if (lane) {
            gateway_configure(lane->gateway, settings);
        } else {
            lane = lane_new(dispatch, settings);
            g_hash_table_insert(dispatch->lanes, g_strdup(settings->id), lane);
        }
        configure(lane, settings);
    }
    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        const struct conf_gateway *settings = conf_gateway(conf, id);
        struct lane *lane = value;

        lane->active = settings && settings->active;
        if (!lane->active)
            lane_send_back(lane, G_MAXINT64);
    }
    round_wake(dispatch); /* new settings may have more slots */
}

void
lanes_refuse(struct dispatch *dispatch, const struct outcome *why)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        refuse_waiting(value, why);
}

void
lanes_free(struct dispatch *dispatch)
{
    g_clear_pointer(&dispatch->lanes, g_hash_table_unref);
}

struct lane *
lane_find(struct dispatch *dispatch, const char *id)
{
    struct lane *lane = g_hash_table_lookup(dispatch->lanes, id);

    return lane && lane->active ? lane : NULL;
}

struct gateway *
lane_gateway(const struct lane *lane)
{
    return lane->gateway;
}

static guint
share_of(const struct lane *lane)
{
    GHashTableIter iter;
    gpointer value;
    guint active = 0;

    g_hash_table_iter_init(&iter, lane->dispatch->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        active += ((struct lane *)value)->active;
    return MAX(1, (guint)lane->dispatch->setup->conf->slots / MAX(1, active));
}

/* What the gateway has or gets before a job at this place of its class (0: the next). */
struct ahead {
    guint parts;
    guint sms; /* not given to it yet */
};

static struct ahead
ahead_of(const struct lane *lane, enum lane_class class, guint place)
{
    struct ahead ahead = {lane->in_flight, 0};
    guint seen = 0;

    for (int c = 0; c <= (int)class; c++)
        for (const GList *at = lane->waiting[c].head; at && (c < (int)class || seen < place);
             at = at->next) {
            const struct job *job = at->data;

            ahead.parts += job_parts_left(job);
            ahead.sms += spool_delivery_sms(job->delivery) - job_accepted(job);
            seen += c == (int)class;
        }
    return ahead;
}

/* By what the gateway needs for a part, its rate, and its pause. */
static gint64
wait_behind(const struct lane *lane, struct ahead ahead)
{
    gint64 work = (gint64)(ahead.parts * lane->part_ms / MAX(1, gateway_slots(lane->gateway)));
    gint64 rate = pace_wait(&lane->pace, ahead.sms, lane->dispatch->clk->mono());

    return MAX(lane_pause_left(lane) + work, rate);
}

static guint
sum(const guint *of_classes)
{
    guint total = 0;

    for (int class = 0; class < LANE_CLASSES; class ++)
        total += of_classes[class];
    return total;
}

/* How many of the places that are there for this class are taken: alarms have a service of their
 * own in master.cf, the others share one. */
static guint
held_beside(const struct lane *lane, enum lane_class class)
{
    return class == LANE_ALARM ? lane->held[LANE_ALARM]
                               : lane->held[LANE_NORMAL] + lane->held[LANE_BULK];
}

guint
lane_waiting(const struct lane *lane)
{
    guint waiting[LANE_CLASSES];

    for (int class = 0; class < LANE_CLASSES; class ++)
        waiting[class] = lane->waiting[class].length;
    return sum(waiting);
}

static void
busy_text(const struct lane *lane, enum lane_class class, struct outcome *why)
{
    gint64 wait_ms = wait_behind(lane, ahead_of(lane, class, G_MAXUINT));
    g_autofree char *wait = NULL;

    if (wait_ms < 90 * 1000)
        wait = g_strdup_printf("%d s", (int)(wait_ms / 1000) + 1);
    else if (wait_ms < 90 * 60 * 1000)
        wait = g_strdup_printf("%d min", (int)((wait_ms + 30000) / 60000));
    else
        wait = g_strdup_printf("%d h", (int)((wait_ms + 1800000) / 3600000));
    out_set(why, OUT_RETRY, "4.3.2", "%s: %u waiting, about %s", lane->id, sum(lane->held), wait);
}

void
lane_waits_text(const struct lane *lane, const struct job *job, struct outcome *why)
{
    if (lane_pause_left(lane) > 0)
        lane_pause_text(lane, why);
    else
        busy_text(lane, class_of(job), why);
}

static int
older_first(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct spool_delivery *one = ((const struct job *)a)->delivery;
    const struct spool_delivery *other = ((const struct job *)b)->delivery;

    (void)data;
    if (one->created != other->created)
        return one->created < other->created ? -1 : 1;
    return one->id < other->id ? -1 : one->id > other->id;
}

/* Its place if it came in now. */
static guint
place_of_newcomer(struct lane *lane, const struct job *job, enum lane_class class)
{
    guint place = g_queue_get_length(&lane->waiting[class]);

    for (const GList *at = lane->waiting[class].tail; at && older_first(job, at->data, NULL) < 0;
         at = at->prev)
        place--;
    return place;
}

/* The one that gives up its place for job: the youngest of those that go after it. NULL: none. */
static struct job *
least_of(struct lane *lane, const struct job *job)
{
    enum lane_class class = class_of(job);
    struct job *youngest = g_queue_peek_tail(&lane->waiting[class]);

    if (class == LANE_NORMAL && !g_queue_is_empty(&lane->waiting[LANE_BULK]))
        return g_queue_peek_tail(&lane->waiting[LANE_BULK]);
    return youngest && older_first(job, youngest, NULL) <= 0 ? youngest : NULL;
}

/* Would it be turned away for what the gateway does, or how many wait? ahead: before it. */
static bool
turns_away(const struct lane *lane, enum lane_class class, struct ahead ahead, gint64 patience,
           struct outcome *why)
{
    if (lane_is_out(lane))
        lane_out_text(lane, why);
    else if (lane_pause_left(lane) > patience)
        lane_pause_text(lane, why);
    else if (wait_behind(lane, ahead) > patience)
        busy_text(lane, class, why);
    else
        return false;
    return true;
}

int
lane_admit(struct lane *lane, struct job *job, struct job **ret_displaced, struct outcome *why)
{
    enum lane_class class = class_of(job);
    struct ahead ahead = ahead_of(lane, class, place_of_newcomer(lane, job, class));
    struct job *least;

    *ret_displaced = NULL;
    if (turns_away(lane, class, ahead, job_patience(job), why)) {
        lane->was_full |= !lane_is_out(lane);
        return -1;
    }
    if (held_beside(lane, class) >= share_of(lane)) {
        lane->was_full = true;
        busy_text(lane, class, why);
        if (!(least = least_of(lane, job)))
            return -1;
        /* The oldest mail keeps the places: one that came back from the queue goes before a younger
         * one. */
        g_queue_pop_tail(&lane->waiting[class_of(least)]);
        lane->held[class_of(least)]--;
        no_trial(least);
        *ret_displaced = least;
    }
    job->lane = lane;
    job->stage = JOB_WAITING;
    job->trial = lane->out;
    if (lane->out)
        lane->trial = TRIAL_TAKEN;
    lane->held[class]++;
    g_queue_insert_sorted(&lane->waiting[class], job, older_first, NULL);
    return 0;
}

int
lane_would_admit(struct dispatch *dispatch, const char *id, const char *class, gint64 patience,
                 struct route_choice *ret, struct outcome *why)
{
    struct lane *lane = lane_find(dispatch, id);
    enum lane_class of = class_by_name(class);
    struct ahead ahead;

    *ret = (struct route_choice){0};
    if (!lane) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: not configured any more, or not active", id);
        return -1;
    }
    ahead = ahead_of(lane, of, G_MAXUINT);
    ret->turn = &lane->turn;
    ret->wait_ms = wait_behind(lane, ahead);
    if (turns_away(lane, of, ahead, patience, why))
        return -1;
    if (held_beside(lane, of) >= share_of(lane)) {
        busy_text(lane, of, why);
        return -1;
    }
    ret->healthy = true;
    ret->idle = lane->in_flight + lane_waiting(lane) < gateway_slots(lane->gateway) &&
                lane_pause_left(lane) == 0 &&
                pace_wait(&lane->pace, ahead.sms, dispatch->clk->mono()) == 0;
    return 0;
}

bool
lane_waits_out(struct job *job)
{
    return !job->lane->out && job->lane->active && lane_pause_left(job->lane) <= job_patience(job);
}

void
lane_again(struct job *job)
{
    enum lane_class class = class_of(job);

    job->stage = JOB_WAITING;
    job->lane->held[class]++;
    g_queue_push_head(&job->lane->waiting[class], job);
}

void
lane_ask_back(struct lane *lane)
{
    if (lane->was_full && held_beside(lane, LANE_NORMAL) <= share_of(lane) / 2) {
        lane->was_full = false;
        post_come_back(lane->dispatch);
    }
}

void
lane_remove(struct job *job)
{
    enum lane_class class = class_of(job);

    if (g_queue_remove(&job->lane->waiting[class], job))
        job->lane->held[class]--;
    no_trial(job);
    lane_ask_back(job->lane);
}

int
lane_place(const struct job *job, gint64 *ret_wait_ms)
{
    enum lane_class class = class_of(job);
    int place = g_queue_index((GQueue *)(guintptr)&job->lane->waiting[class], job);

    *ret_wait_ms = place < 0 ? 0 : wait_behind(job->lane, ahead_of(job->lane, class, (guint)place));
    for (int before = 0; before < (int)class; before++)
        place += (int)job->lane->waiting[before].length;
    return place + 1;
}

struct job *
lane_next(struct lane *lane)
{
    gint64 now = lane->dispatch->clk->mono();
    struct job *job = NULL;
    gint64 wait;

    if (lane->in_flight >= gateway_slots(lane->gateway) || lane_waiting(lane) == 0)
        return NULL;
    wait = MAX(lane_pause_left(lane), pace_wait(&lane->pace, 0, now));
    if (wait > 0) {
        lane_wake_in(lane, wait);
        return NULL;
    }
    for (int class = 0; class < LANE_CLASSES && !job; class ++)
        job = g_queue_pop_head(&lane->waiting[class]);
    lane->in_flight++;
    pace_take(&lane->pace, job_next_part(job)->sms, now);
    return job;
}

void
lane_release(struct job *job)
{
    job->lane->in_flight--;
    job->lane->held[class_of(job)]--;
    no_trial(job);
    lane_ask_back(job->lane);
}

static void
on_result(void *context, const struct gateway_result *result)
{
    struct job *job = context;
    struct lane *lane = job->lane;
    gint64 took = lane->dispatch->clk->mono() - job->submitted;
    bool trial = job->trial;

    KILL_POINT("result-seen");
    lane->part_ms += PART_WEIGHT * ((double)took - lane->part_ms);
    job->result = result->class;
    job->result_why = result->why;
    job->result_wait_ms = result->wait_ms;
    g_free(job->result_ref);
    job->result_ref = g_strdup(result->gateway_ref);
    job->stage = JOB_RESULT;
    if (result->class != GATEWAY_ACCEPTED)
        log_warnx("%s", result->why.text);
    g_ptr_array_add(job->dispatch->results, job);
    job->trial = false; /* that is over, whatever it says */
    lane_release(job);
    lane_judge(lane, result, trial);
    round_wake(job->dispatch);
}

void
lane_submit(struct job *job)
{
    const struct spool_delivery *delivery = job->delivery;

    KILL_POINT("submitting");
    job->submitted = job->dispatch->clk->mono();
    job->submission = (struct gateway_part){
        .ref = job->part->ref,
        .number = delivery->number,
        .originator = delivery->originator,
        .encoding = delivery->encoding,
        .dcs = delivery->dcs,
        .pid = delivery->pid,
        .text = job->part->text,
        .udh = job->part->udh,
        .data = job->part->data,
        .part = job->part->seq,
        .parts = (int)delivery->parts->len,
        .phone = delivery->phone,
        .sms = job->part->sms,
        .values = delivery->extra,
    };
    gateway_submit(job->lane->gateway, &job->submission, on_result, job);
}

void
lanes_report(struct dispatch *dispatch,
             void (*each)(void *context, const struct lane_report *report), void *context)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct lane *lane = value;
        gint64 pause = lane_pause_left(lane);
        struct lane_report report = {
            .id = lane->id,
            .state = !lane->active ? "inactive"
                     : lane->out   ? lane->trial == TRIAL_NONE ? "out" : "trial"
                     : pause > 0   ? "paused"
                                   : "up",
            .reason = lane->out   ? lane->out_why.text
                      : pause > 0 ? lane->pause_why.text
                                  : "",
            .waiting = lane_waiting(lane),
            .in_flight = lane->in_flight,
            .share = share_of(lane),
            .part_ms = (gint64)lane->part_ms,
            .pause_ms = pause,
            .rate = lane->pace.rate,
            .weight = lane->weight,
        };

        each(context, &report);
    }
}
