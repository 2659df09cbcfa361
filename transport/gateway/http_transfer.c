/* SPDX-License-Identifier: ISC */
/*
 * Owns the libcurl options of a request. libcurl repeats requests by itself where a kept connection
 * turns out to be dead, and follows redirects with them: an SMS would be sent twice. Here it may
 * send each once.
 */
#include "transport/gateway/http_transfer.h"

#include "lib/killpoint.h"
#include <string.h>

#define CONNECT_SECONDS 10L
/* A kept connection is used again only so long after its last answer: servers close idle ones after
 * some seconds, and a request that meets such an end is in doubt. */
#define IDLE_SECONDS 2L
#define HEADERS_MAX  65536

struct http_transfer {
    struct http_loop *loop;
    CURL *easy;
    struct curl_slist *headers;
    guint sendings;
    gsize head_octets; /* of all header lines, trailers included */
    bool stale;        /* the kept connection it was given is none to ask anything over */
    struct http_reply reply;
    http_transfer_done_fn *done;
    void *context;
};

static void
transfer_free(struct http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    g_string_free(transfer->reply.headers, TRUE);
    g_string_free(transfer->reply.body, TRUE);
    g_free(transfer);
}

/*
 * Has the server said something, or hung up, on a kept connection before it was asked? An answer
 * that is there before its request is no answer to it. libcurl looks, but once in a second at most.
 */
static bool
is_stale(struct http_transfer *transfer, int local_port)
{
    long connections = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
    return connections == 0 && http_loop_unread(transfer->loop, local_port);
}

/* Called when a connection is there and the request would go out. */
static int
on_ready(void *data, char *ip, char *local_ip, int port, int local_port)
{
    struct http_transfer *transfer = data;

    (void)ip;
    (void)local_ip;
    (void)port;
    if (transfer->sendings == 0 && is_stale(transfer, local_port)) {
        transfer->stale = true;
        return CURL_PREREQFUNC_ABORT;
    }
    KILL_POINT("http-before");
    if (transfer->sendings++ == 0)
        return CURL_PREREQFUNC_OK;
    transfer->reply.repeated = true;
    return CURL_PREREQFUNC_ABORT;
}

static size_t
on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_transfer *transfer = data;
    struct http_reply *reply = &transfer->reply;
    size_t len = size * count;

    reply->answered = true;
    transfer->head_octets += len;
    if (transfer->head_octets > HTTP_ANSWER_MAX) { /* libcurl has no limit for trailers */
        reply->too_long = true;
        return 0;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        g_string_truncate(reply->headers, 0); /* what a 1xx said is past */
        reply->whole_head = false;
    } else if (line[0] == '\r' || line[0] == '\n') {
        reply->whole_head = true;
    } else if (reply->headers->len + len < HEADERS_MAX) {
        g_string_append_len(reply->headers, line, (gssize)len);
    }
    return len;
}

static size_t
on_body(char *octets, size_t size, size_t count, void *data)
{
    struct http_reply *reply = &((struct http_transfer *)data)->reply;
    size_t len = size * count;

    if (reply->body->len + len > HTTP_ANSWER_MAX) {
        reply->too_long = true;
        return 0;
    }
    g_string_append_len(reply->body, octets, (gssize)len);
    return len;
}

static void
on_done(void *context, CURL *easy, CURLcode code)
{
    struct http_transfer *transfer = context;
    struct http_reply *reply = &transfer->reply;
    long status = 0, written = 0, connections = 0;

    if (transfer->stale) { /* nothing was written: the request goes over a new one */
        transfer->stale = false;
        reply->error[0] = '\0';
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        http_loop_add(transfer->loop, easy, on_done, transfer);
        return;
    }
    KILL_POINT("http-answered");
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &written);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
    reply->code = code;
    reply->kept = connections == 0;
    reply->status = (int)status;
    /* What the request's size says of a first sending is lost in a second: then it was written. */
    reply->written = transfer->sendings > 0 && (written > 0 || reply->repeated);
    transfer->done(transfer->context, reply);
    transfer_free(transfer);
}

static void
set_tls(CURL *easy, const struct http_settings *settings)
{
    const char *cert = settings->cert_file;
    const char *password = http_secrets_get(settings->secrets, "key_password");

    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
    if (!cert)
        return;
    curl_easy_setopt(easy, CURLOPT_SSLCERT, cert);
    curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE,
                     g_str_has_suffix(cert, ".p12") || g_str_has_suffix(cert, ".pfx") ? "P12"
                                                                                      : "PEM");
    curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key_file ? settings->key_file : cert);
    if (password)
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, password);
}

static void
set_auth(CURL *easy, const struct http_request *request)
{
    if (!request->user)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request->secret);
    if (request->sigv4)
        curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, request->sigv4);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
}

static void
set_request(struct http_transfer *transfer, const struct http_request *request)
{
    CURL *easy = transfer->easy;

    for (guint i = 0; i < request->headers->len; i++)
        transfer->headers = curl_slist_append(transfer->headers, request->headers->pdata[i]);
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body->len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body->str);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    set_auth(easy, request);
}

static struct http_transfer *
transfer_new(struct http_loop *loop, const struct http_settings *settings,
             const struct http_request *request, http_transfer_done_fn *done, void *context)
{
    struct http_transfer *transfer = g_new0(struct http_transfer, 1);
    CURL *easy = curl_easy_init();

    g_assert(easy);
    transfer->loop = loop;
    transfer->easy = easy;
    transfer->done = done;
    transfer->context = context;
    transfer->reply.headers = g_string_new(NULL);
    transfer->reply.body = g_string_new(NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reply.error);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "postsms/" POSTSMS_VERSION);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    set_tls(easy, settings);
    return transfer;
}

struct http_transfer *
http_transfer_send(struct http_loop *loop, const struct http_settings *settings,
                   const struct http_request *request, http_transfer_done_fn *done, void *context)
{
    struct http_transfer *transfer = transfer_new(loop, settings, request, done, context);

    set_request(transfer, request);
    http_loop_add(loop, transfer->easy, on_done, transfer);
    return transfer;
}

struct http_transfer *
http_transfer_connect(struct http_loop *loop, const struct http_settings *settings,
                      const struct http_request *request, http_transfer_done_fn *done,
                      void *context)
{
    struct http_transfer *transfer = transfer_new(loop, settings, request, done, context);

    curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
    http_loop_add(loop, transfer->easy, on_done, transfer);
    return transfer;
}

void
http_transfer_cancel(struct http_transfer *transfer)
{
    http_loop_remove(transfer->loop, transfer->easy);
    transfer_free(transfer);
}
