/* SPDX-License-Identifier: ISC */
/*
 * Mails and what is made of them when their subject and text become others. Each
 * tests/data/rewrite/NAME.eml is altered as NAME.ask says ("subject …", then "text" and all that
 * follows; what is not there stays) and is then NAME.want, octet for octet; "make accept" writes
 * these anew. tests/system/test_rewrite.py reads the same files with another reader.
 */
#include "tests/unit/alter_check.h"
#include "tests/unit/check_all.h"

/* What is asked for; points into the file. */
struct ask {
    const char *subject, *text;
};

static struct ask
read_ask(char *file)
{
    struct ask ask = {0};

    if (g_str_has_prefix(file, "subject ")) {
        char *end = strchr(file, '\n');

        ask.subject = file + strlen("subject ");
        *end = '\0';
        file = end + 1;
    }
    if (g_str_has_prefix(file, "text\n"))
        ask.text = file + strlen("text\n");
    return ask;
}

static void
check_case(const char *name)
{
    g_autofree char *mail_path = g_strdup_printf("rewrite/%s.eml", name);
    g_autofree char *ask_path = g_strdup_printf("rewrite/%s.ask", name);
    g_autofree char *want_path = g_strdup_printf("rewrite/%s.want", name);
    g_autofree char *file = unit_data(ask_path, NULL);
    struct ask ask = read_ask(file);
    struct outcome verdict = {0};
    gsize len;
    g_autofree char *mail = unit_data(mail_path, &len);
    GString *altered = alter_check(mail, len, ask.subject, ask.text, &verdict);
    g_autofree char *want = NULL;

    ck_assert_msg(altered != NULL, "%s: %s", name, verdict.text);
    ck_assert_uint_eq(strlen(altered->str), altered->len);
    want = unit_want(want_path, altered->str);
    ck_assert_msg(strcmp(altered->str, want) == 0, "%s: got\n%s\nwant\n%s", name, altered->str,
                  want);
    g_string_free(altered, TRUE);
}

START_TEST(test_alter_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/rewrite", 0, NULL);
    const char *file;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *name = g_strdup(file);

        if (!g_str_has_suffix(name, ".eml"))
            continue;
        name[strlen(name) - strlen(".eml")] = '\0';
        check_case(name);
        count++;
    }
    ck_assert_uint_gt(count, 30);
}
END_TEST

