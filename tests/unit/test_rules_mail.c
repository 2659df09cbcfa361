/* SPDX-License-Identifier: ISC */
/*
 * SMTP rules and whole mails: what each section, field and action does.
 */
#include "tests/unit/smtp_mail.h"

static const struct unit_mail plain_mail = {
    .recipients = {"+41790001122@sms.example.com", "+41791234567@sms.example.com"},
    .header = "From: Bob <bob@dom.ch>\r\nTo: Anna <anna@dom.ch>,\r\n\t\"x, y\" <xy@dom.ch>\r\n"
              "Cc: Sms@Other.example (a comment)\r\n"
              "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= Gateway\r\nX-Odd: \xff\xe4\r\n",
    .body = "QnV5IFZpYWdyYQ==\r\nRaw Text \xff\r\nend",
    .subject = "Grüße Gateway",
    .text = "Buy Viagra now\nZweite Zeile äÖß end\n",
    .decoded = 1};

static char *
effects_of(const char *file, const struct conf *conf, struct unit_mail *mail, bool mixed,
           struct smtp_verdict *ret)
{
    g_autoptr(SmtpRules) rules = must_parse(file);
    struct smtp_mail question = asked(mail, mixed);
    struct outcome why;

    ck_assert_int_eq(smtp_rules_mail(rules, conf, &question, ret, &why), 0);
    return hits_text(ret->hits);
}

/* A line and whether it finds plain_mail. */
static const struct {
    const char *line;
    bool found;
} fields[] = {
    {"0;790001122@SMS.;1;", true},
    {"0;+41791234567@sms.example.com;1;", true},
    {"0;anna@dom.ch;1;", true},
    {"0;XY@DOM;1;", true},
    {"0;sms@other.example;1;", true},
    {"0;bob@dom.ch;1;", false}, /* From: is no destination */
    {"0;Anna <;1;", false},     /* display names and brackets are no address */
    {"0;a comment;1;", false},
    {"0;com+4179;1;", false}, /* each address on its own */
    {"1;subject: =?UTF-8?q?gr=c3;1;", true},
    {"1;Grüße;1;", false}, /* the header is not decoded */
    {"1;gateway;1;", true},
    {"1;buy;1;", false},
    {"2;To: Anna <anna@dom.ch>,;1;", true},
    {"2;to: Anna;1;", false},
    {"2;Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= Gateway;1;", true},
    {"3;buy viagra NOW;1;", true},
    {"3;ZEILE ÄöSS;1;", false}, /* ß is not ss */
    {"3;ZEILE Äöß;1;", true},
    {"3;gateway;1;", false}, /* the subject is header */
    {"4;Buy Viagra;1;", true},
    {"4;buy viagra;1;", false},
    {"4;QnV5;1;", false},
    {"5;BOB <bob;1;", true},
    {"5;VIAGRA;1;", true},
    {"5;raw text;1;", false},
    {"6;Bob <bob;1;", true},
    {"6;bob <bob;1;", false},
    {"6;Viagra;1;", true},
    {"6;viagra;1;", false},
    {"7;qnv5ifzPYWdyYQ==;1;", true},
    {"7;raw text ;1;", true},
    {"7;viagra;1;", false},
    {"7;from: bob;1;", false},
    {"8;QnV5IFZpYWdyYQ==;1;", true},
    {"8;qnv5;1;", false},
    {"8;Raw Text ;1;", true},
};

START_TEST(spam_field)
{
    g_autofree char *file = g_strdup_printf("[SPAM-FILTER-RULES]\n%s\n", fields[_i].line);
    struct unit_mail mail = plain_mail;
    struct conf conf = {.spam_target = ""};
    struct smtp_verdict verdict;
    g_autofree char *hits = effects_of(file, &conf, &mail, false, &verdict);

    ck_assert_msg(strcmp(hits, fields[_i].found ? "delete:2" : "") == 0, "%s: %s", fields[_i].line,
                  hits);
    ck_assert_int_eq(verdict.fate, fields[_i].found ? SMTP_DISCARD : SMTP_PASS);
    smtp_verdict_clear(&verdict);
}
END_TEST

#define TARGET "spam@example.com"

