/* SPDX-License-Identifier: ISC */
/* Owns a socket that others come to: who may come in, and what happens while nobody can. Must never
 * hand on a connection of a stranger. */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include "lib/sock.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 64 /* connections accepted before anything else gets its turn */

struct listener {
    const char *name;
    char *path;
    int fd;
    sd_event_source *io, *again;
    void (*come)(void *context, int fd);
    void *context;
};

struct listener *
listener_open(const struct conf *conf, const char *name, const char *owner, const char *group,
              struct outcome *why)
{
    struct listener *listener = g_new0(struct listener, 1);

    listener->name = name;
    listener->path = conf_socket(conf, name);
    if (sock_listen(listener->path, 0660, owner, group, &listener->fd, why) == 0)
        return listener;
    g_free(listener->path);
    g_free(listener);
    return NULL;
}

static int
on_again(sd_event_source *source, uint64_t usec, void *data)
{
    struct listener *listener = data;

    (void)source;
    (void)usec;
    sd_event_source_set_enabled(listener->io, SD_EVENT_ON);
    return 0;
}

/* The socket stays ready while nothing can be accepted: without a pause the loop would do nothing
 * else. */
static void
accept_later(struct listener *listener)
{
    log_warn("%s: accept; again in a second", listener->name);
    sd_event_source_set_enabled(listener->io, SD_EVENT_OFF);
    sd_event_source_set_time_relative(listener->again, G_USEC_PER_SEC);
    sd_event_source_set_enabled(listener->again, SD_EVENT_ONESHOT);
}

static int
on_accept(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct listener *listener = data;

    (void)source;
    (void)events;
    for (int i = 0; i < AT_ONCE; i++) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        uid_t uid = (uid_t)-1;

        if (peer < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                accept_later(listener);
            else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                log_warn("%s: accept", listener->name);
            return 0;
        }
        if (sock_peer_allowed(peer, listener->path, &uid)) {
            listener->come(listener->context, peer);
        } else {
            log_warnx("%s: user %ld may not come in", listener->name, (long)uid);
            close(peer);
        }
    }
    return 0;
}

int
listener_start(struct listener *listener, sd_event *loop, void (*come)(void *context, int fd),
               void *context, struct outcome *why)
{
    listener->come = come;
    listener->context = context;
    if (sd_event_add_io(loop, &listener->io, listener->fd, EPOLLIN, on_accept, listener) >= 0 &&
        sd_event_add_time_relative(loop, &listener->again, CLOCK_MONOTONIC, G_USEC_PER_SEC, 0,
                                   on_again, listener) >= 0 &&
        sd_event_source_set_enabled(listener->again, SD_EVENT_OFF) >= 0)
        return 0;
    out_set(why, OUT_BUG, "4.3.0", "%s cannot be watched", listener->name);
    return -1;
}

void
listener_free(struct listener *listener)
{
    if (!listener)
        return;
    sd_event_source_disable_unref(listener->io);
    sd_event_source_disable_unref(listener->again);
    close(listener->fd);
    unlink(listener->path);
    g_free(listener->path);
    g_free(listener);
}
