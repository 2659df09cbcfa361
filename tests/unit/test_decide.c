/* SPDX-License-Identifier: ISC */
/* The engine, its template and its identities, without a daemon. */
#include "tests/unit/check_all.h"
#include "transport/dispatch/decide.h"

#include <string.h>

/* milter: keys of that section. */
static struct setup *
setup_in(const char *dir, const char *rules, const char *more, const char *milter)
{
    g_autofree char *conf_path = g_build_filename(dir, "postsms.conf", NULL);
    g_autofree char *rules_path = g_build_filename(dir, "smtp.rules", NULL);
    g_autofree char *conf =
        g_strdup_printf("domains = { \"sms.example.com\", \"alarm.sms.example.com\" }\n"
                        "country_code = \"41\"\nmilter {\n rules = \"%s\"\n %s }\n%s\n",
                        rules_path, milter, more);
    g_autoptr(Faults) faults = faults_new();
    struct setup *setup;

    ck_assert(g_file_set_contents(conf_path, conf, -1, NULL));
    ck_assert(g_file_set_contents(rules_path, rules, -1, NULL));
    setup = setup_load(conf_path, faults);
    if (!setup)
        faults_print(faults, stderr);
    ck_assert_ptr_nonnull(setup);
    return setup;
}

static struct setup *
setup_of(const char *dir, const char *rules, const char *more)
{
    return setup_in(dir, rules, more, "");
}

static const char base[] =
    "access { prefixes = { \"+41\" } }\n"
    "gateway \"off\" { type = \"file\" path = \"/off\" active = false }\n"
    "gateway \"demo\" { type = \"file\" path = \"/demo\" originator = \"Example\" }\n"
    "gateway \"second\" { type = \"file\" path = \"/second\" }\n";

static void
fill_request(struct request *request, const char *sender, const char *recipient, const char *login,
             const char *client)
{
    memset(request, 0, sizeof(*request));
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        request->value[i] = g_strdup(i == ENVELOPE_QUEUE_ID    ? "Q1"
                                     : i == ENVELOPE_SENDER    ? sender
                                     : i == ENVELOPE_RECIPIENT ? recipient
                                     : i == ENVELOPE_LOGIN     ? login
                                     : i == ENVELOPE_CLIENT    ? client
                                                               : "");
}

static struct mail_view *
view_new(const char *subject, const char *text)
{
    struct mail_view *view = g_new0(struct mail_view, 1);

    view->digest = g_strdup("0123");
    view->message_id = g_strdup("<1@example.com>");
    view->date = g_strdup("today");
    view->from = g_strdup("Joe <joe@example.com>");
    view->from_address = g_strdup("joe@example.com");
    view->from_name = g_strdup("Joe");
    view->subject = g_strdup(subject);
    view->text = g_strdup(text);
    view->auto_submitted = g_strdup("");
    view->precedence = g_strdup("");
    view->to = g_strdup("");
    view->declared = g_strdup("");
    out_set(&view->verdict, OUT_OK, "2.0.0", "ok");
    return view;
}

#define NUMBER "+41791234567@sms.example.com"
#define HERE   "127.0.0.1"

static const struct {
    const char *sender, *recipient, *login, *client, *subject, *text;
    const char *dsn, *reason, *gateway;
} rows[] = {
    {"joe@example.com", NUMBER, "", HERE, "Hi", "there", "2.0.0", "1 SMS to +41791234567 over demo",
     "demo"},
    {"joe@example.com", NUMBER, "", "", "Hi", "", "2.0.0", "1 SMS", "demo"}, /* sendmail(1) */
    {"joe@example.com", NUMBER, "", "192.0.2.1", "Hi", "", "5.7.1", "known senders only", NULL},
    {"joe@example.com", NUMBER, "joe", "192.0.2.1", "Hi", "", "2.0.0", "1 SMS", "demo"},
    {"joe@EVIL.example", NUMBER, "", HERE, "Hi", "", "5.7.1", "may not send SMS", NULL},
    {"joe@evil.example", "nobody@sms.example.com", "", HERE, "Hi", "", "5.7.1", "may not send SMS",
     NULL},
    {"", NUMBER, "", HERE, "Hi", "", "5.7.1", "without a sender address", NULL},
    {"joe@example.com", "not-a-number@sms.example.com", "", HERE, "Hi", "", "5.1.1",
     "not a phone number", NULL},
    {"joe@example.com", "+41791234567@other.sms.example.com", "", HERE, "Hi", "", "5.1.2",
     "not a domain for SMS", NULL},
    {"joe@example.com", "+41791@sms.example.com", "", HERE, "Hi", "", "5.1.3", "", NULL},
    {"joe@example.com", "+4915112345678@sms.example.com", "", HERE, "Hi", "", "5.7.1",
     "this country", NULL},
    {"joe@example.com", "sms:" NUMBER, "", HERE, "Hi", "", "2.0.0", "1 SMS", "demo"},
    {"joe@example.com", "\"sms:+41791234567?id=second\"@sms.example.com", "", HERE, "Hi", "",
     "2.0.0", "over second", "second"},
    {"joe@example.com", "\"sms:+41791234567?id=none\"@sms.example.com", "", HERE, "Hi", "", "5.7.1",
     "not known", NULL},
    {"joe@example.com", "\"sms:+41791234567?id=off\"@sms.example.com", "", HERE, "Hi", "", "4.3.2",
     "off: not active", NULL},
    {"joe@example.com", "\"sms:+41791234567?binary=1\"@sms.example.com", "", HERE, "Hi", "",
     "5.6.0", "nothing to send", "demo"},
    {"joe@example.com", NUMBER, "", HERE, "", " \n ", "5.6.0", "neither text nor subject", "demo"},
};

