/* SPDX-License-Identifier: ISC */
/* Owns the question whether a decision's reference will do, for delivery and explain alike. */
#include "transport/dispatch/reference.h"

int
reference_for(struct spool *spool, const struct decision *decision, gint64 now,
              struct reference *ret, struct outcome *why)
{
    if (!decision->message || decision->message->parts->len < 2 || decision_is_whole(decision))
        return 0;
    if (spool_reference(spool, decision->number, decision->identity.reference,
                        now - SPOOL_REFERENCE_MS, &ret->number, &ret->wide, why) < 0)
        return -1;
    return ret->wide || ret->number != (guint8)decision->identity.reference ? 2 : 1;
}
