/* SPDX-License-Identifier: ISC */
/* Unix stream sockets: listening without taking a running instance's place, lending descriptors,
 * who is there. */
#ifndef LIB_SOCK_H
#define LIB_SOCK_H

#include "lib/outcome.h"
#include <sys/types.h>

/* A lock that says "this socket is mine": PATH.lock, held until the process ends. owner: the user
 * it is given to if we are root, NULL or "" for none. -1 and why if another process holds it. */
int sock_lock(const char *path, const char *owner, int *ret_fd,
              struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Listens on path with that mode; call sock_lock first: a stale socket file is replaced. owner as
 * above; group: given to the file if it exists and we may, NULL for none. *ret_fd is non-blocking
 * and close-on-exec.
 */
int sock_listen(const char *path, guint mode, const char *owner, const char *group, int *ret_fd,
                struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* True if the peer may deliver: root, our own user, or the group that owns the socket file at path.
 */
bool sock_peer_allowed(int fd, const char *path, uid_t *ret_uid);

/* True if the peer is root or our own user. */
bool sock_peer_is_own(int fd, uid_t *ret_uid);

/* data with the descriptor lend attached to its first octet (lend < 0: none). -1 with errno. */
int sock_send_fd(int fd, int lend, const void *data, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* Octets read (0: end), -1 with errno. *ret_fd: the descriptor that came along, close-on-exec, or
 * -1. */
gssize sock_recv_fd(int fd, int *ret_fd, void *data, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* All of it, waiting as long as it takes. -1 with errno. */
int sock_write_all(int fd, const void *data, gsize len) G_GNUC_WARN_UNUSED_RESULT;

#endif
