/* SPDX-License-Identifier: ISC */
/*
 * Owns deliver.sock and its connections: who may talk, the envelope, the deadline, the answer. The
 * mail behind the envelope is never read here: not one octet too many is taken from the socket, a
 * reader gets it as it is.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/killpoint.h"
#include "lib/log.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENVELOPE_SECONDS 10    /* for the envelope to come */
#define ANSWER_BEFORE_MS 15000 /* the answer leaves this long before the pipe's deadline */

struct conn {
    struct dispatch *dispatch;
    int fd;
    sd_event_source *io;
    sd_event_source *timer;
    gint64 started;
    gint64 answer_at; /* milliseconds, monotonic */
    bool has_request;
    struct request request;
    struct job *job;
};

const struct request *
conn_request(const struct conn *conn)
{
    return &conn->request;
}

int
conn_fd(const struct conn *conn)
{
    return conn->fd;
}

bool
conn_alive(const struct conn *conn)
{
    struct pollfd one = {conn->fd, 0, 0};

    return poll(&one, 1, 0) == 0;
}

gint64
conn_patience(const struct conn *conn)
{
    return conn->answer_at - conn->dispatch->clk->mono();
}

void
conn_set_job(struct conn *conn, struct job *job)
{
    conn->job = job;
}

static void
conn_free(struct conn *conn)
{
    g_hash_table_remove(conn->dispatch->conns, conn);
    sd_event_source_disable_unref(conn->io);
    sd_event_source_disable_unref(conn->timer);
    close(conn->fd);
    if (conn->has_request)
        request_clear(&conn->request);
    g_free(conn);
}

void
conn_answer(struct conn *conn, const struct job *job, const struct outcome *verdict)
{
    g_autofree char *line = NULL;

    if (out_exit(verdict->kind) == 0)
        line = g_strdup_printf("0 %s\n", verdict->text);
    else
        line = g_strdup_printf("%d %s %s\n", out_exit(verdict->kind), verdict->dsn, verdict->text);
    if (conn->has_request)
        job_log(conn->dispatch, job, &conn->request, conn->started, verdict);
    KILL_POINT("verdict-before");
    if (send(conn->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE)
        log_warn("deliver.sock: answer");
    KILL_POINT("verdict-after");
    conn_free(conn);
}

static void
conn_gone(struct conn *conn)
{
    struct job *job = conn->job;

    if (job)
        job_conn_gone(job, conn);
    conn_free(conn);
}

static int
on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
    struct conn *conn = data;
    struct job *job = conn->job;
    struct outcome why;

    (void)source;
    (void)usec;
    if (conn->has_request && !job) {
        conn_free(conn); /* its pipe is gone, only that was not told yet */
        return 0;
    }
    if (!conn->has_request) {
        out_set(&why, OUT_RETRY, "4.3.0", "no envelope within %d s", ENVELOPE_SECONDS);
        log_warnx("deliver.sock: %s", why.text);
    } else if (job->stage == JOB_SUBMITTING || job->stage == JOB_RESULT) {
        out_set(&why, OUT_RETRY, "4.3.2", "%s: part %d of %u is still being sent",
                job->delivery->gateway, job->part->seq, job->delivery->parts->len);
    } else if (job->stage == JOB_WAITING) {
        lane_waits_text(job->lane, job, &why);
    } else {
        out_set(&why, OUT_RETRY, "4.3.2", "postsmsd: too busy to read the mail");
    }
    if (job)
        job_add_sent_parts(job, &why);
    conn_answer(conn, job, &why);
    if (job)
        job_conn_gone(job, conn);
    return 0;
}

static void
begin_request(struct conn *conn)
{
    /* The mail is the reader's now. Without events only the end of the other side is told. */
    gint64 wait = conn->request.deadline_ms - ANSWER_BEFORE_MS;

    KILL_POINT("envelope");
    if (wait < conn->request.deadline_ms / 2)
        wait = conn->request.deadline_ms / 2;
    conn->answer_at = conn->dispatch->clk->mono() + wait;
    sd_event_source_set_io_events(conn->io, 0);
    sd_event_source_set_time_relative(conn->timer, (uint64_t)wait * 1000);
    sd_event_source_set_enabled(conn->timer, SD_EVENT_ONESHOT);
    conn->job = job_new(conn->dispatch, conn);
    job_begin(conn->job);
}

static void
read_envelope(struct conn *conn)
{
    static char buffer[WIRE_ENVELOPE_MAX];
    g_autoptr(Wire) wire = NULL;
    struct outcome why;
    gsize used;
    gssize got = recv(conn->fd, buffer, sizeof(buffer), MSG_PEEK | MSG_DONTWAIT);
    int complete;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        conn_free(conn); /* closed before it asked for anything */
        return;
    }
    complete = wire_parse(buffer, (gsize)got, sizeof(buffer), &wire, &used, &why);
    if (complete == 1 && recv(conn->fd, buffer, used, MSG_DONTWAIT) != (gssize)used) {
        out_set(&why, OUT_BUG, "4.3.0", "the envelope changed while it was read");
        complete = -1;
    }
    if (complete == 1 && request_from_wire(wire, &conn->request, &why) < 0)
        complete = -1;
    explicit_bzero(buffer, (gsize)got);
    if (complete < 0) {
        log_warnx("deliver.sock: %s", why.text);
        conn_answer(conn, NULL, &why);
    } else if (complete == 1) {
        conn->has_request = true;
        begin_request(conn);
    }
}

static int
on_conn(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct conn *conn = data;

    (void)source;
    (void)fd;
    if (!conn->has_request)
        read_envelope(conn);
    else if (events & (EPOLLHUP | EPOLLERR))
        conn_gone(conn);
    return 0;
}

static void
conn_new(void *context, int fd)
{
    struct dispatch *dispatch = context;
    struct conn *conn = g_new0(struct conn, 1);

    conn->dispatch = dispatch;
    conn->fd = fd;
    conn->started = dispatch->clk->mono();
    g_hash_table_add(dispatch->conns, conn);
    /* Edge-triggered: an envelope that is not complete yet must not keep the loop busy. */
    if (sd_event_add_io(dispatch->loop, &conn->io, fd, EPOLLIN | EPOLLET, on_conn, conn) < 0 ||
        sd_event_add_time_relative(dispatch->loop, &conn->timer, CLOCK_MONOTONIC,
                                   ENVELOPE_SECONDS * G_USEC_PER_SEC, 0, on_deadline, conn) < 0) {
        log_warnx("deliver.sock: a connection could not be watched");
        conn_free(conn);
    }
}

int
server_start(struct dispatch *dispatch, struct outcome *why)
{
    return listener_start(dispatch->deliver, dispatch->loop, conn_new, dispatch, why);
}

void
server_stop(struct dispatch *dispatch)
{
    g_autoptr(GList) conns = g_hash_table_get_keys(dispatch->conns);
    struct outcome why;

    g_clear_pointer(&dispatch->deliver, listener_free);
    out_set(&why, OUT_RETRY, "4.3.2", "postsmsd is stopping");
    for (GList *at = conns; at; at = at->next) {
        struct conn *conn = at->data;

        if (!conn->job)
            conn_answer(conn, NULL, &why);
    }
}
