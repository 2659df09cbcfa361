/* SPDX-License-Identifier: ISC */
/* Log lines to syslog (mail facility) or stderr. Message text never goes in here. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <glib.h>
#include <stdbool.h>

/* Once, at start. ident must stay valid. Also sends what GLib has to say to the same place. */
void log_open(const char *ident, bool to_stderr);

/* The program has started. Until then warnings and errors are shown on a terminal as well: whoever
 * starts a daemon by hand must see why it did not. */
void log_started(void);

void log_info(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void log_warn(const char *fmt, ...) G_GNUC_PRINTF(1, 2);  /* adds ": " and errno's text */
void log_warnx(const char *fmt, ...) G_GNUC_PRINTF(1, 2); /* without */
void log_err(const char *fmt, ...) G_GNUC_PRINTF(1, 2);   /* error, without errno */

/* Foreign text made fit for a log line, a reply or a header: control characters (C0, DEL, C1)
 * become blanks, bytes that are not UTF-8 '?', at most max bytes at a character's end. Newly
 * allocated. */
char *log_clean(const char *text, gsize max);

/* "+41791234567" as "+4179***4567", or whole if full. A string that is not a number of 7 or more
 * digits comes back as it is. Newly allocated. */
char *log_number(const char *number, bool full);

#endif
