/* SPDX-License-Identifier: ISC */
/*
 * Owns one queue for each gateway: its share of the slots, its order (alarms, what people write,
 * what goes to many; the oldest first), its slots at the gateway, how long a part takes, and
 * whether the gateway is out. A part leaves only after the round has "submitting" on disk; what
 * comes back is handed to the round, whoever still waits.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include <string.h>

#define FAILURES_MAX   3    /* in a row, then the gateway is out */
#define PROBE_FIRST_MS 2000 /* after it went out; then twice as long each time, up to */
#define PROBE_LAST_MS  60000
#define PART_WEIGHT    0.2 /* of the newest part in the average time of a part */

enum class { CLASS_ALARM, CLASS_NORMAL, CLASS_BULK, CLASSES };

static const char *const class_names[CLASSES] = {"alarm", "normal", "bulk"};

struct lane {
    struct dispatch *dispatch;
    struct gateway *gateway;
    char *id;
    bool active;             /* configured and active: takes parts */
    GQueue waiting[CLASSES]; /* struct job *, oldest first */
    guint held[CLASSES];     /* waiting or in flight */
    guint in_flight;
    double part_ms; /* average from submission to result */
    bool was_full;  /* somebody was turned away since the share was last half empty */
    guint failures; /* in a row */
    bool out;
    gint64 out_since; /* milliseconds since 1970 */
    struct outcome out_why;
    guint probe_ms;
    sd_event_source *probe;
};

static enum class class_of(const struct job *job) {
    for (int class = 0; class < CLASSES;
         class ++) if (strcmp(job->delivery->class, class_names[class]) ==
                       0) return (enum class) class;
    return CLASS_NORMAL;
}

static void
lane_free(gpointer data)
{
    struct lane *lane = data;

    sd_event_source_disable_unref(lane->probe);
    gateway_free(lane->gateway);
    for (int class = 0; class < CLASSES; class ++)
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
    lane->part_ms = (double)gateway_expected_ms(lane->gateway);
    for (int class = 0; class < CLASSES; class ++)
        g_queue_init(&lane->waiting[class]);
    return lane;
}

/* Everybody who waits in one lane hears why. */
static void
refuse_waiting(struct lane *lane, const struct outcome *why)
{
    struct job *job;

    for (int class = 0; class < CLASSES; class ++)
        while ((job = g_queue_pop_head(&lane->waiting[class]))) {
            lane->held[class]--;
            job_finish(job, why);
        }
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
            lane->part_ms = (double)gateway_expected_ms(lane->gateway);
        } else {
            g_hash_table_insert(dispatch->lanes, g_strdup(settings->id),
                                lane_new(dispatch, settings));
        }
    }
    g_hash_table_iter_init(&iter, dispatch->lanes);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        const struct conf_gateway *settings = conf_gateway(conf, id);
        struct lane *lane = value;
        struct outcome why;

        lane->active = settings && settings->active;
        out_set(&why, OUT_CONFIG, "4.3.5", "%s: not configured any more, or not active",
                (const char *)id);
        if (!lane->active)
            refuse_waiting(lane, &why);
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

/* Parts that the gateway has or gets before a job at this place of its class (0: the next). */
static guint
parts_ahead(const struct lane *lane, enum class class, guint place)
{
    guint parts = lane->in_flight;
    guint seen = 0;

    for (int c = 0; c <= (int)class; c++)
        for (const GList *at = lane->waiting[c].head; at && (c < (int)class || seen < place);
             at = at->next) {
            const struct job *job = at->data;

            parts += job->delivery->parts->len - job_accepted(job);
            seen += c == (int)class;
        }
    return parts;
}

static gint64
wait_for_parts(const struct lane *lane, guint parts)
{
    return (gint64)(parts * lane->part_ms / MAX(1, gateway_slots(lane->gateway)));
}

static guint
sum(const guint *of_classes)
{
    guint total = 0;

    for (int class = 0; class < CLASSES; class ++)
        total += of_classes[class];
    return total;
}

/* How many of the places that are there for this class are taken: alarms have a service of their
 * own in master.cf, the others share one. */
