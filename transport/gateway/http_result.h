/* SPDX-License-Identifier: ISC */
/*
 * What an HTTP answer means: result rules, and values taken out of it (postsms-http(5)). The answer
 * is hostile: bounded, never trusted, never shown uncleaned. Pure.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_RESULT_H
#define TRANSPORT_GATEWAY_HTTP_RESULT_H

#include "transport/gateway/gateway.h"

struct http_answer;

/* status: three digits. headers: lines "Name: value", LF between them. body: len octets, any.
 * number
 * ("+digits"): what %number% in a JSON pointer stands for, without "+". All are copied. */
struct http_answer *http_answer_new(int status, const char *headers, const char *body, gsize len,
                                    const char *number);
void http_answer_free(struct http_answer *answer);
typedef struct http_answer HttpAnswer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpAnswer, http_answer_free)

struct http_rule;

/* "http:200 json:/status = error -> temporary". -1: why is CONFIG and says what is wrong and where
 * ("character 12"). */
int http_rule_parse(const char *text, struct http_rule **ret,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_rule_free(struct http_rule *rule);
const char *http_rule_text(const struct http_rule *rule); /* as it was written */
bool http_rule_matches(const struct http_rule *rule, struct http_answer *answer,
                       enum gateway_class *ret);

/* The class of an answer that no rule matches, by its status alone (design section 9). */
enum gateway_class http_status_class(int status);

struct http_extract;

/* "json:/a/0/b", "regex:one (group)", "header:Name", "header:Name(regex)", "ref"; a time may end in
 * " unit ms|s|unix" or be "header" (Retry-After, seconds or a date). -1: why is CONFIG. */
int http_extract_parse(const char *text, struct http_extract **ret,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_extract_free(struct http_extract *extract);

/* The value, cleaned to one line of at most max octets; several (a wildcard) joined by ",". NULL if
 * the answer has none. "ref" gives ref. The caller's. */
char *http_extract_text(const struct http_extract *extract, struct http_answer *answer,
                        const char *ref, gsize max);

/* The value as a time from now on, in milliseconds; -1 if there is none. now_s: seconds since 1970.
 */
gint64 http_extract_wait(const struct http_extract *extract, struct http_answer *answer,
                         gint64 now_s);

#endif
