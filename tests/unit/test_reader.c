/* SPDX-License-Identifier: ISC */
/*
 * Mails to views. Each tests/data/reader/NAME.eml has its view in NAME.want, one field a line;
 * ACCEPT=1 in the environment of this runner writes the .want files anew, git shows what changed.
 * Mails too large for a file are built here.
 *
 * With GMime 3.2.13 alone these would lose text: words-german-padded, words-cyrillic-padded,
 * words-charset-change and from-quoted-word (all after the first padded word, shown by
 * test_gmime_loses_padded_words), base64-padding-inside (all after the padding), header-twice (the
 * last field wins), charset-utf8-is-1252 and charset-shift-jis-fault (letters dropped or not
 * UTF-8), empty and header-none (no message at all).
 */
#include "tests/unit/check_all.h"
#include "transport/reader/mail.h"
#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

static char *
escaped(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text; text++) {
        if (*text == '\n')
            g_string_append(out, "\\n");
        else if (*text == '\t')
            g_string_append(out, "\\t");
        else if (*text == '\\')
            g_string_append(out, "\\\\");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

static void
dump_string(GString *to, const char *name, const char *value)
{
    g_autofree char *line = escaped(value);

    if (*value)
        g_string_append_printf(to, "%s: %s\n", name, line);
}

/* All but the digest, which the test works out itself; fields that say nothing are left out. */
static char *
dump(const struct mail_view *view)
{
    GString *to = g_string_new(NULL);

    g_string_append_printf(to, "size: %d\n", (int)view->size);
    dump_string(to, "message_id", view->message_id);
    dump_string(to, "date", view->date);
    dump_string(to, "from", view->from);
    dump_string(to, "from_address", view->from_address);
    dump_string(to, "from_name", view->from_name);
    dump_string(to, "subject", view->subject);
    dump_string(to, "text", view->text);
    dump_string(to, "auto_submitted", view->auto_submitted);
    dump_string(to, "precedence", view->precedence);
    dump_string(to, "to", view->to);
    dump_string(to, "declared", view->declared);
    if (view->rewritten)
        g_string_append(to, "rewritten\n");
    if (view->sealed)
        g_string_append(to, "sealed\n");
    if (view->encrypted)
        g_string_append(to, "encrypted\n");
    if (view->list)
        g_string_append(to, "list\n");
    if (view->report)
        g_string_append(to, "report\n");
    if (view->loop)
        g_string_append(to, "loop\n");
    if (view->text_cut)
        g_string_append(to, "text_cut\n");
    if (view->replaced)
        g_string_append_printf(to, "replaced: %u\n", view->replaced);
    if (view->verdict.kind != OUT_OK)
        g_string_append_printf(to, "verdict: %s %s %s\n", out_status(view->verdict.kind),
                               view->verdict.dsn, view->verdict.text);
    return g_string_free(to, FALSE);
}

static struct mail_view *
parse(const char *data, gsize len)
{
    /* A copy of the exact size lets the sanitizers see one octet too far. */
    g_autofree guint8 *exact = g_memdup2(data, len);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, exact, len);
    struct mail_view *view;

    reader_parse(exact, len, &view);
    ck_assert_str_eq(view->digest, digest);
    ck_assert_int_eq(view->size, len);
    return view;
}

static void
check_case(const char *name, bool accept)
{
    g_autofree char *mail_path = g_strdup_printf("reader/%s.eml", name);
    g_autofree char *want_path = g_strdup_printf("reader/%s.want", name);
    gsize len;
    g_autofree char *mail = unit_data(mail_path, &len);
    g_autoptr(MailView) view = parse(mail, len);
    g_autofree char *got = dump(view);
    g_autofree char *want = NULL;

    if (accept) {
        g_autofree char *path = g_strdup_printf("tests/data/%s", want_path);
        ck_assert(g_file_set_contents(path, got, -1, NULL));
        return;
    }
    want = unit_data(want_path, NULL);
    ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%swant\n%s", name, got, want);
}

START_TEST(test_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/reader", 0, NULL);
    const char *file;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *name = g_strdup(file);

        if (!g_str_has_suffix(name, ".eml"))
            continue;
        name[strlen(name) - strlen(".eml")] = '\0';
        check_case(name, getenv("ACCEPT") != NULL);
        count++;
    }
    ck_assert_uint_gt(count, 80);
}
END_TEST

