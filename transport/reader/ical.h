/* SPDX-License-Identifier: ISC */
/* A calendar object (RFC 5545, RFC 5546) as a short text. Private to the reader. */
#ifndef TRANSPORT_READER_ICAL_H
#define TRANSPORT_READER_ICAL_H

#include <glib.h>
#include <stdbool.h>

#define ICAL_VALUE_MAX 512 /* octets that a summary, a place, a name may have in the text */

/*
 * Appends the first VEVENT as lines without a word of any language:
 *
 *     CANCEL: Board meeting                              the iTIP method, unless PUBLISH or none
 *     2025-11-03 10:00-11:30 Europe/Berlin               or "2025-11-03", "2025-11-03 - 2025-11-05"
 *     Room 5
 *     Anna Example                                       the organiser; of a REPLY "Bob: ACCEPTED"
 *
 * A line whose property is missing is left out. False, and nothing appended, if there is no VEVENT
 * with a summary or a begin. text: octets of UTF-8; a line may be folded inside a character, so
 * a part that says UTF-8 is best given undecoded; what is not UTF-8 then becomes U+FFFD. What is
 * appended is valid UTF-8 without control characters, each line ended by LF.
 */
bool ical_text(const char *text, gsize len, GString *to);

#endif