/* Lines of SPAM-FILTER-RULES from the file's second on, knobs, and what comes of plain_mail. */
static const struct {
    const char *lines;
    enum conf_spam action;
    const char *target;
    enum conf_list list;
    bool mixed;
    enum smtp_fate fate;
    const char *hits;
    int fatal;
    enum smtp_class class;
} actions[] = {
    {"3;no such;1;", 0, "", 0, false, SMTP_PASS, "", 0, SMTP_CLASS_NONE},
    {"3;Buy;1;", 0, TARGET, 0, false, SMTP_DISCARD, "delete:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;1;", 0, TARGET, 0, true, SMTP_DISCARD, "delete:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;2;", CONF_SPAM_HOLD, "", 0, false, SMTP_HOLD, "hold:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;2;", CONF_SPAM_HOLD, TARGET, 0, false, SMTP_HOLD, "hold:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;2;", CONF_SPAM_REDIRECT, TARGET, 0, false, SMTP_REDIRECT, "redirect:2", 2,
     SMTP_CLASS_NONE},
    {"3;Buy;2;", CONF_SPAM_HOLD, TARGET, 0, true, SMTP_REDIRECT, "redirect:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;2;", CONF_SPAM_HOLD, "", 0, true, SMTP_DISCARD, "delete:2", 2, SMTP_CLASS_NONE},
    {"3;Buy;3;", 0, "", 0, false, SMTP_PASS, "copy-to:2", 0, SMTP_CLASS_COPY_TO},
    {"3;Buy;4;", 0, "", 0, false, SMTP_PASS, "list:2", 0, SMTP_CLASS_LIST},
    {"3;Buy;4;\n1;subject;3;", 0, "", 0, false, SMTP_PASS, "list:2 copy-to:3", 0, SMTP_CLASS_LIST},
    /* the first that disposes ends the search; classes before it are declared */
    {"8;Raw;3;\n3;Buy;1;\n0;anna;2;\n1;subject;4;", 0, "", 0, false, SMTP_DISCARD,
     "copy-to:2 delete:3", 3, SMTP_CLASS_COPY_TO},
    {"0;anna;2;\n3;Buy;1;", 0, "", 0, false, SMTP_HOLD, "hold:2", 2, SMTP_CLASS_NONE},
    {"5;bob;3;\n5;end;3;\n5;end;3;", 0, "", 0, false, SMTP_PASS, "copy-to:2 copy-to:3", 0,
     SMTP_CLASS_COPY_TO},
    /* list_action */
    {"3;Buy;4;\n3;now;4;", CONF_SPAM_HOLD, "", CONF_LIST_SPAM, false, SMTP_HOLD,
     "list:2 list:3 hold:2", 2, SMTP_CLASS_LIST},
    {"3;Buy;4;", CONF_SPAM_HOLD, TARGET, CONF_LIST_SPAM, true, SMTP_REDIRECT, "list:2 redirect:2",
     2, SMTP_CLASS_LIST},
    {"3;Buy;4;", CONF_SPAM_HOLD, "", CONF_LIST_DROP, false, SMTP_DISCARD, "list:2 delete:2", 2,
     SMTP_CLASS_LIST},
    {"3;Buy;3;", CONF_SPAM_HOLD, "", CONF_LIST_DROP, false, SMTP_PASS, "copy-to:2", 0,
     SMTP_CLASS_COPY_TO},
    {"3;Buy;4;\n3;now;2;", CONF_SPAM_HOLD, "", CONF_LIST_DROP, false, SMTP_HOLD, "list:2 hold:3", 3,
     SMTP_CLASS_LIST},
};

START_TEST(spam_action)
{
    g_autofree char *file = g_strdup_printf("[SPAM-FILTER-RULES]\n%s\n", actions[_i].lines);
    struct unit_mail mail = plain_mail;
    struct conf conf = {.spam_action = actions[_i].action,
                        .spam_target = (char *)actions[_i].target,
                        .list_action = actions[_i].list};
    struct smtp_verdict verdict;
    g_autofree char *hits = effects_of(file, &conf, &mail, actions[_i].mixed, &verdict);

    ck_assert_msg(strcmp(hits, actions[_i].hits) == 0, "%s: %s", file, hits);
    ck_assert_int_eq(verdict.fate, actions[_i].fate);
    ck_assert_int_eq(verdict.class, actions[_i].class);
    ck_assert_int_eq(verdict.fatal.line, actions[_i].fatal);
    smtp_verdict_clear(&verdict);
}
END_TEST

