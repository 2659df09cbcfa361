/* SPDX-License-Identifier: ISC */
/* What Postfix says about one mail to one recipient: the envelope, as values. */
#ifndef TRANSPORT_DISPATCH_REQUEST_H
#define TRANSPORT_DISPATCH_REQUEST_H

#include "lib/envelope.h"
#include "lib/outcome.h"
#include "lib/wire.h"

struct request {
    char *value[ENVELOPE_COUNT]; /* valid UTF-8 but for the recipient; "" if empty */
    gint64 deadline_ms;          /* from now on, Postfix waits no longer */
};
void request_clear(struct request *request);

/* From a list that was read. -1: a required name is missing or the deadline is none; why says
 * which. */
int request_from_wire(const struct wire *wire, struct request *ret,
                      struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* One value, borrowed: request_get(request, QUEUE_ID). */
#define request_get(request, identifier) ((request)->value[ENVELOPE_##identifier])

#endif