START_TEST(decisions)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "[DENY-FROM-DOMAIN]\n@evil.example;\n", base);
    g_autoptr(MailView) view = view_new(rows[_i].subject, rows[_i].text);
    struct request request;
    struct decision decision;

    fill_request(&request, rows[_i].sender, rows[_i].recipient, rows[_i].login, rows[_i].client);
    decide(setup, &request, view, "", NULL, NULL, &decision);
    ck_assert_str_eq(decision.verdict.dsn, rows[_i].dsn);
    ck_assert_msg(strstr(decision.verdict.text, rows[_i].reason), "%s", decision.verdict.text);
    ck_assert_pstr_eq(decision.gateway ? decision.gateway->id : NULL, rows[_i].gateway);
    ck_assert_int_eq(decision.message != NULL, rows[_i].dsn[0] == '2');
    if (strstr(rows[_i].reason, "may not send SMS"))
        ck_assert_str_eq(decision.rule, "smtp.rules:2");
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

START_TEST(guards)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", base);
    struct request request;

    fill_request(&request, "joe@example.com", NUMBER, "", HERE);
    for (int i = 0; i < 8; i++) {
        g_autoptr(MailView) view = view_new("Hi", "there");
        struct decision decision;
        const char *auto_submitted = i == 1 ? "auto-replied" : i == 7 ? "auto-generated" : "";

        view->report = i == 0;
        g_free(view->auto_submitted);
        view->auto_submitted = g_strdup(auto_submitted);
        view->loop = i == 2;
        view->list = i == 3;
        g_free(view->precedence);
        view->precedence = g_strdup(i == 4 ? "bulk" : i == 5 ? "junk" : i == 6 ? "list" : "");
        decide(setup, &request, view, "", NULL, NULL, &decision);
        ck_assert_str_eq(decision.verdict.dsn,
                         i == 7 ? "2.0.0" : "5.7.1"); /* auto-generated is an alarm */
        decision_clear(&decision);
    }
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

START_TEST(no_gateway)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", "");
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct request request;
    struct decision decision;

    fill_request(&request, "joe@example.com", NUMBER, "", HERE);
    decide(setup, &request, view, "", NULL, NULL, &decision);
    ck_assert_int_eq(decision.verdict.kind, OUT_CONFIG);
    ck_assert_str_eq(decision.verdict.dsn, "4.3.5");
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

START_TEST(address_parameters)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", base);
    g_autofree char *text = g_strnfill(500, 'x');
    g_autoptr(MailView) view = view_new("Hi", text);
    struct request request;
    struct decision decision;

    fill_request(&request, "joe@example.com",
                 "\"sms:+41791234567?maxmsgs=3&sender=Other&pid=64&pass=secret\"@sms.example.com",
                 "", HERE);
    decide(setup, &request, view, "", NULL, NULL, &decision);
    ck_assert_uint_eq(decision.message->parts->len, 3);
    ck_assert(decision.message->truncated);
    ck_assert_str_eq(decision.originator, "Other");
    ck_assert_ptr_nonnull(strstr(decision.notes, "credentials"));
    ck_assert_uint_eq(decision.message->pid, 64);
    ck_assert_ptr_nonnull(strstr(decision.notes, "text cut to 3 of 4 parts"));
    ck_assert_ptr_null(strstr(decision.notes, "secret"));
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

