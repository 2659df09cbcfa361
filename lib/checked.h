/* SPDX-License-Identifier: ISC */
/*
 * What a view and a rewrite have in common on their way from a reader: a verdict, and values that
 * are looked at before anybody believes them. For lib/mailview.c and lib/rewrite.c.
 */
#ifndef LIB_CHECKED_H
#define LIB_CHECKED_H

#include "lib/outcome.h"
#include "lib/wire.h"

/* Valid UTF-8, at most max octets, no control characters; a text may have LF and TAB. */
bool checked_fit(const char *value, gsize max, bool text);

/* CHECKED_VERDICT_NAMES names of a list. A kind that no reader may find is written as RETRY. */
#define CHECKED_VERDICT_NAMES 3
void checked_put_verdict(GString *to, const struct outcome *verdict);

/* The other way: NULL if all is well, else the name of the value that is not. */
const char *checked_get_verdict(const struct wire *wire, struct outcome *ret);

/* How many names a list has. */
gsize checked_names(const struct wire *wire);

/* RETRY: a reader's answer has a wrong value of that name. Returns -1. */
int checked_wrong(const char *name, struct outcome *why);

#endif
