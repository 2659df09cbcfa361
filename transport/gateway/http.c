/* SPDX-License-Identifier: ISC */
/*
 * The HTTP gateway: each part becomes one request (postsms-http(5)). Owns parts in flight and the
 * probe; what a request looks like and what an answer means is decided beside it. Must never send a
 * part twice in one submission.
 */
#include "lib/clean.h"
#include "transport/gateway/http_outcome.h"
#include "transport/gateway/private.h"

#include <string.h>
#include <unistd.h>

#define SLOTS       8   /* requests at once, unless concurrency says */
#define EXPECTED_MS 300 /* a request, before any was seen */
#define SEEN_MAX    8192

struct http_gateway {
    struct gateway base;
    int concurrency;
    struct http_settings *settings;
    struct http_transfer *probe;
    sd_event_source *probe_failed; /* it could not even begin */
    struct outcome probe_why;
    gateway_probed_fn *probed;
    void *probed_context;
};

struct submission {
    struct http_gateway *gateway;
    struct http_settings *settings; /* as they were when it began */
    struct http_request *request;
    const struct gateway_part *part;
    gateway_done_fn *done;
    void *context;
    sd_event_source *failed; /* it could not even begin */
    struct gateway_result result;
};

static struct http_loop *
loop_of(struct http_gateway *gateway)
{
    struct gateway_host *host = gateway->base.host;

    if (!host->http)
        host->http = http_loop_new(host->loop);
    return host->http;
}

static gint64
now_s(const struct http_gateway *gateway)
{
    return gateway->base.host->clk->wall() / 1000;
}

static struct gateway *
http_new(void)
{
    struct http_gateway *gateway = g_new0(struct http_gateway, 1);

    return &gateway->base;
}

static void
end_probe(struct http_gateway *gateway)
{
    gateway->probe_failed = sd_event_source_disable_unref(gateway->probe_failed);
    g_clear_pointer(&gateway->probe, http_transfer_cancel);
}

static void
http_free(struct gateway *base)
{
    struct http_gateway *gateway = (struct http_gateway *)base;

    end_probe(gateway);
    http_settings_unref(gateway->settings);
    g_free(gateway);
}

/* For a person, and to see whether there is a URL at all. */
static void
sample_part(struct gateway_part *part, GBytes *nothing)
{
    *part = (struct gateway_part){
        .ref = "00000000000000000000000000000000",
        .number = "+10000000",
        .originator = "",
        .phone = "",
        .encoding = "gsm7",
        .text = "",
        .udh = nothing,
        .data = nothing,
        .part = 1,
        .parts = 1,
        .sms = 1,
        .values = "",
    };
}

static void
http_check(const struct conf_gateway *conf, Faults *faults)
{
    g_autoptr(HttpSettings) settings = http_settings_new(conf, faults);
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    g_autoptr(HttpRequest) request = NULL;
    const struct conf_text *url = &conf->http->texts[CONF_HTTP_URL];
    struct gateway_part part;
    struct outcome why;

    if (!settings)
        return;
    sample_part(&part, nothing);
    if (http_request_build(settings, &part, 0, true, &request, &why) < 0)
        faults_add(faults, url->file, url->line, "gateway \"%s\": %s", conf->id, why.text);
    else if (settings->secret_file && g_str_has_prefix(request->url, "http://") &&
             !g_str_has_prefix(request->url, "http://127.") &&
             !g_str_has_prefix(request->url, "http://localhost"))
        faults_warn(faults, conf->file, conf->line,
                    "gateway \"%s\": secrets and texts travel unencrypted (http)", conf->id);
}

static void
check_readable(const struct conf_gateway *conf, const char *path, Faults *faults)
{
    if (path && access(path, R_OK) < 0)
        faults_add(faults, conf->file, conf->line, "gateway \"%s\": %s: cannot be read", conf->id,
                   path);
}

