/* SPDX-License-Identifier: ISC */
/* The queue of one gateway: pauses, rates, out and back, the one message that it is tried with. The
 * clock is ours. */
#include "tests/unit/check_all.h"
#include "transport/dispatch/lane.h"

#include <string.h>

static gint64 now_ms;

static gint64
fake_time(void)
{
    return now_ms;
}

static void
no_chance(void *to, gsize count)
{
    memset(to, 0, count);
}

static const struct clk fake = {fake_time, fake_time, no_chance};

struct box {
    struct dispatch dispatch;
    struct lane *lane;
    char *dir;
};

static int
nothing(sd_event_source *source, void *data)
{
    (void)source;
    (void)data;
    return 0;
}

static struct box *
box_new(const char *more)
{
    struct box *box = g_new0(struct box, 1);
    g_autofree char *path = NULL;
    g_autofree char *rules = NULL;
    g_autofree char *text = NULL;
    g_autoptr(Faults) faults = faults_new();

    now_ms = 1000000;
    box->dir = unit_tmpdir();
    path = g_build_filename(box->dir, "postsms.conf", NULL);
    rules = g_build_filename(box->dir, "smtp.rules", NULL);
    text = g_strdup_printf("domains = { \"d\" }\nslots = 7\nmilter { rules = \"%s\" }\n"
                           "gateway \"a\" { type = \"file\" path = \"/x\" %s }\n",
                           rules, more);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    ck_assert(g_file_set_contents(rules, "", -1, NULL));
    box->dispatch.clk = &fake;
    box->dispatch.setup = setup_load(path, faults);
    ck_assert_ptr_nonnull(box->dispatch.setup);
    ck_assert_int_ge(sd_event_new(&box->dispatch.loop), 0);
    ck_assert_int_ge(
        sd_event_add_defer(box->dispatch.loop, &box->dispatch.round, nothing, &box->dispatch), 0);
    box->dispatch.fresh = g_ptr_array_new();
    box->dispatch.results = g_ptr_array_new();
    box->dispatch.jobs = g_hash_table_new(NULL, NULL);
    box->dispatch.gateways = gateway_host_new(box->dispatch.loop, &fake);
    lanes_configure(&box->dispatch);
    box->lane = lane_find(&box->dispatch, "a");
    ck_assert_ptr_nonnull(box->lane);
    return box;
}

static void
box_free(struct box *box)
{
    lanes_free(&box->dispatch);
    gateway_host_free(box->dispatch.gateways);
    g_ptr_array_unref(box->dispatch.fresh);
    g_ptr_array_unref(box->dispatch.results);
    g_hash_table_unref(box->dispatch.jobs);
    sd_event_source_unref(box->dispatch.round);
    sd_event_unref(box->dispatch.loop);
    setup_unref(box->dispatch.setup);
    unit_rmdir(box->dir);
    g_free(box->dir);
    g_free(box);
}

/* For which nobody waits: its patience is 0. */
static struct job *
job_of(struct box *box, guint sms)
{
    struct job *job = g_new0(struct job, 1);

    job->dispatch = &box->dispatch;
    job->conns = g_ptr_array_new();
    job->lane = box->lane;
    job->delivery = spool_delivery_new();
    job->delivery->class = g_strdup("normal");
    spool_delivery_add_part(job->delivery)->sms = sms;
    return job;
}

static void
job_end(struct job *job)
{
    spool_delivery_free(job->delivery);
    g_ptr_array_unref(job->conns);
    g_free(job);
}

static void
result(struct box *box, enum gateway_class class, gint64 wait_ms, bool trial)
{
    struct gateway_result result = {.class = class, .gateway_ref = "", .wait_ms = wait_ms};

    out_set(&result.why, OUT_RETRY, "4.3.0", "a: busy");
    lane_judge(box->lane, &result, trial);
}

static void
keep(void *context, const struct lane_report *report)
{
    *(struct lane_report *)context = *report;
}

static void
state_is(struct box *box, const char *state)
{
    struct lane_report seen = {0};

    lanes_report(&box->dispatch, keep, &seen);
    ck_assert_str_eq(seen.state, state);
}

