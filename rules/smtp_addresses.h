/* SPDX-License-Identifier: ISC */
/* The addresses that a mail's header names as its destinations. */
#ifndef RULES_SMTP_ADDRESSES_H
#define RULES_SMTP_ADDRESSES_H

#include <glib.h>

/*
 * Appends to addresses, an LF behind each, those of all To: and Cc: fields in header (raw, CRLF or
 * LF): of every mailbox what stands in <>, or, if there are none, its text without comments. Folds
 * and blanks at the ends are gone, quoted local parts stay as they are written. Linear in len.
 */
void smtp_addresses(const char *header, gsize len, GString *addresses);

#endif
