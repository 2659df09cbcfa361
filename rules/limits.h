/* SPDX-License-Identifier: ISC */
/* How large rules may be, each with its reason. */
#ifndef RULES_LIMITS_H
#define RULES_LIMITS_H

/* Octets of one line without its end. Longer ones are no text that a person wrote. */
#define SMTP_LINE_MAX 4096

/* Octets of the texts of one line. Twice as many, each masked, and the rest of the line still fit
 * into SMTP_LINE_MAX, so that what smtp_rules_print writes can be read again. */
#define SMTP_TEXT_MAX 2000

/* Octets of one file: 100,000 lines have about 3 MB, this leaves room for ten times as many of
 * double length. */
#define SMTP_FILE_MAX (64 * 1048576)

/* Octets of a sender's address in the sentence that refuses it; RFC 5321 allows 254. */
#define SMTP_REFUSED_SENDER_MAX 256

#endif