static void
refuses(struct box *box, gint64 patience, const char *text)
{
    struct route_choice choice;
    struct outcome why;

    ck_assert_int_eq(lane_would_admit(&box->dispatch, "a", "normal", patience, &choice, &why), -1);
    ck_assert(!choice.healthy);
    ck_assert_str_eq(why.dsn, "4.3.2");
    ck_assert_msg(strstr(why.text, text), "%s", why.text);
}

static struct route_choice
admits(struct box *box, gint64 patience)
{
    struct route_choice choice;
    struct outcome why;

    ck_assert_msg(lane_would_admit(&box->dispatch, "a", "normal", patience, &choice, &why) == 0,
                  "%s", why.text);
    ck_assert(choice.healthy);
    return choice;
}

/* It asks for two minutes: no failure, and only for those who can wait. */
START_TEST(pauses)
{
    struct box *box = box_new("out_after = 1");
    struct job *job = job_of(box, 1);
    struct job *displaced;
    struct route_choice choice;
    struct outcome why;

    ck_assert(admits(box, 0).idle);
    result(box, GATEWAY_TEMPORARY, 120000, false);
    state_is(box, "paused");
    refuses(box, 119999, "a: asks to wait 120 s: busy");
    now_ms += 500;
    refuses(box, 0, "a: asks to wait 120 s: busy");
    now_ms += 59500;
    refuses(box, 59999, "a: asks to wait 60 s: busy");
    ck_assert_int_eq(lane_admit(box->lane, job, &displaced, &why), -1);
    ck_assert_str_eq(why.text, "a: asks to wait 60 s: busy");
    choice = admits(box, 60000);
    ck_assert(!choice.idle);
    ck_assert_int_eq(choice.wait_ms, 60000);
    /* One that waits already gets nothing either. */
    lane_again(job);
    ck_assert_ptr_null(lane_next(box->lane));
    result(box, GATEWAY_TEMPORARY, 1000, false); /* a shorter one does not end a longer one */
    now_ms += 59999;
    ck_assert_ptr_null(lane_next(box->lane));
    now_ms += 1;
    state_is(box, "up");
    ck_assert_ptr_eq(lane_next(box->lane), job);
    box_free(box);
    job_end(job);
}
END_TEST

/* Who waits and cannot wait so long has to look for another gateway. */
START_TEST(pause_sends_back)
{
    struct box *box = box_new("");
    struct job *job = job_of(box, 1);

    lane_again(job);
    result(box, GATEWAY_TEMPORARY, 10, false);
    ck_assert_uint_eq(lane_waiting(box->lane), 0);
    ck_assert_uint_eq(box->dispatch.fresh->len, 1);
    ck_assert_ptr_eq(box->dispatch.fresh->pdata[0], job);
    ck_assert_int_eq(job->stage, JOB_FRESH);
    box_free(box);
    job_end(job);
}
END_TEST

/* Two SMS at once, then one a second; a part of three SMS waits for nothing more than a turn, and
 * the next one for all of it. */
START_TEST(keeps_the_rate)
{
    static const struct {
        guint sms;
        gint64 at;
    } rows[] = {{1, 0}, {1, 0}, {1, 1000}, {3, 2000}, {1, 5000}, {1, 6000}};
    struct box *box = box_new("rate = \"1\" burst = 2");
    struct job *jobs[G_N_ELEMENTS(rows)];
    gint64 begin = now_ms;

    for (guint i = G_N_ELEMENTS(rows); i-- > 0;)
        lane_again(jobs[i] = job_of(box, rows[i].sms)); /* goes to the front */
    ck_assert_int_eq(admits(box, 60000).wait_ms, 7000); /* behind eight SMS, two of which may go */
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].at > 0) {
            now_ms = begin + rows[i].at - 1;
            ck_assert_ptr_null(lane_next(box->lane));
        }
        now_ms = begin + rows[i].at;
        ck_assert_ptr_eq(lane_next(box->lane), jobs[i]);
    }
    box_free(box);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        job_end(jobs[i]);
}
END_TEST

