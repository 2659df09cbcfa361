/* SPDX-License-Identifier: ISC */
/* Where the parts of a text end, for the files of this folder. */
#ifndef TRANSPORT_SMS_SPLIT_H
#define TRANSPORT_SMS_SPLIT_H

#include "transport/sms/coding.h"

/* True if c belongs to the character before it, as seen by a reader (the part of UAX #29 that texts
 * on phones need). */
bool split_continues(gunichar before, gunichar c);

/*
 * The end of as many whole clusters from p as fit into room units, and the units they take. A
 * cluster that no part of this size can hold (text art, abuse) is torn between characters. A
 * character is never torn: not a septet from its escape, not a surrogate from its other. coding
 * must be able to write the text.
 */
const char *split_fill(const char *p, guint room, const struct coding *coding, guint *ret_units);

/* Parts that text takes. */
guint split_count(const char *text, const struct coding *coding);

#endif