static void
http_check_files(const struct conf_gateway *conf, Faults *faults)
{
    g_autoptr(Faults) seen = faults_new();
    g_autoptr(HttpSettings) settings = http_settings_new(conf, seen);

    check_readable(conf, conf->http->ca_file, faults);
    check_readable(conf, conf->http->cert_file, faults);
    check_readable(conf, conf->http->key_file, faults);
    if (!settings)
        return; /* http_check says why */
    http_settings_read_secrets(settings);
    if (settings->secrets_why.kind != OUT_OK)
        faults_add(faults, conf->file, conf->line, "gateway \"%s\": %s", conf->id,
                   settings->secrets_why.text);
}

static void
http_configure(struct gateway *base, const struct conf_gateway *conf)
{
    struct http_gateway *gateway = (struct http_gateway *)base;
    g_autoptr(Faults) faults = faults_new();
    struct http_settings *settings = http_settings_new(conf, faults);

    g_assert(settings); /* gateway_check found it good */
    http_settings_read_secrets(settings);
    http_settings_unref(gateway->settings);
    gateway->settings = settings;
    gateway->concurrency = conf->concurrency;
}

static guint
http_slots(const struct gateway *base)
{
    const struct http_gateway *gateway = (const struct http_gateway *)base;

    return gateway->concurrency > 0 ? (guint)gateway->concurrency : SLOTS;
}

static gint64
http_expected_ms(const struct gateway *base)
{
    (void)base;
    return EXPECTED_MS;
}

static int
on_probe_failed(sd_event_source *source, uint64_t usec, void *data)
{
    struct http_gateway *gateway = data;

    (void)source;
    (void)usec;
    gateway->probe_failed = sd_event_source_disable_unref(gateway->probe_failed);
    gateway->probed(gateway->probed_context, GATEWAY_ILL, &gateway->probe_why);
    return 0;
}

static void
on_connected(void *context, const struct http_reply *reply)
{
    struct http_gateway *gateway = context;
    bool ill = http_outcome_of_connect(gateway->settings, reply, &gateway->probe_why) < 0;

    gateway->probe = NULL;
    gateway->probed(gateway->probed_context, ill ? GATEWAY_ILL : GATEWAY_TRY, &gateway->probe_why);
}

static void
soon(struct http_gateway *gateway, sd_event_source **ret, sd_event_time_handler_t on_due,
     void *context)
{
    int error = sd_event_add_time_relative(gateway->base.host->loop, ret, CLOCK_MONOTONIC, 0, 1,
                                           on_due, context);

    g_assert(error >= 0); /* fails only without memory */
}

static void
http_probe(struct gateway *base, gateway_probed_fn *done, void *context)
{
    struct http_gateway *gateway = (struct http_gateway *)base;
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    g_autoptr(HttpRequest) request = NULL;
    struct gateway_part part;

    end_probe(gateway);
    gateway->probed = done;
    gateway->probed_context = context;
    sample_part(&part, nothing);
    if (http_request_build(gateway->settings, &part, now_s(gateway), false, &request,
                           &gateway->probe_why) < 0)
        soon(gateway, &gateway->probe_failed, on_probe_failed, gateway);
    else
        gateway->probe = http_transfer_connect(loop_of(gateway), gateway->settings, request,
                                               on_connected, gateway);
}

static void
submission_end(struct submission *submission)
{
    submission->done(submission->context, &submission->result);
    sd_event_source_disable_unref(submission->failed);
    http_settings_unref(submission->settings);
    http_request_free(submission->request);
    g_free(submission);
}

static int
on_failed(sd_event_source *source, uint64_t usec, void *data)
{
    (void)source;
    (void)usec;
    submission_end(data);
    return 0;
}

