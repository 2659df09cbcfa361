/* SPDX-License-Identifier: ISC */
/*
 * Asking a reader: one process at the other end of a socketpair, one mail at a time. postsmsd keeps
 * several and waits in its event loop; postsms starts one for one mail and waits here.
 */
#ifndef TRANSPORT_READER_CLIENT_H
#define TRANSPORT_READER_CLIENT_H

#include "lib/mailview.h"
#include <sys/types.h>

/* The descriptor a reader finds its end of the socketpair at. */
#define READER_FD 3

#define READER_WALL_SECONDS 20 /* a mail may take, reading included */
#define READER_CPU_SECONDS  10
#define READER_MEMORY       (256 * 1048576) /* octets of address space */

/* What a reader says once, before anything else: it has started, and from now on its death is a
 * mail's fault. A frame (wire.h) whose list has this name. */
#define READER_HELLO "hello"

/* The one octet of a question; the mail's descriptor goes with it. */
#define READER_ASKED_VIEW    'm'
#define READER_ASKED_REWRITE 'w'

/* After so many mails a reader closes its end and exits 0: who asks counts, and starts another
 * instead. */
#define READER_RETIRES_AFTER 1000

/*
 * Starts lib/postsms/postsms-reader of this tree. *ret_fd: our end, close-on-exec, blocking. The
 * reader is killed when the thread that called this ends: call it from one that lives as long as
 * the process.
 */
int reader_start(pid_t *ret_pid, int *ret_fd, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until a reader that was just started says hello. -1: it died or took too long. */
int reader_wait(int fd, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Lends it mail, a descriptor that is read to its end; ours stays ours. One answer, a frame
 * (wire.h) of a packed view, comes back; ask again only after it. -1: it is gone.
 */
int reader_ask(int fd, int mail, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The same, but mail begins with a frame (ask.h: ASK_SUBJECT, ASK_TEXT) that says what they are to
 * be from now on, and what comes back is a frame of a packed rewrite. The text replaces the part
 * that a view of this mail takes its text from.
 */
int reader_ask_rewrite(int fd, int mail, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Starts a reader, has it read mail, waits, ends it. */
int reader_once(int mail, struct mail_view **ret, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
