/* SPDX-License-Identifier: ISC */
/*
 * The search for many texts at once, and that the engine says of generated mails what a plain
 * search of every line says (smtp_naive.h).
 */
#include "tests/unit/smtp_mail.h"

#include "rules/many.h"

/* Text of n letters out of few, so that much of it occurs again. */
static void
append_letters(GRand *dice, GString *to, gint n, bool odd)
{
    static const char *const letters[] = {"a", "b", "A", "B", " ", "ä", "Ä", "\xc3", "\0x", "\n"};

    while (n-- > 0) {
        gint k = g_rand_int_range(dice, 0, odd ? 10 : 7);

        g_string_append_len(to, letters[k], k == 8 ? 2 : (gssize)strlen(letters[k]));
    }
}

/* many_search finds what memmem finds, in any octets, folded or not, whatever the lengths. */
START_TEST(many_texts)
{
    GRand *dice = g_rand_new_with_seed((guint32)_i);

    for (int round = 0; round < 40; round++) {
        g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GTree) sorted = g_tree_new((GCompareFunc)strcmp);
        g_autoptr(GString) octets = g_string_new(NULL);
        g_autoptr(GString) folded = g_string_new(NULL);
        g_autoptr(ManyFound) found = NULL;
        struct many *many;

        for (gint n = g_rand_int_range(dice, 1, 200); n > 0; n--) {
            GString *text = g_string_new(NULL);
            g_autofree char *own = NULL;

            append_letters(dice, text, g_rand_int_range(dice, 1, round % 2 ? 6 : 40), false);
            own = g_string_free(text, FALSE);
            text = g_string_new(NULL);
            fold_octets(own, strlen(own), false, text);
            g_ptr_array_add(texts, g_string_free(text, FALSE));
            g_tree_insert(sorted, texts->pdata[texts->len - 1], NULL);
        }
        append_letters(dice, octets, g_rand_int_range(dice, 0, 2000), true);
        /* Some of the longer ones would not come by chance. */
        for (guint i = 0; i < texts->len; i += 7)
            g_string_append(octets, texts->pdata[i]);
        fold_octets(octets->str, octets->len, false, folded);

        g_autoptr(GPtrArray) keys = g_ptr_array_new();
        for (GTreeNode *node = g_tree_node_first(sorted); node; node = g_tree_node_next(node))
            g_ptr_array_add(keys, g_tree_node_key(node));
        many = many_new((const char *const *)keys->pdata, keys->len);
        found = many_found_new(many);
        for (int fold = 0; fold < 2; fold++) {
            const GString *in = fold ? folded : octets;
            guint expected = 0;

            if (fold)
                many_search_folded(many, octets->str, octets->len, found);
            else
                many_search(many, octets->str, octets->len, found);
            for (guint i = 0; i < keys->len; i++) {
                bool there = found->seen[i / 8] & 1u << i % 8;

                ck_assert_msg(naive_in(in, keys->pdata[i]) == there, "%s", (char *)keys->pdata[i]);
                expected += there;
            }
            ck_assert_uint_eq(found->texts->len, expected);
            many_found_reset(found);
        }
        many_free(many);
    }
    g_rand_free(dice);
}
END_TEST

/* Texts and characters that a block's border cuts in two. */
START_TEST(blocks)
{
    static const char *const texts[] = {"ä", "needle-äöü-with-a-long-tail"};
    struct many *many = many_new((const char *const[]){texts[1], texts[0]}, 2);
    g_autoptr(ManyFound) found = many_found_new(many);

    for (gsize shift = 0; shift < 40; shift++) {
        g_autoptr(GString) text = g_string_new(NULL);

        while (text->len < 32768 - shift)
            g_string_append_c(text, 'X');
        g_string_append(text, "NEEDLE-ÄÖÜ-WITH-A-LONG-TAIL");
        many_search_folded(many, text->str, text->len, found);
        ck_assert_uint_eq(found->texts->len, 2);
        many_found_reset(found);
    }
    many_free(many);
}
END_TEST