START_TEST(identities)
{
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct identity one, other;
    struct request request, requeued;

    fill_request(&request, "joe@example.com", NUMBER, "", HERE);
    fill_request(&requeued, "joe@example.com", "0791234567@sms.example.com", "", HERE);
    g_free(requeued.value[ENVELOPE_QUEUE_ID]);
    requeued.value[ENVELOPE_QUEUE_ID] = g_strdup("Q2");
    identity_of(&request, view, "+41791234567", &one);
    identity_of(&requeued, view, "+41791234567", &other);
    ck_assert_mem_ne(one.k1, other.k1, SPOOL_KEY);
    ck_assert_mem_eq(one.k2, other.k2, SPOOL_KEY);
    ck_assert_int_eq(one.reference, other.reference);
    identity_of(&request, view, "+41791234568", &other);
    ck_assert_mem_eq(one.k1, other.k1, SPOOL_KEY);
    ck_assert_mem_ne(one.k2, other.k2, SPOOL_KEY);
    /* "Hi" + "there" is not "Hithere" + "". */
    g_autoptr(MailView) moved = view_new("Hithere", "");
    identity_of(&request, moved, "+41791234567", &other);
    ck_assert_mem_ne(one.k2, other.k2, SPOOL_KEY);
    /* Rules that replace texts must not change what explain has shown. */
    ck_assert_int_eq(one.reference, other.reference);
    g_free(view->message_id);
    view->message_id = g_strdup("");
    identity_of(&request, view, "+41791234567", &other);
    ck_assert(!other.has_k2);
    request_clear(&request);
    request_clear(&requeued);
}
END_TEST

/* FILTER-ADDRESSES on the recipient as written and on its number; the spelling of each row hides
 * one of them. */
static const struct {
    const char *rules, *recipient, *settings;
    enum out_kind kind;
    const char *dsn, *rule;
} served[] = {
    {"[FILTER-ADDRESSES]\n791234567;\n", NUMBER, "", OUT_DROPPED, "2.0.0", "smtp.rules:2"},
    {"[FILTER-ADDRESSES]\n791234567;\n", "079/123 45 67@sms.example.com", "", OUT_DROPPED, "2.0.0",
     "smtp.rules:2"},
    {"[FILTER-ADDRESSES]\n@SMS.example;\n", NUMBER, "", OUT_DROPPED, "2.0.0", "smtp.rules:2"},
    {"[FILTER-ADDRESSES]\n791234568;\n", NUMBER, "", OUT_OK, "2.0.0", ""},
    {"[FILTER-ADDRESSES]\n791234567;\n", NUMBER, "filter_addresses = \"reject\"\n", OUT_NOUSER,
     "5.1.1", "smtp.rules:2"},
    /* Whoever may not send does not learn who is served. */
    {"[DENY-FROM-DOMAIN]\njoe@example.com;\n[FILTER-ADDRESSES]\n791234567;\n", NUMBER, "",
     OUT_REFUSED, "5.7.1", "smtp.rules:2"},
};

START_TEST(recipients_served)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_in(dir, served[_i].rules, base, served[_i].settings);
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct request request;
    struct decision decision;

    fill_request(&request, "joe@example.com", served[_i].recipient, "", HERE);
    for (int again = 0; again < 2; again++) {
        if (again)
            decide_again(setup, &request, view, "", &decision);
        else
            decide(setup, &request, view, "", NULL, NULL, &decision);
        ck_assert_int_eq(decision.verdict.kind, served[_i].kind);
        ck_assert_str_eq(decision.verdict.dsn, served[_i].dsn);
        ck_assert_str_eq(decision.rule, served[_i].rule);
        if (served[_i].kind == OUT_DROPPED)
            ck_assert_str_eq(decision.verdict.text, "discarded by rule");
        ck_assert_int_eq(decision.hits->len, *served[_i].rule ? 1 : 0);
        decision_clear(&decision);
    }
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

