/* SPDX-License-Identifier: ISC */
/* Rules and mails for unit tests, and what the rules say, as one text. */
#ifndef TESTS_UNIT_SMTP_MAIL_H
#define TESTS_UNIT_SMTP_MAIL_H

#include "tests/unit/check_all.h"
#include "tests/unit/smtp_naive.h"

static inline struct smtp_rules *
must_parse(const char *text)
{
    g_autoptr(Faults) faults = faults_new();
    struct smtp_rules *rules = smtp_rules_parse(text, strlen(text), "test.rules", faults);

    ck_assert_msg(rules != NULL, "%s: %s", text,
                  faults->len ? ((struct fault *)faults->pdata[0])->text : "");
    return rules;
}

/* One mail for the rules. */
struct unit_mail {
    const char *recipients[4];
    const char *header, *body, *subject, *text;
    int decoded;  /* what decode returns */
    guint called; /* how often it was */
};

static inline int
decode(void *context, const char **ret_subject, const char **ret_text, struct outcome *why)
{
    struct unit_mail *mail = context;

    mail->called++;
    *ret_subject = mail->subject;
    *ret_text = mail->text;
    if (mail->decoded < 0)
        out_set(why, OUT_RETRY, "4.3.0", "no reader");
    return mail->decoded;
}

static inline struct smtp_mail
asked(struct unit_mail *mail, bool mixed)
{
    mail->called = 0;
    return (struct smtp_mail){.recipients = mail->recipients,
                              .mixed = mixed,
                              .header = mail->header,
                              .header_len = strlen(mail->header),
                              .body = mail->body,
                              .body_len = strlen(mail->body),
                              .decode = decode,
                              .context = mail};
}

/* "delete:3 list:2": what the hits did, with their lines. */
static inline char *
hits_text(const GArray *hits)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < hits->len; i++) {
        const struct smtp_hit *hit = &g_array_index(hits, struct smtp_hit, i);

        g_string_append_printf(text, "%s%s:%d", i ? " " : "", hit->effect, hit->line);
    }
    return g_string_free(text, FALSE);
}

#endif
