/* SPDX-License-Identifier: ISC */
/*
 * bench_http_load HOW WHERE IN_FLIGHT COUNT FIRST: so many SMS to numbers from FIRST on, of which
 * IN_FLIGHT wait for their answer at any time. HOW:
 *   postsms       mails with their envelope to deliver.sock (WHERE is its path), as postsms-pipe
 *   kannel        GET requests to smsbox (WHERE is its port), over connections that are kept
 *   kannel-close  the same, a new connection each
 * One thread and the same loop for all, so that the sides differ in what they are sent alone. But
 * smsbox listens with a backlog of 10, and a connection beyond that waits seconds for TCP to try
 * again: at most OPENING connections are new to it, that is to say without an answer, at any time.
 * Prints "BEGIN END", nanoseconds of CLOCK_MONOTONIC; any answer but acceptance ends it with 1.
 */
#include "tests/bench/http_sms.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define SLOTS       1000
#define ROOM        4096
#define OPENING     8

struct slot {
    int fd;   /* -1: not connected */
    bool new; /* no answer came over it yet */
    size_t have;
    char answer[ROOM];
};

static struct {
    const char *path; /* NULL: Kannel */
    int port;
    bool keep;
    int count, first;
} plan;
static struct slot slots[SLOTS];
static int epoll;
static int started, opening; /* slots that were used, that are new */
static int begun, done;      /* SMS */

static int
dial(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)plan.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(plan.path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (plan.path)
        snprintf(name.sun_path, sizeof(name.sun_path), "%s", plan.path);
    if (fd >= 0 &&
        (plan.path ? connect(fd, (const struct sockaddr *)&name, sizeof(name))
                   : connect(fd, (const struct sockaddr *)&address, sizeof(address))) == 0)
        return fd;
    perror("bench_http_load: connect");
    return -1;
}

/* The envelope, each value ended by a zero octet, one more, the mail. */
static size_t
compose_mail(char *out, int number)
{
    size_t len = 0;
    int head, mail;

    head = snprintf(out, ROOM,
                    "deadline=120%cqueue-id=4B%010dz%x%csender=" SMS_SENDER "%c"
                    "recipient=" SMS_PREFIX "%07d@sms.example.test%c"
                    "original=" SMS_PREFIX "%07d@sms.example.test%clogin=%cclient=127.0.0.1%c%c",
                    0, number, (unsigned)getpid(), 0, 0, number, 0, number, 0, 0, 0, 0);
    len += (size_t)head;
    mail =
        snprintf(out + len, ROOM - len,
                 "Received: from client.example.test (localhost [127.0.0.1])\n"
                 "\tby mx.example.test (Postfix) with ESMTP id 4B%010dz%x\n"
                 "\tfor <" SMS_PREFIX "%07d@sms.example.test>; "
                 "Sun, 22 Nov 2026 10:00:01 +0100 (CET)\n"
                 "From: Bench <" SMS_SENDER ">\n"
                 "To: " SMS_PREFIX "%07d@sms.example.test\n"
                 "Subject: " SMS_SUBJECT "\n"
                 "Date: Sun, 22 Nov 2026 10:00:00 +0100\n"
                 "Message-ID: <%d.%d@bench.example.test>\n"
                 "MIME-Version: 1.0\n"
                 "Content-Type: text/plain; charset=utf-8\n"
                 "\n" SMS_BODY "\n",
                 number, (unsigned)getpid(), number, number, number, number, (int)getpid(), number);
    return len + (size_t)mail;
}

static size_t
compose_get(char *out, int number)
{
    char text[SMS_ROOM], escaped[3 * SMS_ROOM];
    size_t at = 0;
    int len;

    sms_text(text, number);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        at += (size_t)snprintf(escaped + at, sizeof(escaped) - at,
                               strchr(" \n@;", *c) ? "%%%02X" : "%c", *c);
    len = snprintf(out, ROOM,
                   "GET /cgi-bin/sendsms?username=bench&password=bench&from=41790000000&to=%%2B%s"
                   "%07d&text=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: bench\r\n"
                   "Accept: */*\r\n%s\r\n",
                   SMS_PREFIX + 1, number, escaped, plan.port,
                   plan.keep ? "" : "Connection: close\r\n");
    return (size_t)len;
}

