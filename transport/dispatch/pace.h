/* SPDX-License-Identifier: ISC */
/* How fast a gateway may be given SMS: a bucket of them that fills with time. Pure: the caller has
 * the clock. */
#ifndef TRANSPORT_DISPATCH_PACE_H
#define TRANSPORT_DISPATCH_PACE_H

#include <glib.h>

struct pace {
    double rate;  /* SMS per second; 0: no limit */
    double burst; /* that the bucket holds, at least 1 */
    double there; /* SMS that may go now; below 0 after a part of many */
    gint64 at;    /* when that was so, milliseconds */
};

/* Settings, at first and later; a new bucket (all 0) is full. */
void pace_set(struct pace *pace, double rate, int burst, gint64 now);

/* How long, in milliseconds, until a part may go that has ahead SMS before it; 0: now. */
gint64 pace_wait(const struct pace *pace, guint ahead, gint64 now);

/* A part of so many SMS goes: that may be more than there are, the next one waits for all of
 * them. */
void pace_take(struct pace *pace, guint sms, gint64 now);

#endif
