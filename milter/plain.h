/* SPDX-License-Identifier: ISC */
/* Mail that is its own decoding. */
#ifndef MILTER_PLAIN_H
#define MILTER_PLAIN_H

#include "lib/mailview.h"

/*
 * The subject and text of a mail in which nothing is encoded: printable ASCII, one text/plain part,
 * nothing in it that a reader would take out. header, body: as sent, CRLF or LF line ends. NULL: a
 * reader has to look at it. Of the view only subject, text and verdict are set.
 */
struct mail_view *plain_view(const char *header, gsize header_len, const char *body,
                             gsize body_len);

#endif
