/* SPDX-License-Identifier: ISC */
/*
 * The engine (design section 7): what is to become of one mail to one recipient. A pure function of
 * the set-up, the envelope and the mail: no I/O, no clock, no chance; asked by postsmsd at delivery
 * and by "postsms explain".
 */
#ifndef TRANSPORT_DISPATCH_DECIDE_H
#define TRANSPORT_DISPATCH_DECIDE_H

#include "lib/addr.h"
#include "transport/dispatch/compose.h"
#include "transport/dispatch/identity.h"
#include "transport/dispatch/route.h"
#include "transport/dispatch/setup.h"
#include "transport/sms/sms.h"

struct decision {
    struct outcome verdict; /* OK: send the message; anything else is final for this attempt */
    char *number;           /* NULL if the recipient is none */
    char *rule;             /* for the log: "smtp.rules:12", "" if no line decided */
    GArray *hits;           /* struct smtp_hit: lines of the SMTP rules that spoke, in order */
    const char *declared;   /* class by SMTP rules: "", "copy-to", "list"; borrowed */
    const struct conf_gateway *gateway; /* borrowed from the set-up; NULL if none was reached */
    const char *class;                  /* by which it waits: "alarm", "normal" or "bulk" */
    char *originator;                   /* "" if none */
    char *phone;                        /* the sender's own number, "" if none is known */
    char *values;                       /* what the address adds to a request, "" if nothing */
    char *subject, *text;               /* replaced by SMTP rules here; NULL: as in the view */
    struct sms_message *message;        /* NULL unless OK */
    char *notes;                        /* for the log: what was ignored or cut; "" if nothing */
    struct identity identity;
};
void decision_clear(struct decision *decision);

/* Does the gateway get the text as one, and the provider split it? */
bool decision_is_whole(const struct decision *decision);

/* The identity alone, which comes before any rule: whoever is known already is not decided again.
 */
void decide_identity(const struct setup *setup, const struct request *request,
                     const struct mail_view *view, struct identity *ret);

/* declared: the class that the ledger knows for this mail, "" if none; what the mail's own header
 * says goes first. reference: for concatenated parts; NULL: that of the identity. router: chooses
 * among the gateways that may take it and can; NULL: the first. If it takes none, there is no
 * gateway, and the verdict says so. */
void decide(const struct setup *setup, const struct request *request, const struct mail_view *view,
            const char *declared, const struct reference *reference, const struct router *router,
            struct decision *ret);

/* May this still be sent, by what the files say now? The refusals of decide() alone, for a delivery
 * whose parts are planned already; parts, text and gateway stay as they were. */
void decide_again(const struct setup *setup, const struct request *request,
                  const struct mail_view *view, const char *declared, struct decision *ret);

#endif
