/* SPDX-License-Identifier: ISC */
/*
 * Owns the judgement of replies (design sections 9 and 14, reliability section 2): what proves that
 * nothing was sent is a short list, everything else is unknown. What a provider says is shown
 * cleaned, cut and without secrets.
 */
#include "transport/gateway/http_outcome.h"

#include "lib/clean.h"
#include "lib/log.h"
#include <string.h>

#define TEXT_MAX  160 /* octets of what a provider says */
#define CODE_MAX  40
#define REF_MAX   255
#define UNCUT_MAX 4096 /* of the same before it is masked and cut */

void
http_outcome_clear(struct http_outcome *outcome)
{
    g_clear_pointer(&outcome->gateway_ref, g_free);
    g_clear_pointer(&outcome->decided, g_free);
}

/* At most max octets of text, which is freed, without secrets. */
static char *
shown(const struct http_settings *settings, char *text, gsize max)
{
    GString *string = g_string_new(text);

    http_secrets_mask(settings->secrets, string);
    clean_cut(string, max);
    g_free(text);
    return g_string_free(string, FALSE);
}

/* The first of extracts that the answer has; NULL if none. */
static char *
extract(const struct http_settings *settings, const GPtrArray *extracts, struct http_answer *answer,
        const char *ref, gsize max)
{
    for (guint i = 0; i < extracts->len; i++) {
        char *text = http_extract_text(extracts->pdata[i], answer, ref, UNCUT_MAX);

        if (text && *text)
            return shown(settings, text, max);
        g_free(text);
    }
    return NULL;
}

/* A body of plain text says what it says, where no extract is set. */
static char *
plain_body(const struct http_settings *settings, const struct http_reply *reply)
{
    const char *body = reply->body->str;

    if (settings->texts->len > 0 || reply->body->len == 0 || body[strspn(body, " \t\r\n")] == '<' ||
        memchr(body, '\0', reply->body->len))
        return NULL; /* nothing, markup, or no text at all */
    return shown(settings, g_utf8_make_valid(body, (gssize)MIN(reply->body->len, UNCUT_MAX)),
                 TEXT_MAX);
}

/* "HTTP 403: 21211 The number is not valid" */
static void
say(const struct http_settings *settings, struct http_answer *answer,
    const struct http_reply *reply, GString *to)
{
    g_autofree char *code = extract(settings, settings->codes, answer, "", CODE_MAX);
    g_autofree char *text = extract(settings, settings->texts, answer, "", TEXT_MAX);

    if (!text)
        text = plain_body(settings, reply);
    g_string_append_printf(to, "HTTP %d", reply->status);
    if (code || text)
        g_string_append_printf(to, ": %s%s%s", code ? code : "", code && text ? " " : "",
                               text ? text : "");
}

static void
set_why(struct outcome *why, enum gateway_class class, gint64 wait_ms, const char *id,
        const char *text)
{
    switch (class) {
    case GATEWAY_ACCEPTED:
        out_set(why, OUT_OK, "2.0.0", "%s: %s", id, text);
        break;
    case GATEWAY_TEMPORARY:
        out_set(why, OUT_RETRY, wait_ms > 0 ? "4.3.2" : "4.3.0", "%s: %s", id, text);
        break;
    case GATEWAY_PERMANENT:
        out_set(why, OUT_REFUSED, "5.7.1", "%s: %s", id, text);
        break;
    case GATEWAY_CONFIG:
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", id, text);
        break;
    case GATEWAY_UNKNOWN:
        out_set(why, OUT_UNKNOWN, "4.4.2", "%s: may have been sent: %s", id, text);
        break;
    }
}

static const char *class_name(enum gateway_class class)
{
    static const char *const names[] = {
        [GATEWAY_ACCEPTED] = "accepted",   [GATEWAY_TEMPORARY] = "temporary",
        [GATEWAY_PERMANENT] = "permanent", [GATEWAY_CONFIG] = "config",
        [GATEWAY_UNKNOWN] = "unknown",
    };

    return names[class];
}

