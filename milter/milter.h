/* SPDX-License-Identifier: ISC */
/* What postsms-milter's parts share: the snapshot a session works with, sessions and messages. */
#ifndef MILTER_MILTER_H
#define MILTER_MILTER_H

#include "lib/conf.h"
#include "milter/ask.h"
#include "milter/content.h"
#include "rules/rules.h"

struct smfi_str; /* libmilter's context */

/* Configuration and rules as they were read together; immutable, counted. */
struct snapshot {
    int references;
    struct conf *conf;
    struct smtp_rules *rules;
    guint generation; /* 1 at start, one more with each reload */
};

/* Reads both. NULL if there are errors; faults gets all of them. The caller holds one reference. */
struct snapshot *snapshot_load(const char *file, guint generation, Faults *faults);
void snapshot_unref(struct snapshot *snapshot);
typedef struct snapshot Snapshot;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_unref)

/* Makes it what new sessions work with; takes the caller's reference. */
void snapshot_publish(struct snapshot *snapshot);

/* What new sessions work with; the caller gets a reference of its own. */
struct snapshot *snapshot_current(void);

/* Starts the thread that reads everything again at SIGUSR1, which the caller has blocked. -1 with
 * errno. */
int reload_start(void) G_GNUC_WARN_UNUSED_RESULT;

/* One recipient that the mail server accepts unless we refuse it. */
struct recipient {
    char *given;      /* as typed, angle brackets included: by this the server knows it */
    char *parameters; /* ESMTP parameters (NOTIFY=, ORCPT=), blanks between them; may be "" */
    char *bare;       /* as the transport will see it */
    bool sms;         /* in one of our domains */
    bool rewritten;   /* but typed so that only the mail server knows */
    bool refused;     /* will not be served, whatever the contents: we said so, or the
                         transport will */
    bool filtered;    /* FILTER-ADDRESSES takes it out, by this line: */
    struct smtp_hit filter;
};

/* Header fields that only we may write, counted as they come in. */
enum forged { FORGED_MARK, FORGED_CLASS, FORGED };

/* What one message has shown so far. */
struct message {
    char *sender;          /* bare; "" is the null sender */
    bool local;            /* of sendmail(1): no angle brackets, a queue id before any recipient */
    GPtrArray *recipients; /* struct recipient *, in the order given */
    char *message_id;      /* as in the header, cleaned; "" if there is none */
    guint forged[FORGED];
    struct content content;
    struct ask *ask; /* NULL until somebody has to be asked */
    bool ask_failed;
};

/* One SMTP connection. */
struct session {
    struct snapshot *snapshot;
    char *client;          /* "name[address]", clean */
    struct smfi_str *ctx;  /* of the callback that runs */
    unsigned long actions; /* what the mail server lets us do (SMFIF_…) */
    bool blank;            /* header values carry the blank behind the colon */
    struct message message;
};

void message_init(struct message *message);
void message_free(struct message *message);

/* Forgets everything: the next one begins. */
void message_reset(struct message *message);

/* argument: of MAIL FROM, as typed. */
void message_begin(struct message *message, const char *argument, bool queued);

/* arguments: of RCPT TO, as typed, NULL-ended. resolved: the same address as the mail server
 * routes it; NULL if it does not say. Borrowed, sms is set. */
struct recipient *message_recipient(struct message *message, char **arguments, const char *resolved,
                                    const struct conf *conf);

/* A header field. blank: value begins with what stands behind the colon, else one blank has been
 * taken away. */
void message_header(struct message *message, const char *name, const char *value, bool blank);

/* The recipients that rules about contents speak about. Newly allocated, the recipients borrowed.
 */
GPtrArray *message_standing(const struct message *message);

/* Will anybody get it who is not an SMS recipient? */
bool message_mixed(const struct message *message);

/* May header and body say what was done? Not if others get it, nor for an address that the
 * transport takes for an alias: it would not believe it. */
bool message_alterable(const struct message *message);

/* The message's connection to postsmsd, kept until its end; opened again if postsmsd has closed it.
 * Borrowed. NULL: why says the reason. */
struct ask *message_ask(struct message *message, const struct conf *conf, struct outcome *why);

/* The same, if somebody is there who can decode mail. */
struct ask *message_reader(struct message *message, const struct conf *conf, struct outcome *why);

/* What the client is told when the rules cannot be asked for now. */
void message_undecided(struct outcome *why);

/*
 * End of message: applies the rules to it, has it changed, recorded and logged. why: OK, the mail
 * goes its way; DROPPED, it ends here without a word; else the reply.
 */
void verdict_reach(struct session *session, struct outcome *why);

/* Has the text replaced in the mail itself by what the verdict says, if that can be done; else the
 * transport will. -1: the mail server took a change only half. */
int replace_apply(struct session *session, const GPtrArray *recipients,
                  const struct smtp_verdict *verdict, const struct mail_view *view,
                  struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* How many of a verdict's hits are REPLACE lines: they come first. */
guint replace_count(const GArray *hits);

/* A log line and, with effect, a row in the ledger about recipients (struct recipient *). */
struct record {
    const GPtrArray *recipients;
    const struct smtp_hit *hits; /* of one section */
    guint n_hits;
    const char *status; /* "held", "rejected" … */
    const char *dsn;    /* NULL: none */
    const char *detail; /* "" or more about it */
    const char *effect; /* as in spool_filtered */
    enum smtp_class class;
};
void record_log(const struct session *session, const struct record *record);
/* Returns once it is durable. -1: nobody could write it, which has been logged. */
int record_note(struct session *session, const struct record *record) G_GNUC_WARN_UNUSED_RESULT;

/* The queue id; "NOQUEUE" while the mail server has chosen none. Borrowed. */
const char *change_queue_id(const struct session *session);

/* Changes at end of message. -1 and why: the mail server did not offer this (CONFIG), or does not
 * take it (RETRY). */
int change_remove_recipient(struct session *session, const char *given,
                            struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
int change_add_recipient(struct session *session, const char *address, const char *parameters,
                         struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
int change_add_header(struct session *session, const char *name, const char *value,
                      struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* The first field of that name gets the value; one that is missing is added. */
int change_header(struct session *session, const char *name, const char *value,
                  struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* Takes out the first count fields of that name. */
int change_remove_headers(struct session *session, const char *name, guint count,
                          struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
/* Further calls append. */
int change_body(struct session *session, const char *octets, gsize len,
                struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
int change_hold(struct session *session, const char *reason,
                struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* May header and body be rewritten? */
bool change_may_rewrite(const struct session *session);

/* The mail server shall wait longer. session: struct session *. */
void change_progress(void *session);

/* Tells libmilter which callbacks there are. -1 if it does not want them. */
int session_register(void) G_GNUC_WARN_UNUSED_RESULT;

/* How many sessions there are now. */
int session_count(void);

#endif
