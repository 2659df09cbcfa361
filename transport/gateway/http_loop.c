/* SPDX-License-Identifier: ISC */
/*
 * Owns the curl multi handle and its sockets and timer in the event loop. Must never know what a
 * transfer is for.
 */
#include "transport/gateway/http_loop.h"

#include <glib.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_KEPT 256 /* idle ones at most, over all gateways */

struct http_loop {
    sd_event *loop;
    CURLM *multi;
    sd_event_source *timer;
    GHashTable *running; /* CURL * → struct running * */
    GArray *sockets;     /* struct http_socket: all that are open; libcurl names none of them */
};

struct http_socket {
    curl_socket_t fd;
    int local_port; /* 0: not known yet */
};

struct running {
    http_loop_done_fn *done;
    void *context;
};

static void
tell_done(struct http_loop *loop)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        g_autofree struct running *running = NULL;

        if (message->msg != CURLMSG_DONE ||
            !g_hash_table_steal_extended(loop->running, easy, NULL, (gpointer *)&running))
            continue;
        curl_multi_remove_handle(loop->multi, easy);
        running->done(running->context, easy, code);
    }
}

static int
on_socket(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct http_loop *loop = data;
    int flags = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    int left;

    (void)source;
    curl_multi_socket_action(loop->multi, fd, flags, &left);
    tell_done(loop);
    return 0;
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    struct http_loop *loop = data;
    int left;

    (void)source;
    (void)usec;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &left);
    tell_done(loop);
    return 0;
}

/* libcurl says what it waits for; socket_data is the source of that socket. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    struct http_loop *loop = data;
    sd_event_source *source = socket_data;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        curl_multi_assign(loop->multi, fd, NULL);
    } else if (source) {
        sd_event_source_set_io_events(source, events);
    } else if (sd_event_add_io(loop->loop, &source, fd, events, on_socket, loop) >= 0) {
        curl_multi_assign(loop->multi, fd, source);
    } else {
        return -1;
    }
    return 0;
}

static int
set_timer(CURLM *multi, long timeout_ms, void *data)
{
    struct http_loop *loop = data;

    (void)multi;
    if (timeout_ms < 0) {
        sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
    } else {
        sd_event_source_set_time_relative(loop->timer, (uint64_t)timeout_ms * 1000);
        sd_event_source_set_enabled(loop->timer, SD_EVENT_ONESHOT);
    }
    return 0;
}

static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_loop *loop = data;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    struct http_socket made = {fd, 0};

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    g_array_append_val(loop->sockets, made);
    return fd;
}

static int
close_socket(void *data, curl_socket_t fd)
{
    struct http_loop *loop = data;

    for (guint i = 0; i < loop->sockets->len; i++)
        if (g_array_index(loop->sockets, struct http_socket, i).fd == fd) {
            g_array_remove_index_fast(loop->sockets, i);
            break;
        }
    return close(fd);
}

static int
local_port_of(curl_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) < 0)
        return 0;
    return address.any.sa_family == AF_INET    ? ntohs(address.v4.sin_port)
           : address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port)
                                               : 0;
}

/* Two local addresses may have the same port: then either counts. */
bool
http_loop_unread(struct http_loop *loop, int local_port)
{
    for (guint i = 0; i < loop->sockets->len; i++) {
        struct http_socket *one = &g_array_index(loop->sockets, struct http_socket, i);
        char octet;

        if (one->local_port == 0)
            one->local_port = local_port_of(one->fd);
        if (one->local_port == local_port && recv(one->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
            return true;
    }
    return false;
}

struct http_loop *
http_loop_new(sd_event *event)
{
    struct http_loop *loop = g_new0(struct http_loop, 1);
    int error;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    loop->loop = event;
    loop->running = g_hash_table_new(NULL, NULL);
    loop->sockets = g_array_new(FALSE, FALSE, sizeof(struct http_socket));
    loop->multi = curl_multi_init();
    g_assert(loop->multi);
    error =
        sd_event_add_time_relative(event, &loop->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, loop);
    g_assert(error >= 0); /* fails only without memory */
    sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    /* A stream of HTTP/2 that is refused would be repeated inside libcurl. */
    curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return loop;
}

void
http_loop_free(struct http_loop *loop)
{
    if (!loop)
        return;
    curl_multi_cleanup(loop->multi);
    sd_event_source_disable_unref(loop->timer);
    g_hash_table_unref(loop->running);
    g_array_unref(loop->sockets);
    g_free(loop);
    curl_global_cleanup();
}

void
http_loop_add(struct http_loop *loop, CURL *easy, http_loop_done_fn *done, void *context)
{
    struct running *running = g_new0(struct running, 1);

    *running = (struct running){done, context};
    g_hash_table_insert(loop->running, easy, running);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, loop);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, loop);
    /* It asks for its timer, so that the transfer begins from the loop and not in here. */
    if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
        g_error("libcurl takes no transfer"); /* a handle used twice: cannot happen */
}

void
http_loop_remove(struct http_loop *loop, CURL *easy)
{
    gpointer running;

    if (!g_hash_table_steal_extended(loop->running, easy, NULL, &running))
        return;
    g_free(running);
    curl_multi_remove_handle(loop->multi, easy);
}
