/* SPDX-License-Identifier: ISC */
/*
 * HTTP gateways without a network: secret files, settings with their faults, requests, and what
 * replies mean (ICE-HTTP-01, ICE-HTTP-28, ICE-HTTP-29, ICE-CERT-01, A-49, design sections 9 and
 * 14).
 */
#include "lib/conf.h"
#include "tests/unit/cases.h"
#include "transport/gateway/http_outcome.h"

#include <sys/stat.h>

static char *folder;

/* A file of the test's folder; the caller's. */
static char *
put_file(const char *name, const char *text, int mode)
{
    char *path = g_build_filename(folder, name, NULL);

    ck_assert(g_file_set_contents(path, text, -1, NULL));
    ck_assert_int_eq(chmod(path, (mode_t)mode), 0);
    return path;
}

static void
setup_folder(void)
{
    folder = unit_tmpdir();
}

static void
remove_folder(void)
{
    unit_rmdir(folder);
    g_clear_pointer(&folder, g_free);
}

/* What is said of a file, without the folder's name. */
static char *
secrets_of(const char *text, int mode)
{
    g_autofree char *path = put_file("secret", text, mode);
    g_autoptr(GString) said = g_string_new(NULL);
    struct http_secrets *secrets;
    struct outcome why;

    if (http_secrets_read(path, &secrets, &why) < 0) {
        ck_assert_int_eq(why.kind, OUT_CONFIG);
        ck_assert_str_eq(why.dsn, "4.3.5");
        g_string_append(said, why.text);
        g_string_replace(said, path, "FILE", 0);
    } else {
        static const char *const names[] = {"secret", "key", "user", "empty"};

        for (guint i = 0; i < G_N_ELEMENTS(names); i++)
            if (http_secrets_get(secrets, names[i]))
                g_string_append_printf(said, "%s=%s;", names[i],
                                       http_secrets_get(secrets, names[i]));
        http_secrets_free(secrets);
    }
    return g_string_free(g_steal_pointer(&said), FALSE);
}

static const struct {
    const char *text;
    int mode;
    const char *want;
} secret_files[] = {
    {"key = abc\nuser=anna\n", 0600, "key=abc;user=anna;"},
    {"# comment\n\n  key\t=  a=b c \n", 0640, "key=a=b c;"},
    {"s3cr3t:with=signs+/=\n", 0600, "secret=s3cr3t:with=signs+/=;"},
    {"anna:pass", 0600, "secret=anna:pass;"},
    {"empty =\n", 0600, "empty=;"},
    {"key = abc\n", 0644,
     "FILE: holds secrets and everybody may read it; chmod o-rwx, and give the "
     "group of postsmsd"},
    {"", 0600, "FILE: is empty"},
    {"# nothing\n", 0600, "FILE: is empty"},
    {"key = abc\njust this\n", 0600, "FILE:2: \"name = value\" is expected"},
    {"one\ntwo\n", 0600, "FILE:2: \"name = value\" is expected"},
    {"key = a\nkey = b\n", 0600, "FILE:2: the name stands here for the second time"},
};

START_TEST(secrets_read)
{
    g_autofree char *got = NULL;

    setup_folder();
    got = secrets_of(secret_files[_i].text, secret_files[_i].mode);
    ck_assert_str_eq(got, secret_files[_i].want);
    remove_folder();
}
END_TEST

START_TEST(secrets_not_there)
{
    struct http_secrets *secrets;
    struct outcome why;

    ck_assert_int_eq(http_secrets_read("/nonexistent/secret", &secrets, &why), -1);
    ck_assert_str_eq(why.text, "/nonexistent/secret: No such file or directory");
    ck_assert_int_eq(http_secrets_read("/dev", &secrets, &why), -1);
    ck_assert_str_eq(why.text, "/dev: is not a file");
}
END_TEST

