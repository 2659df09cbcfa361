/* SPDX-License-Identifier: ISC */
/*
 * Owns control.sock, by which "postsms" changes what is on its way and asks what only the daemon
 * knows. A connection sends one list (command=…) and gets lists back: first ok=yes or no and text=,
 * then one for each thing asked for.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include "lib/sock.h"
#include "transport/dispatch/control.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_USEC (5 * G_USEC_PER_SEC)

struct control {
    struct dispatch *dispatch;
    char *path;
    int fd;
    sd_event_source *io;
    GHashTable *talks; /* set of struct talk * */
};

struct talk {
    struct control *control;
    int fd;
    sd_event_source *io;
    sd_event_source *timer;
    GByteArray *input;
};

static void
talk_free(struct talk *talk)
{
    g_hash_table_remove(talk->control->talks, talk);
    sd_event_source_disable_unref(talk->io);
    sd_event_source_disable_unref(talk->timer);
    close(talk->fd);
    g_byte_array_unref(talk->input);
    g_free(talk);
}

static void
head(GString *answer, bool ok, const char *text)
{
    wire_put(answer, "ok", ok ? "yes" : "no");
    wire_put(answer, "text", text);
    wire_end(answer);
}

static gint64
id_of(const struct wire *wire)
{
    return wire_get_int(wire, "id", 1, G_MAXINT64, 0);
}

/* The delivery as it is in memory, or from the ledger (*ret_loaded, the caller's). */
static struct spool_delivery *
delivery_by_id(struct dispatch *dispatch, gint64 id, struct job **ret_job,
               struct spool_delivery **ret_loaded)
{
    struct outcome why;

    *ret_job = job_of_delivery(dispatch, id);
    *ret_loaded = NULL;
    if (*ret_job)
        return (*ret_job)->delivery;
    if (round_open_ledger(dispatch) < 0 || spool_get(dispatch->spool, id, ret_loaded, &why) < 0)
        return NULL;
    return *ret_loaded;
}

static guint
count_state(const struct spool_delivery *delivery, enum part_state state)
{
    guint count = 0;

    for (guint i = 0; i < delivery->parts->len; i++)
        count += ((struct spool_part *)delivery->parts->pdata[i])->state == state;
    return count;
}

static void
cancel(struct dispatch *dispatch, const struct wire *wire, GString *answer)
{
    g_autoptr(SpoolDelivery) loaded = NULL;
    struct job *job;
    struct spool_delivery *delivery = delivery_by_id(dispatch, id_of(wire), &job, &loaded);
    g_autofree char *text = NULL;
    struct outcome verdict, why;

    if (!delivery || strcmp(delivery->state, "open") != 0) {
        head(answer, false, delivery ? "it is not waiting any more" : "there is no such message");
        return;
    }
    if (job && (job->stage == JOB_SUBMITTING || job->stage == JOB_RESULT)) {
        job->cancelled = true;
        round_cancel_rest(dispatch, delivery);
        if (spool_commit(dispatch->spool, &why) < 0) {
            head(answer, false, why.text);
            return;
        }
        text = g_strdup_printf("part %d is with the gateway; nothing after it will be sent",
                               job->part->seq);
        head(answer, true, text);
        return;
    }
    if (count_state(delivery, PART_UNKNOWN) > 0) {
        head(answer, false, "a part may have been sent; see \"postsms resolve\"");
        return;
    }
    round_cancel(dispatch, delivery, &verdict);
    if (spool_commit(dispatch->spool, &why) < 0) {
        head(answer, false, why.text);
        verdict = why; /* what is in memory is not what the ledger has: Postfix brings it again */
    } else {
        head(answer, true, verdict.text);
    }
    if (job) {
        if (job->stage == JOB_WAITING)
            lane_remove(job);
        g_ptr_array_remove(dispatch->fresh, job);
        job_finish(job, &verdict);
    }
    post_come_back(dispatch); /* Postfix asks, and tells the sender */
}

static void
resolve(struct dispatch *dispatch, const struct wire *wire, GString *answer)
{
    static const struct {
        const char *word;
        enum part_state state;
        const char *detail;
    } ways[] = {
        {"sent", PART_ACCEPTED, "the operator says it was sent"},
        {"resend", PART_PLANNED, "the operator says send it again"},
        {"drop", PART_GAVE_UP, "the operator says drop it"},
    };
    g_autoptr(SpoolDelivery) loaded = NULL;
    struct job *job;
    struct spool_delivery *delivery = delivery_by_id(dispatch, id_of(wire), &job, &loaded);
    const char *word = wire_get(wire, "how");
    gint64 now = dispatch->clk->wall();
    struct outcome why;
    guint way = 0;

    while (way < G_N_ELEMENTS(ways) && g_strcmp0(word, ways[way].word) != 0)
        way++;
    if (!delivery || way == G_N_ELEMENTS(ways) || job || count_state(delivery, PART_UNKNOWN) == 0) {
        head(answer, false, !delivery ? "there is no such message" : "no part of it is unknown");
        return;
    }
    for (guint i = 0; i < delivery->parts->len; i++) {
        struct spool_part *part = delivery->parts->pdata[i];

        if (part->state == PART_UNKNOWN)
            spool_part_to(dispatch->spool, delivery, part, ways[way].state, NULL, ways[way].detail,
                          now);
    }
    round_resolved(dispatch, delivery);
    if (spool_commit(dispatch->spool, &why) < 0) {
        head(answer, false, why.text);
        return;
    }
    head(answer, true, ways[way].detail);
    post_come_back(dispatch);
}

