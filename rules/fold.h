/* SPDX-License-Identifier: ISC */
/* Texts made equal in case, so that comparing octets compares letters. */
#ifndef RULES_FOLD_H
#define RULES_FOLD_H

#include <glib.h>
#include <stdbool.h>

/*
 * text with every character folded on its own (simple folding: one character stays one; ß is not
 * ss, İ and ı are not i). Octets that are not UTF-8 stay as they are. Newly allocated.
 */
char *fold_text(const char *text);

/*
 * The same for len octets of a longer text, NUL like any other, appended to folded. more: others
 * follow them. Returns how many were folded: all of them, or, if more, all but an unfinished
 * character at the end (fewer than six), which belongs in front of the next ones.
 */
gsize fold_octets(const char *text, gsize len, bool more, GString *folded);

#endif
