/* SPDX-License-Identifier: ISC */
/*
 * Owns the milter's end of ask.sock: a connection belongs to one message at a time, one question
 * too. Runs on libmilter's threads, which may wait here; everything has a time limit. Must never
 * believe an answer's form.
 */
#include "milter/ask.h"

#include "lib/ask.h"
#include "lib/clk.h"
#include "lib/sock.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PROGRESS_MS 10000 /* the mail server hears of us so often while we wait */

#define KEPT_MAX   16   /* connections that wait for another message */
#define TRUSTED_MS 3000 /* so long the last word from postsmsd says that it is there */

struct ask {
    int fd; /* -1 once a question has failed: what comes then is not the answer to the next */
    char *path;
    gint64 heard; /* milliseconds, monotonic: when postsmsd said something last */
    bool readers;
    bool lost;
    GString *got;
};

/* Connections that no message has now. A new one costs postsmsd and us more than a question. */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ask *kept[KEPT_MAX];
static guint kept_count;

static void
ask_free(struct ask *ask)
{
    if (!ask)
        return;
    if (ask->fd >= 0)
        close(ask->fd);
    g_string_free(ask->got, TRUE);
    g_free(ask->path);
    g_free(ask);
}
typedef struct ask Ask;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ask, ask_free)

/* True while postsmsd can be believed to be there: it said something lately, and nothing since,
 * which its end would have been. */
static bool
is_good(const struct ask *ask)
{
    struct pollfd one = {.fd = ask->fd, .events = POLLIN};

    return ask->fd >= 0 && clk_system.mono() - ask->heard < TRUSTED_MS && poll(&one, 1, 0) == 0;
}

void
ask_close(struct ask *ask)
{
    if (!ask || !is_good(ask) || !ask->readers) {
        ask_free(ask);
        return;
    }
    pthread_mutex_lock(&kept_lock);
    if (kept_count < KEPT_MAX) {
        kept[kept_count++] = ask;
        ask = NULL;
    }
    pthread_mutex_unlock(&kept_lock);
    ask_free(ask);
}

/* One that waits, and is good; those that are not end here. */
static struct ask *
take_kept(const char *path)
{
    struct ask *found = NULL;

    pthread_mutex_lock(&kept_lock);
    while (!found && kept_count > 0) {
        struct ask *ask = kept[--kept_count];

        if (is_good(ask) && strcmp(ask->path, path) == 0)
            found = ask;
        else
            ask_free(ask);
    }
    pthread_mutex_unlock(&kept_lock);
    return found;
}

bool
ask_readers(const struct ask *ask)
{
    return ask->readers;
}

bool
ask_lost(const struct ask *ask)
{
    return ask->lost;
}

static int
away(struct ask *ask, struct outcome *why, const char *text)
{
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
    out_set(why, OUT_RETRY, "4.3.0", "postsmsd: %s", text);
    return -1;
}

static int
lost(struct ask *ask, struct outcome *why, const char *text)
{
    ask->lost = true;
    return away(ask, why, text);
}

