/* SPDX-License-Identifier: ISC */
/*
 * A hostile answer before the rules and extracts of real profiles, and before one of each from the
 * input. First line: a rule; second: an extract; third: a status; then headers, an empty line, the
 * body. What comes out is bounded and clean, and the same each time.
 */
#include "transport/gateway/http_result.h"

#include <stdint.h>
#include <string.h>

#define NUMBER "+41791234567"
#define REF    "0123456789abcdef0123456789abcdef"
#define NOW    1700000000
#define OCTETS 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rules[] = {
    "json:/messages/*/status all(=) \"0\" -> accepted",
    "json:/messages/0/status = 1|5|9|10 -> temporary",
    "json:/messages/0/status = 6|7|12|22|29|33 -> permanent",
    "json:/messages/0/status = 2|3|4|8|11|14|15|23|32 -> config",
    "http:202 body:^(0: Accepted|3: Queued|Sent\\.) -> accepted",
    "http:403 body:Not routable -> permanent",
    "http:403 -> config",
    "http:200 body:^Success -> accepted",
    "http:403 body:throughput|Cannot charge -> temporary",
    "http:412 body:bound -> temporary",
    "http:202|409 -> accepted",
    "json:/error absent json:/list/0/id exists -> accepted",
    "json:/mobiles/%number%/response != Ok -> unknown",
    "header:Location /sms/ -> accepted",
};

static const char *const extracts[] = {
    "json:/messages/*/message-id",       "json:/id",
    "json:/mobiles/%number%/message_id", "regex:Success \"([^\"]+)\"",
    "regex:wait \\[ (\\d+) \\] unit ms", "regex:(?s).*",
    "header:Location([^/]+$)",           "header",
    "json:/retry_after unit unix",       "ref",
};

static void
check_fault(const struct outcome *why, const char *text)
{
    const char *place = "character ";
    char *end;

    g_assert(why->kind == OUT_CONFIG && g_str_has_prefix(why->text, place));
    g_assert(g_ascii_strtoull(why->text + strlen(place), &end, 10) <= strlen(text) + 1);
    g_assert(g_str_has_prefix(end, ": "));
}

static void
check_rule(const struct http_rule *rule, struct http_answer *answer)
{
    enum gateway_class first = GATEWAY_UNKNOWN, second = GATEWAY_UNKNOWN;
    bool matches = http_rule_matches(rule, answer, &first);

    g_assert(first <= GATEWAY_UNKNOWN);
    g_assert(http_rule_matches(rule, answer, &second) == matches && first == second);
}

static void
check_extract(const struct http_extract *extract, struct http_answer *answer)
{
    g_autofree char *value = http_extract_text(extract, answer, REF, OCTETS);
    gint64 wait = http_extract_wait(extract, answer, NOW);

    g_assert(!value || (*value && strlen(value) <= OCTETS && g_utf8_validate(value, -1, NULL)));
    for (const char *c = value; c && *c; c = g_utf8_next_char(c))
        g_assert(!g_unichar_iscntrl(g_utf8_get_char(c)));
    g_assert(wait >= -1 && wait <= 86400000);
    /* A time is a value too. */
    g_assert(wait < 0 || value);
}

static struct http_rule *
rule_of(const char *text)
{
    struct http_rule *rule = NULL;
    struct outcome why;

    if (http_rule_parse(text, &rule, &why) < 0)
        check_fault(&why, text);
    else
        g_assert(strcmp(http_rule_text(rule), text) == 0);
    return rule;
}

static struct http_extract *
extract_of(const char *text)
{
    struct http_extract *extract = NULL;
    struct outcome why;

    if (http_extract_parse(text, &extract, &why) < 0)
        check_fault(&why, text);
    return extract;
}

/* Those of the profiles are parsed once. */
static void
check_profiles(struct http_answer *answer)
{
    static struct http_rule *parsed_rules[G_N_ELEMENTS(rules)];
    static struct http_extract *parsed_extracts[G_N_ELEMENTS(extracts)];

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (!parsed_rules[i])
            parsed_rules[i] = rule_of(rules[i]);
        g_assert(parsed_rules[i]);
        check_rule(parsed_rules[i], answer);
    }
    for (guint i = 0; i < G_N_ELEMENTS(extracts); i++) {
        if (!parsed_extracts[i])
            parsed_extracts[i] = extract_of(extracts[i]);
        g_assert(parsed_extracts[i]);
        check_extract(parsed_extracts[i], answer);
    }
}

/* Up to the next LF, without it. */
static char *
take_line(const char **at, gsize *left)
{
    const char *end = memchr(*at, '\n', *left);
    gsize len = end ? (gsize)(end - *at) : *left;
    char *line = g_strndup(*at, len);

    *at += len + (end != NULL);
    *left -= len + (end != NULL);
    return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    gsize left = size;
    g_autofree char *rule_text = take_line(&at, &left);
    g_autofree char *extract_text = take_line(&at, &left);
    g_autofree char *status = take_line(&at, &left);
    g_autoptr(GString) headers = g_string_new(NULL);
    g_autoptr(HttpAnswer) answer = NULL;
    g_autoptr(HttpRule) rule = rule_of(rule_text);
    g_autoptr(HttpExtract) extract = extract_of(extract_text);

    while (left > 0) {
        g_autofree char *line = take_line(&at, &left);

        if (!*line)
            break;
        g_string_append_printf(headers, "%s\n", line);
    }
    answer = http_answer_new((int)(g_ascii_strtoull(status, NULL, 10) % 1000), headers->str, at,
                             left, NUMBER);
    check_profiles(answer);
    /* What the profiles ask takes at most the square of the answer's length. */
    g_assert(size > 1024 || !http_answer_gave_up(answer));
    if (rule)
        check_rule(rule, answer);
    if (extract)
        check_extract(extract, answer);
    return 0;
}
