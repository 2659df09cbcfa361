/* SPDX-License-Identifier: ISC */
/*
 * SMTP rules: grammar, faults and warnings by files (tests/data/rules/NAME.rules with NAME.want,
 * the faults, and NAME.ok, the canonical text), ALLOW and DENY by a table (sender.tsv).
 */
#include "tests/unit/check_all.h"

#include "rules/fold.h"
#include "rules/rules.h"
#include "rules/smtp.h"
#include <string.h>
#include <sys/stat.h>

static char *
faults_text(const Faults *faults)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < faults->len; i++) {
        g_autofree char *line = fault_string(faults->pdata[i]);
        g_string_append_printf(text, "%s\n", line);
    }
    return g_string_free(text, FALSE);
}

/* text as rules that have no error. */
static struct smtp_rules *
must_parse(const char *text)
{
    g_autoptr(Faults) faults = faults_new();
    struct smtp_rules *rules = smtp_rules_parse(text, strlen(text), "test.rules", faults);
    g_autofree char *said = faults_text(faults);

    ck_assert_msg(rules != NULL, "%s", said);
    return rules;
}

static void
check_one_file(const char *name)
{
    g_autofree char *rules_name = g_strdup_printf("rules/%s.rules", name);
    g_autofree char *want_name = g_strdup_printf("rules/%s.want", name);
    g_autofree char *ok_name = g_strdup_printf("rules/%s.ok", name);
    g_autofree char *base = g_strdup_printf("%s.rules", name);
    gsize len;
    g_autofree char *text = unit_data(rules_name, &len);
    g_autofree char *want = unit_data(want_name, NULL);
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(SmtpRules) rules = smtp_rules_parse(text, len, base, faults);
    g_autofree char *got = NULL;

    if (rules)
        smtp_rules_check(rules, faults);
    got = faults_text(faults);
    ck_assert_msg(strcmp(got, want) == 0, "%s: want\n%sgot\n%s", name, want, got);
    ck_assert_int_eq(rules == NULL, faults_errors(faults) > 0);
    if (rules) {
        g_autofree char *ok = unit_data(ok_name, NULL);
        g_autofree char *printed = smtp_rules_print(rules);
        g_autoptr(SmtpRules) again = must_parse(printed);
        g_autofree char *twice = smtp_rules_print(again);

        ck_assert_msg(strcmp(printed, ok) == 0, "%s: want\n%sgot\n%s", name, ok, printed);
        ck_assert_str_eq(printed, twice);
    }
}

START_TEST(files)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/rules", 0, NULL);
    const char *name;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        if (!g_str_has_suffix(name, ".rules"))
            continue;
        g_autofree char *stem = g_strndup(name, strlen(name) - strlen(".rules"));
        check_one_file(stem);
        count++;
    }
    ck_assert_uint_ge(count, 8);
}
END_TEST

START_TEST(sections_and_comments)
{
    g_autoptr(SmtpRules) rules = must_parse("! comment\n"
                                            "[ALLOW-FROM-DOMAIN]\n"
                                            "!@not.example;\n"
                                            "@dom.ch;\n"
                                            "\n \t\r\n"
                                            "[deny-From-Domain]   \r\n"
                                            "usr@dom.ch\r\n"
                                            "[ALLOW-FROM-DOMAIN]\n"
                                            "@other.ch;\n");

    ck_assert_uint_eq(smtp_rules_count(rules, SMTP_ALLOW), 2);
    ck_assert_uint_eq(smtp_rules_count(rules, SMTP_DENY), 1);
    ck_assert_uint_eq(smtp_rules_count(rules, SMTP_SPAM), 0);
    ck_assert_str_eq(smtp_rules_file(rules), "test.rules");
    ck_assert_str_eq(smtp_section_name(SMTP_FILTER), "FILTER-ADDRESSES");
}
END_TEST

/* The texts of a line, unmasked. */
static void
check_line(const char *section, const char *line, const char *search, const char *replace)
{
    g_autofree char *text = g_strdup_printf("[%s]\n%s\n", section, line);
    g_autoptr(SmtpRules) rules = must_parse(text);

    for (int i = 0; i < SMTP_SECTIONS; i++) {
        const struct smtp_line *got = &g_array_index(rules->lines[i], struct smtp_line, 0);

        if (rules->lines[i]->len == 0)
            continue;
        ck_assert_str_eq(got->search, search);
        ck_assert_pstr_eq(got->replace, replace);
        ck_assert_int_eq(got->line, 2);
    }
}

