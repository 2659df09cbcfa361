/* SPDX-License-Identifier: ISC */
/* postsms.conf (design section 5, postsms.conf(5)): read with libconfuse, kept as one immutable,
 * counted snapshot. */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include "lib/fault.h"

#define CONF_DEFAULT POSTSMS_SYSCONFDIR "/postsms.conf"

struct conf_gateway {
    char *id;
    int line;
    char *type; /* "file" */
    bool active;
    bool demo;
    char *originator; /* "" if none */
    int concurrency;  /* parts in flight; 0: the gateway type's own default */
    char *path;       /* type file: where sent parts are appended */
    gint64 delay_ms;  /* type file: how long a part takes */
    int fail_every;   /* type file: every n-th submission is refused for now; 0: none */
};

struct conf {
    int references;
    char *file;
    char **domains; /* NULL-ended, lower case */
    char *user;     /* NULL: each daemon's own; "": keep the user that started it */
    char *state_dir;
    char *run_dir;
    char *country_code;
    int readers;
    gint64 remember_ms;
    bool log_numbers_full;

    char *milter_socket; /* as libmilter takes it: unix:PATH or inet:PORT@HOST */
    char *smtp_rules;    /* path of the SMTP rules file */
    bool smtp_rules_named;

    int maxmsgs;
    bool too_long_reject;
    char *message; /* template */

    bool access_known;   /* access.require */
    GPtrArray *networks; /* struct net * (private to net.c) */
    char **prefixes;     /* NULL-ended "+digits"; empty: all */
    bool address_credentials;

    GPtrArray *gateways; /* struct conf_gateway *, in file order */
};

/* NULL if there are errors; faults gets every error and warning with file and line. The caller
 * holds one reference. */
struct conf *conf_load(const char *file, Faults *faults);
struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);
typedef struct conf Conf;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conf, conf_unref)

/* The gateway with this id, borrowed; NULL if there is none. */
const struct conf_gateway *conf_gateway(const struct conf *conf, const char *id);

/* state_dir/spool.db, run_dir/NAME; newly allocated. */
char *conf_ledger(const struct conf *conf);
char *conf_socket(const struct conf *conf, const char *name);

#endif