START_TEST(secrets_masked)
{
    g_autofree char *path = NULL;
    g_autoptr(GString) text = g_string_new("user=ab&key=geh%20eim%26 geh eim& ab");
    struct http_secrets *secrets;
    struct outcome why;

    setup_folder();
    path = put_file("secret", "key = geh eim&\nshort = ab\n", 0600);
    ck_assert_int_eq(http_secrets_read(path, &secrets, &why), 0);
    http_secrets_mask(secrets, text);
    ck_assert_str_eq(text->str, "user=ab&key=*** *** ab");
    http_secrets_free(secrets);
    remove_folder();
}
END_TEST

/* The gateway of a configuration that has one. */
static struct conf *
load(const char *keys, Faults *faults)
{
    g_autofree char *text = g_strdup_printf("domains = { \"sms.example.com\" }\n"
                                            "alarm_to = \"postmaster\"\n"
                                            "access { prefixes = { \"+41\" } }\n"
                                            "gateway \"g\" {\ntype = \"http\"\n%s\n}\n",
                                            keys);
    g_autofree char *path = put_file("postsms.conf", text, 0600);

    return conf_load(path, faults);
}

static char *
faults_text(const Faults *faults)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < faults->len; i++) {
        g_autofree char *line = fault_string(faults->pdata[i]);

        g_string_append_printf(text, "%s\n", line);
    }
    g_string_replace(text, folder, "", 0);
    return g_string_free(text, FALSE);
}

/* Keys of a gateway against the request for a fixed part, or the faults. */
static void
check_request(const struct unit_case *c)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Conf) conf = NULL;
    g_autoptr(HttpSettings) settings = NULL;
    g_autoptr(HttpRequest) request = NULL;
    g_autofree char *secret =
        put_file("secret", "user = anna\nsecret = s3cr3t\ntoken = t0ken\n", 0600);
    g_autofree char *faulty = NULL;
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    g_autoptr(GString) keys = g_string_new(c->input);
    g_autoptr(GString) got = g_string_new(NULL);
    struct gateway_part part = {
        .ref = "00112233445566778899aabbccddeeff",
        .number = "+41791234567",
        .originator = "ACME",
        .phone = "",
        .encoding = strstr(c->options, "unicode") ? "ucs2" : "gsm7",
        .text = "Grüße & 50%",
        .udh = nothing,
        .data = nothing,
        .part = 1,
        .parts = 1,
        .sms = 2,
        .values = strstr(c->options, "values=") ? strstr(c->options, "values=") + 7 : "",
    };
    struct outcome why;

    g_string_replace(keys, "SECRET", secret, 0);
    conf = load(keys->str, faults);
    if (conf)
        settings = http_settings_new(conf->gateways->pdata[0], faults);
    if (settings)
        http_settings_read_secrets(settings);
    if (faults->len) {
        faulty = faults_text(faults);
        g_string_append(got, faulty);
    } else if (http_request_build(settings, &part, 1700000000, strstr(c->options, "masked"),
                                  &request, &why) < 0) {
        g_string_append_printf(got, "%s %s\n", why.dsn, why.text);
        g_string_replace(got, folder, "", 0);
    } else {
        g_string_append_printf(got, "%s %s\n", request->method, request->url);
        for (guint i = 0; i < request->headers->len; i++)
            g_string_append_printf(got, "%s\n", (char *)request->headers->pdata[i]);
        if (request->user)
            g_string_append_printf(got, "(%s %s %s)\n", request->user, request->secret,
                                   request->sigv4 ? request->sigv4 : "-");
        if (request->body)
            g_string_append_printf(got, "\n%s\n", request->body->str);
    }
    g_string_truncate(got, got->len - 1);
    ck_assert_msg(strcmp(got->str, c->want) == 0, "%s:\n%s\nwanted:\n%s", c->where, got->str,
                  c->want);
}

START_TEST(requests)
{
    setup_folder();
    ck_assert_uint_ge(cases_each("http/requests.txt", check_request), 20);
    remove_folder();
}
END_TEST

