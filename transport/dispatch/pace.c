/* SPDX-License-Identifier: ISC */
/* Owns the arithmetic of a rate. */
#include "transport/dispatch/pace.h"

#define TINY 1e-6 /* SMS that rounding may cost */

static double
there_at(const struct pace *pace, gint64 now)
{
    return MIN(pace->burst, pace->there + (double)(now - pace->at) / 1000 * pace->rate);
}

void
pace_set(struct pace *pace, double rate, int burst, gint64 now)
{
    double there = pace->rate > 0 ? there_at(pace, now) : burst;

    *pace = (struct pace){rate, burst, MIN(there, burst), now};
}

gint64
pace_wait(const struct pace *pace, guint ahead, gint64 now)
{
    double missing;

    if (pace->rate <= 0)
        return 0;
    missing = 1 + (double)ahead - there_at(pace, now);
    if (missing <= TINY)
        return 0;
    return (gint64)(missing / pace->rate * 1000 + 0.999);
}

void
pace_take(struct pace *pace, guint sms, gint64 now)
{
    if (pace->rate <= 0)
        return;
    pace->there = there_at(pace, now) - sms;
    pace->at = now;
}