static guint
held_beside(const struct lane *lane, enum class class)
{
    return class == CLASS_ALARM ? lane->held[CLASS_ALARM]
                                : lane->held[CLASS_NORMAL] + lane->held[CLASS_BULK];
}

void
lane_busy_text(const struct lane *lane, const struct job *job, struct outcome *why)
{
    gint64 wait_ms = wait_for_parts(lane, parts_ahead(lane, class_of(job), G_MAXUINT));
    g_autofree char *wait = NULL;

    if (wait_ms < 90 * 1000)
        wait = g_strdup_printf("%d s", (int)(wait_ms / 1000) + 1);
    else if (wait_ms < 90 * 60 * 1000)
        wait = g_strdup_printf("%d min", (int)((wait_ms + 30000) / 60000));
    else
        wait = g_strdup_printf("%d h", (int)((wait_ms + 1800000) / 3600000));
    out_set(why, OUT_RETRY, "4.3.2", "%s: %u waiting, about %s", lane->id, sum(lane->held), wait);
}

static void
out_text(const struct lane *lane, struct outcome *why)
{
    g_autofree char *since = clk_string(lane->out_since);
    g_autofree char *own = g_strconcat(lane->id, ": ", NULL);
    const char *reason = lane->out_why.text;

    if (g_str_has_prefix(reason, own))
        reason += strlen(own); /* every gateway text begins with its id; once is enough */

    out_set(why, OUT_RETRY, "4.3.2", "%s: out since %.5s: %s", lane->id,
            since + strlen("2026-11-22T"), reason);
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
place_of_newcomer(struct lane *lane, const struct job *job, enum class class)
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
    enum class class = class_of(job);
    struct job *youngest = g_queue_peek_tail(&lane->waiting[class]);

    if (class == CLASS_NORMAL && !g_queue_is_empty(&lane->waiting[CLASS_BULK]))
        return g_queue_peek_tail(&lane->waiting[CLASS_BULK]);
    return youngest && older_first(job, youngest, NULL) <= 0 ? youngest : NULL;
}

int
lane_admit(struct lane *lane, struct job *job, struct job **ret_displaced, struct outcome *why)
{
    enum class class = class_of(job);
    struct job *least;
    gint64 patience = job_patience(job);

    *ret_displaced = NULL;
    if (lane->out) {
        out_text(lane, why);
        return -1;
    }
    if (wait_for_parts(lane, parts_ahead(lane, class, place_of_newcomer(lane, job, class))) >
        patience) {
        lane->was_full = true;
        lane_busy_text(lane, job, why);
        return -1;
    }
    if (held_beside(lane, class) >= share_of(lane)) {
        lane->was_full = true;
        lane_busy_text(lane, job, why);
        if (!(least = least_of(lane, job)))
            return -1;
        /* The oldest mail keeps the places: one that came back from the queue goes before a younger
         * one. */
        g_queue_pop_tail(&lane->waiting[class_of(least)]);
        lane->held[class_of(least)]--;
        *ret_displaced = least;
    }
    job->lane = lane;
    job->stage = JOB_WAITING;
    lane->held[class]++;
    g_queue_insert_sorted(&lane->waiting[class], job, older_first, NULL);
    return 0;
}

void
lane_again(struct job *job)
{
    enum class class = class_of(job);

    job->stage = JOB_WAITING;
    job->lane->held[class]++;
    g_queue_push_head(&job->lane->waiting[class], job);
}

static void
tell_half_empty(struct lane *lane)
{
    if (lane->was_full && held_beside(lane, CLASS_NORMAL) <= share_of(lane) / 2) {
        lane->was_full = false;
        post_come_back(lane->dispatch);
    }
}

void
lane_remove(struct job *job)
{
    enum class class = class_of(job);

    if (g_queue_remove(&job->lane->waiting[class], job))
        job->lane->held[class]--;
    tell_half_empty(job->lane);
}

int
lane_place(const struct job *job, gint64 *ret_wait_ms)
{
    enum class class = class_of(job);
    int place = g_queue_index((GQueue *)(guintptr)&job->lane->waiting[class], job);

    *ret_wait_ms =
        place < 0 ? 0 : wait_for_parts(job->lane, parts_ahead(job->lane, class, (guint)place));
    for (int before = 0; before < (int)class; before++)
        place += (int)job->lane->waiting[before].length;
    return place + 1;
}

