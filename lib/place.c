/* SPDX-License-Identifier: ISC */
/* Owns what a process is: its tree, its user, its standard descriptors. Must be called before
 * threads are started. */
#include "lib/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
place_path(const char *relative)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = g_path_get_dirname(self ? self : "/");
    g_autofree char *base = g_path_get_basename(dir);
    g_autofree char *up = g_path_get_dirname(dir);

    if (strcmp(base, "postsms") == 0) {
        g_autofree char *prefix = g_path_get_dirname(up);
        return g_build_filename(prefix, relative, NULL);
    }
    return g_build_filename(up, relative, NULL);
}

int
place_directory(const char *path, guint mode, const char *user, const char *group,
                struct outcome *why)
{
    const struct passwd *owner = user && *user ? getpwnam(user) : NULL;
    const struct group *grp = group && *group ? getgrnam(group) : NULL;
    uid_t uid = owner ? owner->pw_uid : (uid_t)-1;
    gid_t gid = grp ? grp->gr_gid : owner ? owner->pw_gid : (gid_t)-1;

    if (mkdir(path, 0700) < 0) {
        if (errno == EEXIST)
            return 0;
        out_set(why, OUT_CONFIG, "4.3.5", "%s: cannot be made: %s", path, g_strerror(errno));
        return -1;
    }
    if ((geteuid() == 0 && chown(path, uid, gid) < 0) || chmod(path, mode) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: owner or mode: %s", path, g_strerror(errno));
        return -1;
    }
    return 0;
}

int
place_drop(const char *user, struct outcome *why)
{
    const struct passwd *pw;

    if (geteuid() != 0 || !user || !*user)
        return 0;
    pw = getpwnam(user);
    if (!pw) {
        out_set(why, OUT_CONFIG, "4.3.5", "user \"%s\" does not exist", user);
        return -1;
    }
    if (initgroups(user, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "cannot become user \"%s\": %s", user, g_strerror(errno));
        return -1;
    }
    if (pw->pw_uid != 0 && (setuid(0) == 0 || geteuid() == 0)) {
        out_set(why, OUT_BUG, "4.3.0", "still root after becoming \"%s\"", user);
        return -1;
    }
    return 0;
}

void
place_start(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
    signal(SIGPIPE, SIG_IGN);
    umask(027);
}
