/* SPDX-License-Identifier: ISC */
/* What the files of "postsms check" that look at Postfix share. */
#ifndef ADMIN_POSTFIX_H
#define ADMIN_POSTFIX_H

#include "admin/postconf.h"
#include "lib/conf.h"

struct postfix {
    const struct conf *conf;
    Faults *faults;
    GHashTable *values;    /* main.cf: name → value, with its $names replaced */
    GHashTable *overrides; /* master.cf: "service/type/name" → value of an -o */
    GPtrArray *services;   /* struct postconf_service * */
    char *main_cf, *master_cf;
};

/* Warnings about everything in the host's Postfix that would hurt. Nothing is changed, and Postfix
 * need not run. Only one warning if there is no Postfix. */
void postfix_check(const struct conf *conf, Faults *faults);

/* The setting, "" if postconf does not know it. */
const char *postfix_value(const struct postfix *postfix, const char *name);

/* True for a service of master.cf that starts postsms-pipe. */
bool postfix_is_ours(const struct postconf_service *service);

/* A warning about a setting of main.cf, or of master.cf if it is "service/type/name", with its
 * line: "NAME: TEXT". */
void postfix_warn(const struct postfix *postfix, const char *name, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);

/* A warning about a service, with its line in master.cf: "NAME: TEXT". */
void postfix_warn_service(const struct postfix *postfix, const struct postconf_service *service,
                          const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* Runs a program from PATH to its end. NULL: it could not be run or failed, and *ret_error
 * (newly allocated, one line, "" if it said nothing) tells why. */
char *postfix_run(char **argv, char **ret_error);

/* postfix_domain.c: does mail to our domains come to our service? */
void postfix_check_domains(const struct postfix *postfix);

/* postfix_domain.c: true if the host's own or relayed domains are more than ours. */
bool postfix_has_other_mail(const struct postfix *postfix);

#endif
