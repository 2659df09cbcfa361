/* SPDX-License-Identifier: ISC */
/*
 * Owns the reader processes: starts them, lends each one mail at a time, watches the clock, starts
 * another where one ended. Knows whose mail each of them has, so that a crash is charged to the
 * right one. Must never look into an answer: whoever asked does.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include "transport/reader/client.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_SECONDS 5 /* past the reader's own wall clock limit */
#define RESTART_USEC  G_USEC_PER_SEC
#define URGENT_IN_ROW 8 /* then one that is not urgent gets its turn */

struct reader {
    struct readers *pool;
    pid_t pid;
    int fd;
    sd_event_source *io;
    sd_event_source *timer;
    GByteArray *input;
    struct reading *reading; /* NULL: idle */
    bool ready;              /* it has said that it started */
    bool overtime;           /* we end it because it took too long */
    guint answers;
};

struct readers {
    struct dispatch *dispatch;
    guint wanted;
    GPtrArray *running;     /* struct reader * */
    GQueue urgent, waiting; /* struct reading * */
    guint urgent_in_row;    /* while others waited */
    bool failing;           /* the last one that started did not come up */
    sd_event_source *restart;
};

static void start_missing(struct readers *readers);

/* The one whose turn it is, out of its queue; NULL if there is none. */
static struct reading *
next_waiting(struct readers *readers)
{
    bool others = !g_queue_is_empty(&readers->waiting);

    if (g_queue_is_empty(&readers->urgent) || (others && readers->urgent_in_row >= URGENT_IN_ROW)) {
        readers->urgent_in_row = 0;
        return g_queue_pop_head(&readers->waiting);
    }
    readers->urgent_in_row = others ? readers->urgent_in_row + 1 : 0;
    return g_queue_pop_head(&readers->urgent);
}

static void
reader_free(struct reader *reader)
{
    g_ptr_array_remove(reader->pool->running, reader);
    sd_event_source_disable_unref(reader->io);
    sd_event_source_disable_unref(reader->timer);
    close(reader->fd);
    g_byte_array_unref(reader->input);
    g_free(reader);
}

