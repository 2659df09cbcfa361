/* SPDX-License-Identifier: ISC */
/* What the files of "postsms explain" share. */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

#include "transport/dispatch/decide.h"

/* The mail, as it would be sent. */
struct explain_mail {
    GByteArray *octets;
    int fd; /* the same, to be lent to a reader */
};

/* Reads path (NULL: standard input) to its end. */
int explain_mail_read(const char *path, struct explain_mail *ret,
                      struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void explain_mail_clear(struct explain_mail *mail);

/* What SMTP rules make of a mail while its sender is there. */
struct explain_smtp {
    bool asked; /* it came that far: */
    struct smtp_verdict verdict;
};

/*
 * Does to view what postsms-milter does to the mail: marks of others are ignored, texts replaced,
 * the class declared. recipients: the whole envelope, bare, NULL-ended, the one in request among
 * them. -1: nobody can say now, why says the reason.
 */
int explain_smtp_rules(const struct setup *setup, const struct request *request,
                       const char *const *recipients, const struct explain_mail *mail,
                       struct mail_view *view, struct explain_smtp *ret,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Makes of decision, what delivery would do with such a mail, what becomes of it: a mail that rules
 * dispose of is not sent. */
void explain_smtp_apply(const struct setup *setup, const struct explain_smtp *smtp,
                        struct decision *decision);

/* "send", "discard", …: what a decision is called. */
const char *explain_word(const struct explain_smtp *smtp, const struct decision *decision);

void explain_smtp_clear(struct explain_smtp *smtp);

#endif
