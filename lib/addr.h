/* SPDX-License-Identifier: ISC */
/*
 * Recipient addresses: which are SMS recipients, the number in them, the parameters behind "?"
 * (design section 6; ICE-SMS-03..07, ICE-OUTL-01..04, UMG-GEN-07).
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include "lib/outcome.h"

/* A parsed recipient. All strings UTF-8, owned. */
struct addr {
    char *number;       /* "+" and 7 to 15 digits (E.164) */
    char *domain;       /* lower case, without '@' */
    char *user;         /* parameter user, '@' restored; NULL if absent */
    char *pass;         /* parameter pass; NULL if absent. Never logged */
    char *gateway;      /* parameter id; NULL if absent */
    char *originator;   /* parameter sender; NULL if absent */
    guint maxmsgs;      /* parameter maxmsgs, 1..128; 0 if absent */
    bool binary;        /* parameter binary=1 */
    char *udh;          /* parameter udh, as written (base64); NULL if absent */
    char *values;       /* parameters value, "&name=value" each; NULL if absent */
    int pid, dcs;       /* parameters of these names, 0..255; -1 if absent */
    GPtrArray *ignored; /* char *: names of parameters without effect, for the log */
};
void addr_free(struct addr *addr);
typedef struct addr Addr;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Addr, addr_free)

/*
 * recipient: the envelope recipient as Postfix gives it, quoted or not ("local@domain", split at
 * the last '@'). country_code: digits without '+', for national numbers; "" if there is none.
 * A '%' in user that begins no %XX code stands for '@'. Of a parameter given twice the last holds.
 * -1: why is NOUSER, 5.1.1 (not a number) or 5.1.3 (a number, parameter or address that is wrong),
 * and says what is, without the value of any parameter.
 */
int addr_parse(const char *recipient, const char *country_code, struct addr **ret,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* A phone number alone, in any written form of design section 6, to "+digits"; as addr_parse. */
int addr_number(const char *text, const char *country_code, char **ret,
                struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* True if the address's domain is one of domains (NULL-ended; a leading dot stands for all
 * subdomains), in any case. */
bool addr_in_domains(const char *address, const char *const *domains);

/* The recipient fit for a log line or a report: the number shortened unless full, values of user
 * and pass hidden, cleaned as log_clean does. Newly allocated. */
char *addr_loggable(const char *recipient, bool full);

#endif
