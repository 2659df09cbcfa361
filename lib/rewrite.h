/* SPDX-License-Identifier: ISC */
/*
 * How a mail is altered so that its subject and text become others: what a reader answers when it
 * is asked for that (transport/reader/client.h), as plain values. Whoever has the mail applies it;
 * everything it does not name stays octet for octet.
 */
#ifndef LIB_REWRITE_H
#define LIB_REWRITE_H

#include "lib/outcome.h"
#include "lib/wire.h"

#define REWRITE_EDITS_MAX  2     /* a part's header, its content */
#define REWRITE_HEADER_MAX 32768 /* octets of a header value */

/* Octets [from, to) of the body (what follows the empty line behind the mail's header) become
 * octets; line ends in them are those of the mail. */
struct rewrite_edit {
    gsize from, to;
    char *octets; /* no NUL in it */
};

struct rewrite {
    /* Top-level header fields that get another value: raw, encoded, never empty, a fold is LF and a
     * blank; NULL: stays as it is. The first of that name gets it; one that the mail lacks is
     * added. */
    char *subject, *content_type, *transfer_encoding, *mime_version;
    struct rewrite_edit edits[REWRITE_EDITS_MAX]; /* in ascending order, not overlapping */
    guint n_edits;
    /* OK; or DATA: this mail cannot be altered in that way, the text says why, all else is empty;
     * or RETRY as in a view. */
    struct outcome verdict;
};
void rewrite_free(struct rewrite *rewrite);
typedef struct rewrite Rewrite;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rewrite, rewrite_free)

/* rewrite as a list (wire.h), at most WIRE_FRAME_MAX octets. */
void rewrite_pack(const struct rewrite *rewrite, GString *to);

/* The other way; body_len: octets of the mail's body. -1 if anything is missing, out of bounds or a
 * header value that is none (control characters, a line end without a blank behind it): a reader is
 * not trusted. */
int rewrite_unpack(const struct wire *wire, gsize body_len, struct rewrite **ret,
                   struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
