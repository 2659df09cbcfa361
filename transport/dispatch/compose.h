/* SPDX-License-Identifier: ISC */
/*
 * From a mail to the message that is sent: what is left out of its text, the template, the parts
 * (design sections 5 and 14, "Text."). Pure, like the engine that asks it.
 */
#ifndef TRANSPORT_DISPATCH_COMPOSE_H
#define TRANSPORT_DISPATCH_COMPOSE_H

#include "lib/addr.h"
#include "lib/mailview.h"
#include "transport/dispatch/setup.h"
#include "transport/sms/sms.h"

/* By what the parts of one message are known as its. */
struct reference {
    guint16 number;
    bool wide; /* 16 bit; else its lower octet is used */
};

struct compose {
    const struct setup *setup;
    const struct mail_view *view;
    const struct addr *addr;
    const struct conf_gateway *gateway; /* that is to send it */
    const char *sender;                 /* of the envelope */
    const char *subject;                /* those of the view, */
    const char *text;                   /* with SMTP rules applied */
    struct reference reference;
};

/* notes (for the log) grows by what was left out or cut. -1: why is DATA 5.6.0 and says what is
 * wrong with the mail or the parameters of the address. */
int compose(const struct compose *compose, GString *notes, struct sms_message **ret,
            struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
