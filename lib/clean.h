/* SPDX-License-Identifier: ISC */
/* Text as a view of a mail has it, wherever it comes from. */
#ifndef LIB_CLEAN_H
#define LIB_CLEAN_H

#include <glib.h>
#include <stdbool.h>

/*
 * Valid UTF-8 made fit, in place, and composed (NFC). Text: LF line ends, no control characters but
 * LF and TAB, no byte order mark in front. A line: no control characters at all, TAB and line ends
 * are blanks, no white space at its ends, at most max octets.
 */
void clean_text(GString *text);
void clean_line(GString *line, gsize max);

/* Is there nothing to be seen in it? */
bool clean_is_white(const GString *text);

/* As clean_text; what has nothing to be seen in it becomes empty. */
void clean_body(GString *text);

/* Shortens valid UTF-8 to at most max octets at a character's end. True if something went. */
bool clean_cut(GString *text, gsize max);

#endif
