/* SPDX-License-Identifier: ISC */
/* The concatenation reference of a decision's parts, by what the ledger knows of the number. */
#ifndef TRANSPORT_DISPATCH_REFERENCE_H
#define TRANSPORT_DISPATCH_REFERENCE_H

#include "transport/dispatch/decide.h"

/*
 * now: milliseconds since 1970. 0: there is one part, or the provider splits: none is needed. 1:
 * *ret is free, and the one that the decision was made with. 2: *ret is free, but another one:
 * decide again with it. -1: the ledger cannot say, why.
 */
int reference_for(struct spool *spool, const struct decision *decision, gint64 now,
                  struct reference *ret, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
