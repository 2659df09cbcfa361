/* SPDX-License-Identifier: ISC */
/*
 * SMTP rules: grammar and faults by files (tests/data/rules/NAME.rules with NAME.want, the faults,
 * and NAME.ok, the canonical text), ALLOW and DENY by a table (sender.tsv).
 */
#include "tests/unit/check_all.h"

#include "rules/fold.h"
#include "rules/rules.h"
#include "rules/smtp.h"
#include <string.h>

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
    g_autofree char *got = faults_text(faults);

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
    ck_assert_uint_eq(faults_errors(faults), 2);
    unit_rmdir(dir);
}
END_TEST

/* The sample file is an empty rule set, and every line that it shows is legal. */
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
    ck_assert_uint_eq(faults_errors(faults), 2);
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
    tcase_add_test(unit, long_lines);
})