/* A file of every section, texts of few letters, and a mail of the same. */
static char *
random_file(GRand *dice)
{
    GString *file = g_string_new(NULL);

    for (gint n = g_rand_int_range(dice, 1, 40); n > 0; n--) {
        g_autoptr(GString) search = g_string_new(NULL);
        g_autoptr(GString) replace = g_string_new(NULL);

        append_letters(dice, search, g_rand_int_range(dice, 1, 9), false);
        append_letters(dice, replace, g_rand_int_range(dice, 0, 4), false);
        if (g_rand_boolean(dice))
            g_string_append_printf(file, "[REPLACE-TEXT]\n%d;%s%s;%s;\n",
                                   g_rand_int_range(dice, 0, 2), search->str,
                                   g_rand_int_range(dice, 0, 5) ? "" : "^n", replace->str);
        else
            g_string_append_printf(file, "[SPAM-FILTER-RULES]\n%d;%s;%d;\n",
                                   g_rand_int_range(dice, 0, 9), search->str,
                                   g_rand_int_range(dice, 1, 5));
    }
    return g_string_free(file, FALSE);
}

static char *
random_text(GRand *dice, gint most, bool odd)
{
    GString *text = g_string_new(NULL);

    append_letters(dice, text, g_rand_int_range(dice, 0, most), odd);
    if (odd)
        g_string_set_size(text, strlen(text->str));
    return g_string_free(text, FALSE);
}

static void
same_verdict(const struct smtp_verdict *fast, const struct smtp_verdict *plain, bool decoded,
             const char *file)
{
    g_autofree char *a = hits_text(fast->hits);
    g_autofree char *b = hits_text(plain->hits);
    const char *spam = b;

    /* Whatever is disposed of without a reader keeps its texts. */
    if (!decoded)
        while (g_str_has_prefix(spam, "replace:"))
            spam = strchr(spam, ' ') + 1;
    ck_assert_msg(strcmp(a, spam) == 0, "%s\n%s, not %s", file, a, spam);
    ck_assert_int_eq(fast->fate, plain->fate);
    ck_assert_int_eq(fast->class, plain->class);
    ck_assert_int_eq(fast->fatal.line, plain->fatal.line);
    if (decoded) {
        ck_assert_pstr_eq(fast->subject, plain->subject);
        ck_assert_pstr_eq(fast->text, plain->text);
    }
}

START_TEST(as_plain_search)
{
    GRand *dice = g_rand_new_with_seed(1000u + (guint32)_i);

    for (int round = 0; round < 100; round++) {
        g_autofree char *file = random_file(dice);
        g_autofree char *header = random_text(dice, 60, true);
        g_autofree char *body = random_text(dice, 200, true);
        g_autofree char *subject = random_text(dice, 20, false);
        g_autofree char *text = random_text(dice, 200, false);
        g_autoptr(SmtpRules) rules = must_parse(file);
        struct unit_mail mail = {.recipients = {"ab@a", "Ä b@b"},
                                 .header = header,
                                 .body = body,
                                 .subject = subject,
                                 .text = text,
                                 .decoded = g_rand_int_range(dice, 0, 10) > 0};
        struct conf conf = {.spam_target = g_rand_boolean(dice) ? "spam@example.com" : "",
                            .list_action = g_rand_int_range(dice, 0, 3)};
        struct smtp_mail question = asked(&mail, g_rand_boolean(dice));
        struct smtp_verdict fast, plain;
        struct outcome why;
        bool decoded;

        ck_assert_int_eq(smtp_rules_mail(rules, &conf, &question, &fast, &why), 0);
        decoded = mail.called > 0;
        ck_assert(decoded || fast.fate != SMTP_PASS || !smtp_rules_wants_reader(rules));
        ck_assert_int_eq(naive_mail(rules, &conf, &question, &plain, &why), 0);
        same_verdict(&fast, &plain, decoded, file);
        smtp_verdict_clear(&fast);
        smtp_verdict_clear(&plain);
    }
    g_rand_free(dice);
}
END_TEST

