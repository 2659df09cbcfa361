/* SPDX-License-Identifier: ISC */
/* The plan of a delivery: by which gateway, as whom, in which parts. Made once, and again only if
 * the delivery moves; both in the open group of a round. */
#ifndef TRANSPORT_DISPATCH_PLAN_H
#define TRANSPORT_DISPATCH_PLAN_H

#include "transport/dispatch/round.h"

/* A delivery that was never seen before is decided and written: true if it has a gateway to go to,
 * else its verdict is given. */
bool plan_begin(struct round *round, struct job *job);

/*
 * The delivery goes to another gateway, for this reason. Only with proof that no gateway has any of
 * it: every part is planned, none was ever in doubt. Not if its address names its gateway. To a
 * healthy candidate that this job has not tried; false: there is none, and nothing was changed.
 */
bool plan_move(struct round *round, struct job *job, const char *reason);

/* The group failed: the job's delivery is what it was before it moved. And: it did not. */
void plan_restore(struct job *job);
void plan_forget(struct job *job);

#endif
