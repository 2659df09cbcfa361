/* SPDX-License-Identifier: ISC */
/* Mail that no reader has to see, and what a reader sees in it. */
#include "tests/unit/check_all.h"
#include "tests/unit/plain_check.h"

static const struct {
    const char *mail;
    bool plain;
} rows[] = {
    {"Subject: Alarm\n\nHello\n", true},
    {"Subject: Alarm\r\n\r\nHello\r\nyou\r\n", true},
    {"Subject:  Alarm \t\n\nHello", false}, /* a tab is no printable character */
    {"SUBJECT:Alarm  \n\n  Hello  \n\tyou\n\n\n", true},
    {"From: a\n\nno subject\n", true},
    {"From: a\n\tb\nTo: x,\n y\nSubject: Alarm\n\nHello\n", true},
    {"Subject: Alarm\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n"
     "Content-Transfer-Encoding: 7bit\n\nHello\n",
     true},
    {"Content-Type: TEXT/Plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: 8BIT\n\nHello\n",
     true},
    {"Subject: Alarm\n\n-- \nAnna\n--b\n", true},
    /* what a reader has to see */
    {"Subject: Alarm\n two\n\nHello\n", false},
    {"Subject: one\nSubject: two\n\nHello\n", false},
    {"Subject: =?utf-8?Q?Alarm?=\n\nHello\n", false},
    {"Subject: T\xc3\xbcre\n\nHello\n", false},
    {"Subject: Alarm\n\nT\xc3\xbcre\n", false},
    {"Subject: Alarm\n\nHello\x01\n", false},
    {"Subject: Alarm\n\nHello\r\r\n", false},
    {"Subject: Alarm\n\n \n\t\n", false},
    {"Subject: Alarm\n\n", false},
    {"Subject: Alarm\nContent-Type: text/html\n\nHello\n", false},
    {"Subject: Alarm\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b--\n", false},
    {"Subject: Alarm\nContent-Type: text/plain; format=flowed\n\nHello \nyou\n", false},
    {"Subject: Alarm\nContent-Type: text/plain; charset=utf-7\n\n+AGE-\n", false},
    {"Subject: Alarm\nContent-Type: text/plain;\n charset=utf-7\n\n+AGE-\n", false},
    {"Subject: Alarm\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n", false},
    {"Subject: Alarm\nContent-Transfer-Encoding: quoted-printable\n\n=41\n", false},
    {"Subject: Alarm\nContent-Disposition: attachment\n\nHello\n", false},
    {"Subject: Alarm\nContent-Type : text/html\n\nHello\n", false},
    {"Subject: Alarm\nContent-Type: text/p lain\n\nHello\n", false},
    {" Subject: Alarm\n\nHello\n", false},
    {"Subject: Alarm\nno field\n\nHello\n", false},
    {"Subject: Alarm\n\nbegin 644 x\n#0V%T\n`\nend\n", false},
    {"Subject: Alarm\n\n=ybegin line=1 size=1 name=x\nx\n=yend size=1\n", false},
    {"Subject: Alarm\n\n-----BEGIN PGP MESSAGE-----\n", false},
};

START_TEST(plain_rows)
{
    ck_assert_msg(plain_check(rows[_i].mail, strlen(rows[_i].mail)) == rows[_i].plain, "%s",
                  rows[_i].mail);
}
END_TEST

/* Every mail of the reader's cases: what is plain reads the same. */
START_TEST(plain_as_read)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/reader", 0, NULL);
    const char *file;
    guint plain = 0;

    while ((file = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("reader/%s", file);
        g_autofree char *mail = NULL;
        gsize len;

        if (!g_str_has_suffix(file, ".eml"))
            continue;
        mail = unit_data(path, &len);
        plain += plain_check(mail, len);
    }
    ck_assert_uint_ge(plain, 3);
}
END_TEST

START_TEST(plain_large)
{
    g_autoptr(GString) mail = g_string_new("Subject: Alarm\n\n");

    while (mail->len < 65000)
        g_string_append(mail, "line of some length\n");
    ck_assert(plain_check(mail->str, mail->len));
    while (mail->len < 66000)
        g_string_append(mail, "line of some length\n");
    ck_assert(!plain_check(mail->str, mail->len));
}
END_TEST

UNIT_SUITE("plain", tcase_add_loop_test(unit, plain_rows, 0, G_N_ELEMENTS(rows));
           tcase_add_test(unit, plain_as_read); tcase_add_test(unit, plain_large))
