/* SPDX-License-Identifier: ISC */
/*
 * Owns the multi handle and the sockets and timer it asks for. Must never decide what a result
 * means.
 */
#include "transport/gateway/transfer.h"

#include <sys/epoll.h>

struct transfers {
    sd_event *loop;
    CURLM *multi;
    sd_event_source *timer;
    GHashTable *running; /* CURL * → struct running * */
};

struct running {
    transfer_done_fn *done;
    void *context;
};

static void
collect(struct transfers *transfers)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transfers->multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            CURL *easy = message->easy_handle;
            CURLcode result = message->data.result;
            struct running *running = g_hash_table_lookup(transfers->running, easy);
            struct running last = *running;

            curl_multi_remove_handle(transfers->multi, easy);
            g_hash_table_remove(transfers->running, easy);
            last.done(last.context, easy, result);
        }
}

static int
on_socket(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct transfers *transfers = data;
    int mask = 0;
    int left;

    (void)source;
    mask |= events & EPOLLIN ? CURL_CSELECT_IN : 0;
    mask |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
    mask |= events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(transfers->multi, fd, mask, &left);
    collect(transfers);
    return 0;
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    struct transfers *transfers = data;
    int left;

    (void)source;
    (void)usec;
    curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &left);
    collect(transfers);
    return 0;
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    struct transfers *transfers = data;
    sd_event_source *source = socket_data;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        curl_multi_assign(transfers->multi, fd, NULL);
    } else if (source) {
        sd_event_source_set_io_events(source, events);
    } else if (sd_event_add_io(transfers->loop, &source, fd, events, on_socket, transfers) >= 0) {
        curl_multi_assign(transfers->multi, fd, source);
    }
    return 0;
}

static int
want_timer(CURLM *multi, long ms, void *data)
{
    struct transfers *transfers = data;

    (void)multi;
    if (ms < 0) {
        sd_event_source_set_enabled(transfers->timer, SD_EVENT_OFF);
        return 0;
    }
    sd_event_source_set_time_relative(transfers->timer, (uint64_t)ms * 1000);
    sd_event_source_set_enabled(transfers->timer, SD_EVENT_ONESHOT);
    return 0;
}

struct transfers *
transfers_new(sd_event *loop)
{
    struct transfers *transfers = g_new0(struct transfers, 1);

    transfers->loop = loop;
    transfers->running = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(transfers->multi = curl_multi_init()) ||
        sd_event_add_time_relative(loop, &transfers->timer, CLOCK_MONOTONIC, G_USEC_PER_SEC, 1000,
                                   on_timer, transfers) < 0) {
        transfers_free(transfers);
        return NULL;
    }
    sd_event_source_set_enabled(transfers->timer, SD_EVENT_OFF);
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
    return transfers;
}

void
transfers_free(struct transfers *transfers)
{
    GHashTableIter iter;
    gpointer easy;

    if (!transfers)
        return;
    g_hash_table_iter_init(&iter, transfers->running);
    while (g_hash_table_iter_next(&iter, &easy, NULL)) {
        curl_multi_remove_handle(transfers->multi, easy);
        curl_easy_cleanup(easy);
    }
    g_hash_table_unref(transfers->running);
    sd_event_source_disable_unref(transfers->timer);
    curl_multi_cleanup(transfers->multi);
    curl_global_cleanup();
    g_free(transfers);
}

void
transfers_add(struct transfers *transfers, CURL *easy, transfer_done_fn *done, void *context)
{
    struct running *running = g_new0(struct running, 1);

    *running = (struct running){done, context};
    g_hash_table_insert(transfers->running, easy, running);
    curl_multi_add_handle(transfers->multi, easy);
}
