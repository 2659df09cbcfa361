/* SPDX-License-Identifier: ISC */
/* A mail in memory to a mail view: what a reader does between its two ends. Private to readers,
 * tests and fuzzing. */
#ifndef TRANSPORT_READER_MAIL_H
#define TRANSPORT_READER_MAIL_H

#include "lib/mailview.h"

/*
 * Takes from the system, once, whatever parsing needs beyond memory: iconv's modules lie on disk.
 * reader_parse does it too if nobody has, but under a reader's limits that could fail.
 */
void reader_prepare(void);

/* A view of the empty mail, verdict OK: for what has to be answered without parsing. */
struct mail_view *reader_blank(void);

/*
 * Always gives a view, whatever the octets (NULL if len is 0): a mail that breaks a limit has
 * verdict DATA, digest and size are right. Needs 2 MiB of stack. Not for two threads at once (iconv
 * descriptors are shared).
 */
void reader_parse(const guint8 *data, gsize len, struct mail_view **ret);

#endif
