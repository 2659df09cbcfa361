/* SPDX-License-Identifier: ISC */
/*
 * Owns the starting and asking of reader processes (client.h). Must never parse anything of a mail
 * itself, and never let a descriptor but the reader's own reach it.
 */
#include "transport/reader/client.h"

#include "lib/clk.h"
#include "lib/place.h"
#include "lib/sock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READER_PROGRAM "lib/postsms/postsms-reader"
#define GRACE_SECONDS  5 /* beyond what the reader allows itself */

/* After fork in a process that may have threads: system calls only. */
static G_GNUC_NORETURN void
child(const char *path, int null, int theirs)
{
    char *argv[] = {(char *)(guintptr) "postsms-reader", NULL};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;

    /* Above all places they will take, so that none is overwritten before it is copied. */
    null = fcntl(null, F_DUPFD, READER_FD + 1);
    theirs = fcntl(theirs, F_DUPFD, READER_FD + 1);
    if (null < 0 || theirs < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(theirs, READER_FD) < 0)
        _exit(75);
    if (close_range(READER_FD + 1, ~0U, 0) < 0)
        for (int fd = READER_FD + 1; fd < 65536; fd++)
            close(fd);
    sigaction(SIGPIPE, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(path, argv);
    _exit(75);
}

int
reader_start(pid_t *ret_pid, int *ret_fd, struct outcome *why)
{
    g_autofree char *path = place_path(READER_PROGRAM);
    int pair[2];
    int null;
    pid_t pid;

    if (access(path, X_OK) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, g_strerror(errno));
        return -1;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "no reader can be started: /dev/null: %s",
                g_strerror(errno));
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "no reader can be started: %s", g_strerror(errno));
        close(null);
        return -1;
    }
    pid = fork();
    if (pid == 0)
        child(path, null, pair[1]);
    if (pid < 0)
        out_set(why, OUT_RETRY, "4.3.0", "no reader can be started: %s", g_strerror(errno));
    close(null);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -1;
    }
    *ret_pid = pid;
    *ret_fd = pair[0];
    return 0;
}

static int
died(struct outcome *why)
{
    out_set(why, OUT_RETRY, "4.3.0", "the mail could not be read (reader died)");
    return -1;
}

static int
ask(int fd, int mail, char what, struct outcome *why)
{
    if (sock_send_fd(fd, mail, &what, 1) < 0)
        return died(why);
    return 0;
}

int
reader_ask(int fd, int mail, struct outcome *why)
{
    return ask(fd, mail, READER_ASKED_VIEW, why);
}

int
reader_ask_rewrite(int fd, int mail, struct outcome *why)
{
    return ask(fd, mail, READER_ASKED_REWRITE, why);
}

/* Waits for one frame. -1: none came, why says the reason. */
static int
read_answer(int fd, struct wire **ret, struct outcome *why)
{
    g_autoptr(GByteArray) got = g_byte_array_new();
    gint64 deadline = clk_system.mono() + (READER_WALL_SECONDS + GRACE_SECONDS) * 1000;
    guint8 buffer[65536];
    int complete = 0;

    while (complete == 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        gint64 left = deadline - clk_system.mono();
        gssize count;
        gsize used;
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;

        if (ready == 0) {
            out_set(why, OUT_RETRY, "4.3.0", "the mail could not be read (reader took too long)");
            return -1;
        }
        if (ready < 0 && errno == EINTR)
            continue;
        count = read(fd, buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return died(why);
        g_byte_array_append(got, buffer, (guint)count);
        complete = wire_parse_frame((const char *)got->data, got->len, ret, &used, why);
    }
    if (complete < 0) {
        /* To whoever asked, a reader that talks nonsense is a reader that failed, not a fault of
         * ours. */
        why->kind = OUT_RETRY;
        out_prefix(why, "the mail could not be read (reader): ");
    }
    return complete < 0 ? -1 : 0;
}

int
reader_wait(int fd, struct outcome *why)
{
    g_autoptr(Wire) hello = NULL;

    if (read_answer(fd, &hello, why) < 0)
        return -1;
    if (wire_get(hello, READER_HELLO))
        return 0;
    out_set(why, OUT_BUG, "4.3.0", "postsms-reader and this program do not match");
    return -1;
}

int
reader_once(int mail, struct mail_view **ret, struct outcome *why)
{
    g_autoptr(Wire) wire = NULL;
    pid_t pid;
    int fd;
    int result;

    if (reader_start(&pid, &fd, why) < 0)
        return -1;
    result = reader_wait(fd, why);
    if (result == 0)
        result = reader_ask(fd, mail, why);
    if (result == 0)
        result = read_answer(fd, &wire, why);
    if (result == 0)
        result = mail_view_unpack(wire, ret, why);
    close(fd);
    /* It has answered or it never will; it owns nothing that an end could harm. */
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return result;
}