/* Mails that stay as they are, and the reason. */
START_TEST(test_alter_refused)
{
    static const struct {
        const char *mail, *subject, *text, *reason;
    } cases[] = {
        {"Subject: s\n\n", NULL, "new", "it has no text"},
        {"Subject: s\n\n \n", NULL, "new", "it has no text"},
        {"Content-Type: text/html\n\n<p>\n", NULL, "new", "it has no text"},
        {"Content-Type: multipart/signed; boundary=x\n\n--x\n\nold\n--x--\n", NULL, "new",
         "it is signed or encrypted"},
        {"Content-Type: application/pkcs7-mime\n\nMIA=\n", "new", NULL,
         "it is signed or encrypted"},
        {"\n-----BEGIN PGP SIGNED MESSAGE-----\nold\n", NULL, "new", "it is signed or encrypted"},
        /* Another part would be read instead of the empty one. */
        {"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nold\n--x\n\nother\n--x--\n",
         NULL, "", "it would not read as it should"},
        /* Several parts that are read together. */
        {"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nold\n--x\n\nother\n--x--\n", NULL,
         "new", "its text is not that of one text/plain part"},
        {"Content-Type: text/html\n\n<p>old", NULL, "new",
         "its text is not that of one text/plain part"},
        /* What was no seal would become one. */
        {"\nold\n", NULL, "-----BEGIN PGP MESSAGE-----\n", "it would not read as it should"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *want = g_strdup_printf("the mail cannot be altered: %s", cases[i].reason);
        struct outcome verdict = {0};

        ck_assert_ptr_null(alter_check(cases[i].mail, strlen(cases[i].mail), cases[i].subject,
                                       cases[i].text, &verdict));
        ck_assert_str_eq(verdict.text, want);
        ck_assert_str_eq(verdict.dsn, "5.6.0");
    }
}
END_TEST

START_TEST(test_alter_limits)
{
    g_autoptr(GString) deep = g_string_new("Subject: s\n");
    g_autoptr(GString) cut = g_string_new("Subject: s\n\n");
    g_autoptr(GString) header = g_string_new("Content-Type: multipart/mixed; boundary=x\n\n--x\n");
    g_autoptr(GString) nul = g_string_new("Content-Type: multipart/mixed; boundary=x\n\n--x\nX: ");
    struct outcome verdict = {0};
    GString *altered;

    for (int i = 0; i < 40; i++)
        g_string_append_printf(deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
                               i);
    g_string_append(deep, "\ntext\n");
    ck_assert_ptr_null(alter_check(deep->str, deep->len, "new", NULL, &verdict));
    ck_assert_ptr_nonnull(strstr(verdict.text, "nested too deep"));

    while (cut->len < VIEW_TEXT_MAX + 100)
        g_string_append(cut, "old text\n");
    ck_assert_ptr_null(alter_check(cut->str, cut->len, NULL, "new", &verdict));
    ck_assert_str_eq(verdict.text, "the mail cannot be altered: its text is too long");
    altered = alter_check(cut->str, cut->len, "nü", NULL, &verdict);
    ck_assert_ptr_nonnull(altered); /* for the subject it does not matter */
    g_string_free(altered, TRUE);

    for (int i = 0; i < 900; i++) {
        g_string_append_printf(header, "X-%d: ", i);
        for (int j = 0; j < 100; j++)
            g_string_append(header, "a lot of octets in one header line, which nobody reads again");
        g_string_append_c(header, '\n');
    }
    g_string_append(header, "\nold\n--x--\n");
    ck_assert_ptr_null(alter_check(header->str, header->len, NULL, "nü", &verdict));
    ck_assert_str_eq(verdict.text, "the mail cannot be altered: a part's header is too large");
    altered = alter_check(header->str, header->len, "nü", "ascii", &verdict);
    ck_assert_ptr_nonnull(altered); /* which leaves that header alone */
    g_string_free(altered, TRUE);

    g_string_append_len(nul, "a\0b\n\nold\n--x--\n", 15);
    ck_assert_ptr_null(alter_check(nul->str, nul->len, NULL, "nü", &verdict));
    ck_assert_str_eq(verdict.text, "the mail cannot be altered: a part's header has a NUL");
}
END_TEST

/* What is there already needs nothing, and what no view has is taken out of what is asked for. */
START_TEST(test_alter_nothing)
{
    const char *mail = "Subject: =?utf-8?q?s=C3=BC?=\n\ntext \r\n";
    g_autoptr(Rewrite) rewrite = NULL;
    g_autoptr(Rewrite) unclean = NULL;

    reader_alter((const guint8 *)mail, strlen(mail), "sü", "text \n", &rewrite);
    ck_assert_int_eq(rewrite->verdict.kind, OUT_OK);
    ck_assert(!rewrite->subject && !rewrite->content_type && rewrite->n_edits == 0);
    reader_alter((const guint8 *)mail, strlen(mail), " s\aü\t", "text\f \r\n", &unclean);
    ck_assert_int_eq(unclean->verdict.kind, OUT_OK);
    ck_assert(!unclean->subject && !unclean->content_type && unclean->n_edits == 0);
}
END_TEST

/* Every mail that is read in a test can be altered, or has a reason not to. */
START_TEST(test_alter_all_mails)
{
    static const char *const texts[] = {
        "new", "neü\n", "☎ 日本\nПривет\n", "--\n--x\n--b--\n.\nFrom x\n", "\n\n", "= =\t\n \n", "",
    };
    g_autoptr(GDir) dir = g_dir_open("tests/data/reader", 0, NULL);
    const char *file;
    guint altered = 0;

    ck_assert_ptr_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("reader/%s", file);
        gsize len;
        g_autofree char *mail = unit_data(path, &len);

        for (guint i = 0; i < G_N_ELEMENTS(texts) && g_str_has_suffix(file, ".eml"); i++) {
            struct outcome verdict;
            GString *text = alter_check(mail, len, NULL, texts[i], &verdict);
            GString *both = alter_check(mail, len, texts[i], texts[i], &verdict);

            altered += (text != NULL) + (both != NULL);
            if (text)
                g_string_free(text, TRUE);
            if (both)
                g_string_free(both, TRUE);
        }
    }
    ck_assert_uint_gt(altered, 800);
}
END_TEST