/* A whole answer: the rules say. */
static void
judge_answer(const struct http_settings *settings, const struct gateway_part *part,
             const struct http_reply *reply, gint64 now_s, struct http_outcome *ret)
{
    g_autoptr(HttpAnswer) answer = http_answer_new(
        reply->status, reply->headers->str, reply->body->str, reply->body->len, part->number);
    g_autoptr(GString) text = g_string_new(NULL);
    guint rule = 0;

    ret->class = http_status_class(reply->status);
    while (rule < settings->rules->len &&
           !http_rule_matches(settings->rules->pdata[rule], answer, &ret->class))
        rule++;
    if (http_answer_gave_up(answer))
        log_warnx("%s: a search in an answer took too long and counts as no match", settings->id);
    if (rule < settings->rules->len)
        ret->decided = g_strdup_printf("%s, by %s: %s", class_name(ret->class),
                                       (const char *)settings->rule_places->pdata[rule],
                                       http_rule_text(settings->rules->pdata[rule]));
    else
        ret->decided = g_strdup_printf("%s, by the status %d alone; no rule matches",
                                       class_name(ret->class), reply->status);
    if (ret->class == GATEWAY_ACCEPTED) {
        g_free(ret->gateway_ref);
        ret->gateway_ref = extract(settings, settings->ids, answer, part->ref, REF_MAX);
        if (!ret->gateway_ref)
            ret->gateway_ref = g_strdup("");
    }
    if (ret->class == GATEWAY_TEMPORARY)
        for (guint i = 0; i < settings->waits->len && ret->wait_ms <= 0; i++)
            ret->wait_ms = http_extract_wait(settings->waits->pdata[i], answer, now_s);
    ret->wait_ms = MAX(0, ret->wait_ms);
    say(settings, answer, reply, text);
    set_why(&ret->why, ret->class, ret->wait_ms, settings->id, text->str);
}

/*
 * Why a server does not want to talk TLS with us, out of libcurl's sentence; NULL if it did not
 * say. In TLS 1.3 it says only after the handshake that it does not like our certificate, when the
 * request may have left already. Any other alert, or one on a connection that was good before, is
 * no proof that the request was not read.
 */
static char *
tls_alert(const struct http_reply *reply)
{
    static const char *const refusals[] = {"certificate",      "handshake",
                                           "protocol version", "unknown ca",
                                           "access denied",    "insufficient security",
                                           "unrecognized name"};
    const char *alert = strstr(reply->error, "alert ");
    bool refused = false;

    if (!alert || reply->answered || reply->repeated || (reply->written && reply->kept))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
        refused |= strstr(alert, refusals[i]) != NULL;
    return refused ? g_strndup(alert + strlen("alert "), strcspn(alert + strlen("alert "), ","))
                   : NULL;
}

/* Whose fault is it that there is no answer, and what is proven? */
static enum gateway_class
class_of_failure(const struct http_reply *reply)
{
    g_autofree char *alert = tls_alert(reply);

    if (alert)
        return GATEWAY_CONFIG;
    if (reply->written)
        return GATEWAY_UNKNOWN;
    switch (reply->code) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return GATEWAY_CONFIG;
    default:
        return GATEWAY_TEMPORARY;
    }
}

static void
failure_text(const struct http_settings *settings, const struct http_reply *reply, GString *to)
{
    g_autofree char *alert = tls_alert(reply);

    if (alert)
        g_string_append_printf(to, "the server refuses TLS: %s", alert);
    else if (reply->too_long)
        g_string_append_printf(to, "the answer is longer than %d octets", HTTP_ANSWER_MAX);
    else if (reply->repeated)
        g_string_append(to, "the connection was closed without an answer");
    else if (reply->code == CURLE_OPERATION_TIMEDOUT && reply->written)
        g_string_append_printf(to, "no answer within %d s", (int)(settings->timeout_ms / 1000));
    else if (reply->answered)
        g_string_append_printf(to, "a broken answer (%s)",
                               reply->code == CURLE_OK ? "it ends within its head"
                               : *reply->error         ? reply->error
                                                       : curl_easy_strerror(reply->code));
    else
        g_string_append(to, *reply->error ? reply->error : curl_easy_strerror(reply->code));
    http_secrets_mask(settings->secrets, to);
}

void
http_outcome_of(const struct http_settings *settings, const struct gateway_part *part,
                const struct http_reply *reply, gint64 now_s, struct http_outcome *ret)
{
    g_autoptr(GString) text = g_string_new(NULL);

    memset(ret, 0, sizeof(*ret));
    ret->gateway_ref = g_strdup("");
    if (reply->code == CURLE_OK && reply->status > 0 && reply->whole_head) {
        judge_answer(settings, part, reply, now_s, ret);
        return;
    }
    ret->class = class_of_failure(reply);
    failure_text(settings, reply, text);
    set_why(&ret->why, ret->class, 0, settings->id, text->str);
    if (ret->class == GATEWAY_TEMPORARY)
        g_strlcpy(ret->why.dsn, "4.4.1", sizeof(ret->why.dsn));
    ret->decided = g_strdup_printf("%s: %s", class_name(ret->class),
                                   ret->class == GATEWAY_UNKNOWN
                                       ? "the request was written and no whole answer came"
                                       : "nothing was sent");
}

int
http_outcome_of_connect(const struct http_settings *settings, const struct http_reply *reply,
                        struct outcome *why)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (reply->code == CURLE_OK)
        return 0;
    failure_text(settings, reply, text);
    set_why(why, class_of_failure(reply), 0, settings->id, text->str);
    return -1;
}
