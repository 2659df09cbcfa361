/* SPDX-License-Identifier: ISC */
/* Owns the handling of Unix stream sockets (sock.h). Must never remove a socket whose lock another
 * process holds. */
#include "lib/sock.h"

#include "lib/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* As root, for the user we are about to become. */
static void
give_to_owner(const char *path, const char *owner)
{
    const struct passwd *pw = owner && *owner && geteuid() == 0 ? getpwnam(owner) : NULL;

    if (pw && chown(path, pw->pw_uid, pw->pw_gid) < 0)
        log_warn("%s: cannot be given to user %s", path, owner);
}

/* The group may be one we are not in; then only root and our own user can connect, and the log says
 * so. */
static void
give_to_group(const char *path, const char *group)
{
    const struct group *grp = group ? getgrnam(group) : NULL;

    if (grp && chown(path, (uid_t)-1, grp->gr_gid) < 0)
        log_warn("%s: cannot be given to group %s", path, group);
}

int
sock_lock(const char *path, const char *owner, int *ret_fd, struct outcome *why)
{
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", lock, g_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: another instance is running", lock);
        close(fd);
        return -1;
    }
    give_to_owner(lock, owner);
    *ret_fd = fd;
    return 0;
}

int
sock_listen(const char *path, guint mode, const char *owner, const char *group, int *ret_fd,
            struct outcome *why)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    mode_t old;
    int fd;
    int bound;

    if (g_strlcpy(name.sun_path, path, sizeof(name.sun_path)) >= sizeof(name.sun_path)) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: longer than a socket's name can be", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "socket: %s", g_strerror(errno));
        return -1;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    old = umask(0777);
    bound = bind(fd, (const struct sockaddr *)&name, sizeof(name));
    umask(old);
    if (bound == 0) {
        give_to_owner(path, owner);
        give_to_group(path, group);
    }
    if (bound < 0 || chmod(path, mode) < 0 || listen(fd, 1024) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

bool
sock_peer_allowed(int fd, const char *path, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    struct stat info;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || stat(path, &info) < 0)
        return false;
    *ret_uid = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid() || peer.gid == info.st_gid;
}

bool
sock_peer_is_own(int fd, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    *ret_uid = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid();
}

int
sock_send_fd(int fd, int lend, const void *data, gsize len)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {(void *)(guintptr)data, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    gssize sent;

    if (lend >= 0) {
        struct cmsghdr *head;

        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &lend, sizeof(int));
    }
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -1;
    return sock_write_all(fd, (const char *)data + sent, len - (gsize)sent);
}

/* The first descriptor of a message; the space for one holds two, because of its alignment. */
static void
take_one(struct cmsghdr *head, int *ret_fd)
{
    gsize count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (gsize i = 0; i < count; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        if (*ret_fd < 0)
            *ret_fd = fd;
        else
            close(fd);
    }
}

gssize
sock_recv_fd(int fd, int *ret_fd, void *data, gsize len)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {data, len};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    gssize got;

    do
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    *ret_fd = -1;
    if (got < 0)
        return -1;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            take_one(head, ret_fd);
    return got;
}

int
sock_write_all(int fd, const void *data, gsize len)
{
    const char *at = data;

    while (len > 0) {
        gssize sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == ENOTSOCK)
            sent = write(fd, at, len);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        at += sent;
        len -= (gsize)sent;
    }
    return 0;
}