static void
report_lane(void *context, const struct lane_report *report)
{
    GString *answer = context;
    char rate[G_ASCII_DTOSTR_BUF_SIZE];

    wire_put(answer, "gateway", report->id);
    wire_put(answer, "state", report->state);
    wire_put(answer, "reason", report->reason);
    wire_put_int(answer, "waiting", report->waiting);
    wire_put_int(answer, "in-flight", report->in_flight);
    wire_put_int(answer, "share", report->share);
    wire_put_int(answer, "part-ms", report->part_ms);
    wire_put_int(answer, "pause-ms", report->pause_ms);
    wire_put(answer, "rate", g_ascii_formatd(rate, sizeof(rate), "%g", report->rate));
    wire_put_int(answer, "weight", report->weight);
    wire_end(answer);
}

static void
status(struct dispatch *dispatch, const struct wire *wire, GString *answer)
{
    bool ledger = round_open_ledger(dispatch) == 0;

    (void)wire;
    head(answer, ledger, ledger ? "" : dispatch->spool_why.text);
    lanes_report(dispatch, report_lane, answer);
}

static void
queue(struct dispatch *dispatch, const struct wire *wire, GString *answer)
{
    GHashTableIter iter;
    gpointer key;

    (void)wire;
    head(answer, true, "");
    g_hash_table_iter_init(&iter, dispatch->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct job *job = key;
        gint64 wait_ms;

        if (job->stage != JOB_WAITING && job->stage != JOB_SUBMITTING)
            continue;
        wire_put_int(answer, "id", job->delivery->id);
        wire_put_int(answer, "place", job->stage == JOB_WAITING ? lane_place(job, &wait_ms) : 0);
        wire_put_int(answer, "wait-ms", job->stage == JOB_WAITING ? wait_ms : 0);
        wire_end(answer);
    }
}

static void
answer_talk(struct talk *talk, const struct wire *wire)
{
    static const struct {
        const char *command;
        void (*run)(struct dispatch *dispatch, const struct wire *wire, GString *answer);
    } commands[] = {{CONTROL_CANCEL, cancel},
                    {CONTROL_RESOLVE, resolve},
                    {CONTROL_STATUS, status},
                    {CONTROL_QUEUE, queue}};
    g_autoptr(GString) answer = g_string_new(NULL);
    const char *command = wire_get(wire, "command");

    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_strcmp0(command, commands[i].command) == 0)
            commands[i].run(talk->control->dispatch, wire, answer);
    if (answer->len == 0)
        head(answer, false, "no such command; postsms and postsmsd do not match");
    wire_end(answer);
    if (sock_write_all(talk->fd, answer->str, answer->len) < 0)
        log_warn("control.sock: answer");
    talk_free(talk);
}

static int
on_talk(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct talk *talk = data;
    g_autoptr(Wire) wire = NULL;
    guint8 buffer[4096];
    struct outcome why;
    gsize used;
    gssize got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    int complete;

    (void)source;
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) {
        talk_free(talk);
        return 0;
    }
    g_byte_array_append(talk->input, buffer, (guint)got);
    complete = wire_parse((const char *)talk->input->data, talk->input->len, CONTROL_MAX, &wire,
                          &used, &why);
    if (complete < 0) {
        log_warnx("control.sock: %s", why.text);
        talk_free(talk);
    } else if (complete == 1) {
        answer_talk(talk, wire);
    }
    return 0;
}

static int
on_patience(sd_event_source *source, uint64_t usec, void *data)
{
    (void)source;
    (void)usec;
    talk_free(data);
    return 0;
}

static int
on_accept(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct control *control = data;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    struct timeval patience = {5, 0};
    struct talk *talk;
    uid_t uid;

    (void)source;
    (void)events;
    if (peer < 0)
        return 0;
    /* Answers may be long: they are written blocking, but not for ever. */
    setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!sock_peer_is_own(peer, &uid)) {
        log_warnx("control.sock: user %ld may not give orders", (long)uid);
        close(peer);
        return 0;
    }
    talk = g_new0(struct talk, 1);
    talk->control = control;
    talk->fd = peer;
    talk->input = g_byte_array_new();
    g_hash_table_add(control->talks, talk);
    if (sd_event_add_io(control->dispatch->loop, &talk->io, peer, EPOLLIN, on_talk, talk) < 0 ||
        sd_event_add_time_relative(control->dispatch->loop, &talk->timer, CLOCK_MONOTONIC,
                                   PATIENCE_USEC, 0, on_patience, talk) < 0)
        talk_free(talk);
    return 0;
}

struct control *
control_open(const char *path, const char *owner, struct outcome *why)
{
    struct control *control = g_new0(struct control, 1);

    control->path = g_strdup(path);
    control->talks = g_hash_table_new(NULL, NULL);
    if (sock_listen(path, 0600, owner, NULL, &control->fd, why) == 0)
        return control;
    g_hash_table_unref(control->talks);
    g_free(control->path);
    g_free(control);
    return NULL;
}

int
control_start(struct dispatch *dispatch, struct control *control, struct outcome *why)
{
    control->dispatch = dispatch;
    if (sd_event_add_io(dispatch->loop, &control->io, control->fd, EPOLLIN, on_accept, control) >=
        0)
        return 0;
    out_set(why, OUT_BUG, "4.3.0", "control.sock cannot be watched");
    return -1;
}

void
control_free(struct control *control)
{
    g_autoptr(GList) talks = g_hash_table_get_keys(control->talks);

    for (GList *at = talks; at; at = at->next)
        talk_free(at->data);
    sd_event_source_disable_unref(control->io);
    close(control->fd);
    unlink(control->path);
    g_hash_table_unref(control->talks);
    g_free(control->path);
    g_free(control);
}