/* Which files make the engine ask for a decoded mail. */
static const struct {
    const char *file;
    bool wants_body, wants_reader;
    guint called;
    int fatal;
} needs[] = {
    {"[DENY-FROM-DOMAIN]\nx;\n[FILTER-ADDRESSES]\nx;\n", false, false, 0, 0},
    {"[SPAM-FILTER-RULES]\n0;x@;1;\n1;x;3;\n2;no such;1;\n", false, false, 0, 0},
    {"[SPAM-FILTER-RULES]\n7;no such;1;\n8;no such;1;\n", true, false, 0, 0},
    {"[SPAM-FILTER-RULES]\n3;no such;1;\n", true, true, 1, 0},
    {"[SPAM-FILTER-RULES]\n6;no such;1;\n", true, true, 1, 0},
    {"[REPLACE-TEXT]\n0;no such;x;\n", true, true, 1, 0},
    /* what lies behind a line that disposes of the mail needs nobody */
    {"[SPAM-FILTER-RULES]\n0;anna;1;\n3;Buy;1;\n", true, true, 0, 2},
    {"[SPAM-FILTER-RULES]\n7;raw;2;\n5;Buy;1;\n[REPLACE-TEXT]\n0;a;b;\n", true, true, 0, 2},
    {"[SPAM-FILTER-RULES]\n3;no such;1;\n0;anna;1;\n3;Buy;1;\n", true, true, 1, 3},
};

START_TEST(decoding)
{
    g_autoptr(SmtpRules) rules = must_parse(needs[_i].file);
    struct unit_mail mail = plain_mail;
    struct conf conf = {.spam_target = ""};
    struct smtp_verdict verdict;
    g_autofree char *hits = effects_of(needs[_i].file, &conf, &mail, false, &verdict);

    ck_assert_int_eq(smtp_rules_wants_body(rules), needs[_i].wants_body);
    ck_assert_int_eq(smtp_rules_wants_reader(rules), needs[_i].wants_reader);
    ck_assert_uint_eq(mail.called, needs[_i].called);
    ck_assert_int_eq(verdict.fatal.line, needs[_i].fatal);
    smtp_verdict_clear(&verdict);
}
END_TEST

START_TEST(decoding_fails)
{
    g_autoptr(SmtpRules) rules =
        must_parse("[REPLACE-TEXT]\n1;Buy;x;\n[SPAM-FILTER-RULES]\n5;bob;3;\n3;Buy;1;\n");
    struct unit_mail mail = plain_mail;
    struct conf conf = {.spam_target = ""};
    struct smtp_mail question = asked(&mail, false);
    struct smtp_verdict verdict;
    g_autofree char *hits = NULL;
    struct outcome why;

    mail.decoded = -1;
    ck_assert_int_eq(smtp_rules_mail(rules, &conf, &question, &verdict, &why), -1);
    ck_assert_str_eq(why.text, "no reader");
    mail.decoded = 0;
    ck_assert_int_eq(smtp_rules_mail(rules, &conf, &question, &verdict, &why), 0);
    hits = hits_text(verdict.hits);
    ck_assert_str_eq(hits, "copy-to:4"); /* the header is there */
    ck_assert_ptr_null(verdict.text);
    smtp_verdict_clear(&verdict);
}
END_TEST

/* The spam lines see what REPLACE-TEXT made of the text; fields 7 and 8 what was sent. */
START_TEST(order)
{
    struct unit_mail mail = plain_mail;
    struct conf conf = {.spam_target = ""};
    struct smtp_verdict verdict;
    g_autofree char *hits = effects_of("[SPAM-FILTER-RULES]\n3;viagra;1;\n3;roses;4;\n7;raw;3;\n"
                                       "[REPLACE-TEXT]\n1;Viagra;roses;\n0;Gateway;GATEWAY;\n",
                                       &conf, &mail, false, &verdict);

    ck_assert_str_eq(hits, "replace:6 replace:7 list:3 copy-to:4");
    ck_assert_int_eq(verdict.fate, SMTP_PASS);
    ck_assert_str_eq(verdict.subject, "Grüße GATEWAY");
    ck_assert_str_eq(verdict.text, "Buy roses now\nZweite Zeile äÖß end\n");
    smtp_verdict_clear(&verdict);
}
END_TEST

