/* SPDX-License-Identifier: ISC */
/*
 * The engine (design section 7): what is to become of one mail to one recipient. A pure function of
 * the set-up, the envelope and the mail: no I/O, no clock, no chance; asked by postsmsd at delivery
 * and by "postsms explain".
 */
#ifndef TRANSPORT_DISPATCH_DECIDE_H
#define TRANSPORT_DISPATCH_DECIDE_H

#include "lib/addr.h"
#include "transport/dispatch/identity.h"
#include "transport/dispatch/setup.h"
#include "transport/sms/sms.h"

struct decision {
    struct outcome verdict; /* OK: send the message; anything else is final for this attempt */
    char *number;           /* NULL if the recipient is none */
    char *rule;             /* for the log: "smtp.rules:12", "" if no line spoke */
    bool smtp_hit;          /* a line of the SMTP rules spoke: */
    struct smtp_hit smtp;
    const struct conf_gateway *gateway; /* borrowed from the set-up; NULL if none was reached */
    const char *class;                  /* "normal" or "alarm" */
    char *originator;                   /* "" if none */
    struct sms_message *message;        /* NULL unless OK */
    char *notes;                        /* for the log: what was ignored or cut; "" if nothing */
    struct identity identity;
};
void decision_clear(struct decision *decision);

/* The identity alone, which comes before any rule: whoever is known already is not decided again.
 */
void decide_identity(const struct setup *setup, const struct request *request,
                     const struct mail_view *view, struct identity *ret);

void decide(const struct setup *setup, const struct request *request, const struct mail_view *view,
            struct decision *ret);

/* May this still be sent, by what the files say now? The refusals of decide() alone, for a delivery
 * whose parts are planned already; parts, text and gateway stay as they were. */
void decide_again(const struct setup *setup, const struct request *request,
                  const struct mail_view *view, struct decision *ret);

#endif