START_TEST(parameters)
{
    check_line("ALLOW-FROM-DOMAIN", "@dom.ch;", "@dom.ch", NULL);
    check_line("ALLOW-FROM-DOMAIN", "@dom.ch; \t", "@dom.ch", NULL);
    check_line("DENY-FROM-DOMAIN", "usr@dom.ch", "usr@dom.ch", NULL);
    check_line("REPLACE-TEXT", "0; Gateway ; GATEWAY ;", " Gateway ", " GATEWAY ");
    check_line("REPLACE-TEXT", "0; Gateway ; GATEWAY ", " Gateway ", " GATEWAY ");
    check_line("REPLACE-TEXT", "1;gone;;", "gone", "");
    check_line("REPLACE-TEXT", "1;a^nb;^^n^1^x^;", "a\nb", "^n;^x^");
    check_line("SPAM-FILTER-RULES", "7;buy viagra ;1;", "buy viagra ", NULL);
    check_line("SPAM-FILTER-RULES", "7;a^nb;1", "a^nb", NULL);
    check_line("FILTER-ADDRESSES", "79000^1^^1122;", "79000;^1122", NULL);
}
END_TEST

/* "a b c" as lines, "-" as none. */
static void
append_lines(GString *text, const char *section, const char *list)
{
    g_auto(GStrv) words = g_strsplit(list, " ", -1);

    g_string_append_printf(text, "[%s]\n", section);
    for (char **word = words; *word && strcmp(list, "-") != 0; word++)
        g_string_append_printf(text, "%s;\n", *word);
}

/* The text of the file's line, 1 is the first. */
static char *
text_of_line(const char *text, int line)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    return g_strdelimit(g_strdup(lines[line - 1]), ";", '\0');
}

START_TEST(senders)
{
    g_autofree char *table = unit_data("rules/sender.tsv", NULL);
    g_auto(GStrv) rows = g_strsplit(table, "\n", -1);
    guint count = 0;

    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cell = g_strsplit(*row, "\t", -1);
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(SmtpRules) rules = NULL;
        g_autofree char *by = NULL;
        struct smtp_hit hit;
        bool spoke;
        bool may;

        if (!**row || **row == '#')
            continue;
        ck_assert_msg(g_strv_length(cell) == 5, "%s", *row);
        append_lines(text, "ALLOW-FROM-DOMAIN", cell[0]);
        append_lines(text, "DENY-FROM-DOMAIN", cell[1]);
        rules = must_parse(text->str);
        may = smtp_rules_sender(rules, cell[2], &hit, &spoke);
        ck_assert_msg(may == (strcmp(cell[3], "may") == 0), "%s", *row);
        ck_assert_int_eq(may, smtp_rules_sender(rules, cell[2], NULL, NULL));
        by = spoke ? text_of_line(text->str, hit.line) : g_strdup("-");
        ck_assert_msg(strcmp(by, cell[4]) == 0, "%s: by %s", *row, by);
        if (spoke)
            ck_assert_str_eq(hit.effect, may ? "allow" : "deny");
        count++;
    }
    ck_assert_uint_ge(count, 30);
}
END_TEST

START_TEST(folding)
{
    static const char *const same[][2] = {
        {"USR@Dom.CH", "usr@dom.ch"},
        {"ÄÖÜ@x", "äöü@x"},
        {"ΟΔΟΣ", "οδος"},
        {"οδοσ", "οδος"},
        {"ſ", "s"},
        {"K", "k"},
    };
    static const char *const different[][2] = {
        {"ß", "ss"}, {"İ", "i"}, {"ı", "i"}, {"ı", "I"}, {"\xff", "\xfe"}};

    for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *a = fold_text(same[i][0]);
        g_autofree char *b = fold_text(same[i][1]);
        ck_assert_str_eq(a, b);
    }
    for (guint i = 0; i < G_N_ELEMENTS(different); i++) {
        g_autofree char *a = fold_text(different[i][0]);
        g_autofree char *b = fold_text(different[i][1]);
        ck_assert_str_ne(a, b);
    }
}
END_TEST

START_TEST(hundred_thousand)
{
    g_autoptr(GString) text = g_string_new("[DENY-FROM-DOMAIN]\n");
    g_autoptr(SmtpRules) rules = NULL;
    struct smtp_hit hit;
    bool spoke;

    for (int i = 0; i < 100000; i++)
        g_string_append_printf(text, "user%d@customer%d.example;\n", i, i % 1000);
    rules = must_parse(text->str);
    ck_assert_uint_eq(smtp_rules_count(rules, SMTP_DENY), 100000);
    for (int i = 0; i < 100000; i += 7) {
        g_autofree char *yes = g_strdup_printf("USER%d@Customer%d.example", i, i % 1000);
        g_autofree char *no = g_strdup_printf("user%d@customer%d.example", i, i % 1000 + 1);

        ck_assert(!smtp_rules_sender(rules, yes, &hit, &spoke));
        ck_assert_int_eq(hit.line, i + 2);
        ck_assert(smtp_rules_sender(rules, no, &hit, &spoke));
        ck_assert(!spoke);
    }
}
END_TEST