/* What came, for a person. */
static char *
describe(const struct http_settings *settings, const struct http_reply *reply,
         const struct http_outcome *outcome)
{
    GString *text = g_string_new(NULL);

    if (reply->status > 0) {
        g_autofree char *headers =
            g_utf8_make_valid(reply->headers->str, (gssize)reply->headers->len);
        g_autofree char *body = g_utf8_make_valid(reply->body->str, (gssize)reply->body->len);

        g_string_append_printf(text, "HTTP %d\n%s%s", reply->status, headers, body);
        http_secrets_mask(settings->secrets, text);
        g_string_replace(text, "\r", "", 0);
        clean_cut(text, SEEN_MAX);
        g_string_append_c(text, '\n');
    }
    g_string_append_printf(text, "%s\n", outcome->decided);
    return g_string_free(text, FALSE);
}

static void
on_reply(void *context, const struct http_reply *reply)
{
    struct submission *submission = context;
    struct http_gateway *gateway = submission->gateway;
    g_autofree char *seen = NULL;
    struct http_outcome outcome;

    http_outcome_of(submission->settings, submission->part, reply, now_s(gateway), &outcome);
    if (gateway->base.watched)
        seen = describe(submission->settings, reply, &outcome);
    submission->result = (struct gateway_result){
        .class = outcome.class,
        .gateway_ref = outcome.gateway_ref,
        .wait_ms = outcome.wait_ms,
        .why = outcome.why,
        .seen = seen,
    };
    submission_end(submission);
    http_outcome_clear(&outcome);
}

static void
http_submit(struct gateway *base, const struct gateway_part *part, gateway_done_fn *done,
            void *context)
{
    struct http_gateway *gateway = (struct http_gateway *)base;
    struct submission *submission = g_new0(struct submission, 1);
    struct gateway_result *result = &submission->result;

    submission->gateway = gateway;
    submission->settings = http_settings_ref(gateway->settings);
    submission->part = part;
    submission->done = done;
    submission->context = context;
    if (http_request_build(submission->settings, part, now_s(gateway), false, &submission->request,
                           &result->why) == 0) {
        http_transfer_send(loop_of(gateway), submission->settings, submission->request, on_reply,
                           submission);
        return;
    }
    result->class = result->why.kind == OUT_CONFIG ? GATEWAY_CONFIG : GATEWAY_PERMANENT;
    result->gateway_ref = "";
    result->seen = gateway->base.watched ? "no request could be made of it\n" : NULL;
    soon(gateway, &submission->failed, on_failed, submission);
}

/* No provider can be asked whether it has a reference of ours. */
static enum gateway_trace
http_find(struct gateway *base, const char *ref)
{
    (void)base;
    (void)ref;
    return GATEWAY_CANNOT_TELL;
}

static int
http_show(struct gateway *base, const struct gateway_part *part, GString *out, struct outcome *why)
{
    struct http_gateway *gateway = (struct http_gateway *)base;
    g_autoptr(HttpRequest) request = NULL;

    if (http_request_build(gateway->settings, part, now_s(gateway), true, &request, why) < 0)
        return -1;
    g_string_append_printf(out, "%s %s\n", request->method, request->url);
    if (request->user)
        g_string_append_printf(out, "(%s: %s, ***)\n", request->sigv4 ? "signed by" : "Basic",
                               request->user);
    for (guint i = 0; i < request->headers->len; i++)
        g_string_append_printf(out, "%s\n", (const char *)request->headers->pdata[i]);
    if (request->body)
        g_string_append_printf(out, "\n%s\n", request->body->str);
    g_string_replace(out, "%2A%2A%2A", "***", 0); /* the mask, escaped by its place */
    return 0;
}

const struct gateway_ops gateway_http_ops = {
    .type = "http",
    .new = http_new,
    .free = http_free,
    .check = http_check,
    .check_files = http_check_files,
    .configure = http_configure,
    .slots = http_slots,
    .expected_ms = http_expected_ms,
    .probe = http_probe,
    .submit = http_submit,
    .find = http_find,
    .show = http_show,
};
