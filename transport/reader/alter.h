/* SPDX-License-Identifier: ISC */
/* A mail in memory, and what its subject and text are to be, to a rewrite. Private to readers,
 * tests and fuzzing. */
#ifndef TRANSPORT_READER_ALTER_H
#define TRANSPORT_READER_ALTER_H

#include "lib/rewrite.h"

/* Octets of a mail that is altered: the altered one has to fit into memory beside it. */
#define READER_ALTER_MAX (48 * 1048576)

/* A rewrite that alters nothing, verdict OK: for what has to be answered without looking. */
struct rewrite *reader_leave(void);

/*
 * subject, text: what a view (reader_parse) of the altered mail will have there; NULL: what it has
 * now. Valid UTF-8 within a view's bounds; what a view cannot have (control characters, white space
 * around a subject, a text of nothing else) is taken out of them first. The text takes the place of
 * the part that the view's text comes from.
 *
 * Always gives a rewrite. One with verdict OK was tried: the altered mail reads as it was asked for
 * and is the same elsewhere. DATA: it cannot be (sealed, no text part, text cut, …). Stack and
 * threads as reader_parse.
 */
void reader_alter(const guint8 *data, gsize len, const char *subject, const char *text,
                  struct rewrite **ret);

#endif
