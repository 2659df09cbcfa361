/* SPDX-License-Identifier: ISC */
/* The message in a winmail.dat ([MS-OXTNEF]). Private to the reader. */
#ifndef TRANSPORT_READER_TNEF_H
#define TRANSPORT_READER_TNEF_H

#include <glib.h>
#include <stdbool.h>

#define TNEF_TEXT_MAX (4 * 1048576) /* octets of a body that are looked at; a view takes fewer */

/*
 * Appends the body of the message: the first that is there and not white space only, of: the
 * Unicode PR_BODY, attBody or an 8-bit PR_BODY in its code page, the text of PR_RTF_COMPRESSED,
 * PR_HTML. Valid UTF-8, cleaned (clean_text). *html: it is HTML, and still has to become text.
 * *replaced grows by each U+FFFD put in. False, and nothing appended, if data is no TNEF or has no
 * body; attachments inside are not looked at. A stream that was cut off gives what is there.
 */
bool tnef_text(const guint8 *data, gsize len, GString *to, bool *html, guint *replaced);

#endif