struct job *
lane_next(struct lane *lane)
{
    struct job *job = NULL;

    if (lane->in_flight >= gateway_slots(lane->gateway))
        return NULL;
    for (int class = 0; class < CLASSES && !job; class ++)
        job = g_queue_pop_head(&lane->waiting[class]);
    if (job)
        lane->in_flight++;
    return job;
}

void
lane_release(struct job *job)
{
    job->lane->in_flight--;
    job->lane->held[class_of(job)]--;
    tell_half_empty(job->lane);
}

static void
back(struct lane *lane)
{
    lane->out = false;
    lane->failures = 0;
    lane->probe = sd_event_source_disable_unref(lane->probe);
    log_info("%s: back", lane->id);
    post_alarm(lane->dispatch, lane->id, "back", "it takes SMS again");
    post_come_back(lane->dispatch);
}

static void
on_probed(void *context, enum gateway_health health, const struct outcome *why)
{
    struct lane *lane = context;

    if (!lane->out)
        return;
    if (health != GATEWAY_ILL) {
        back(lane);
        return;
    }
    lane->out_why = *why;
    lane->probe_ms = MIN(lane->probe_ms * 2, PROBE_LAST_MS);
    sd_event_source_set_time_relative(lane->probe, (uint64_t)lane->probe_ms * 1000);
    sd_event_source_set_enabled(lane->probe, SD_EVENT_ONESHOT);
}

static int
on_probe(sd_event_source *source, uint64_t usec, void *data)
{
    struct lane *lane = data;

    (void)source;
    (void)usec;
    gateway_probe(lane->gateway, on_probed, lane);
    return 0;
}

static void
goes_out(struct lane *lane, const struct outcome *why)
{
    struct outcome text;

    lane->out = true;
    lane->out_since = lane->dispatch->clk->wall();
    lane->out_why = *why;
    lane->probe_ms = PROBE_FIRST_MS;
    log_warnx("%s: out after %u failures: %s", lane->id, lane->failures, why->text);
    post_alarm(lane->dispatch, lane->id, "out", why->text);
    out_text(lane, &text);
    refuse_waiting(lane, &text);
    if (sd_event_add_time_relative(lane->dispatch->loop, &lane->probe, CLOCK_MONOTONIC,
                                   PROBE_FIRST_MS * 1000, 0, on_probe, lane) < 0)
        log_err("%s: cannot be probed", lane->id);
}

/* What a result says about the gateway itself. */
static void
judge(struct lane *lane, enum gateway_class class, const struct outcome *why)
{
    if (class == GATEWAY_ACCEPTED || class == GATEWAY_PERMANENT) {
        lane->failures = 0;
        if (lane->out)
            back(lane);
    } else if (++lane->failures >= FAILURES_MAX && !lane->out) {
        goes_out(lane, why);
    }
}

static void
on_result(void *context, const struct gateway_result *result)
{
    struct job *job = context;
    struct lane *lane = job->lane;
    gint64 took = lane->dispatch->clk->mono() - job->submitted;

    KILL_POINT("result-seen");
    lane->part_ms += PART_WEIGHT * ((double)took - lane->part_ms);
    job->result = result->class;
    job->result_why = result->why;
    g_free(job->result_ref);
    job->result_ref = g_strdup(result->gateway_ref);
    job->stage = JOB_RESULT;
    if (result->class != GATEWAY_ACCEPTED)
        log_warnx("%s", result->why.text);
    g_ptr_array_add(job->dispatch->results, job);
    lane_release(job);
    judge(lane, result->class, &result->why);
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
        .phone = "",
        .sms = 1,
        .values = "",
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
        guint waiting[CLASSES];
        struct lane_report report = {
            .id = lane->id,
            .active = lane->active,
            .out = lane->out,
            .reason = lane->out ? lane->out_why.text : "",
            .in_flight = lane->in_flight,
            .share = share_of(lane),
            .part_ms = (gint64)lane->part_ms,
        };

        for (int class = 0; class < CLASSES; class ++)
            waiting[class] = lane->waiting[class].length;
        report.waiting = sum(waiting);
        each(context, &report);
    }
}