START_TEST(loading)
{
    g_autofree char *dir = unit_tmpdir();
    g_autofree char *missing = g_build_filename(dir, "none.rules", NULL);
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(SmtpRules) rules = smtp_rules_load(missing, false, faults);
    g_autoptr(SmtpRules) second = NULL;

    ck_assert_ptr_nonnull(rules);
    ck_assert_uint_eq(faults->len, 0);
    second = smtp_rules_ref(rules);
    ck_assert(smtp_rules_sender(second, "", NULL, NULL));
    ck_assert_ptr_null(smtp_rules_load(missing, true, faults));
    ck_assert_ptr_null(smtp_rules_load(dir, false, faults));
    ck_assert_int_eq(mkfifo(missing, 0600), 0);
    ck_assert_ptr_null(smtp_rules_load(missing, false, faults));
    ck_assert_uint_eq(faults_errors(faults), 3);
    unit_rmdir(dir);
}
END_TEST

/* The sample file is an empty rule set. */
START_TEST(sample)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(SmtpRules) rules = smtp_rules_load("contrib/smtp.rules", true, faults);

    ck_assert_ptr_nonnull(rules);
    ck_assert_uint_eq(faults->len, 0);
    for (int section = 0; section < SMTP_SECTIONS; section++)
        ck_assert_uint_eq(smtp_rules_count(rules, section), 0);
}
END_TEST

/* The sample file with "! " taken away in front of one line, which must be there, once. */
static struct smtp_rules *
sample_with(const char *example)
{
    g_autofree char *text = NULL;
    g_autofree char *commented = g_strdup_printf("\n! %s\n", example);
    g_autoptr(GString) file = NULL;
    g_autofree char *line = g_strdup_printf("\n%s\n", example);

    ck_assert(g_file_get_contents("contrib/smtp.rules", &text, NULL, NULL));
    file = g_string_new(text);
    ck_assert_msg(g_string_replace(file, commented, line, 0) == 1, "%s", example);
    return must_parse(file->str);
}

/* Examples about senders and recipients: whom they hit and whom not. */
static const struct {
    const char *example, *hit, *missed;
} address_examples[] = {
    {"@dom.ch;", "usr@otherdom.ch", "USR@Dom.ch"}, /* all others are refused */
    {"usr@dom.ch;", "myusr@dom.ch", "other@dom.ch"},
    {"790001122;", "+41790001122@sms.example.com", "+41790001123@sms.example.com"},
};

START_TEST(sample_addresses)
{
    g_autoptr(SmtpRules) rules = sample_with(address_examples[_i].example);
    bool filter = smtp_rules_count(rules, SMTP_FILTER) > 0;
    struct smtp_hit hit;

    if (filter) {
        ck_assert(!smtp_rules_recipient(rules, address_examples[_i].hit, NULL, &hit));
        ck_assert(smtp_rules_recipient(rules, address_examples[_i].missed, NULL, &hit));
    } else {
        ck_assert(!smtp_rules_sender(rules, address_examples[_i].hit, NULL, NULL));
        ck_assert(smtp_rules_sender(rules, address_examples[_i].missed, NULL, NULL));
    }
}
END_TEST

/* Examples about texts: before and after. */
static const struct {
    const char *example;
    enum smtp_replace field;
    const char *text, *want;
} replace_examples[] = {
    {"0; Gateway ; GATEWAY ;", SMTP_REPLACE_SUBJECT, "Our Gateway is a Gateway for Gateways",
     "Our GATEWAY is a GATEWAY for Gateways"},
    {"1;^n^n;^n;", SMTP_REPLACE_BODY, "one\n\ntwo\nthree", "one\ntwo\nthree"},
    {"1;Sent by our excellent mail system;;", SMTP_REPLACE_BODY,
     "Hi\nSent by our excellent mail system\n", "Hi\n\n"},
};

START_TEST(sample_replacements)
{
    g_autoptr(SmtpRules) rules = sample_with(replace_examples[_i].example);
    g_autofree char *got = smtp_rules_replace(rules, replace_examples[_i].field,
                                              replace_examples[_i].text, 1000, NULL);

    ck_assert_pstr_eq(got, replace_examples[_i].want);
}
END_TEST