/* A character for every octet a text could be cut at: encoded words and soft line ends fall
 * everywhere. */
START_TEST(test_alter_lengths)
{
    static const char *const units[] = {"x", "ü", "€", "😀", "=", " y", ".", "-"};
    static const char *const heads[] = {
        "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64", "X: y"};

    for (guint h = 0; h < G_N_ELEMENTS(heads); h++) {
        g_autofree char *mail = g_strdup_printf("%s\n\naltE=\n", heads[h]);

        for (guint u = 0; u < G_N_ELEMENTS(units); u++) {
            g_autoptr(GString) text = g_string_new("a");

            for (int i = 0; i < 170; i++) {
                struct outcome verdict;
                GString *altered = alter_check(mail, strlen(mail), text->str, text->str, &verdict);

                ck_assert_msg(altered != NULL, "%s", verdict.text);
                g_string_free(altered, TRUE);
                g_string_append(text, units[u]);
            }
        }
    }
}
END_TEST

START_TEST(test_alter_longest)
{
    const char *mail = "Subject: s\r\n\r\nold\r\n";
    g_autoptr(GString) subject = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    struct outcome verdict;
    GString *altered;

    while (subject->len + 3 <= VIEW_HEADER_MAX)
        g_string_append(subject, "€");
    while (text->len + 3 <= VIEW_TEXT_MAX)
        g_string_append(text, "€");
    altered = alter_check(mail, strlen(mail), subject->str, text->str, &verdict);
    ck_assert_msg(altered != NULL, "%s", verdict.text);
    g_string_free(altered, TRUE);
    g_string_truncate(subject, 0);
    while (subject->len < VIEW_HEADER_MAX)
        g_string_append_c(subject, 'x'); /* no place to fold */
    altered = alter_check(mail, strlen(mail), subject->str, NULL, &verdict);
    ck_assert_msg(altered != NULL, "%s", verdict.text);
    g_string_free(altered, TRUE);
}
END_TEST

/* 10 MB of attachment: nothing of it moves. */
START_TEST(test_alter_large)
{
    g_autoptr(GString) mail =
        g_string_new("Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
                     "--x\r\nContent-Type: text/plain\r\n\r\nold\r\n"
                     "--x\r\nContent-Type: application/pdf\r\n\r\n");
    gsize attachment = mail->len;
    struct outcome verdict;
    GString *altered;

    for (int i = 0; mail->len < 10 * 1048576; i++)
        g_string_append_printf(mail, "%d --x \xFF old\r\n", i);
    g_string_append(mail, "--x--\r\n");
    altered = alter_check(mail->str, mail->len, "nü", "nü", &verdict);
    ck_assert_msg(altered != NULL, "%s", verdict.text);
    ck_assert(memcmp(altered->str + altered->len - (mail->len - attachment), mail->str + attachment,
                     mail->len - attachment) == 0);
    g_string_free(altered, TRUE);
}
END_TEST

UNIT_SUITE("alter", tcase_add_test(unit, test_alter_cases);
           tcase_add_test(unit, test_alter_refused); tcase_add_test(unit, test_alter_limits);
           tcase_add_test(unit, test_alter_nothing); tcase_add_test(unit, test_alter_all_mails);
           tcase_add_test(unit, test_alter_lengths); tcase_add_test(unit, test_alter_longest);
           tcase_add_test(unit, test_alter_large))