/* Lines from the file's second on; a text; what becomes of it (NULL: nothing); most octets. */
static const struct {
    const char *lines;
    enum smtp_replace field;
    const char *text, *want;
    gsize max;
    const char *hits;
} replacements[] = {
    {"0; Gateway ; GATEWAY ;", SMTP_REPLACE_SUBJECT, "the Gateway is", "the GATEWAY is", 100,
     "replace:2"},
    {"0; Gateway ; GATEWAY ;", SMTP_REPLACE_SUBJECT, "Gateways Gateway", NULL, 100, ""},
    {"0; Gateway ; GATEWAY ;", SMTP_REPLACE_SUBJECT, "the gateway is", NULL, 100, ""},
    {"0;a;b;", SMTP_REPLACE_BODY, "aaa", NULL, 100, ""},
    {"1;a;b;", SMTP_REPLACE_BODY, "aaa a", "bbb b", 100, "replace:2"},
    {"1;aa;a;", SMTP_REPLACE_BODY, "aaaaa", "aaa", 100, "replace:2"}, /* not its own output */
    {"1;a;aa;", SMTP_REPLACE_BODY, "aba", "aabaa", 100, "replace:2"},
    {"1;a;b;\n1;b;c;\n1;c;a;", SMTP_REPLACE_BODY, "abc", "aaa", 100,
     "replace:2 replace:3 replace:4"},
    {"1;b;c;\n1;a;b;", SMTP_REPLACE_BODY, "ab", "bc", 100, "replace:2 replace:3"},
    {"1;gone;;", SMTP_REPLACE_BODY, "be gone now", "be  now", 100, "replace:2"},
    {"1;all;;", SMTP_REPLACE_BODY, "allall", "", 100, "replace:2"},
    {"1;^n^n;^n;", SMTP_REPLACE_BODY, "a\n\n\nb", "a\n\nb", 100, "replace:2"},
    {"1;one^ntwo;x;", SMTP_REPLACE_BODY, "one\ntwo", "x", 100, "replace:2"},
    {"0;, ;^n;", SMTP_REPLACE_SUBJECT, "a, b", "a b", 100, "replace:2"},
    {"0;^n;x;", SMTP_REPLACE_SUBJECT, "a b", NULL, 100, ""},
    {"0; ;^n;", SMTP_REPLACE_SUBJECT, "a b", NULL, 100, ""}, /* a blank for a blank */
    {"1;a;a;", SMTP_REPLACE_BODY, "aa", NULL, 100, ""},
    {"1;^1;^^;", SMTP_REPLACE_BODY, "a;b", "a^b", 100, "replace:2"},
    {"1;ab;x;\n1;bc;y;", SMTP_REPLACE_BODY, "abc", "xc", 100, "replace:2"},
    {"1;-;ö;", SMTP_REPLACE_BODY, "a---", "aö", 4, "replace:2"},
    {"1;-;ö;\n1;a;b;", SMTP_REPLACE_BODY, "a---", "aöö", 5, "replace:2"},
    {"1;b;c;", SMTP_REPLACE_BODY, "aaaaaa", NULL, 3, ""},
    {"1;a;c;", SMTP_REPLACE_BODY, "baaaaa", "bcc", 3, "replace:2"},
    /* What comes out is what a reader would read from a mail with it. */
    {"0;x;  ;", SMTP_REPLACE_SUBJECT, "xax", "a", 100, "replace:2"},
    {"0;x;\x07\t\xC2\x85;", SMTP_REPLACE_SUBJECT, "axb", "a b", 100, "replace:2"},
    {"1;x; ^n ;", SMTP_REPLACE_BODY, "xx", "", 100, "replace:2"},
    {"1;x; ^n;", SMTP_REPLACE_BODY, "xa", " \na", 100, "replace:2"},
    {"1;x;\x1B\xE2\x80\xAE;", SMTP_REPLACE_BODY, "a\tx", "a\t", 100, "replace:2"},
};

START_TEST(replacing)
{
    g_autofree char *file = g_strdup_printf("[REPLACE-TEXT]\n%s\n", replacements[_i].lines);
    g_autoptr(SmtpRules) rules = must_parse(file);
    g_autoptr(GArray) hits = smtp_hits_new();
    g_autofree char *got = smtp_rules_replace(rules, replacements[_i].field, replacements[_i].text,
                                              replacements[_i].max, hits);
    g_autofree char *again = smtp_rules_replace(rules, replacements[_i].field,
                                                replacements[_i].text, replacements[_i].max, NULL);
    g_autofree char *effects = hits_text(hits);

    ck_assert_pstr_eq(got, replacements[_i].want);
    ck_assert_pstr_eq(again, got);
    ck_assert_str_eq(effects, replacements[_i].hits);
}
END_TEST