/* Examples about spam: a mail that they hit, one that they do not, and what they do. */
static const struct {
    const char *example, *header, *body, *other_header, *other_body, *effect;
} spam_examples[] = {
    {"2;Subject: Read: WG: Hotelreservation;2;", "Subject: Read: WG: Hotelreservation\r\n", "x",
     "Subject: read: WG: Hotelreservation\r\n", "Subject: Read: WG: Hotelreservation", "hold"},
    {"0;790001122@sms.;2;", "To: <+41790001122@SMS.example.com>\r\n", "x",
     "To: 790001122@mms.example.com\r\n", "790001122@sms.", "hold"},
    {"7;buy viagra ;1;", "", "Now: Buy Viagra here", "Subject: buy viagra \r\n", "buy viagra!",
     "delete"},
    {"1;To: all@dom.ch;4;", "TO: All@dom.ch, +41790000000@sms.example.com\r\n", "x",
     "Cc: all@dom.ch\r\n", "To: all@dom.ch", "list"},
};

START_TEST(sample_spam)
{
    g_autoptr(SmtpRules) rules = sample_with(spam_examples[_i].example);
    const char *recipients[] = {"+41790000000@sms.example.com", NULL};
    struct conf conf = {.spam_target = ""};

    for (int other = 0; other < 2; other++) {
        const char *header = other ? spam_examples[_i].other_header : spam_examples[_i].header;
        const char *body = other ? spam_examples[_i].other_body : spam_examples[_i].body;
        struct smtp_mail mail = {.recipients = recipients,
                                 .header = header,
                                 .header_len = strlen(header),
                                 .body = body,
                                 .body_len = strlen(body)};
        struct smtp_verdict verdict;
        struct outcome why;

        ck_assert_int_eq(smtp_rules_mail(rules, &conf, &mail, &verdict, &why), 0);
        ck_assert_uint_eq(verdict.hits->len, other ? 0 : 1);
        if (!other)
            ck_assert_str_eq(g_array_index(verdict.hits, struct smtp_hit, 0).effect,
                             spam_examples[_i].effect);
        smtp_verdict_clear(&verdict);
    }
}
END_TEST

/* Limits: a line that is just short enough can be printed and read again, masked to double length.
 */
START_TEST(long_lines)
{
    g_autoptr(GString) text = g_string_new("[DENY-FROM-DOMAIN]\n");
    g_autoptr(SmtpRules) rules = NULL;
    g_autoptr(SmtpRules) again = NULL;
    g_autofree char *printed = NULL;
    g_autoptr(Faults) faults = faults_new();

    for (int i = 0; i < SMTP_TEXT_MAX; i++)
        g_string_append_c(text, '^');
    g_string_append(text, "^");
    rules = must_parse(text->str);
    printed = smtp_rules_print(rules);
    again = must_parse(printed);
    ck_assert_uint_eq(smtp_rules_count(again, SMTP_DENY), 1);
    for (int i = 0; i < SMTP_TEXT_MAX; i++)
        g_string_append_c(text, 'x');
    ck_assert_ptr_null(smtp_rules_parse(text->str, text->len, "test.rules", faults));
    for (int i = 0; i < SMTP_LINE_MAX; i++)
        g_string_append_c(text, 'x');
    ck_assert_ptr_null(smtp_rules_parse(text->str, text->len, "test.rules", faults));
    g_string_set_size(text, 1048576);
    memset(text->str + strlen("[DENY-FROM-DOMAIN]\n"), 'x',
           text->len - strlen("[DENY-FROM-DOMAIN]\n"));
    ck_assert_ptr_null(smtp_rules_parse(text->str, text->len, "test.rules", faults));
    ck_assert_uint_eq(faults_errors(faults), 3);
}
END_TEST

UNIT_SUITE("rules", {
    tcase_add_test(unit, files);
    tcase_add_test(unit, sections_and_comments);
    tcase_add_test(unit, parameters);
    tcase_add_test(unit, senders);
    tcase_add_test(unit, folding);
    tcase_add_test(unit, hundred_thousand);
    tcase_add_test(unit, loading);
    tcase_add_test(unit, sample);
    tcase_add_loop_test(unit, sample_addresses, 0, G_N_ELEMENTS(address_examples));
    tcase_add_loop_test(unit, sample_replacements, 0, G_N_ELEMENTS(replace_examples));
    tcase_add_loop_test(unit, sample_spam, 0, G_N_ELEMENTS(spam_examples));
    tcase_add_test(unit, long_lines);
})
