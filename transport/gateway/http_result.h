/* SPDX-License-Identifier: ISC */
/*
 * What an HTTP answer means: result rules, and values taken out of it (postsms-http(5)). The answer
 * is hostile: bounded, never trusted, never shown uncleaned. Pure.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_RESULT_H
#define TRANSPORT_GATEWAY_HTTP_RESULT_H

#include "transport/gateway/gateway.h"

struct http_answer;

/* status: three digits. headers: lines "Name: value", LF between them; other lines are passed over.
 * body: len octets, any (whoever receives it bounds them). number ("+digits"): what %number% in a
 * JSON pointer stands for, without "+". All are copied. */
struct http_answer *http_answer_new(int status, const char *headers, const char *body, gsize len,
                                    const char *number);
void http_answer_free(struct http_answer *answer);
typedef struct http_answer HttpAnswer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpAnswer, http_answer_free)

/* Was a search in it too much work to be finished? It counted as no match; worth a line in the log.
 */
bool http_answer_gave_up(const struct http_answer *answer);

struct http_rule;

/*
 * "CONDITION CONDITION -> CLASS": the last " -> " stands before the class; all conditions must
 * hold, and without any the rule matches everything. CLASS: accepted, temporary, permanent, config,
 * unknown. A condition is one of
 *
 *   http:200 http:200-299 http:2xx http:202|409
 *   json:POINTER = VALUE|VALUE      some value there is one of these ("in" is the same)
 *   json:POINTER != VALUE|VALUE     some value there is none of these
 *   json:POINTER all(=) VALUE|VALUE every value there is one of these, and no branch of a wildcard
 *                                   leads nowhere
 *   json:POINTER exists             there is a value, be it null
 *   json:POINTER absent             there is none
 *   body:REGEX                      up to the next condition, without blanks around it
 *   header:NAME                     there is such a header
 *   header:NAME REGEX               one with that name matches
 *
 * POINTER: json_pointer.h; in quotes if there is a blank in it. VALUE: a word, which is a string, a
 * number, true, false or null by its text; or a string in quotes (\" and \\ inside). Arrays and
 * objects equal nothing. A body that is no JSON proves nothing: then every json: condition fails,
 * "absent" too. Of members with the same name the last counts.
 */

/* "http:200 json:/status = error -> temporary". -1: why is CONFIG and says what is wrong and where
 * ("character 12"). */
int http_rule_parse(const char *text, struct http_rule **ret,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_rule_free(struct http_rule *rule);
typedef struct http_rule HttpRule;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRule, http_rule_free)

const char *http_rule_text(const struct http_rule *rule); /* as it was written */
bool http_rule_matches(const struct http_rule *rule, struct http_answer *answer,
                       enum gateway_class *ret);

/* The class of an answer that no rule matches, by its status alone (design section 9). */
enum gateway_class http_status_class(int status);

struct http_extract;

/* "json:/a/0/b", "regex:one (group)", "header:Name", "header:Name(regex)", "ref", "header" (which
 * is header:Retry-After). A regular expression gives its first group, without groups all of the
 * match. A time may end in " unit s|ms|unix". -1: why is CONFIG and says what is wrong and where.
 */
int http_extract_parse(const char *text, struct http_extract **ret,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_extract_free(struct http_extract *extract);
typedef struct http_extract HttpExtract;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpExtract, http_extract_free)

/* The value, cleaned to one line of at most max octets; several (a wildcard) joined by ",", as many
 * as fit. NULL if the answer has none: null, an array, an object or nothing but blanks is none.
 * "ref" gives ref. The caller's. */
char *http_extract_text(const struct http_extract *extract, struct http_answer *answer,
                        const char *ref, gsize max);

/* The value as a time from now on, in milliseconds, at most a day, 0 if it is past; -1 if there is
 * none. A number in the unit that was asked for (seconds; unix: since 1970), or a date as HTTP
 * writes it. now_s: seconds since 1970. */
gint64 http_extract_wait(const struct http_extract *extract, struct http_answer *answer,
                         gint64 now_s);

#endif
