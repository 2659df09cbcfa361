/* SPDX-License-Identifier: ISC */
/*
 * bench_http_sink: an HTTP provider on 127.0.0.1 that accepts whatever comes, at once or after a
 * time, and counts. HTTP/1.1, connections are kept, one request at a time on each. Prints its port;
 * takes lines on stdin until that ends:
 *   cell DELAY_MS FIRST COUNT sms|any  counts from zero; numbers FIRST to FIRST + COUNT - 1 are to
 *                                      come, with the texts of http_sms.h or any. Prints "ready",
 *                                      and "all NS" (CLOCK_MONOTONIC) when each has come.
 *   report                             prints requests, numbers, requests for a number that was
 *                                      there already, requests nobody should have sent, octets,
 *                                      connections opened, most of them open at once
 */
#include "tests/bench/http_sms.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM 8192
#define ANSWER                                                                                     \
    "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n\r\n"              \
    "0: Accepted for delivery"

struct connection {
    int fd;
    bool waiting, ended;
    long long due;
    struct connection *next; /* that is due after it */
    size_t have;
    char in[ROOM];
};

static struct {
    long long delay_ns;
    long first, count;
    bool any;
    unsigned char *seen;
    long requests, numbers, twice, wrong, octets, connections, most;
} cell;
static struct connection *earliest, *latest; /* the delay is the same for all: a queue */
static long open_now;
static int epoll;

static long long
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The value of a parameter of target, decoded. */
static bool
parameter(const char *target, const char *name, char *value, size_t room)
{
    size_t len = strlen(name), at = 0;
    const char *c = strchr(target, '?');

    while (c && (strncmp(c + 1, name, len) != 0 || c[1 + len] != '='))
        c = strchr(c + 1, '&');
    if (!c)
        return false;
    for (c += len + 2; *c && *c != '&' && at < room - 1; c++) {
        char hex[3] = {0};

        if (*c == '%' && c[1] && c[2]) {
            memcpy(hex, c + 1, 2);
            value[at++] = (char)strtol(hex, NULL, 16);
            c += 2;
        } else {
            value[at++] = *c;
            value[at - 1] = *c == '+' ? ' ' : *c;
        }
    }
    value[at] = '\0';
    return true;
}

static void
count_sms(const char *target)
{
    char to[64], text[2 * SMS_ROOM], wanted[SMS_ROOM];
    long number;

    if (!parameter(target, "to", to, sizeof(to)) ||
        !parameter(target, "text", text, sizeof(text)) ||
        strncmp(to, SMS_PREFIX, strlen(SMS_PREFIX)) != 0) {
        cell.wrong++;
        return;
    }
    number = strtol(to + strlen(SMS_PREFIX), NULL, 10);
    sms_text(wanted, (int)number);
    if (number < cell.first || number >= cell.first + cell.count ||
        (!cell.any && strcmp(text, wanted) != 0)) {
        cell.wrong++;
    } else if (cell.seen[number - cell.first]++) {
        cell.twice++;
    } else if (++cell.numbers == cell.count) {
        printf("all %lld\n", now_ns());
        fflush(stdout);
    }
}

static void
finish(struct connection *connection)
{
    if (connection->waiting) { /* the queue still knows it */
        connection->ended = true;
        epoll_ctl(epoll, EPOLL_CTL_DEL, connection->fd, NULL);
        return;
    }
    close(connection->fd);
    free(connection);
    open_now--;
}

/* False: the connection is of no use any more. */
static bool
answer(struct connection *connection)
{
    return send(connection->fd, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL) ==
           (ssize_t)sizeof(ANSWER) - 1;
}

static void
answer_later(struct connection *connection)
{
    connection->waiting = true;
    connection->due = now_ns() + cell.delay_ns;
    connection->next = NULL;
    if (latest)
        latest->next = connection;
    else
        earliest = connection;
    latest = connection;
}

/* The first request in the buffer, if it is whole. False: finish. */
static bool
serve(struct connection *connection)
{
    char *end, *target, *line;
    size_t len;

    while (!connection->waiting && (end = strstr(connection->in, "\r\n\r\n"))) {
        len = (size_t)(end + 4 - connection->in);
        line = strchr(connection->in, '\r');
        *line = '\0';
        target = strncmp(connection->in, "GET ", 4) == 0 ? connection->in + 4 : NULL;
        cell.requests++;
        cell.octets += (long)len;
        if (target && strrchr(target, ' ')) {
            *strrchr(target, ' ') = '\0';
            count_sms(target);
        } else {
            cell.wrong++;
        }
        connection->have -= len;
        memmove(connection->in, connection->in + len, connection->have + 1);
        if (cell.delay_ns > 0)
            answer_later(connection);
        else if (!answer(connection))
            return false;
    }
    return connection->have < ROOM - 1;
}

static void
receive(struct connection *connection)
{
    ssize_t got =
        recv(connection->fd, connection->in + connection->have, ROOM - 1 - connection->have, 0);

    if (got > 0) {
        connection->have += (size_t)got;
        connection->in[connection->have] = '\0';
    }
    if (got <= 0 || !serve(connection))
        finish(connection);
}

/* Whose time has come; the milliseconds until the next, -1 if there is none. */
static int
answer_due(void)
{
    while (earliest) {
        struct connection *connection = earliest;
        long long left = connection->due - now_ns();

        if (left > 0)
            return (int)((left + 999999) / 1000000);
        earliest = connection->next;
        if (!earliest)
            latest = NULL;
        connection->waiting = false;
        if (connection->ended || !answer(connection) || !serve(connection))
            finish(connection);
    }
    return -1;
}

static void
take_connection(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof(*connection));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    if (!connection)
        return;
    connection->fd = fd;
    cell.connections++;
    if (++open_now > cell.most)
        cell.most = open_now;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        finish(connection);
}

/* False: nobody wants anything any more. */
static bool
take_order(void)
{
    char line[200], *at = line;

    if (!fgets(line, sizeof(line), stdin))
        return false;
    if (strncmp(line, "cell ", 5) == 0) {
        free(cell.seen);
        memset(&cell, 0, sizeof(cell));
        cell.most = open_now;
        cell.delay_ns = strtol(line + 5, &at, 10) * 1000000LL;
        cell.first = strtol(at, &at, 10);
        cell.count = strtol(at, &at, 10);
        cell.any = strncmp(at, " any", 4) == 0;
        cell.seen = calloc((size_t)cell.count + 1, 1);
        printf("ready\n");
    } else {
        printf("%ld %ld %ld %ld %ld %ld %ld\n", cell.requests, cell.numbers, cell.twice, cell.wrong,
               cell.octets, cell.connections, cell.most);
    }
    return fflush(stdout) == 0 && (cell.seen || cell.count == 0);
}

static int
listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return -1;
    printf("%d\n", ntohs(address.sin_port));
    return fflush(stdout) == 0 ? fd : -1;
}

int
main(void)
{
    static const int orders = STDIN_FILENO;
    int listener = listen_somewhere();
    struct epoll_event on_listener = {.events = EPOLLIN, .data.ptr = &listener};
    struct epoll_event on_orders = {.events = EPOLLIN, .data.ptr = (void *)&orders};
    struct epoll_event events[64];

    setvbuf(stdin, NULL, _IONBF, 0); /* what is left of two lines must not hide in a buffer */
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &on_listener) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &on_orders) < 0)
        return 1;
    for (;;) {
        int ready = epoll_wait(epoll, events, 64, answer_due());

        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == &listener)
                take_connection(listener);
            else if (events[i].data.ptr != &orders)
                receive(events[i].data.ptr);
            else if (!take_order())
                return 0;
        }
    }
}