/* Why words.c exists. When this fails, a newer GMime may have made it unnecessary. */
START_TEST(test_gmime_loses_padded_words)
{
    const char *words =
        "=?UTF-8?B?R3LDvMOfZSE=?= =?UTF-8?B?IGF1cyBaw7xyaWNoLA==?= =?UTF-8?B?IHNjaMO2bmU=?=";
    g_autofree char *lost = NULL;
    g_autofree char *mail = g_strdup_printf("Subject: %s\n\n", words);
    g_autoptr(MailView) view = parse(mail, strlen(mail));

    g_mime_init();
    lost = g_mime_utils_header_decode_text(NULL, words);
    ck_assert_str_eq(lost, "Grüße!");
    ck_assert_str_eq(view->subject, "Grüße! aus Zürich, schöne");
}
END_TEST

/* count multiparts around a text, each with a boundary of its own. */
static GString *
nested(int count)
{
    GString *mail = g_string_new("Subject: deep\n");

    for (int i = 0; i < count; i++)
        g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
                               i);
    g_string_append(mail, "Content-Type: text/plain\n\ndeep text\n");
    return mail;
}

START_TEST(test_depth)
{
    g_autoptr(GString) most = nested(32);
    g_autoptr(GString) deep = nested(33);
    g_autoptr(GString) deepest = nested(100000);
    g_autoptr(MailView) view_most = parse(most->str, most->len);
    g_autoptr(MailView) view_deep = parse(deep->str, deep->len);
    g_autoptr(MailView) view_deepest = parse(deepest->str, deepest->len);

    ck_assert_int_eq(view_most->verdict.kind, OUT_OK);
    ck_assert_str_eq(view_most->text, "deep text\n");
    ck_assert_int_eq(view_deep->verdict.kind, OUT_DATA);
    ck_assert_str_eq(view_deep->verdict.dsn, "5.6.0");
    ck_assert_ptr_nonnull(strstr(view_deep->verdict.text, "deep"));
    ck_assert_str_eq(view_deep->subject, "deep");
    ck_assert_str_eq(view_deep->text, "");
    ck_assert_int_eq(view_deepest->verdict.kind, OUT_DATA);
}
END_TEST

START_TEST(test_messages_in_messages)
{
    g_autoptr(GString) mail = g_string_new(NULL);

    for (int i = 0; i < 5000; i++)
        g_string_append(mail, "Content-Type: message/rfc822\n\n");
    g_autoptr(MailView) view = parse(mail->str, mail->len);
    ck_assert_int_eq(view->verdict.kind, OUT_DATA);
}
END_TEST

static GString *
with_parts(int count)
{
    GString *mail = g_string_new("Content-Type: multipart/mixed; boundary=b\n\n");

    for (int i = 0; i < count; i++)
        g_string_append_printf(mail, "--b\n\npart %d\n", i);
    return mail;
}

START_TEST(test_parts)
{
    g_autoptr(GString) most = with_parts(499); /* the mail itself is one */
    g_autoptr(GString) many = with_parts(500);
    g_autoptr(GString) flood = with_parts(300000);
    g_autoptr(MailView) view_most = parse(most->str, most->len);
    g_autoptr(MailView) view_many = parse(many->str, many->len);
    g_autoptr(MailView) view_flood = parse(flood->str, flood->len);

    ck_assert_int_eq(view_most->verdict.kind, OUT_OK);
    /* All of one message, but nobody puts a text into more than 64 parts; what is cut is said to
     * be. */
    ck_assert(g_str_has_prefix(view_most->text, "part 0\n\npart 1\n\n"));
    ck_assert(g_str_has_suffix(view_most->text, "\n\npart 63") && view_most->text_cut);
    ck_assert_int_eq(view_many->verdict.kind, OUT_DATA);
    ck_assert_ptr_nonnull(strstr(view_many->verdict.text, "parts"));
    ck_assert_int_eq(view_flood->verdict.kind, OUT_DATA);
}
END_TEST

