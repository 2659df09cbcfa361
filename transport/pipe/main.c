/* SPDX-License-Identifier: ISC */
/*
 * postsms-pipe: what pipe(8) executes once for each recipient. Owns the way of one mail from stdin
 * to deliver.sock and of one verdict back: "EXIT x.y.z text" there, exit status and one line on
 * stdout here. libc only. Must never exit with anything but 0, 65, 67, 69, 75 or 77, and never
 * print anything but that line: Postfix bounces mail otherwise.
 */
#include "lib/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXIT_DEFER   75
#define ANSWER_MAX   1024
#define DEADLINE_MIN 1
#define DEADLINE_MAX 86400

static const struct {
    const char *name;
    bool required;
    const char *macro;
} names[ENVELOPE_COUNT] = {
#define NAME_ROW(identifier, name, required, macro) {name, required, macro},
    ENVELOPE_NAMES (NAME_ROW)
#undef NAME_ROW
};

/* Ends the program: one line for Postfix, nothing lost. */
static _Noreturn void __attribute__((format(printf, 2, 3)))
defer(const char *status, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    dprintf(STDOUT_FILENO, "%s %s\n", status, text);
    _exit(EXIT_DEFER);
}

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* values[] are copies: argv is overwritten, since a recipient may hold a password and everyone can
 * see argv. */
static const char *
read_options(int argc, char **argv, char **values)
{
    struct option options[ENVELOPE_COUNT + 1];
    char *socket_path = NULL;
    int option, index;

    memset(options, 0, sizeof(options));
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        options[i] = (struct option){names[i].name, required_argument, NULL, 0x100 + i};
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+s:V", options, &index)) != -1) {
        if (option == 'V' && argc == 2) {
            puts("postsms-pipe " POSTSMS_VERSION); /* alone only: in master.cf exit 0 would lose the
                                                      mail */
            exit(EXIT_SUCCESS);
        } else if (option == 's') {
            socket_path = strdup(optarg);
        } else if (option >= 0x100) {
            if (values[option - 0x100])
                defer("4.3.5",
                      "postsms-pipe: --%s twice; set postsms_destination_recipient_limit = 1",
                      names[option - 0x100].name);
            values[option - 0x100] = strdup(optarg);
        } else {
            defer("4.3.5", "postsms-pipe: option %d in master.cf is not known or lacks its value",
                  optind - 1);
        }
    }
    if (optind < argc)
        defer("4.3.5",
              "postsms-pipe: argument %d in master.cf is not an option; one recipient at a time",
              optind);
    if (!socket_path)
        defer("4.3.5", "postsms-pipe: option -s SOCKET is missing in master.cf");
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        if (names[i].required && !values[i])
            defer("4.3.5", "postsms-pipe: option --%s=%s is missing in master.cf", names[i].name,
                  names[i].macro);
    for (int i = 1; i < argc; i++)
        memset(argv[i], 0, strlen(argv[i]));
    return socket_path;
}

static long long
deadline_from(const char *text)
{
    char *end;
    long seconds = strtol(text, &end, 10);

    if (end == text || *end || seconds < DEADLINE_MIN || seconds > DEADLINE_MAX)
        defer("4.3.5", "postsms-pipe: --deadline in master.cf is not %d to %d seconds",
              DEADLINE_MIN, DEADLINE_MAX);
    return now_ms() + seconds * 1000;
}

/* What is left of the deadline, for poll(). */
static int
left(long long deadline)
{
    long long ms = deadline - now_ms();

    if (ms <= 0)
        defer("4.3.2", "postsmsd: no answer within the time limit");
    return ms > 1000000 ? 1000000 : (int)ms;
}

