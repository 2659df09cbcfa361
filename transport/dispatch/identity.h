/* SPDX-License-Identifier: ISC */
/* By what a delivery is known again when Postfix offers it once more (design section 8, reliability
 * K1 and K2). */
#ifndef TRANSPORT_DISPATCH_IDENTITY_H
#define TRANSPORT_DISPATCH_IDENTITY_H

#include "lib/mailview.h"
#include "spool/spool.h"
#include "transport/dispatch/request.h"

struct identity {
    guint8
        k1[SPOOL_KEY]; /* queue id, digest of the input, sender, recipient: the same over retries */
    guint8 k2[SPOOL_KEY]; /* what the mail is, to which number: the same after a requeue or through
                             an alias */
    bool has_k2;          /* the mail has a Message-ID and the recipient a number */
    /* Concatenation reference, so that every attempt and "explain" take the same. */
    guint16 reference;
};

/* number: normalised, NULL if the recipient is none. */
void identity_of(const struct request *request, const struct mail_view *view, const char *number,
                 struct identity *ret);

/* Sender and recipient alone, for mails whose input was never read to its end. SPOOL_KEY octets. */
void identity_envelope(const struct request *request, guint8 *ret);

#endif