/* What replies mean where no answer came (design section 9, reliability section 2). */
static const struct {
    CURLcode code;
    const char *error;
    bool written, answered, repeated, too_long;
    enum gateway_class class;
    const char *want;
} failures[] = {
    {CURLE_COULDNT_CONNECT, "Failed to connect to 127.0.0.1 port 9", false, false, false, false,
     GATEWAY_TEMPORARY, "4.4.1 g: Failed to connect to 127.0.0.1 port 9"},
    {CURLE_COULDNT_RESOLVE_HOST, "", false, false, false, false, GATEWAY_TEMPORARY,
     "4.4.1 g: Couldn't resolve host name"},
    {CURLE_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate has expired", false,
     false, false, false, GATEWAY_TEMPORARY,
     "4.4.1 g: SSL certificate problem: certificate has expired"},
    {CURLE_RECV_ERROR, "OpenSSL SSL_read: tlsv13 alert certificate required, errno 0", true, false,
     false, false, GATEWAY_CONFIG, "4.3.5 g: the server refuses TLS: certificate required"},
    {CURLE_RECV_ERROR, "OpenSSL SSL_read: alert x", true, true, false, false, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: a broken answer (OpenSSL SSL_read: alert x)"},
    {CURLE_SSL_CERTPROBLEM, "could not load PEM client certificate", false, false, false, false,
     GATEWAY_CONFIG, "4.3.5 g: could not load PEM client certificate"},
    {CURLE_OPERATION_TIMEDOUT, "Connection timed out", false, false, false, false,
     GATEWAY_TEMPORARY, "4.4.1 g: Connection timed out"},
    {CURLE_OPERATION_TIMEDOUT, "Operation timed out", true, false, false, false, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: no answer within 60 s"},
    {CURLE_GOT_NOTHING, "Empty reply from server", true, false, false, false, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: Empty reply from server"},
    {CURLE_ABORTED_BY_CALLBACK, "operation aborted by pre-request callback", true, false, true,
     false, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, "transfer closed with 7 bytes remaining to read", true, true, false, false,
     GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: a broken answer (transfer closed with 7 bytes remaining to "
     "read)"},
    {CURLE_WRITE_ERROR, "", true, true, false, true, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: the answer is longer than 262144 octets"},
    {CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", true, false, false, false,
     GATEWAY_UNKNOWN, "4.4.2 g: may have been sent: Received HTTP/0.9 when not allowed"},
    {CURLE_SEND_ERROR, "Send failure: Broken pipe", true, false, false, false, GATEWAY_UNKNOWN,
     "4.4.2 g: may have been sent: Send failure: Broken pipe"},
};

START_TEST(replies_without_an_answer)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Conf) conf = NULL;
    g_autoptr(HttpSettings) settings = NULL;
    g_autofree char *got = NULL;
    struct gateway_part part = {.ref = "00", .number = "+41791234567"};
    struct http_reply reply = {
        .code = failures[_i].code,
        .written = failures[_i].written,
        .answered = failures[_i].answered,
        .repeated = failures[_i].repeated,
        .too_long = failures[_i].too_long,
        .headers = g_string_new(NULL),
        .body = g_string_new(NULL),
    };
    struct http_outcome outcome;

    setup_folder();
    conf = load("url = 'https://x.example/'", faults);
    settings = http_settings_new(conf->gateways->pdata[0], faults);
    g_strlcpy(reply.error, failures[_i].error, sizeof(reply.error));
    http_outcome_of(settings, &part, &reply, 1700000000, &outcome);
    got = g_strdup_printf("%s %s", outcome.why.dsn, outcome.why.text);
    ck_assert_str_eq(got, failures[_i].want);
    ck_assert_int_eq(outcome.class, failures[_i].class);
    http_outcome_clear(&outcome);
    g_string_free(reply.headers, TRUE);
    g_string_free(reply.body, TRUE);
    remove_folder();
}
END_TEST

UNIT_SUITE("http", tcase_add_loop_test(unit, secrets_read, 0, G_N_ELEMENTS(secret_files));
           tcase_add_test(unit, secrets_not_there); tcase_add_test(unit, secrets_masked);
           tcase_add_test(unit, requests);
           tcase_add_loop_test(unit, replies_without_an_answer, 0, G_N_ELEMENTS(failures)))
