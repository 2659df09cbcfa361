/* SPDX-License-Identifier: ISC */
/* Octets to characters: transfer encodings, charsets, encoded words, mailboxes. Private to the
 * reader. */
#ifndef TRANSPORT_READER_DECODE_H
#define TRANSPORT_READER_DECODE_H

#include "lib/clean.h"
#include <glib.h>
#include <stdbool.h>

/* Appends what base64 text stands for. Padding ends a group, not the text; foreign octets are
 * passed over. */
void decode_base64(const char *text, gsize len, GByteArray *to);

/* Appends what quoted-printable text stands for; as in RFC 2045, blanks before a line end are
 * transport's. */
void decode_quoted(const char *text, gsize len, GByteArray *to);

/* Opens every charset, once: iconv's modules are files. */
void charset_prepare(void);

/*
 * Appends data as valid UTF-8. label: the charset the mail claims, any octets, NULL if it claims
 * none. A claim that is unknown or does not fit is overruled: UTF-8 if it is that, else
 * windows-1252. *replaced grows by each U+FFFD put in.
 */
void charset_decode(const char *label, const guint8 *data, gsize len, GString *to, guint *replaced);

/* Appends an unfolded header value: encoded words (RFC 2047, RFC 2231 section 5) and raw octets, to
 * valid UTF-8. */
void words_decode(const char *raw, gsize len, GString *to, guint *replaced);

/*
 * The next mailbox of an address header, raw and unfolded, from *at on, which moves behind it: its
 * address as written, without blanks and comments, and the raw display name for words_decode. Both
 * set, "" if there is none. False: that was no mailbox, and no more will come. Never recurses.
 */
bool mailbox_next(const char **at, const char *end, GString *address, GString *name);

/*
 * Takes OpenPGP armour out of a text: of what is signed the text stays, what is encrypted goes.
 * True if there was any; *ret_encrypted: something went that nobody here can read.
 */
bool armour_strip(GString *text, bool *ret_encrypted);

/* Takes files out of a text that stand in it as uuencode or yEnc blocks; not if nothing were left.
 */
void attached_strip(GString *text);

#endif
