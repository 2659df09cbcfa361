/* SPDX-License-Identifier: ISC */
/* HTML to the text a person would read in it. Private to readers, tests and fuzzing. */
#ifndef TRANSPORT_READER_HTML_H
#define TRANSPORT_READER_HTML_H

#include <glib.h>
#include <stdbool.h>

/* Takes from the system, once, what libxml2 needs beyond memory. html_text does it too if nobody
 * has. */
void html_prepare(void);

/*
 * Appends what a person would read in html: valid UTF-8 of any size, read as browsers do, however
 * broken. What comes out is valid UTF-8 with LF line ends and no blanks at their ends, at most
 * VIEW_TEXT_MAX octets of it; true if there was more. Time grows with len alone, memory does not
 * grow with nesting, no file or address is ever opened. Not for two threads at once.
 */
bool html_text(const char *html, gsize len, GString *to);

/*
 * The charset that a document claims within its first 4,096 octets, in an XML declaration or a
 * <meta>, whatever it may be worth; NULL if none. Newly allocated.
 */
char *html_charset(const guint8 *octets, gsize len);

#endif