/* Out after so many failures in a row; an accepted or a refused part between them begins anew. */
START_TEST(goes_out)
{
    struct box *box = box_new("out_after = 2");
    struct job *job = job_of(box, 1);

    result(box, GATEWAY_TEMPORARY, 0, false);
    result(box, GATEWAY_PERMANENT, 0, false);
    result(box, GATEWAY_UNKNOWN, 0, false);
    result(box, GATEWAY_ACCEPTED, 0, false);
    result(box, GATEWAY_CONFIG, 0, false);
    state_is(box, "up");
    lane_again(job);
    result(box, GATEWAY_TEMPORARY, 0, false);
    state_is(box, "out");
    ck_assert_ptr_eq(box->dispatch.fresh->pdata[0], job);
    refuses(box, 3600000, "a: out since ");
    result(box, GATEWAY_ACCEPTED, 0, false); /* one that was under way */
    state_is(box, "up");
    box_free(box);
    job_end(job);
}
END_TEST

/* One message tries it; who leaves before that makes room for another one. */
START_TEST(is_tried)
{
    struct box *box = box_new("out_after = 1");
    struct job *first = job_of(box, 1), *second = job_of(box, 1);
    struct job *displaced;
    struct outcome why;
    guint probe_ms;

    result(box, GATEWAY_TEMPORARY, 0, false);
    probe_ms = box->lane->probe_ms;
    box->lane->trial = TRIAL_OPEN; /* as a probe would, that says "try it" */
    state_is(box, "trial");
    ck_assert(admits(box, 0).idle);
    ck_assert_int_eq(lane_admit(box->lane, first, &displaced, &why), 0);
    ck_assert(first->trial);
    state_is(box, "trial");
    refuses(box, 3600000, "a: out since ");
    ck_assert_int_eq(lane_admit(box->lane, second, &displaced, &why), -1);
    lane_remove(first);
    ck_assert(!first->trial);
    ck_assert_int_eq(lane_admit(box->lane, second, &displaced, &why), 0);
    ck_assert_ptr_eq(lane_next(box->lane), second);
    /* A group that failed takes it back. */
    lane_release(second);
    ck_assert_int_eq(box->lane->trial, TRIAL_OPEN);
    box->lane->trial = TRIAL_TAKEN;
    result(box, GATEWAY_TEMPORARY, 0, false); /* of another one, that was under way */
    ck_assert_int_eq(box->lane->trial, TRIAL_TAKEN);
    result(box, GATEWAY_UNKNOWN, 0, true);
    state_is(box, "out");
    ck_assert_uint_eq(box->lane->probe_ms, 2 * probe_ms);
    box->lane->trial = TRIAL_TAKEN;
    result(box, GATEWAY_PERMANENT, 0, true);
    state_is(box, "up");
    box_free(box);
    job_end(first);
    job_end(second);
}
END_TEST

/* Beyond its share nobody is healthy; alarms have one of their own. */
START_TEST(full_share)
{
    struct box *box = box_new("");
    struct job *jobs[7];
    struct route_choice choice;
    struct outcome why;

    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        admits(box, 0);
        lane_again(jobs[i] = job_of(box, 1));
    }
    refuses(box, 3600000, "a: 7 waiting");
    ck_assert_int_eq(lane_would_admit(&box->dispatch, "a", "alarm", 0, &choice, &why), 0);
    ck_assert_int_eq(lane_would_admit(&box->dispatch, "b", "alarm", 0, &choice, &why), -1);
    ck_assert_str_eq(why.text, "b: not configured any more, or not active");
    box_free(box);
    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++)
        job_end(jobs[i]);
}
END_TEST

UNIT_SUITE("lane", tcase_add_test(unit, pauses); tcase_add_test(unit, pause_sends_back);
           tcase_add_test(unit, keeps_the_rate); tcase_add_test(unit, goes_out);
           tcase_add_test(unit, is_tried); tcase_add_test(unit, full_share))
