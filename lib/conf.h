/* SPDX-License-Identifier: ISC */
/* postsms.conf (design section 5, postsms.conf(5)): read with libconfuse, kept as one immutable,
 * counted snapshot. */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include "lib/fault.h"

#define CONF_DEFAULT POSTSMS_SYSCONFDIR "/postsms.conf"

/* What becomes of a part that may have been sent. */
enum conf_unknown { CONF_UNKNOWN_HOLD, CONF_UNKNOWN_RETRY, CONF_UNKNOWN_GIVE_UP };

/* What spam action 2 does with a mail that has SMS recipients only. */
enum conf_spam { CONF_SPAM_HOLD, CONF_SPAM_REDIRECT };

/* What becomes of a mail of class "list". */
enum conf_list { CONF_LIST_DELIVER, CONF_LIST_SPAM, CONF_LIST_DROP };

/* What may be put in place of characters that would cost Unicode. */
enum conf_translit { CONF_TRANSLIT_NONE, CONF_TRANSLIT_PUNCTUATION, CONF_TRANSLIT_FULL };

#define CONF_LANGUAGES 13 /* national tables there are */

struct conf_gateway {
    char *id;
    int line;
    char *type; /* "file" */
    bool active;
    bool demo;
    char *originator; /* "" if none */
    int concurrency;  /* parts in flight; 0: the gateway type's own default */
    enum conf_unknown unknown;
    gint64 unknown_after_ms; /* hold: from then on it is given up */
    char *path;              /* type file: where sent parts are appended */
    gint64 delay_ms;         /* type file: how long a part takes */
    int fail_every;          /* type file: every n-th submission is refused for now; 0: none */
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
    int slots;      /* postsms-pipe processes that may wait, as maxproc in master.cf */
    char *submit;   /* smtp://HOST:PORT, where mail that we make enters Postfix, and ETRN */
    char *alarm_to; /* "" for nobody */
    gint64 keep_ms, keep_text_ms;
    gint64 remember_ms;
    bool log_numbers_full;

    char *milter_socket; /* as libmilter takes it: unix:PATH or inet:PORT@HOST */
    char *smtp_rules;    /* path of the SMTP rules file */
    bool smtp_rules_named;
    enum conf_spam spam_action;
    char *spam_target;  /* local@domain; "" for none */
    bool filter_reject; /* refuse filtered addresses at RCPT; else they are removed silently */
    enum conf_list list_action;
    bool copy_to_only_to; /* class "copy-to": numbers that To: does not name get no SMS */

    int maxmsgs;
    bool too_long_reject;
    char *message; /* template */
    enum conf_translit translit;
    guint8 languages[CONF_LANGUAGES]; /* national tables that may be used, by number, in order */
    gsize n_languages;
    bool strip_signature, strip_quotes, strip_sent_from;
    char **disclaimers;    /* NULL-ended beginnings of lines from which on a text is dropped */
    int blank_lines;       /* at most so many in a row */
    bool encrypted_refuse; /* refuse encrypted mail; else say that it is that */
    gint64 lifetime_ms;    /* 0: as long as Postfix tries */
    gint64 warn_after_ms;  /* 0: never */

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
