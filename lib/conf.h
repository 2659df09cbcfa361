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

/* A text of somebody's file, and where it stands: for faults that are found when it is used. */
struct conf_text {
    char *text;       /* NULL: not set */
    const char *file; /* the configuration or a profile; the conf's own */
    int line;
};

/* Texts of an HTTP gateway, from its section or else from its profile: postsms-http(5). */
enum conf_http_text {
    CONF_HTTP_URL,
    CONF_HTTP_URL_UNICODE,
    CONF_HTTP_URL_BINARY,
    CONF_HTTP_METHOD,
    CONF_HTTP_CONTENT_TYPE,
    CONF_HTTP_BODY,
    CONF_HTTP_BODY_UNICODE,
    CONF_HTTP_BODY_BINARY,
    CONF_HTTP_AUTH,
    CONF_HTTP_AUTH_USER,
    CONF_HTTP_AUTH_SECRET,
    CONF_HTTP_SIGV4,
    CONF_HTTP_DLR_URL,
    CONF_HTTP_TEXTS
};

/* Its lists. */
enum conf_http_list {
    CONF_HTTP_HEADERS,
    CONF_HTTP_RESULT,
    CONF_HTTP_ID,
    CONF_HTTP_CODE,
    CONF_HTTP_REASON, /* key "text" */
    CONF_HTTP_RETRY_AFTER,
    CONF_HTTP_VARS, /* "name=value" */
    CONF_HTTP_LISTS
};

struct conf_http {
    char *profile; /* its name or path; "" if there is none */
    struct conf_text texts[CONF_HTTP_TEXTS];
    GPtrArray *lists[CONF_HTTP_LISTS]; /* struct conf_text *, in file order */
    char *secret_file;                 /* paths; NULL: none */
    char *ca_file, *cert_file, *key_file;
    char *proxy; /* "" for none */
    gint64 timeout_ms;
    gint64 validity_ms;
    bool pass_values; /* the address's value= goes along */
};

struct conf_gateway {
    char *id;
    const char *file; /* the configuration, */
    int line;         /* where the section ends */
    char *type;       /* "file", "http" */
    char *description;
    bool active;
    bool demo;
    char *originator;   /* "" if none */
    int originator_max; /* characters that one of letters may have; 0: numbers only */
    int concurrency;    /* parts in flight; 0: the gateway type's own default */
    double rate;        /* SMS per second; 0: no limit */
    int burst;          /* SMS at once, within the rate; at least 1 */
    int weight;         /* its share where several take turns */
    int out_after;      /* failures in a row */
    enum conf_unknown unknown;
    gint64 unknown_after_ms; /* hold: from then on it is given up */
    gint64 repeat_safe_ms;   /* so long the gateway knows a reference again: unknown is repeated */

    /* What it can take. */
    bool split_remote; /* whole texts: the provider makes the parts */
    bool binary;       /* 8 bit data with a user data header */
    bool tables;       /* national shift tables */
    int max_parts;     /* SMS a message may have; 0: no limit of its own */
    int max_chars;     /* characters a text may have; 0: no limit */

    char *path;             /* type file: where sent parts are appended */
    gint64 delay_ms;        /* type file: how long a part takes */
    int fail_every;         /* type file: every n-th submission is refused for now; 0: none */
    struct conf_http *http; /* type http, else NULL */
};

/* Numbers that begin so go to these gateways. */
struct conf_route {
    char *prefix; /* "+digits" */
    int line;
    GPtrArray *gateways; /* const struct conf_gateway *, at least one */
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
    char *append;  /* behind every text, its length reserved; "" for nothing */
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
    GPtrArray *routes;   /* struct conf_route *, longest prefix first */
    GPtrArray *profiles; /* char *: files that were read for gateways */
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

/* The route of the longest prefix that number ("+digits") begins with; NULL if there is none. */
const struct conf_route *conf_route(const struct conf *conf, const char *number);

/* What a profile says about itself. */
struct conf_profile {
    char *description; /* the caller's; "" if it says nothing */
    bool untested;     /* nobody has reported that it works */
};

/* Reads the profile at path; false: faults say what is wrong with it. */
bool conf_profile_read(const char *path, struct conf_profile *ret, Faults *faults);

/* Where the profiles that come along lie. Newly allocated. */
char *conf_profile_dir(void);

/* The name of a key, as it is written. */
const char *conf_http_text_name(enum conf_http_text which);
const char *conf_http_list_name(enum conf_http_list which);

/* state_dir/spool.db, run_dir/NAME; newly allocated. */
char *conf_ledger(const struct conf *conf);
char *conf_socket(const struct conf *conf, const char *name);

#endif
