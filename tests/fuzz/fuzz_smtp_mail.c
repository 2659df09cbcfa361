/* SPDX-License-Identifier: ISC */
/*
 * SMTP rules and a mail from one input: rules, then, each behind a line of "%%", header, body,
 * subject and text. Never a crash, and the verdict of a plain search of every line.
 */
#include "tests/unit/smtp_naive.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES    5
#define SEPARATOR "\n%%\n"
#define LINES_MAX 64 /* of rules: what the plain search can bear */

struct fuzz_mail {
    char *subject, *text;
    bool readable;
};

static int
decode(void *context, const char **ret_subject, const char **ret_text, struct outcome *why)
{
    const struct fuzz_mail *mail = context;

    (void)why;
    *ret_subject = mail->subject;
    *ret_text = mail->text;
    return mail->readable;
}

/* The input's next piece. */
static GString *
take(const char **at, const char *end)
{
    gsize left = (gsize)(end - *at);
    const char *stop = memmem(*at, left, SEPARATOR, strlen(SEPARATOR));
    GString *piece = g_string_new_len(*at, stop ? stop - *at : (gssize)left);

    *at = stop ? stop + strlen(SEPARATOR) : end;
    return piece;
}

static void
compare(const struct smtp_rules *rules, const struct conf *conf, const struct smtp_mail *mail)
{
    struct smtp_verdict fast, plain;
    struct outcome why;
    guint skip = 0;

    g_assert(smtp_rules_mail(rules, conf, mail, &fast, &why) == 0);
    g_assert(naive_mail(rules, conf, mail, &plain, &why) == 0);
    g_assert(fast.fate == plain.fate && fast.class == plain.class);
    g_assert(fast.fatal.line == plain.fatal.line);
    /* What is disposed of without a reader keeps its texts. */
    if (fast.fate != SMTP_PASS && fast.hits->len < plain.hits->len)
        skip = plain.hits->len - fast.hits->len;
    g_assert(fast.hits->len + skip == plain.hits->len);
    for (guint i = 0; i < fast.hits->len; i++) {
        const struct smtp_hit *a = &g_array_index(fast.hits, struct smtp_hit, i);
        const struct smtp_hit *b = &g_array_index(plain.hits, struct smtp_hit, i + skip);

        g_assert(a->section == b->section && a->line == b->line);
        g_assert(strcmp(a->effect, b->effect) == 0);
    }
    if (fast.fate == SMTP_PASS) {
        g_assert(g_strcmp0(fast.subject, plain.subject) == 0);
        g_assert(g_strcmp0(fast.text, plain.text) == 0);
    }
    smtp_verdict_clear(&fast);
    smtp_verdict_clear(&plain);
}

static void
ask(const struct smtp_rules *rules, GString *const pieces[], size_t size)
{
    g_autofree char *recipient = g_utf8_make_valid(pieces[3]->str, -1);
    const char *recipients[] = {recipient, NULL};
    struct conf conf = {.spam_target = size & 1 ? "spam@example.com" : "",
                        .spam_action = CONF_SPAM_HOLD,
                        .list_action = (enum conf_list)(size / 2 % 3)};
    struct fuzz_mail fuzz = {.readable = size % 7 > 0};
    struct smtp_mail mail = {.recipients = recipients,
                             .mixed = size & 4,
                             .header = pieces[1]->str,
                             .header_len = pieces[1]->len,
                             .body = pieces[2]->str,
                             .body_len = pieces[2]->len,
                             .decode = decode,
                             .context = &fuzz};
    struct smtp_hit hit = {0};

    fuzz.subject = g_strdelimit(g_utf8_make_valid(pieces[3]->str, -1), "\r\n", ' ');
    fuzz.text = g_utf8_make_valid(pieces[4]->str, -1);
    g_strdelimit(recipient, "\n", ' ');
    compare(rules, &conf, &mail);
    smtp_rules_recipient(rules, recipient, "+41791234567", &hit);
    g_assert(hit.line == naive_recipient(rules, recipient, "+41791234567"));
    g_free(fuzz.subject);
    g_free(fuzz.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = size ? (const char *)data : "";
    const char *end = at + size;
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(SmtpRules) rules = NULL;
    GString *pieces[PIECES];
    guint lines = 0;

    for (int i = 0; i < PIECES; i++)
        pieces[i] = take(&at, end);
    rules = smtp_rules_parse(pieces[0]->str, pieces[0]->len, "fuzz", faults);
    for (int section = 0; rules && section < SMTP_SECTIONS; section++)
        lines += smtp_rules_count(rules, section);
    if (rules && lines <= LINES_MAX) {
        smtp_rules_check(rules, faults);
        g_assert(faults_errors(faults) == 0);
        ask(rules, pieces, size);
    }
    for (int i = 0; i < PIECES; i++)
        g_string_free(pieces[i], TRUE);
    return 0;
}
