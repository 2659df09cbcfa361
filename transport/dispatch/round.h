/* SPDX-License-Identifier: ISC */
/* What one round of the ledger has in hand; shared by round.c, which drives it, and course.c, which
 * decides in it. */
#ifndef TRANSPORT_DISPATCH_ROUND_H
#define TRANSPORT_DISPATCH_ROUND_H

#include "transport/dispatch/dispatch.h"

struct round {
    struct dispatch *dispatch;
    gint64 now;
    bool writable;       /* the ledger takes new deliveries */
    GPtrArray *settled;  /* jobs of dispatch->results */
    GPtrArray *admitted; /* jobs that came into a lane */
    GPtrArray *finished; /* jobs whose verdict waits for the commit */
    GPtrArray *marked;   /* jobs whose part goes out after the commit */
};

/* The job's verdict, to be given after the commit. */
void course_finish(struct round *round, struct job *job, enum out_kind kind, const char *dsn,
                   const char *text);

/* A part came back from its gateway: into the ledger, and what comes next. */
void course_settle(struct round *round, struct job *job);

/* A job that a reader is done with: known already, or decided and planned now. */
void course_admit(struct round *round, struct job *job);

/* A job that had to leave the lane of its gateway: to another one, or its verdict. */
void course_again(struct round *round, struct job *job);

/* The states of the job's parts as the ledger has them, before this round changes them; and back to
 * them. */
void course_remember(struct job *job);
void course_restore(struct job *job);

/* Parts in doubt whose gateway can be asked are not in doubt. */
void course_ask_gateway(struct dispatch *dispatch, struct spool_delivery *delivery, gint64 now);

#endif