/* The next SMS into this slot. A request is small enough for any socket's buffer: no wait. */
static bool
begin(struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
    int number = plan.first + begun++;
    char request[ROOM];
    size_t len = plan.path ? compose_mail(request, number) : compose_get(request, number);

    slot->have = 0;
    if (slot->fd < 0) {
        slot->fd = dial();
        if (slot->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0)
            return false;
        slot->new = true;
        opening++;
    }
    if (send(slot->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
        perror("bench_http_load: send");
        return false;
    }
    if (plan.path)
        shutdown(slot->fd, SHUT_WR);
    return true;
}

/* Where the body of an HTTP answer ends, if all of it is there; 0 if not. */
static size_t
whole_answer(const struct slot *slot)
{
    const char *end = strstr(slot->answer, "\r\n\r\n");
    const char *length = strcasestr(slot->answer, "\r\nContent-Length:");
    size_t size;

    if (!end || !length || length > end)
        return 0;
    size = (size_t)(end + 4 - slot->answer) + strtoul(length + 17, NULL, 10);
    return slot->have >= size ? size : 0;
}

/* 1: it was accepted; 0: there is more to come; -1: neither. ended: nobody sends any more. */
static int
judge(struct slot *slot, bool ended)
{
    bool accepted = plan.path ? strncmp(slot->answer, "0 ", 2) == 0
                              : strncmp(slot->answer, "HTTP/1.1 202", 12) == 0;
    bool whole =
        plan.path ? memchr(slot->answer, '\n', slot->have) != NULL : whole_answer(slot) > 0;

    if (!whole && !ended && slot->have < ROOM - 1)
        return 0;
    if (whole && accepted)
        return 1;
    fprintf(stderr, "bench_http_load: answer \"%s\"\n", slot->answer);
    return -1;
}

static bool
take(struct slot *slot)
{
    ssize_t got = recv(slot->fd, slot->answer + slot->have, ROOM - 1 - slot->have, 0);
    int judged;

    if (got < 0 && errno == EINTR)
        return true;
    slot->have += got > 0 ? (size_t)got : 0;
    slot->answer[slot->have] = '\0';
    judged = judge(slot, got <= 0);
    if (judged <= 0)
        return judged == 0;
    done++;
    opening -= slot->new;
    slot->new = false;
    if (!plan.keep || strcasestr(slot->answer, "\r\nConnection: close")) {
        close(slot->fd);
        slot->fd = -1;
    }
    return begun == plan.count || begin(slot);
}

/* As many slots as may be. */
static bool
start_slots(int in_flight)
{
    while (started < in_flight && begun < plan.count && (plan.path || opening < OPENING)) {
        slots[started].fd = -1;
        if (!begin(&slots[started++]))
            return false;
    }
    return true;
}

static bool
run(int in_flight)
{
    struct epoll_event events[64];

    while (done < plan.count) {
        int ready;

        if (!start_slots(in_flight))
            return false;
        ready = epoll_wait(epoll, events, 64, PATIENCE_MS);
        if (ready == 0)
            fprintf(stderr, "bench_http_load: no answer; %d of %d\n", done, plan.count);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return false;
        for (int i = 0; i < ready; i++)
            if (!take(events[i].data.ptr))
                return false;
    }
    return true;
}

static long long
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int
main(int argc, char **argv)
{
    long long start;
    int in_flight;

    if (argc != 6)
        return 2;
    if (strcmp(argv[1], "postsms") == 0)
        plan.path = argv[2];
    else
        plan.port = (int)strtol(argv[2], NULL, 10);
    plan.keep = strcmp(argv[1], "kannel") == 0;
    in_flight = (int)strtol(argv[3], NULL, 10);
    plan.count = (int)strtol(argv[4], NULL, 10);
    plan.first = (int)strtol(argv[5], NULL, 10);
    if (in_flight < 1 || in_flight > SLOTS || plan.count < 0)
        return 2;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    start = now_ns();
    if (epoll < 0 || !run(in_flight))
        return 1;
    printf("%lld %lld\n", start, now_ns());
    return fflush(stdout) != 0 ? 1 : 0;
}
