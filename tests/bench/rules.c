/* SPDX-License-Identifier: ISC */
/*
 * One 8 KB mail against 100 to 100,000 SMTP rules, mixed over all sections: time a mail, time to
 * load, memory a rule, and whether a plain search over the same mails says the same. Sizes take
 * turns, so that all of them meet the same machine; each mail is another one. Time is the
 * processor's.
 *   bench_rules [MAILS TO COMPARE WITH THE PLAIN SEARCH]
 */
#include "tests/unit/smtp_naive.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAILS       1000
#define MAIL_OCTETS 8192
#define REPETITIONS 5
#define WORDS       20000

static const guint sizes[] = {100, 1000, 10000, 100000};

struct sized {
    guint n;
    struct smtp_rules *rules;
    GPtrArray *mails; /* struct bench_mail *: with texts of these rules in them */
    double load_ms, octets;
    double us[REPETITIONS];
    bool equal;
};

struct bench_mail {
    char *header, *body, *text, *recipient, *sender;
};

static GRand *dice;
static char *words[WORDS];

static gint
roll(gint n)
{
    return g_rand_int_range(dice, 0, n);
}

static void
make_words(void)
{
    static const char starts[] = "bcdfghjklmnprstvwz";
    static const char middles[] = "aeiou";
    static const char ends[] = "lmnrst\0\0\0";

    for (guint i = 0; i < WORDS; i++) {
        GString *word = g_string_new(NULL);

        for (gint n = 1 + roll(4); n > 0; n--)
            g_string_append_printf(word, "%c%c%.1s", starts[roll(sizeof(starts) - 1)],
                                   middles[roll(5)], ends + roll(sizeof(ends) - 1));
        words[i] = g_string_free(word, FALSE);
    }
}

/* Common words are common. */
static const char *
word(void)
{
    double x = g_rand_double(dice);

    return words[(gint)(x * x * x * WORDS)];
}

/* What an admin would search for: phrases, names and numbers, long shared beginnings, short and
 * very short texts. */
static char *
search_text(guint i)
{
    static const char octets[] = "~|^#{}_%qx";

    switch (i % 10) {
    case 0:
    case 1:
        return g_strdup_printf("buy cheap %s from %u", words[i % 20], i);
    case 2:
    case 3:
        return g_strdup_printf("%s%s%u", word(), word(), i % 9973);
    case 4:
    case 5:
        return g_strdup_printf("%s %s %s %s", word(), word(), word(), word());
    case 6:
        return g_strdup_printf("http://www.%s%u.example/", word(), i);
    case 7:
        return g_strdup_printf("+4179%07u", i * 7919 % 10000000);
    case 8:
        return g_strdup_printf("%s.%04x", word(), i & 0xffff);
    default:
        /* There are only so many octets: all sizes have these, in every section. */
        if (i < 100)
            return g_strndup(octets + i / 10, 1);
        return g_strdup_printf("%c%c%05u", 'a' + roll(26), 'a' + roll(26), i);
    }
}

/* One line of a section; what a mail must contain to match it, for the caller to plant. */
static void
add_rule(GString *sections[], guint i, char **ret_search)
{
    g_autofree char *search = search_text(i);
    guint section = (i + i / SMTP_SECTIONS) % SMTP_SECTIONS;
    GString *to = sections[section];

    if (section == SMTP_REPLACE || section == SMTP_SPAM)
        g_string_append_printf(to, "%d;", i / SMTP_SECTIONS % (section == SMTP_REPLACE ? 2 : 9));
    smtp_mask(to, search, section == SMTP_REPLACE);
    if (section == SMTP_REPLACE)
        g_string_append_printf(to, ";%s;\n", word());
    else if (section == SMTP_SPAM)
        /* A single octet would dispose of every mail. */
        g_string_append_printf(to, ";%d;\n", search[1] ? 1 + roll(4) : 3);
    else
        g_string_append_printf(to, "%s;\n", search[1] ? "" : "@nowhere.example");
    *ret_search = g_steal_pointer(&search);
}

static char *
make_rules(guint n, GPtrArray *planted)
{
    GString *sections[SMTP_SECTIONS];
    GString *file = g_string_new(NULL);

    for (int section = 0; section < SMTP_SECTIONS; section++)
        sections[section] = g_string_new(NULL);
    g_string_append(sections[SMTP_ALLOW], ".example\n");
    for (guint i = 0; i < n; i++) {
        char *search;

        add_rule(sections, i, &search);
        if ((i + i / 100) % 100 == 42)
            g_ptr_array_add(planted, search);
        else
            g_free(search);
    }
    for (int section = 0; section < SMTP_SECTIONS; section++) {
        g_string_append_printf(file, "[%s]\n%s", smtp_section_name(section),
                               sections[section]->str);
        g_string_free(sections[section], TRUE);
    }
    return g_string_free(file, FALSE);
}

static struct bench_mail *
make_mail(guint n, const GPtrArray *planted)
{
    struct bench_mail *mail = g_new0(struct bench_mail, 1);
    GString *text = g_string_new(NULL);
    gchar **lines;

    /* Each planted text is in one mail. */
    for (guint i = n; i < planted->len; i += MAILS)
        g_string_append_printf(text, "%s\n", (char *)planted->pdata[i]);
    while (text->len < MAIL_OCTETS)
        g_string_append_printf(text, "%s%c", word(), roll(12) ? ' ' : '\n');
    mail->text = g_string_free(text, FALSE);
    lines = g_strsplit(mail->text, "\n", -1);
    mail->body = g_strjoinv("\r\n", lines);
    g_strfreev(lines);
    mail->sender = g_strdup_printf("%s%u@%s.example", word(), n, word());
    mail->recipient = g_strdup_printf("+4178%07u@sms.example", n * 104729 % 10000000);
    mail->header = g_strdup_printf(
        "Received: from %s.example ([192.0.2.%u])\r\n\tby mx.example with ESMTPS id %08x\r\n"
        "From: %s %s <%s>\r\nTo: <%s>\r\nSubject: %s %s %s\r\nMessage-ID: <%08x@%s.example>\r\n"
        "Date: Mon, 23 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        word(), n % 256, g_rand_int(dice), word(), word(), mail->sender, mail->recipient, word(),
        word(), word(), g_rand_int(dice), word());
    return mail;
}