/* Recipients: lines from the second on, as written, number, the line that removes or 0. */
static const struct {
    const char *lines, *recipient, *number;
    int line;
} filters[] = {
    {"790001122;", "+41790001122@sms.example.com", "+41790001122", 2},
    {"790001122;", "0790001122@sms.example.com", "+41790001122", 2},
    {"790001122;", "\"079 000 11 22\"@sms.example.com", "+41790001122", 2},
    {"790001122;", "+41790001123@sms.example.com", "+41790001123", 0},
    {"+4179000;", "079 000 11 22@sms.example.com", "+41790001122", 2},
    {"SMS.Example;", "079@sms.example.com", NULL, 2},
    {"x;\n79;\n7;", "+4179@sms.example.com", NULL, 2},
    {"q;\n79;\n7;", "+4179@sms.example.com", "+4179", 3},
    {"OPT-Ä@;", "opt-ä@sms.example.com", NULL, 2},
};

START_TEST(filtering)
{
    g_autofree char *file = g_strdup_printf("[FILTER-ADDRESSES]\n%s\n", filters[_i].lines);
    g_autoptr(SmtpRules) rules = must_parse(file);
    struct smtp_hit hit = {0};
    bool served = smtp_rules_recipient(rules, filters[_i].recipient, filters[_i].number, &hit);

    ck_assert_int_eq(served, filters[_i].line == 0);
    ck_assert_int_eq(hit.line, filters[_i].line);
    ck_assert_int_eq(naive_recipient(rules, filters[_i].recipient, filters[_i].number),
                     filters[_i].line);
    if (!served)
        ck_assert_str_eq(hit.effect, "remove");
}
END_TEST

START_TEST(unserved)
{
    struct outcome why;

    smtp_rules_unserved(&why);
    ck_assert_int_eq(why.kind, OUT_NOUSER);
    ck_assert_str_eq(why.dsn, "5.1.1");
}
END_TEST

/* A header and the addresses in it, an LF behind each. */
static const struct {
    const char *header, *want;
} addresses[] = {
    {"To: a@b\r\n", "a@b\n"},
    {"TO : a@b, c@d\nSubject: x\ncc:e@f", "a@b\nc@d\ne@f\n"},
    {"To: Anna <a@b>,\r\n\tBob (b@x, the builder) <c@d>\r\nBcc: no@x\r\n", "a@b\nc@d\n"},
    {"To: \"last, first <no@x>\" <a@b>\r\n", "a@b\n"},
    {"To: \"quoted \\\" part\"@d\r\n", "\"quoted \\\" part\"@d\n"},
    {"To: <\"a, b\"@d>\r\n", "\"a, b\"@d\n"},
    {"To: friends: a@b, c@d;, e@f\r\n", "a@b\nc@d\ne@f\n"},
    {"To: undisclosed-recipients:;\r\n", ""},
    {"To: a@[IPv6:::1], b@c\r\n", "a@[IPv6:::1]\nb@c\n"},
    {"To: (nested (comment) a@b) c@d (e@f\r\n", "c@d\n"},
    {"To: <a@b> <c@d>\r\n", "a@b\nc@d\n"},
    {"To: <a@b>junk, x\r\n", "a@b\nx\n"},
    {"To: \"never closed <a@b>, c@d\r\n", "\"never closed <a@b>, c@d\n"},
    {"To: <a@b, c@d\r\n", "a@b, c@d\n"},
    {"To: very\r\n  long@fold\r\n .example\r\n", "very  long@fold .example\n"},
    {"Reply-To: x@y\r\nNoTo: x@y\r\nTo\r\n cc: x@y\r\n", ""},
    {"To:\r\nCc:,,;\r\n", ""},
    {"", ""},
};

START_TEST(destinations)
{
    const char *header = addresses[_i].header;
    g_autoptr(GString) got = g_string_new(NULL);

    smtp_addresses(header, strlen(header), got);
    ck_assert_str_eq(got->str, addresses[_i].want);
}
END_TEST

UNIT_SUITE("rules_mail", {
    tcase_add_loop_test(unit, spam_field, 0, G_N_ELEMENTS(fields));
    tcase_add_loop_test(unit, spam_action, 0, G_N_ELEMENTS(actions));
    tcase_add_loop_test(unit, decoding, 0, G_N_ELEMENTS(needs));
    tcase_add_test(unit, decoding_fails);
    tcase_add_test(unit, order);
    tcase_add_loop_test(unit, replacing, 0, G_N_ELEMENTS(replacements));
    tcase_add_loop_test(unit, filtering, 0, G_N_ELEMENTS(filters));
    tcase_add_test(unit, unserved);
    tcase_add_loop_test(unit, destinations, 0, G_N_ELEMENTS(addresses));
})
