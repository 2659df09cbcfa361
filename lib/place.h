/* SPDX-License-Identifier: ISC */
/* Where a program lies, who it runs as: finding the other programs of the same tree, dropping
 * privileges. */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include "lib/outcome.h"

/* PREFIX/relative, where PREFIX is the tree the running program lies in (two levels up for
 * lib/postsms, one for sbin). Newly allocated. */
char *place_path(const char *relative);

/* Makes path a directory of that mode if it is missing; as root owned by user (if any) and group
 * (if any). Parents must exist. An existing directory is left as it is. */
int place_directory(const char *path, guint mode, const char *user, const char *group,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* As root and with a non-empty user: takes that user's uid, gid and groups and verifies that root
 * is gone. Not root: nothing. */
int place_drop(const char *user, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* What a daemon does first: file descriptors 0, 1 and 2 open, SIGPIPE ignored, umask 027. */
void place_start(void);

#endif
