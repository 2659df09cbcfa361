/* SPDX-License-Identifier: ISC */
/*
 * What the files of postsmsd share. One thread, one event loop. A connection (one postsms-pipe)
 * brings a request; the request becomes a job; the job goes to a reader, through a round of the
 * ledger, into the lane of a gateway, and back through a round for each part; the verdict goes to
 * every connection that waits for the job.
 *
 *   server.c  connections    readers.c  the reader processes    job.c   a job's life and verdict
 *   ask.c     ask.sock       round.c    ledger groups           lane.c  one queue a gateway
 *                            plan.c     gateway and parts
 */
#ifndef TRANSPORT_DISPATCH_DISPATCH_H
#define TRANSPORT_DISPATCH_DISPATCH_H

#include "lib/clk.h"
#include "spool/spool.h"
#include "transport/dispatch/decide.h"
#include "transport/gateway/gateway.h"
#include <systemd/sd-event.h>

struct asks;
struct conn;
struct control;
struct job;
struct keeper;
struct lane;
struct listener;
struct plan;
struct post;
struct readers;

struct dispatch {
    sd_event *loop;
    const struct clk *clk;
    struct setup *setup;
    struct spool *spool;      /* NULL while the ledger cannot be opened */
    struct outcome spool_why; /* why not */
    struct readers *readers;
    struct asks *asks;
    struct post *post;
    struct keeper *keeper;
    struct listener *deliver;
    GHashTable *conns; /* set of struct conn * */
    GHashTable *jobs;  /* set of struct job * */
    struct gateway_host *gateways;
    GHashTable *lanes; /* gateway id → struct lane * */
    GPtrArray *fresh;  /* jobs that a reader is done with, for the next round */
    GPtrArray
        *results; /* jobs whose part in flight has a result, for the next round; never dropped */
    sd_event_source *round;
    sd_event_source *round_later; /* after a group that failed */
    bool stopping;
    guint stop_tries; /* groups that failed since */
};

/* A mail that somebody wants read. Its owner keeps it until one of kind's calls came. */
struct reading {
    const struct reading_kind *kind;
    void *owner;
    bool rewrite; /* asked for a rewrite (lib/ask.h), else for a view */
    bool urgent;  /* an SMTP client waits */
};

struct reading_kind {
    /* The descriptor to lend, -1 if nobody waits any more: that was the last call then. */
    int (*mail)(struct reading *reading);
    /* The reader's frame; false: it is not what was asked for, why says so, died comes next. */
    bool (*answered)(struct reading *reading, const struct wire *wire, const char *frame, gsize len,
                     struct outcome *why);
    /* The reader died over it, as far as one can see by its own fault. */
    void (*died)(struct reading *reading);
    /* It was not read, by nobody's fault or ours. */
    void (*refused)(struct reading *reading, const struct outcome *why);
};

enum job_stage {
    JOB_READING,    /* with a reader, or waiting for one */
    JOB_FRESH,      /* in dispatch->fresh */
    JOB_WAITING,    /* in a lane */
    JOB_SUBMITTING, /* a part is with the gateway */
    JOB_RESULT,     /* in dispatch->results */
};

struct job {
    struct dispatch *dispatch;
    struct setup *setup; /* as it was when the request came */
    enum job_stage stage;
    struct reading reading;
    GPtrArray *conns;        /* struct conn *, not owned; empty: nobody waits any more */
    struct request *request; /* a copy of the first connection's */
    gint64 started;          /* milliseconds, monotonic */
    struct mail_view *view;
    struct identity identity;
    const char *declared;            /* class that the ledger knows for its queue id; static */
    char *rule, *notes;              /* for the log */
    struct spool_delivery *delivery; /* from its round on */
    struct lane *lane;               /* from WAITING on */
    struct spool_part *part;         /* in flight, or settled and not yet in the ledger */
    struct gateway_part submission;  /* what the gateway was given; points into delivery */
    enum gateway_class result;       /* of part */
    struct outcome result_why;       /* and its sentence */
    char *result_ref;
    gint64 result_wait_ms;  /* a pause that came with it */
    bool trial;             /* the one message that a gateway which is out is tried with */
    GHashTable *tried;      /* set of ids: gateways that had it and could not, in this offer */
    struct plan *before;    /* while a group is open: what it was before it moved */
    gint64 submitted;       /* milliseconds, monotonic */
    char *last_reason;      /* of the last verdict, before this offer; NULL if there was none */
    bool cancelled;         /* nothing after the part in flight */
    GArray *saved;          /* enum part_state: as the ledger has them, while a group is open */
    struct outcome verdict; /* when finished */
};

