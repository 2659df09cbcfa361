/* SPDX-License-Identifier: ISC */
/* RTF as Outlook wraps it into winmail.dat: unpacked, and its text. Private to the reader. */
#ifndef TRANSPORT_READER_RTF_H
#define TRANSPORT_READER_RTF_H

#include <glib.h>
#include <stdbool.h>

#define RTF_MAX (4 * 1048576) /* octets that are unpacked, and of text that is made */

/*
 * Unpacks PR_RTF_COMPRESSED ([MS-OXRTFCP]), at most RTF_MAX octets; one that was cut off gives what
 * is there. The checksum is not looked at: half a text is better than none. False if it is neither
 * form of it.
 */
bool rtf_unpack(const guint8 *data, gsize len, GByteArray *to);

/*
 * Appends the text a reader of the document sees: valid UTF-8, LF line ends, not yet cleaned. HTML
 * wrapped in RTF ([MS-OXRTFEX]) is read as the RTF that stands beside it: its tags are in
 * destinations that RTF readers pass over. *replaced grows by each U+FFFD put in.
 */
void rtf_text(const guint8 *data, gsize len, GString *to, guint *replaced);

#endif
