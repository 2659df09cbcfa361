/* SPDX-License-Identifier: ISC */
/* Characters to octets, for a mail that is altered: the way back from decode.h. Private to the
 * reader. */
#ifndef TRANSPORT_READER_ENCODE_H
#define TRANSPORT_READER_ENCODE_H

#include <glib.h>
#include <stdbool.h>

/*
 * Appends text, valid UTF-8, in the charset that a mail's label names (NULL: no label, US-ASCII).
 * False, and what was appended is of no use: the label is unknown, the charset is none in which a
 * mail's lines can be written (UTF-16, UTF-7), or it has not all the characters. A label is taken
 * at its word here: "iso-8859-1" is not windows-1252.
 */
bool charset_encode(const char *label, const char *text, gsize len, GByteArray *to);

/*
 * subject, valid UTF-8 cleaned as a line, as an unstructured header value: plain ASCII as it is,
 * anything else in encoded words (RFC 2047), B or Q, whichever is shorter. Folds are LF and a
 * blank; lines have at most 76 octets with "Subject: " in front of the first, unless a word without
 * blanks is longer. Never empty.
 */
char *encode_subject(const char *subject);

/*
 * Appends octets of text. eol: the line end to be written, CRLF or LF. Quoted-printable: every LF
 * or CRLF in octets is a line end of the text; no line begins with what means something to mail
 * ("From ", ".", a multipart's "--"). ended: what is written ends with a line end, even if the text
 * does not.
 */
void encode_quoted(const guint8 *octets, gsize len, const char *eol, bool ended, GString *to);
void encode_base64(const guint8 *octets, gsize len, const char *eol, bool ended, GString *to);

#endif