/* A line that finds its own output again shows a second application. */
START_TEST(replaced_once)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup =
        setup_of(dir, "[REPLACE-TEXT]\n0;Hi;Hi Hi;\n1;there;there there;\n", base);

    for (int rewritten = 0; rewritten < 2; rewritten++) {
        g_autoptr(MailView) view = view_new("Hi", "there");
        struct request request;
        struct decision decision;

        view->rewritten = rewritten;
        fill_request(&request, "joe@example.com", NUMBER, "", HERE);
        decide(setup, &request, view, "", NULL, NULL, &decision);
        ck_assert_str_eq(decision.message->text, rewritten ? "joe@example.com\nHi\nthere"
                                                           : "joe@example.com\nHi Hi\nthere there");
        ck_assert_uint_eq(decision.hits->len, rewritten ? 0 : 2);
        for (guint i = 0; i < decision.hits->len; i++) {
            const struct smtp_hit *hit = &g_array_index(decision.hits, struct smtp_hit, i);

            ck_assert_int_eq(hit->line, (int)i + 2);
            ck_assert_str_eq(hit->effect, "replace");
        }
        ck_assert_str_eq(decision.rule, "");
        decision_clear(&decision);
        request_clear(&request);
    }
    unit_rmdir(dir);
}
END_TEST

/* A line that empties the text leaves nothing to send; one that makes it longer than a view may be
 * does not. */
START_TEST(replaced_to_the_limits)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup =
        setup_of(dir, "[REPLACE-TEXT]\n0;Hi;;\n1;there;;\n1;x;xxxxxxxxxx;\n", base);
    g_autofree char *long_text = g_strnfill(VIEW_TEXT_MAX - 10, 'x');
    const char *const texts[] = {"there", long_text};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(MailView) view = view_new("Hi", texts[i]);
        struct request request;
        struct decision decision;

        fill_request(&request, "joe@example.com", NUMBER, "", HERE);
        decide(setup, &request, view, "", NULL, NULL, &decision);
        ck_assert_str_eq(decision.verdict.dsn, i == 0 ? "5.6.0" : "2.0.0");
        ck_assert_uint_le(strlen(decision.text), VIEW_TEXT_MAX);
        decision_clear(&decision);
        request_clear(&request);
    }
    unit_rmdir(dir);
}
END_TEST

static const struct {
    const char *in_header, *in_ledger, *recipient, *declared, *class;
} classes[] = {
    {"", "", NUMBER, "", "normal"},
    {"", "", "+41791234567@alarm.sms.example.com", "", "alarm"},
    {"copy-to", "", NUMBER, "copy-to", "normal"},
    {"list", "", NUMBER, "list", "bulk"},
    {"", "list", NUMBER, "list", "bulk"},
    {"copy-to", "list", NUMBER, "copy-to", "normal"}, /* the mail's own word goes first */
    {"list", "", "+41791234567@alarm.sms.example.com", "list", "alarm"},
};

START_TEST(classes_declared)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", base);
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct request request;
    struct decision decision;

    g_free(view->declared);
    view->declared = g_strdup(classes[_i].in_header);
    fill_request(&request, "joe@example.com", classes[_i].recipient, "", HERE);
    decide(setup, &request, view, classes[_i].in_ledger, NULL, NULL, &decision);
    ck_assert_int_eq(decision.verdict.kind, OUT_OK);
    ck_assert_str_eq(decision.declared, classes[_i].declared);
    ck_assert_str_eq(decision.class, classes[_i].class);
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

static const struct {
    const char *declared, *settings, *original, *to;
    enum out_kind kind;
} copies[] = {
    {"copy-to", "to-only", "", "boss@example.com", OUT_DROPPED},
    {"copy-to", "to-only", "", "", OUT_DROPPED},
    {"copy-to", "all", "", "boss@example.com", OUT_OK},
    {"", "to-only", "", "boss@example.com", OUT_OK},
    {"list", "to-only", "", "boss@example.com", OUT_OK},
    {"copy-to", "to-only", "", "+41791234567@SMS.Example.COM", OUT_OK},
    {"copy-to", "to-only", "", "boss@example.com\n079 123 45 67@sms.example.com", OUT_OK},
    {"copy-to", "to-only", "", "sms:0041791234567@sms.example.com", OUT_OK},
    {"copy-to", "to-only", "", "+41791234568@sms.example.com", OUT_DROPPED},
    {"copy-to", "to-only", "", "+41791234567@elsewhere.example", OUT_DROPPED},
    {"copy-to", "to-only", "OnCall@example.com", "oncall@Example.com", OUT_OK},
};

