/* SPDX-License-Identifier: ISC */
/* Asking postsmsd over ask.sock (lib/ask.h): whoever calls waits for the answer, within bounds. */
#ifndef MILTER_ASK_H
#define MILTER_ASK_H

#include "lib/conf.h"
#include "lib/mailview.h"
#include "lib/rewrite.h"

#define ASK_HELLO_SECONDS  5  /* for the connection, and until postsmsd has said hello */
#define ASK_ANSWER_SECONDS 30 /* for a mail: a reader has 20, and may have to wait for its turn */
#define ASK_NOTE_SECONDS   5

/* A connection. */
struct ask;

/* A new one, or one that another message had a moment ago. NULL: nobody is there, why says it. */
struct ask *ask_open(const struct conf *conf, struct outcome *why);

/* Gives it back; no answer may be outstanding. */
void ask_close(struct ask *ask);

/* Has postsmsd a reader that can decode? */
bool ask_readers(const struct ask *ask);

/* Has postsmsd gone since? Another connection may do. */
bool ask_lost(const struct ask *ask);

/* Called every few seconds while somebody is waited for. */
struct ask_wait {
    void (*call)(void *context);
    void *context;
};

/* mail: a descriptor that is read to its end. -1: there is no answer, why says the reason;
 * *ret_crash: the mail itself was it, a reader died over it. */
int ask_read(struct ask *ask, int mail, const struct ask_wait *wait, struct mail_view **ret,
             bool *ret_crash, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The frame that goes in front of the mail; either may be NULL. Newly allocated. */
GString *ask_rewrite_front(const char *subject, const char *text);

/* mail: front, then the mail; body_len octets of it are its body. */
int ask_rewrite(struct ask *ask, int mail, gsize body_len, const struct ask_wait *wait,
                struct rewrite **ret, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* A row for the ledger: the names of ask.h. 0: it is durable. */
int ask_note(struct ask *ask, const GString *values, const struct ask_wait *wait,
             struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
