/* SPDX-License-Identifier: ISC */
/*
 * Owns what result rules make of an answer. What cannot be judged matches nothing: a class needs
 * evidence. Must never change anything but the answer's own notes.
 */
#include "transport/gateway/http_answer.h"

#include "transport/gateway/http_rule.h"
#include <string.h>

static bool
status_matches(const struct condition *condition, const struct http_answer *answer)
{
    for (guint i = 0; i < condition->ranges->len; i++) {
        const struct range *range = &g_array_index(condition->ranges, struct range, i);

        if (answer->status >= range->from && answer->status <= range->to)
            return true;
    }
    return false;
}

/* What is written is compared, but 1.0 and 1 are one number. */
static bool
equals(const struct value *value, const json_t *json, const char *text)
{
    char *end;

    if (json_is_string(json))
        return strcmp(text, value->text) == 0;
    if (value->quoted)
        return false;
    if (json_is_real(json))
        return g_ascii_strtod(value->text, &end) == json_real_value(json) && !*end;
    return strcmp(text, value->text) == 0;
}

static bool
is_among(const GArray *values, const json_t *json)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (json_is_null(json))
        g_string_assign(text, "null");
    else if (!json_scalar_text(json, text))
        return false;
    for (guint i = 0; i < values->len; i++)
        if (equals(&g_array_index(values, struct value, i), json, text->str))
            return true;
    return false;
}

struct tally {
    const GArray *values;
    bool nowhere;   /* some branch leads nowhere */
    bool some;      /* there is a value */
    bool equal;     /* … that is among the rule's */
    bool different; /* … that is not */
};

static bool
count(void *context, const json_t *value)
{
    struct tally *tally = context;

    if (!value) {
        tally->nowhere = true;
        return true;
    }
    tally->some = true;
    if (is_among(tally->values, value))
        tally->equal = true;
    else
        tally->different = true;
    return true;
}

static bool
json_matches(const struct condition *condition, struct http_answer *answer)
{
    const json_t *json = http_answer_json(answer);
    struct tally tally = {.values = condition->values};

    if (!json)
        return false;
    json_pointer_each(condition->pointer, json, answer->digits, count, &tally);
    switch (condition->relation) {
    case RELATION_EQUAL:
        return tally.equal;
    case RELATION_UNEQUAL:
        return tally.different;
    case RELATION_EXISTS:
        return tally.some;
    case RELATION_ABSENT:
        return !tally.some;
    case RELATION_ALL:
        return tally.equal && !tally.different && !tally.nowhere;
    }
    g_assert_not_reached();
}

static bool
header_matches(const struct condition *condition, struct http_answer *answer)
{
    const char *at = NULL;
    const char *value;
    gsize len;

    while (http_answer_header(answer, condition->name, &at, &value, &len)) {
        struct regex_span span;

        if (!condition->regex || http_answer_search(answer, condition->regex, value, len, &span))
            return true;
    }
    return false;
}

static bool
condition_matches(const struct condition *condition, struct http_answer *answer)
{
    struct regex_span span;

    switch (condition->subject) {
    case SUBJECT_STATUS:
        return status_matches(condition, answer);
    case SUBJECT_JSON:
        return json_matches(condition, answer);
    case SUBJECT_BODY:
        return http_answer_search(answer, condition->regex, answer->body, answer->len, &span);
    case SUBJECT_HEADER:
        return header_matches(condition, answer);
    }
    g_assert_not_reached();
}

bool
http_rule_matches(const struct http_rule *rule, struct http_answer *answer, enum gateway_class *ret)
{
    for (guint i = 0; i < rule->conditions->len; i++)
        if (!condition_matches(rule->conditions->pdata[i], answer))
            return false;
    *ret = rule->class;
    return true;
}

enum gateway_class
http_status_class(int status)
{
    switch (status) {
    case 400:
    case 410:
    case 413:
    case 414:
    case 415:
    case 422:
        return GATEWAY_PERMANENT;
    case 401:
    case 403:
    case 404:
    case 405:
    case 407:
        return GATEWAY_CONFIG;
    case 402:
    case 429:
    case 503:
        return GATEWAY_TEMPORARY;
    default:
        return status / 100 == 2 ? GATEWAY_ACCEPTED : GATEWAY_UNKNOWN;
    }
}