/* Long texts: replacements cross every border there is, grow, shrink and are cut. */
START_TEST(long_replacements)
{
    GRand *dice = g_rand_new_with_seed(5000u + (guint32)_i);

    for (int round = 0; round < 8; round++) {
        g_autoptr(GString) file = g_string_new("[REPLACE-TEXT]\n");
        g_autoptr(GArray) hits = smtp_hits_new();
        g_autoptr(GArray) plain_hits = smtp_hits_new();
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *got = NULL;
        g_autofree char *want = NULL;
        gsize max = (gsize)g_rand_int_range(dice, 5000, 40000);

        append_letters(dice, text, 9000, false);
        for (int n = 0; n < 60; n++) {
            gint from = g_rand_int_range(dice, 0, (gint)text->len - 900);
            gint len = g_rand_int_range(dice, 1, round % 2 ? 12 : 900);
            const char *first = g_utf8_find_next_char(text->str + from, NULL);
            const char *last = g_utf8_find_next_char(first + len, NULL);
            g_autofree char *replace = random_text(dice, round % 3 ? 8 : 600, false);

            g_string_append_printf(file, "1;%.*s;%s;\n", (int)(last - first), first, replace);
        }
        g_autoptr(SmtpRules) rules = must_parse(file->str);
        got = smtp_rules_replace(rules, SMTP_REPLACE_BODY, text->str, max, hits);
        want = naive_replace(rules, SMTP_REPLACE_BODY, text->str, max, plain_hits);
        ck_assert_pstr_eq(got, want);
        ck_assert_uint_eq(hits->len, plain_hits->len);
        for (guint i = 0; i < hits->len; i++)
            ck_assert_int_eq(g_array_index(hits, struct smtp_hit, i).line,
                             g_array_index(plain_hits, struct smtp_hit, i).line);
    }
    g_rand_free(dice);
}
END_TEST

/* Somebody who knows all 20,000 texts sends them all, in one large mail: a search of the whole for
 * each line would outlast the test's time limit. */
START_TEST(hostile_mail)
{
    g_autoptr(GString) file = g_string_new("[REPLACE-TEXT]\n");
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) run = g_string_new(NULL);
    g_autoptr(SmtpRules) rules = NULL;
    g_autoptr(GArray) hits = smtp_hits_new();
    g_autofree char *got = NULL;

    for (int i = 0; i < 20000; i++)
        g_string_append_printf(file, "1;text-%d-of-many;%d;\n", i * 7919 % 20000, i);
    g_string_append(file, "[SPAM-FILTER-RULES]\n");
    for (int i = 0; i < 1900; i++) {
        g_string_append_c(run, 'a');
        g_string_append_printf(file, "4;%s;3;\n", run->str);
    }
    rules = must_parse(file->str);
    for (int i = 0; i < 20000; i++)
        g_string_append_printf(text, "text-%d-of-many aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ", i);
    got = smtp_rules_replace(rules, SMTP_REPLACE_BODY, text->str, VIEW_TEXT_MAX, hits);
    ck_assert_uint_eq(hits->len, 20000);
    ck_assert(strstr(got, "of-many") == NULL);

    struct unit_mail mail = {
        .recipients = {"a@b"}, .header = "", .body = "", .subject = "", .decoded = 1};
    struct conf conf = {.spam_target = ""};
    struct smtp_mail question = asked(&mail, false);
    struct smtp_verdict verdict;
    struct outcome why;

    g_string_truncate(text, 0);
    while (text->len < VIEW_TEXT_MAX)
        g_string_append(text, run->str);
    mail.text = text->str;
    ck_assert_int_eq(smtp_rules_mail(rules, &conf, &question, &verdict, &why), 0);
    ck_assert_uint_eq(verdict.hits->len, 1900);
    smtp_verdict_clear(&verdict);
}
END_TEST

UNIT_SUITE("rules_search", {
    tcase_add_loop_test(unit, many_texts, 0, 10);
    tcase_add_test(unit, blocks);
    tcase_add_loop_test(unit, as_plain_search, 0, 10);
    tcase_add_loop_test(unit, long_replacements, 0, 5);
    tcase_add_test(unit, hostile_mail);
})
