/* SPDX-License-Identifier: ISC */
/* transport.message: how a mail becomes one text. %%Name%% stands for a value, names ignore
 * case. */
#ifndef TRANSPORT_DISPATCH_TEMPLATE_H
#define TRANSPORT_DISPATCH_TEMPLATE_H

#include "lib/outcome.h"

enum template_variable {
    TEMPLATE_SENDER,    /* the bare envelope address */
    TEMPLATE_FROM,      /* the From: header, decoded */
    TEMPLATE_FROM_NAME, /* its display name */
    TEMPLATE_FROM_EMAIL,
    TEMPLATE_SUBJECT,
    TEMPLATE_BODY,
    TEMPLATE_SIZE,   /* of the mail, in octets */
    TEMPLATE_DATE,   /* the Date: header */
    TEMPLATE_NUMBER, /* "+41…", which gets the SMS */
    TEMPLATE_VARIABLES
};

struct template;

/* Read once. NULL: why says what is wrong at which character. */
struct template *template_parse(const char *text, struct outcome *why);
void template_free(struct template *template);

/* The text for these values (NULL counts as empty). A template line whose variables are all empty
 * and that holds nothing else is left out; white space at line ends and at both ends of the text
 * goes. Newly allocated. */
char *template_expand(const struct template *template,
                      const char *const values[TEMPLATE_VARIABLES]);

#endif
