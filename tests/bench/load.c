/* SPDX-License-Identifier: ISC */
/*
 * bench_load PORT DOMAIN SESSIONS MAILS FIRST SIZE: mails over SMTP to 127.0.0.1, as fast as the
 * server takes them, one recipient each: +4179NNNNNNN@DOMAIN from number FIRST on. Every mail has a
 * Message-ID, text and recipient of its own, so nobody takes two for one. Prints the queue ids;
 * anything but 250 ends it with 1. Each session may take TIMEOUT seconds for one reply.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT    120
#define SESSIONS   100
#define SIZE_LIMIT 1048576
#define MAIL_ROOM  1024 /* for what a mail is longer than asked for */

static struct {
    int port;
    const char *domain;
    int mails;
    int first;
    int size;
} plan;
static atomic_int taken;
static atomic_bool failed;

struct session {
    int fd;
    size_t have;
    char line[4096];
};

static bool
put(struct session *session, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(session->fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* The reply is left in session->line; true if its last line begins with code. */
static bool
expect(struct session *session, const char *code)
{
    session->have = 0;
    for (;;) {
        ssize_t got = recv(session->fd, session->line + session->have,
                           sizeof(session->line) - 1 - session->have, 0);
        char *last;

        if (got <= 0)
            break;
        session->have += (size_t)got;
        session->line[session->have] = '\0';
        if (session->line[session->have - 1] != '\n')
            continue;
        session->line[session->have - 1] = '\0';
        last = strrchr(session->line, '\n');
        last = last ? last + 1 : session->line;
        if (strlen(last) < 4 || last[3] == '-') {
            session->line[session->have - 1] = '\n';
            continue;
        }
        if (strncmp(last, code, 3) == 0)
            return true;
        break;
    }
    session->line[session->have] = '\0';
    fprintf(stderr, "bench_load: wanted %s, got \"%s\"\n", code, session->line);
    return false;
}

static bool __attribute__((format(printf, 3, 4)))
ask(struct session *session, const char *code, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    return len > 0 && len < (int)sizeof(line) && put(session, line, (size_t)len) &&
           expect(session, code);
}

static size_t __attribute__((format(printf, 3, 4))) add(char *mail, size_t at, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(mail + at, MAIL_ROOM + (size_t)plan.size - at, fmt, ap);
    va_end(ap);
    return at + (size_t)len;
}

/* A mail of plan.size octets, more or less a line. */
static size_t
compose(char *mail, int number)
{
    size_t at = add(mail, 0,
                    "From: Bench <bench@allowed.example>\r\n"
                    "To: +4179%07d@%s\r\n"
                    "Subject: number %d\r\n"
                    "Date: Sun, 22 Nov 2026 10:00:00 +0100\r\n"
                    "Message-ID: <%d.%d@bench.example.test>\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "\r\n",
                    number, plan.domain, number, number, (int)getpid());

    for (int line = 0; at + 60 < (size_t)plan.size; line++)
        at =
            add(mail, at, "line %d of mail %d, as long as such lines tend to be\r\n", line, number);
    return add(mail, at, ".\r\n");
}

static bool
send_mail(struct session *session, char *mail, int number)
{
    char *id;

    if (!ask(session, "250", "MAIL FROM:<bench@allowed.example>\r\n") ||
        !ask(session, "250", "RCPT TO:<+4179%07d@%s>\r\n", number, plan.domain) ||
        !ask(session, "354", "DATA\r\n") || !put(session, mail, compose(mail, number)) ||
        !expect(session, "250"))
        return false;
    id = strstr(session->line, "queued as ");
    if (!id)
        return false;
    printf("%.*s\n", (int)strcspn(id + 10, " \r\n"), id + 10);
    return true;
}

static void *
run(void *unused)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)plan.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = TIMEOUT};
    struct session session = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    char *mail = malloc((size_t)plan.size + MAIL_ROOM);
    int number;
    bool good = mail &&
                setsockopt(session.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
                connect(session.fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                expect(&session, "220") && ask(&session, "250", "EHLO bench.example.test\r\n");

    while (good && !failed && (number = taken++) < plan.mails)
        good = send_mail(&session, mail, plan.first + number);
    if (good)
        put(&session, "QUIT\r\n", 6);
    else
        failed = true;
    close(session.fd);
    free(mail);
    return unused;
}

int
main(int argc, char **argv)
{
    pthread_t threads[SESSIONS];
    int sessions;

    if (argc != 7)
        return 2;
    plan.port = (int)strtol(argv[1], NULL, 10);
    plan.domain = argv[2];
    sessions = (int)strtol(argv[3], NULL, 10);
    plan.mails = (int)strtol(argv[4], NULL, 10);
    plan.first = (int)strtol(argv[5], NULL, 10);
    plan.size = (int)strtol(argv[6], NULL, 10);
    if (sessions < 1 || sessions > SESSIONS || plan.size > SIZE_LIMIT || plan.mails < 0 ||
        plan.size < 0 || strlen(plan.domain) > 200)
        return 2;
    for (int i = 0; i < sessions; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 1;
    for (int i = 0; i < sessions; i++)
        pthread_join(threads[i], NULL);
    return failed || fflush(stdout) != 0 ? 1 : 0;
}
