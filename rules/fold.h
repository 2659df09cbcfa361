/* SPDX-License-Identifier: ISC */
/* Texts made equal in case, so that comparing octets compares letters. */
#ifndef RULES_FOLD_H
#define RULES_FOLD_H

#include <glib.h>

/*
 * text with every character folded on its own (simple folding: one character stays one; ß is not
 * ss, İ and ı are not i). Octets that are not UTF-8 stay as they are. Newly allocated.
 */
char *fold_text(const char *text);

#endif
