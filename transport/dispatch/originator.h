/* SPDX-License-Identifier: ISC */
/* Whom an SMS says it comes from: a number, or a few letters. */
#ifndef TRANSPORT_DISPATCH_ORIGINATOR_H
#define TRANSPORT_DISPATCH_ORIGINATOR_H

#include "lib/outcome.h"

/* + and 1 to 15 digits, or a short code of 1 to 8 digits. */
bool originator_is_number(const char *originator);

/* May it be a sender where one of letters may have max characters (0: numbers only)? -1: why is
 * NOUSER 5.1.3, about the parameter sender. */
int originator_check(const char *originator, int max,
                     struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
