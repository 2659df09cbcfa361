/* SPDX-License-Identifier: ISC */
/* Paragraphs of a text/plain; format=flowed part made whole again (RFC 3676). Private to the
 * reader. */
#ifndef TRANSPORT_READER_FLOWED_H
#define TRANSPORT_READER_FLOWED_H

#include <glib.h>
#include <stdbool.h>

/*
 * text: valid UTF-8, LF line ends. Each paragraph becomes one line, quote marks stand in front as
 * "> " or ">> ", stuffed blanks are gone; the signature line "-- " stays as it is and is never
 * joined. delsp: the blank that marks a soft line end was added by the sender and goes (as in
 * Japanese); else it parts words and stays. Newly allocated.
 */
char *flowed_join(const char *text, bool delsp);

#endif