/* listener.c */
/* run_dir/NAME, 0660 and of that group if it exists; owner as in sock_listen. name must be static.
 */
struct listener *listener_open(const struct conf *conf, const char *name, const char *owner,
                               const char *group, struct outcome *why);
/* From now on come is called with each connection of somebody who may, non-blocking and its own. */
int listener_start(struct listener *listener, sd_event *loop, void (*come)(void *context, int fd),
                   void *context, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* Closes and removes the socket. */
void listener_free(struct listener *listener);

/* server.c */
int server_start(struct dispatch *dispatch, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void server_stop(struct dispatch *dispatch);
const struct request *conn_request(const struct conn *conn);
int conn_fd(const struct conn *conn);
/* True while postsms-pipe is there: a mail whose pipe died may have ended too early. */
bool conn_alive(const struct conn *conn);
/* How long it still waits for an answer, in milliseconds. */
gint64 conn_patience(const struct conn *conn);
/* Moves a connection to another job. */
void conn_set_job(struct conn *conn, struct job *job);
/* The verdict: log line, answer, end of the connection. job may be NULL. */
void conn_answer(struct conn *conn, const struct job *job, const struct outcome *verdict);

/* job.c */
struct job *job_new(struct dispatch *dispatch, struct conn *conn);
/* Has its mail read, and all that comes of it. */
void job_begin(struct job *job);
/* A connection is gone (only its address is used); without any left nothing more is sent, and job
 * may be freed. */
void job_conn_gone(struct job *job, const struct conn *conn);
/* The end of a job: its verdict to everybody who waits. */
void job_finish(struct job *job, const struct outcome *verdict);
/* How many SMS of it are accepted, how many parts are not, the first that is still to be sent (NULL
 * if none). */
guint job_accepted(const struct job *job);
guint job_parts_left(const struct job *job);
/* "; 1 of 3 parts were sent before", for every verdict but OK: nobody may believe that nothing
 * left. */
void job_add_sent_parts(const struct job *job, struct outcome *verdict);
struct spool_part *job_next_part(const struct job *job);
/* The log line of design section 9. conn's own request, since a joined job has several. */
void job_log(const struct dispatch *dispatch, const struct job *job, const struct request *request,
             gint64 started, const struct outcome *verdict);
/* How long its newest connection still waits, in milliseconds. */
gint64 job_patience(const struct job *job);
/* The job that holds this delivery; NULL if none does. */
struct job *job_of_delivery(const struct dispatch *dispatch, gint64 id);
/* The clock jumped: what is in memory keeps its age too. */
void jobs_clock_jumped(struct dispatch *dispatch, gint64 by_ms);
/* Frees a job that nobody waits for. */
void job_drop(struct job *job);

/* readers.c */
struct readers *readers_new(struct dispatch *dispatch);
/* Whoever waits for one hears that postsmsd is stopping. */
void readers_free(struct readers *readers);
void readers_resize(struct readers *readers, guint count);
/* Is one there to read, or about to be? */
bool readers_there(const struct readers *readers);
/* Has a mail read; urgent ones go first, but not for ever. */
void readers_add(struct readers *readers, struct reading *reading);
/* Nobody waits for it any more: true if no reader has it yet, and none will. */
bool readers_take_back(struct readers *readers, struct reading *reading);

/* ask.c */
/* listener: of ask.sock, the callee's. */
int asks_start(struct dispatch *dispatch, struct listener *listener,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* Everybody who waits hears that postsmsd is stopping; nobody comes in any more. */
void asks_stop(struct asks *asks);
void asks_free(struct asks *asks);
/* Notes that came since the last group, into the open one. */
void asks_write_notes(struct asks *asks, gint64 now);
/* What became of them: NULL if they are durable. */
void asks_notes_written(struct asks *asks, const struct outcome *why);

/* lane.c */
/* Lanes for the gateways of the set-up; those that are gone take no more parts. */
void lanes_configure(struct dispatch *dispatch);
/* Everybody who waits in a lane hears why. */
void lanes_refuse(struct dispatch *dispatch, const struct outcome *why);
void lanes_free(struct dispatch *dispatch);
/* The lane of a gateway, NULL if it is not configured or not active. */
struct lane *lane_find(struct dispatch *dispatch, const char *id);
struct gateway *lane_gateway(const struct lane *lane);
/* Why a job that waits still does: "gsm1: 100 waiting, about 7 min". */
void lane_waits_text(const struct lane *lane, const struct job *job, struct outcome *why);
/* Would this gateway take one more of that class whose sender waits so long? Fills all of *ret but
 * the gateway. -1: not now, why says what for. */
int lane_would_admit(struct dispatch *dispatch, const char *id, const char *class, gint64 patience,
                     struct route_choice *ret, struct outcome *why);
/* The gateway asked for a pause with this job's result, and it is over before its sender's patience
 * is. */
bool lane_waits_out(struct job *job);
/* Puts a job into the queue. -1: turned away at once, why says what for. *ret_displaced: a younger
 * one that gave up its place, out of the queue already; its verdict is why. */
int lane_admit(struct lane *lane, struct job *job, struct job **ret_displaced,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* The job of the part that just came back, for its next part: first in the queue. */
void lane_again(struct job *job);
void lane_remove(struct job *job);
/* 1-based place of a waiting job, and about how long it waits. */
int lane_place(const struct job *job, gint64 *ret_wait_ms);
/* The next job whose part may go now, taken from the queue and given a slot; NULL if none. */
struct job *lane_next(struct lane *lane);
/* The slot of a job whose part came back, or did not go out after all. */
void lane_release(struct job *job);
/* Hands the marked part to the gateway. Only after its group is durable. */
void lane_submit(struct job *job);

/* "gsm1: asks to wait 120 s: …" */
void lane_pause_text(const struct lane *lane, struct outcome *why);

struct lane_report {
    const char *id, *reason;
    const char *state; /* "up", "paused", "out", "trial" or "inactive" */
    guint waiting, in_flight, share;
    gint64 part_ms, pause_ms;
    double rate;
    int weight;
};
void lanes_report(struct dispatch *dispatch,
                  void (*each)(void *context, const struct lane_report *report), void *context);

/* post.c */
int post_start(struct dispatch *dispatch, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void post_free(struct dispatch *dispatch);
/* Hands over the oldest mail of ours, if none is under way. */
void post_send(struct dispatch *dispatch);
/* Asks Postfix soon, and not more often than it likes, to offer again what is deferred. */
void post_come_back(struct dispatch *dispatch);
/* One mail to alarm_to; written with the next group. */
void post_alarm(struct dispatch *dispatch, const char *what, const char *state, const char *reason);
/* One mail to the sender of a delivery that is late, and its mark. */
void post_warn_sender(struct dispatch *dispatch, const struct spool_delivery *delivery);

/* keeper.c */
int keeper_start(struct dispatch *dispatch, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void keeper_free(struct dispatch *dispatch);
/* Whoever is about to ask how old something is asks this first: a clock that jumped makes nothing
 * old. */
void keeper_look_at_clock(struct dispatch *dispatch);

/* control.c */
struct control *control_open(const char *path, const char *owner, struct outcome *why);
int control_start(struct dispatch *dispatch, struct control *control,
                  struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void control_free(struct control *control);

/* round.c */
/* Something is to be written; runs when nothing else is to be done. */
void round_wake(struct dispatch *dispatch);
int round_start(struct dispatch *dispatch, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* Opens the ledger if it is not open; -1: dispatch->spool_why. */
int round_open_ledger(struct dispatch *dispatch) G_GNUC_WARN_UNUSED_RESULT;
/* Parts that were in flight when the last postsmsd ended: asks their gateways. */
void round_settle_all(struct dispatch *dispatch);
/* Ends a delivery on an operator's word, in the open group: what is planned is cancelled. verdict
 * is for whoever waits. */
void round_cancel(struct dispatch *dispatch, struct spool_delivery *delivery,
                  struct outcome *verdict);
/* What of it no gateway has is cancelled, in the open group; the part in flight is left alone. */
void round_cancel_rest(struct dispatch *dispatch, struct spool_delivery *delivery);
/* The delivery's state after an operator settled its unknown parts, in the open group. */
void round_resolved(struct dispatch *dispatch, struct spool_delivery *delivery);
/* True if nothing is in flight and no result is unwritten. */
bool round_idle(const struct dispatch *dispatch);

#endif