static int
reader_kill(const struct reader *reader)
{
    int status = 0;

    kill(reader->pid, SIGKILL);
    while (waitpid(reader->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* How a reader ended, as far as its mail is concerned. */
enum reader_end {
    END_RETIRED, /* its own choice, with nothing in hand */
    END_CRASH,   /* the mail's fault, as far as one can see */
    END_OTHER,   /* ours or the machine's: no evidence against the mail */
};

static enum reader_end
reader_reap(const struct reader *reader)
{
    int status = reader_kill(reader);

    if (reader->overtime)
        return END_OTHER; /* logged where it was found out */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && reader->answers >= READER_RETIRES_AFTER)
        return END_RETIRED;
    if (WIFSIGNALED(status))
        log_warnx("reader %d died with signal %d", (int)reader->pid, WTERMSIG(status));
    else
        log_warnx("reader %d ended with status %d", (int)reader->pid, WEXITSTATUS(status));
    /* The wall clock ends readers of a machine that stands still as well. */
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? END_OTHER : END_CRASH;
    return WEXITSTATUS(status) == 0 || !reader->ready ? END_OTHER : END_CRASH;
}

/* One that did not even start must not be started over and over. */
static void
restart_later(struct readers *readers)
{
    sd_event_source_set_time_relative(readers->restart, RESTART_USEC);
    sd_event_source_set_enabled(readers->restart, SD_EVENT_ONESHOT);
}

/* No reader comes up: whoever waits for one hears it, and comes again. */
static void
refuse_waiting(struct readers *readers)
{
    struct outcome why;
    struct reading *reading;

    for (guint i = 0; i < readers->running->len; i++)
        if (((struct reader *)readers->running->pdata[i])->ready)
            return;
    out_set(&why, OUT_RETRY, "4.3.0", "postsms-reader does not start; see the log of postsmsd");
    while ((reading = next_waiting(readers)))
        reading->kind->refused(reading, &why);
}

static void
reader_ended(struct reader *reader)
{
    struct readers *readers = reader->pool;
    struct reading *reading = reader->reading;
    bool ready = reader->ready;
    enum reader_end end = reader_reap(reader);
    struct outcome why;

    reader_free(reader);
    if (!ready)
        readers->failing = true;
    if (!ready || end == END_OTHER) {
        restart_later(readers);
        refuse_waiting(readers);
    } else {
        start_missing(readers);
    }
    if (!reading)
        return;
    out_set(&why, OUT_RETRY, "4.3.0",
            "the mail could not be read in time, or its reader was ended");
    if (end == END_CRASH)
        reading->kind->died(reading);
    else
        reading->kind->refused(reading, &why);
}

static void
reader_give(struct reader *reader, struct reading *reading)
{
    int mail = reading->kind->mail(reading);
    struct outcome why;
    int asked;

    if (mail < 0)
        return; /* nobody waits for it any more */
    reader->reading = reading;
    sd_event_source_set_time_relative(reader->timer, (READER_WALL_SECONDS + GRACE_SECONDS) *
                                                         (uint64_t)G_USEC_PER_SEC);
    sd_event_source_set_enabled(reader->timer, SD_EVENT_ONESHOT);
    asked = reading->rewrite ? reader_ask_rewrite(reader->fd, mail, &why)
                             : reader_ask(reader->fd, mail, &why);
    if (asked < 0) {
        /* Nobody has read anything: another reader takes it. */
        reader->reading = NULL;
        g_queue_push_head(reading->urgent ? &reader->pool->urgent : &reader->pool->waiting,
                          reading);
        reader_ended(reader);
    }
}

static struct reader *
idle_reader(struct readers *readers)
{
    for (guint i = 0; i < readers->running->len; i++) {
        struct reader *reader = readers->running->pdata[i];

        if (reader->ready && !reader->reading && reader->answers < READER_RETIRES_AFTER)
            return reader;
    }
    return NULL;
}

static void
hand_out(struct readers *readers)
{
    struct reader *reader;
    struct reading *reading;

    while ((reader = idle_reader(readers)) && (reading = next_waiting(readers)))
        reader_give(reader, reading);
}

/* Takes what came; false if the reader does not speak its own language any more. */
static bool
reader_input(struct reader *reader)
{
    const char *input = (const char *)reader->input->data;
    struct reading *reading = reader->reading;
    g_autoptr(Wire) wire = NULL;
    struct outcome why;
    gsize used;
    int complete = wire_parse_frame(input, reader->input->len, &wire, &used, &why);

    if (complete == 0)
        return true;
    if (complete == 1 && !reader->ready && wire_get(wire, READER_HELLO)) {
        reader->ready = true;
        reader->pool->failing = false;
    } else if (complete == 1 && !reading) {
        log_warnx("reader %d gave an answer without a question", (int)reader->pid);
        return false;
    } else if (complete < 0 || !reading->kind->answered(reading, wire, input, used, &why)) {
        log_warnx("reader %d gave an answer that is none: %s", (int)reader->pid, why.text);
        return false;
    } else {
        reader->reading = NULL;
        reader->answers++;
        sd_event_source_set_enabled(reader->timer, SD_EVENT_OFF);
    }
    g_byte_array_remove_range(reader->input, 0, (guint)used);
    return true;
}

static int
on_reader(sd_event_source *source, int fd, uint32_t events, void *data)
{
    static guint8 buffer[65536];
    struct reader *reader = data;
    gssize got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    (void)source;
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got > 0)
        g_byte_array_append(reader->input, buffer, (guint)got);
    if (got <= 0 || !reader_input(reader))
        reader_ended(reader);
    else
        hand_out(reader->pool);
    return 0;
}

static int
on_overtime(sd_event_source *source, uint64_t usec, void *data)
{
    struct reader *reader = data;

    (void)source;
    (void)usec;
    log_warnx("reader %d took longer than %d s over one mail", (int)reader->pid,
              READER_WALL_SECONDS + GRACE_SECONDS);
    reader->overtime = true;
    reader_ended(reader);
    return 0;
}

static bool
start_one(struct readers *readers)
{
    struct reader *reader = g_new0(struct reader, 1);
    struct outcome why;

    reader->pool = readers;
    if (reader_start(&reader->pid, &reader->fd, &why) < 0) {
        log_err("%s", why.text);
        g_free(reader);
        return false;
    }
    reader->input = g_byte_array_new();
    g_ptr_array_add(readers->running, reader);
    if (sd_event_add_io(readers->dispatch->loop, &reader->io, reader->fd, EPOLLIN, on_reader,
                        reader) < 0 ||
        sd_event_add_time_relative(readers->dispatch->loop, &reader->timer, CLOCK_MONOTONIC,
                                   G_USEC_PER_SEC, 0, on_overtime, reader) < 0) {
        log_err("reader %d cannot be watched", (int)reader->pid);
        reader_reap(reader);
        reader_free(reader);
        return false;
    }
    sd_event_source_set_enabled(reader->timer, SD_EVENT_OFF);
    return true;
}

static void
start_missing(struct readers *readers)
{
    while (readers->running->len < readers->wanted)
        if (!start_one(readers)) {
            restart_later(readers);
            return;
        }
    hand_out(readers);
}

static int
on_restart(sd_event_source *source, uint64_t usec, void *data)
{
    (void)source;
    (void)usec;
    start_missing(data);
    return 0;
}

struct readers *
readers_new(struct dispatch *dispatch)
{
    struct readers *readers = g_new0(struct readers, 1);
    int error;

    readers->dispatch = dispatch;
    readers->running = g_ptr_array_new();
    g_queue_init(&readers->urgent);
    g_queue_init(&readers->waiting);
    error = sd_event_add_time_relative(dispatch->loop, &readers->restart, CLOCK_MONOTONIC,
                                       RESTART_USEC, 0, on_restart, readers);
    g_assert(error >= 0); /* fails only without memory */
    sd_event_source_set_enabled(readers->restart, SD_EVENT_OFF);
    return readers;
}

void
readers_resize(struct readers *readers, guint count)
{
    readers->wanted = count;
    for (guint i = readers->running->len; i-- > 0 && readers->running->len > count;) {
        struct reader *reader = readers->running->pdata[i];

        if (!reader->reading) {
            reader_kill(reader);
            reader_free(reader);
        }
    }
    start_missing(readers);
}

void
readers_free(struct readers *readers)
{
    struct reading *reading;
    struct outcome why;

    out_set(&why, OUT_RETRY, "4.3.2", "postsmsd is stopping");
    while (readers->running->len > 0) {
        struct reader *reader = readers->running->pdata[0];

        reading = reader->reading;
        reader_kill(reader);
        reader_free(reader);
        if (reading)
            reading->kind->refused(reading, &why);
    }
    while ((reading = next_waiting(readers)))
        reading->kind->refused(reading, &why);
    g_ptr_array_unref(readers->running);
    sd_event_source_disable_unref(readers->restart);
    g_free(readers);
}

bool
readers_there(const struct readers *readers)
{
    for (guint i = 0; i < readers->running->len; i++)
        if (((const struct reader *)readers->running->pdata[i])->ready)
            return true;
    return readers->running->len > 0 && !readers->failing;
}

void
readers_add(struct readers *readers, struct reading *reading)
{
    g_queue_push_tail(reading->urgent ? &readers->urgent : &readers->waiting, reading);
    hand_out(readers);
}

bool
readers_take_back(struct readers *readers, struct reading *reading)
{
    return g_queue_remove(reading->urgent ? &readers->urgent : &readers->waiting, reading);
}