START_TEST(test_header_lines)
{
    g_autoptr(GString) most = g_string_new("Subject: s\n");
    g_autoptr(GString) many = g_string_new("Subject: s\n x\n");

    for (int i = 1; i < 1000; i++) {
        g_string_append_printf(most, "X-%d: x\n", i);
        g_string_append_printf(many, "X-%d: x\n", i);
    }
    g_string_append(most, "\ntext\n");
    g_string_append(many, "\ntext\n");
    g_autoptr(MailView) view_most = parse(most->str, most->len);
    g_autoptr(MailView) view_many = parse(many->str, many->len);
    ck_assert_int_eq(view_most->verdict.kind, OUT_OK);
    ck_assert_int_eq(view_many->verdict.kind, OUT_DATA);
    ck_assert_ptr_nonnull(strstr(view_many->verdict.text, "header lines"));
}
END_TEST

/* GMime overflows the stack on these when it parses the mail. */
START_TEST(test_nested_groups)
{
    const char *const heads[] = {
        "From: ", "To: ", "Content-Type: message/rfc822\n\nFrom: ", "From: (", "From: \""};

    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autoptr(GString) mail = g_string_new(heads[i]);

        for (int j = 0; j < 100 * 1024 / 2; j++)
            g_string_append(mail, i == 3 ? "((" : "a:");
        g_string_append(mail, "\nSubject: s\n\ntext\n");
        g_autoptr(MailView) view = parse(mail->str, mail->len);
        ck_assert_int_eq(view->verdict.kind, OUT_OK);
        ck_assert_str_eq(view->text, "text\n");
        ck_assert_uint_le(strlen(view->from), VIEW_HEADER_MAX);
    }
}
END_TEST

START_TEST(test_cuts)
{
    g_autoptr(GString) mail = g_string_new("Subject: x");

    for (int i = 0; i < 4000; i++)
        g_string_append(mail, "ü");
    g_string_append(mail, "\n\nx");
    for (int i = 0; i < 600000; i++)
        g_string_append(mail, "ü");
    g_autoptr(MailView) view = parse(mail->str, mail->len);
    ck_assert_int_eq(view->verdict.kind, OUT_OK);
    ck_assert_uint_eq(strlen(view->subject),
                      VIEW_HEADER_MAX - 1); /* an octet and whole characters */
    ck_assert_uint_eq(strlen(view->text), VIEW_TEXT_MAX - 1);
    ck_assert(view->text_cut);
    ck_assert(g_utf8_validate(view->text, -1, NULL));
    ck_assert_uint_eq(view->replaced, 0);
}
END_TEST

/* More encoded text than is decoded at all. */
START_TEST(test_large_encoded)
{
    g_autoptr(GString) mail = g_string_new("Content-Type: text/plain; charset=utf-16be\n"
                                           "Content-Transfer-Encoding: quoted-printable\n\n");

    for (int i = 0; i < 3000000; i++)
        g_string_append(mail, "=00a");
    g_autoptr(MailView) view = parse(mail->str, mail->len);
    ck_assert(view->text_cut);
    ck_assert_uint_eq(strlen(view->text), VIEW_TEXT_MAX);
}
END_TEST

/* Work must grow with the mail's size, not its square: a slow case ends in the runner's time-out.
 */
START_TEST(test_tedious)
{
    const char *const heads[] = {"Content-Transfer-Encoding: quoted-printable\n\n", "\n",
                                 "Subject: ", "Content-Type: multipart/mixed; boundary=\"",
                                 "From: "};
    const char *const units[] = {" ",   "=",  "=?",   "=?a?q?",       "\r",
                                 "\n ", "--", "\xFF", "\xC3\xBC \xFF"};

    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(units); j++) {
            g_autoptr(GString) mail = g_string_new(heads[i]);

            while (mail->len < 2 * 1048576)
                g_string_append(mail, units[j]);
            g_autoptr(MailView) view = parse(mail->str, mail->len);
            ck_assert(g_utf8_validate(view->text, -1, NULL));
        }
    }
}
END_TEST

UNIT_SUITE("reader", tcase_add_test(unit, test_cases);
           tcase_add_test(unit, test_gmime_loses_padded_words); tcase_add_test(unit, test_depth);
           tcase_add_test(unit, test_messages_in_messages); tcase_add_test(unit, test_parts);
           tcase_add_test(unit, test_header_lines); tcase_add_test(unit, test_nested_groups);
           tcase_add_test(unit, test_cuts); tcase_add_test(unit, test_large_encoded);
           tcase_add_test(unit, test_tedious))