static int
dial(const char *path, long long deadline)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval patience = {left(deadline) / 1000 + 1, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        defer("4.3.0", "postsms-pipe: socket: %s", strerror(errno));
    if (strlen(path) >= sizeof(name.sun_path))
        defer("4.3.5", "postsms-pipe: -s SOCKET is longer than a socket's name can be");
    strcpy(name.sun_path, path);
    /* Blocking: a full backlog then waits instead of failing. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0) {
        if (errno == EACCES)
            defer("4.3.5", "postsmsd: %s: this user may not connect", path);
        defer("4.3.0", "postsmsd is not running (%s: %s)", path, strerror(errno));
    }
    return fd;
}

static int
answer_ready(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};

    return poll(&one, 1, 0) > 0;
}

/* False: nobody reads the mail any more; an answer may be there already. */
static bool
send_all(int fd, const char *data, size_t len, long long deadline)
{
    while (len > 0) {
        struct pollfd wait = {fd, POLLOUT, 0};
        ssize_t sent;

        if (poll(&wait, 1, left(deadline)) <= 0)
            continue;
        sent = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (sent < 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void
send_envelope(int fd, char **values, long long deadline)
{
    char list[16384];
    size_t len = 0;

    for (int i = 0; i < ENVELOPE_COUNT; i++) {
        int written;

        if (!values[i])
            continue;
        written = snprintf(list + len, sizeof(list) - len, "%s=%s", names[i].name, values[i]);
        if (written < 0 || (size_t)written + 2 > sizeof(list) - len)
            defer("4.3.0", "postsms-pipe: the envelope is longer than %zu octets", sizeof(list));
        len += (size_t)written + 1;
    }
    list[len++] = '\0';
    if (!send_all(fd, list, len, deadline) && !answer_ready(fd))
        defer("4.3.0", "postsmsd ended while taking the envelope");
}

/* Children of pipe(8) survive "postfix stop": an error on stdout says that nobody reads it any
 * more. */
static bool
nobody_waits(void)
{
    struct pollfd output = {STDOUT_FILENO, 0, 0};

    return poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLNVAL));
}

static void
send_mail(int fd, long long deadline)
{
    static char buffer[65536];
    ssize_t got;

    while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            defer("4.3.0", "postsms-pipe: reading the mail: %s", strerror(errno));
        if (!send_all(fd, buffer, (size_t)got, deadline))
            break; /* an early verdict closes the reading side; the answer tells */
    }
    /* The end of the mail may be the end of pipe(8): half a mail must not look like a whole one. */
    if (nobody_waits())
        _exit(EXIT_DEFER);
    shutdown(fd, SHUT_WR);
}

/* Waits for "EXIT text\n". Children of pipe(8) survive "postfix stop": an error on stdout says
 * nobody waits any more. */
static void
read_answer(int fd, char *answer, long long deadline)
{
    size_t len = 0;

    while (len < ANSWER_MAX - 1 && (len == 0 || answer[len - 1] != '\n')) {
        struct pollfd wait[2] = {{fd, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
        ssize_t got;

        if (poll(wait, 2, left(deadline)) <= 0)
            continue;
        if (nobody_waits())
            _exit(EXIT_DEFER);
        if (!wait[0].revents)
            continue;
        got = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            defer("4.3.0", "postsmsd ended before it answered");
        len += (size_t)got;
    }
    answer[len] = '\0';
}

int
main(int argc, char **argv)
{
    static const int allowed[] = {0, 65, 67, 69, EXIT_DEFER, 77};
    char *values[ENVELOPE_COUNT] = {NULL};
    char answer[ANSWER_MAX];
    const char *path;
    long long deadline;
    char *text, *end;
    long status;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    path = read_options(argc, argv, values);
    deadline = deadline_from(values[ENVELOPE_DEADLINE]);
    fd = dial(path, deadline);
    send_envelope(fd, values, deadline);
    send_mail(fd, deadline);
    read_answer(fd, answer, deadline);
    status = strtol(answer, &text, 10);
    end = strchr(answer, '\n');
    if (end && text > answer && *text == ' ')
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
            if (status == allowed[i]) {
                dprintf(STDOUT_FILENO, "%.*s\n", (int)(end - text - 1), text + 1);
                _exit((int)status);
            }
    defer("4.3.0", "postsmsd gave an answer that is none");
}
