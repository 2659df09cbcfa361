/* SPDX-License-Identifier: ISC */
/*
 * Owns the threads that talk SMTP, one a transfer, and the pipe by which they say that they are
 * done. A thread touches its own transfer and nothing else; what a result means is decided in the
 * loop.
 */
#include "transport/dispatch/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

struct transfers {
    sd_event *loop;
    sd_event_source *source;
    int ends[2]; /* pointers to transfers that are done go through here */
    guint running;
};

struct transfer {
    struct transfers *transfers;
    CURL *easy;
    CURLcode result;
    transfer_done_fn *done;
    void *context;
    int tell;
};

static void *
run(void *data)
{
    struct transfer *transfer = data;
    gssize written;

    transfer->result = curl_easy_perform(transfer->easy);
    do
        written = write(transfer->tell, &transfer, sizeof(struct transfer *));
    while (written < 0 && errno == EINTR);
    return NULL;
}

static int
on_done(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct transfers *transfers = data;
    struct transfer *transfer;

    (void)source;
    (void)events;
    if (read(fd, &transfer, sizeof(struct transfer *)) != (gssize)sizeof(struct transfer *))
        return 0;
    transfers->running--;
    transfer->done(transfer->context, transfer->easy, transfer->result);
    g_free(transfer);
    return 0;
}

struct transfers *
transfers_new(sd_event *loop)
{
    struct transfers *transfers = g_new0(struct transfers, 1);

    transfers->loop = loop;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        pipe2(transfers->ends, O_CLOEXEC) < 0 ||
        sd_event_add_io(loop, &transfers->source, transfers->ends[0], EPOLLIN, on_done, transfers) <
            0) {
        g_free(transfers);
        return NULL;
    }
    return transfers;
}

bool
transfers_free(struct transfers *transfers)
{
    sd_event_source_disable_unref(transfers->source);
    transfers->source = NULL;
    if (transfers->running > 0)
        return false;
    close(transfers->ends[0]);
    close(transfers->ends[1]);
    curl_global_cleanup();
    g_free(transfers);
    return true;
}

bool
transfers_add(struct transfers *transfers, CURL *easy, transfer_done_fn *done, void *context)
{
    struct transfer *transfer = g_new0(struct transfer, 1);
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    *transfer = (struct transfer){transfers, easy, CURLE_OK, done, context, transfers->ends[1]};
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, run, transfer);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        g_free(transfer);
        return false;
    }
    transfers->running++;
    return true;
}