static int
connect_to(struct ask *ask, const char *path, struct outcome *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = ASK_HELLO_SECONDS};

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
        return away(ask, why, "run_dir is too long for a socket's name");
    ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The limit holds for connecting too, should postsmsd be there but take nobody. */
    if (ask->fd < 0 || setsockopt(ask->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(ask->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        g_autofree char *text = g_strdup_printf("not running (%s: %s)", path, g_strerror(errno));

        return away(ask, why, text);
    }
    return 0;
}

/* Waits until there is something to read. */
static int
wait_readable(struct ask *ask, gint64 end, const struct ask_wait *wait, struct outcome *why)
{
    for (;;) {
        struct pollfd one = {.fd = ask->fd, .events = POLLIN};
        gint64 left = end - clk_system.mono();
        int ready;

        if (left <= 0)
            return away(ask, why, "no answer in time");
        ready = poll(&one, 1, (int)MIN(left, PROGRESS_MS));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return away(ask, why, g_strerror(errno));
        if (ready == 0 && wait && wait->call)
            wait->call(wait->context);
    }
}

/* The next frame. */
static int
receive(struct ask *ask, int seconds, const struct ask_wait *wait, struct wire **ret,
        struct outcome *why)
{
    gint64 end = clk_system.mono() + seconds * (gint64)1000;
    char chunk[16384];

    g_string_truncate(ask->got, 0);
    for (;;) {
        gsize used;
        int complete = wire_parse_frame(ask->got->str, ask->got->len, ret, &used, why);
        gssize got;

        if (complete > 0) {
            ask->heard = clk_system.mono();
            return 0;
        }
        if (complete < 0)
            return away(ask, why, "an answer that cannot be understood");
        if (wait_readable(ask, end, wait, why) < 0)
            return -1;
        got = recv(ask->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (got == 0)
            return lost(ask, why, "closed the connection");
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return lost(ask, why, g_strerror(errno));
        if (got > 0)
            g_string_append_len(ask->got, chunk, got);
    }
}

struct ask *
ask_open(const struct conf *conf, struct outcome *why)
{
    g_autofree char *path = conf_socket(conf, ASK_SOCKET);
    g_autoptr(Ask) ask = take_kept(path);
    g_autoptr(Wire) hello = NULL;

    if (ask)
        return g_steal_pointer(&ask);
    ask = g_new0(struct ask, 1);
    ask->fd = -1;
    ask->path = g_strdup(path);
    ask->got = g_string_new(NULL);
    if (connect_to(ask, path, why) < 0 || receive(ask, ASK_HELLO_SECONDS, NULL, &hello, why) < 0)
        return NULL;
    if (!wire_get(hello, ASK_HELLO)) {
        away(ask, why, "did not say hello");
        return NULL;
    }
    ask->readers = g_strcmp0(wire_get(hello, ASK_READERS), "yes") == 0;
    return g_steal_pointer(&ask);
}

/* A list in which postsmsd says that it could not be done. */
static bool
is_failure(const struct wire *answer, bool *ret_crash, struct outcome *why)
{
    const char *dsn = wire_get(answer, ASK_DSN);
    const char *reason = wire_get(answer, ASK_REASON);

    if (!dsn)
        return false;
    out_set(why, OUT_RETRY, dsn[0] == '4' ? dsn : "4.3.0", "%s",
            reason && *reason ? reason : "no reason given");
    if (ret_crash)
        *ret_crash = g_strcmp0(wire_get(answer, ASK_CRASH), "yes") == 0;
    return true;
}

/* list: without its end. */
static int
question(struct ask *ask, const GString *list, int mail, int seconds, const struct ask_wait *wait,
         struct wire **ret, struct outcome *why)
{
    g_autoptr(GString) ended = g_string_new_len(list->str, (gssize)list->len);
    g_autoptr(GString) frame = g_string_new(NULL);

    if (ask->fd < 0)
        return away(ask, why, "the connection is gone");
    wire_end(ended);
    wire_frame(frame, ended);
    if (sock_send_fd(ask->fd, mail, frame->str, frame->len) < 0)
        return lost(ask, why, g_strerror(errno));
    return receive(ask, seconds, wait, ret, why);
}

static int
about_mail(struct ask *ask, const char *what, int mail, const struct ask_wait *wait,
           struct wire **ret, struct outcome *why)
{
    g_autoptr(GString) list = g_string_new(NULL);

    wire_put(list, ASK_WHAT, what);
    return question(ask, list, mail, ASK_ANSWER_SECONDS, wait, ret, why);
}

/* A reader's answer has names of its own, among them that of a failure's status: whether it is a
 * failure can be asked only of what is nothing else. */
int
ask_read(struct ask *ask, int mail, const struct ask_wait *wait, struct mail_view **ret,
         bool *ret_crash, struct outcome *why)
{
    g_autoptr(Wire) answer = NULL;

    *ret_crash = false;
    if (about_mail(ask, ASK_READ, mail, wait, &answer, why) < 0)
        return -1;
    if (mail_view_unpack(answer, ret, why) == 0)
        return 0;
    (void)is_failure(answer, ret_crash, why);
    return -1;
}

GString *
ask_rewrite_front(const char *subject, const char *text)
{
    g_autoptr(GString) list = g_string_new(NULL);
    GString *frame = g_string_new(NULL);

    if (subject)
        wire_put(list, ASK_SUBJECT, subject);
    if (text)
        wire_put(list, ASK_TEXT, text);
    wire_end(list);
    wire_frame(frame, list);
    return frame;
}

int
ask_rewrite(struct ask *ask, int mail, gsize body_len, const struct ask_wait *wait,
            struct rewrite **ret, struct outcome *why)
{
    g_autoptr(Wire) answer = NULL;

    if (about_mail(ask, ASK_REWRITE, mail, wait, &answer, why) < 0)
        return -1;
    if (rewrite_unpack(answer, body_len, ret, why) == 0)
        return 0;
    (void)is_failure(answer, NULL, why);
    return -1;
}

int
ask_note(struct ask *ask, const GString *values, const struct ask_wait *wait, struct outcome *why)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(Wire) answer = NULL;

    wire_put(list, ASK_WHAT, ASK_NOTE);
    g_string_append_len(list, values->str, (gssize)values->len);
    if (question(ask, list, -1, ASK_NOTE_SECONDS, wait, &answer, why) < 0 ||
        is_failure(answer, NULL, why))
        return -1;
    if (!wire_get(answer, ASK_DONE))
        return away(ask, why, "an answer that cannot be understood");
    return 0;
}