static int
decode(void *context, const char **ret_subject, const char **ret_text, struct outcome *why)
{
    const struct bench_mail *mail = context;

    (void)why;
    *ret_subject = strstr(mail->header, "Subject: ") + strlen("Subject: ");
    *ret_text = mail->text;
    return 1;
}

static void
ask(const struct sized *sized, const struct conf *conf, guint n, bool naive,
    struct smtp_verdict *ret)
{
    struct bench_mail *mail = sized->mails->pdata[n];
    const char *recipients[] = {mail->recipient, NULL};
    struct smtp_mail asked = {.recipients = recipients,
                              .header = mail->header,
                              .header_len = strlen(mail->header),
                              .body = mail->body,
                              .body_len = strlen(mail->body),
                              .decode = decode,
                              .context = mail};
    struct outcome why;
    struct smtp_hit hit;

    if (naive) {
        g_assert(naive_mail(sized->rules, conf, &asked, ret, &why) == 0);
        return;
    }
    smtp_rules_sender(sized->rules, mail->sender, NULL, NULL);
    smtp_rules_recipient(sized->rules, mail->recipient, "+41780000000", &hit);
    g_assert(smtp_rules_mail(sized->rules, conf, &asked, ret, &why) == 0);
}

static double
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
load(struct sized *sized)
{
    g_autoptr(GPtrArray) planted = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *file = make_rules(sized->n, planted);
    g_autoptr(Faults) faults = faults_new();
    struct mallinfo2 before = mallinfo2();
    double start = now_us();
    struct mallinfo2 after;

    sized->rules = smtp_rules_parse(file, strlen(file), "bench", faults);
    sized->load_ms = (now_us() - start) / 1e3;
    after = mallinfo2();
    g_assert(sized->rules);
    sized->octets = ((double)after.uordblks + (double)after.hblkhd - (double)before.uordblks -
                     (double)before.hblkhd) /
                    sized->n;
    sized->mails = g_ptr_array_new();
    for (guint i = 0; i < MAILS; i++)
        g_ptr_array_add(sized->mails, make_mail(i, planted));
}

static guint
repeat(struct sized *sized, const struct conf *conf, guint repetition)
{
    double start = now_us();
    guint spoke = 0;

    for (guint i = 0; i < MAILS; i++) {
        struct smtp_verdict verdict;

        ask(sized, conf, i, false, &verdict);
        spoke += verdict.hits->len;
        smtp_verdict_clear(&verdict);
    }
    sized->us[repetition] = (now_us() - start) / MAILS;
    return spoke;
}

static bool
same(const struct smtp_verdict *a, const struct smtp_verdict *b)
{
    return a->fate == b->fate && a->fatal.line == b->fatal.line && a->class == b->class &&
           (a->fate != SMTP_PASS ||
            (a->hits->len == b->hits->len && g_strcmp0(a->subject, b->subject) == 0 &&
             g_strcmp0(a->text, b->text) == 0));
}

static bool
compare(const struct sized *sized, const struct conf *conf, guint mails)
{
    for (guint i = 0; i < mails; i++) {
        struct smtp_verdict fast, plain;
        bool equal;

        ask(sized, conf, i, false, &fast);
        ask(sized, conf, i, true, &plain);
        equal = same(&fast, &plain);
        smtp_verdict_clear(&fast);
        smtp_verdict_clear(&plain);
        if (!equal)
            return false;
    }
    return true;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    struct sized all[G_N_ELEMENTS(sizes)] = {0};
    struct conf conf = {.spam_target = "spam@example.com"};
    guint mails = argc > 1 ? (guint)atoi(argv[1]) : MAILS;
    guint spoke[G_N_ELEMENTS(sizes)] = {0};

    dice = g_rand_new_with_seed(20261123);
    make_words();
    for (guint k = 0; k < G_N_ELEMENTS(sizes); k++) {
        all[k].n = sizes[k];
        load(&all[k]);
    }
    for (guint r = 0; r < REPETITIONS; r++)
        for (guint k = 0; k < G_N_ELEMENTS(sizes); k++)
            spoke[k] = repeat(&all[k], &conf, r);
    printf("%u mails of %u octets, %u repetitions\n", MAILS, MAIL_OCTETS, REPETITIONS);
    printf("  rules   us/mail min median    max  ratio  load ms  octets/rule   hits  as plain "
           "search\n");
    for (guint k = 0; k < G_N_ELEMENTS(sizes); k++) {
        qsort(all[k].us, REPETITIONS, sizeof(double), by_value);
        printf("%7u  %10.1f %6.1f %6.1f  %5.2f  %7.1f  %11.0f  %5u  ", sizes[k], all[k].us[0],
               all[k].us[REPETITIONS / 2], all[k].us[REPETITIONS - 1],
               all[k].us[REPETITIONS / 2] / all[0].us[REPETITIONS / 2], all[k].load_ms,
               all[k].octets, spoke[k]);
        fflush(stdout);
        printf("%s (%u mails)\n", compare(&all[k], &conf, mails) ? "equal" : "NOT EQUAL", mails);
    }
    return 0;
}