START_TEST(copies_to_only)
{
    g_autofree char *dir = unit_tmpdir();
    g_autofree char *settings =
        g_strdup_printf("copy_to_recipients = \"%s\"\n", copies[_i].settings);
    g_autoptr(Setup) setup = setup_in(dir, "", base, settings);
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct request request;
    struct decision decision;

    g_free(view->to);
    view->to = g_strdup(copies[_i].to);
    fill_request(&request, "joe@example.com", NUMBER, "", HERE);
    g_free(request.value[ENVELOPE_ORIGINAL]);
    request.value[ENVELOPE_ORIGINAL] = g_strdup(copies[_i].original);
    decide(setup, &request, view, copies[_i].declared, NULL, NULL, &decision);
    ck_assert_int_eq(decision.verdict.kind, copies[_i].kind);
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

/* Four gateways that can take more or less; which of them are asked, and what is said if none can.
 */
static const char unlike[] =
    "gateway \"plain\" { type = \"http\" url = \"http://127.0.0.1/\" values = no\n"
    " originator_max = 0 originator = \"12345\" }\n"
    "gateway \"demo\" { type = \"file\" path = \"/demo\" originator = \"Example\" }\n"
    "gateway \"own\" { type = \"http\" url = \"http://127.0.0.1/\" originator = \"+41790000000\" "
    "}\n"
    "gateway \"wide\" { type = \"http\" url = \"http://127.0.0.1/\" binary = yes originator_max = "
    "16 "
    "}\n"
    "route \"+42\" { gateways = { \"plain\" } }\n";

static const struct {
    const char *recipient, *asked; /* among whom the router may choose; "" if it is not asked */
    const char *dsn, *reason;
    const char *originator, *phone, *values; /* of the last one asked */
} able[] = {
    {NUMBER, "plain demo own wide", "2.0.0", "over wide", "", "", ""},
    {"sms:+41791234567?sender=Other@sms.example.com", "demo own wide", "2.0.0", "over wide",
     "Other", "", ""},
    {"sms:+41791234567?sender=Other+than+11+++@sms.example.com", "wide", "2.0.0", "over wide",
     "Other+than+11+++", "", ""},
    {"sms:+41791234567?sender=%2B4179&value=a=1&value=b@sms.example.com", "own wide", "2.0.0",
     "over wide", "+4179", "+4179", "&a=1&b"},
    {"sms:+41791234567?binary=1@sms.example.com", "demo wide", "2.0.0", "over wide", "", "", ""},
    {"sms:+41791234567?value=a&binary=1@sms.example.com", "wide", "2.0.0", "over wide", "", "",
     "&a"},
    {"sms:+41791234567?id=own@sms.example.com", "own", "2.0.0", "over own", "+41790000000",
     "+41790000000", ""},
    /* None can: the first says why. */
    {"sms:+41791234567?sender=More+than+sixteen@sms.example.com", "plain", "5.1.3",
     "must be a number here", NULL, NULL, NULL},
    {"sms:+41791234567?id=demo&value=a@sms.example.com", "demo", "5.7.1",
     "this gateway takes no parameters of its own", NULL, NULL, NULL},
    {"sms:+41791234567?id=plain&value=a@sms.example.com", "plain", "5.7.1",
     "takes no parameters of its own", NULL, NULL, NULL},
    {"sms:+41791234567?id=own&binary=1@sms.example.com", "own", "5.6.0",
     "own: cannot send binary messages", NULL, NULL, NULL},
    {"+42079123456@sms.example.com", "plain", "2.0.0", "over plain", "12345", "12345", ""},
    {"sms:+41791234567?id=none@sms.example.com", "", "5.7.1", "not known", NULL, NULL, NULL},
};

static const struct conf_gateway *
last_of(void *context, const GPtrArray *candidates, const char *class)
{
    GString *asked = context;

    ck_assert_str_eq(class, "normal");
    for (guint i = 0; i < candidates->len; i++)
        g_string_append_printf(asked, "%s%s", i ? " " : "",
                               ((const struct conf_gateway *)candidates->pdata[i])->id);
    return candidates->pdata[candidates->len - 1];
}

START_TEST(able_gateways)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", unlike);
    g_autoptr(MailView) view = view_new("", "aGVsbG8=");
    g_autoptr(GString) asked = g_string_new(NULL);
    struct router router = {last_of, asked};
    struct request request;
    struct decision decision;

    fill_request(&request, "joe@example.com", able[_i].recipient, "", HERE);
    decide(setup, &request, view, "", NULL, &router, &decision);
    ck_assert_str_eq(decision.verdict.dsn, able[_i].dsn);
    ck_assert_msg(strstr(decision.verdict.text, able[_i].reason), "%s", decision.verdict.text);
    ck_assert_str_eq(asked->str, able[_i].asked);
    if (able[_i].values) {
        ck_assert_str_eq(decision.originator, able[_i].originator);
        ck_assert_str_eq(decision.phone, able[_i].phone);
        ck_assert_str_eq(decision.values, able[_i].values);
        ck_assert_int_eq(decision_is_whole(&decision),
                         decision.gateway->http != NULL && decision.message->encoding != SMS_8BIT);
    }
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

static const struct conf_gateway *
nobody(void *context, const GPtrArray *candidates, const char *class)
{
    (void)context;
    (void)candidates;
    (void)class;
    return NULL;
}

START_TEST(no_gateway_chosen)
{
    g_autofree char *dir = unit_tmpdir();
    g_autoptr(Setup) setup = setup_of(dir, "", base);
    g_autoptr(MailView) view = view_new("Hi", "there");
    struct router router = {nobody, NULL};
    struct request request;
    struct decision decision;

    fill_request(&request, "joe@example.com", NUMBER, "", HERE);
    decide(setup, &request, view, "", NULL, &router, &decision);
    ck_assert_str_eq(decision.verdict.dsn, "4.3.2");
    ck_assert_ptr_null(decision.gateway);
    ck_assert_ptr_null(decision.message);
    decision_clear(&decision);
    request_clear(&request);
    unit_rmdir(dir);
}
END_TEST

static const struct {
    const char *template, *subject, *body, *want;
} templates[] = {
    {"%%Sender%%\n%%Subject%%\n%%Body%%", "s", "b", "joe\ns\nb"},
    {"%%Sender%%\n%%Subject%%\n%%Body%%", "", "b", "joe\nb"},
    {"%%Sender%%\n%%Subject%%\n%%Body%%", "s", "", "joe\ns"},
    {"%%subject%%: %%BODY%%", "s", "b", "s: b"},
    {"%%Subject%%\n\n%%Body%%", "s", "b", "s\n\nb"},
    {"%%Body%%", "", "  line  \nnext\t\n\n", "line\nnext"},
    {"100%\n%%Body%%", "", "%%Subject%% 5%",
     "100%\n%%Subject%% 5%"}, /* values are not read as a template */
    {"From %%From_Name%% (%%Size%%)", "", "", "From  ()"},
};

START_TEST(template_texts)
{
    struct outcome why;
    struct template *template = template_parse(templates[_i].template, &why);
    const char *values[TEMPLATE_VARIABLES] = {NULL};
    g_autofree char *got = NULL;

    ck_assert_msg(template != NULL, "%s", why.text);
    values[TEMPLATE_SENDER] = "joe";
    values[TEMPLATE_SUBJECT] = templates[_i].subject;
    values[TEMPLATE_BODY] = templates[_i].body;
    got = template_expand(template, values);
    ck_assert_str_eq(got, templates[_i].want);
    template_free(template);
}
END_TEST

START_TEST(template_faults)
{
    struct outcome why;

    ck_assert_ptr_null(template_parse("ü %%Nothing%%", &why));
    ck_assert_str_eq(why.text, "message: %%Nothing%% at character 3 is not a variable");
    ck_assert_ptr_null(template_parse("%%Body", &why));
    ck_assert_ptr_nonnull(strstr(why.text, "has no second"));
}
END_TEST

UNIT_SUITE("decide", tcase_add_loop_test(unit, able_gateways, 0, G_N_ELEMENTS(able));
           tcase_add_test(unit, no_gateway_chosen);
           tcase_add_loop_test(unit, decisions, 0, G_N_ELEMENTS(rows));
           tcase_add_test(unit, guards); tcase_add_test(unit, no_gateway);
           tcase_add_loop_test(unit, recipients_served, 0, G_N_ELEMENTS(served));
           tcase_add_test(unit, replaced_once); tcase_add_test(unit, replaced_to_the_limits);
           tcase_add_loop_test(unit, classes_declared, 0, G_N_ELEMENTS(classes));
           tcase_add_loop_test(unit, copies_to_only, 0, G_N_ELEMENTS(copies));
           tcase_add_test(unit, address_parameters); tcase_add_test(unit, identities);
           tcase_add_loop_test(unit, template_texts, 0, G_N_ELEMENTS(templates));
           tcase_add_test(unit, template_faults))
