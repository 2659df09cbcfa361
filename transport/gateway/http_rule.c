/* SPDX-License-Identifier: ISC */
/* Owns the grammar of result rules (postsms-http(5)). Judges nothing. */
#include "transport/gateway/http_rule.h"

#include "transport/gateway/http_scan.h"
#include <string.h>

static const char *const subjects[] = {
    [SUBJECT_STATUS] = "http:",
    [SUBJECT_JSON] = "json:",
    [SUBJECT_BODY] = "body:",
    [SUBJECT_HEADER] = "header:",
};

static const struct {
    const char *name;
    enum relation relation;
} relations[] = {
    {"=", RELATION_EQUAL},       {"in", RELATION_EQUAL},      {"!=", RELATION_UNEQUAL},
    {"exists", RELATION_EXISTS}, {"absent", RELATION_ABSENT}, {"all(=)", RELATION_ALL},
};

static const char *const classes[] = {
    [GATEWAY_ACCEPTED] = "accepted",   [GATEWAY_TEMPORARY] = "temporary",
    [GATEWAY_PERMANENT] = "permanent", [GATEWAY_CONFIG] = "config",
    [GATEWAY_UNKNOWN] = "unknown",
};

#define ARROW "->"

static void
value_clear(void *data)
{
    g_free(((struct value *)data)->text);
}

static void
condition_free(void *data)
{
    struct condition *condition = data;

    g_array_unref(condition->ranges);
    json_pointer_free(condition->pointer);
    g_array_unref(condition->values);
    g_free(condition->name);
    regex_free(condition->regex);
    g_free(condition);
}

static struct condition *
condition_new(enum subject subject)
{
    struct condition *condition = g_new0(struct condition, 1);

    condition->subject = subject;
    condition->ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    condition->values = g_array_new(FALSE, FALSE, sizeof(struct value));
    g_array_set_clear_func(condition->values, value_clear);
    return condition;
}

void
http_rule_free(struct http_rule *rule)
{
    if (!rule)
        return;
    g_free(rule->text);
    g_ptr_array_unref(rule->conditions);
    g_free(rule);
}

const char *
http_rule_text(const struct http_rule *rule)
{
    return rule->text;
}

/* Three digits, the first not 0; -1 if there are none. */
static int
status_at(const char *at)
{
    if (at[0] < '1' || at[0] > '9' || !g_ascii_isdigit(at[1]) || !g_ascii_isdigit(at[2]))
        return -1;
    return 100 * (at[0] - '0') + 10 * (at[1] - '0') + (at[2] - '0');
}

static int
parse_range(struct http_scan *scan, struct range *ret, struct outcome *why)
{
    const char *from = scan->at;

    if (*from >= '1' && *from <= '9' && g_ascii_strncasecmp(from + 1, "xx", 2) == 0) {
        ret->from = 100 * (*from - '0');
        ret->to = ret->from + 99;
        scan->at += 3;
        return 0;
    }
    ret->from = ret->to = status_at(from);
    if (ret->from < 0)
        return http_scan_fault(scan, from, why,
                               "expected a status (200), a range (200-299) or a class (2xx)");
    scan->at += 3;
    if (*scan->at != '-')
        return 0;
    ret->to = status_at(scan->at + 1);
    if (ret->to < ret->from)
        return http_scan_fault(scan, scan->at + 1, why, "expected a status from %d on", ret->from);
    scan->at += 4;
    return 0;
}

static int
parse_status(struct http_scan *scan, struct condition *condition, struct outcome *why)
{
    do {
        struct range range;

        if (parse_range(scan, &range, why) < 0)
            return -1;
        g_array_append_val(condition->ranges, range);
    } while (http_scan_prefix(scan, "|"));
    if (!http_scan_at_gap(scan))
        return http_scan_fault(scan, scan->at, why, "expected \"|\" or a blank");
    return 0;
}

/* Does a condition begin here? */
static bool
at_condition(const struct http_scan *scan)
{
    for (guint i = 0; i < G_N_ELEMENTS(subjects); i++)
        if (g_str_has_prefix(scan->at, subjects[i]))
            return true;
    return false;
}

static int
parse_value(struct http_scan *scan, struct value *ret, struct outcome *why)
{
    const char *from = scan->at;

    ret->quoted = *from == '"';
    if (ret->quoted)
        return http_scan_quoted(scan, &ret->text, why);
    if (at_condition(scan) || http_scan_at_gap(scan) || *from == '|')
        return http_scan_fault(scan, from, why, "expected a value");
    ret->text = http_scan_word(scan, "|\"");
    return 0;
}

static int
parse_values(struct http_scan *scan, struct condition *condition, struct outcome *why)
{
    do {
        struct value value = {NULL, false};

        http_scan_blanks(scan);
        if (parse_value(scan, &value, why) < 0)
            return -1;
        g_array_append_val(condition->values, value);
        if (!http_scan_at_gap(scan) && *scan->at != '|')
            return http_scan_fault(scan, scan->at, why, "expected \"|\" or a blank");
        http_scan_blanks(scan);
    } while (http_scan_prefix(scan, "|"));
    return 0;
}

static int
parse_json(struct http_scan *scan, struct condition *condition, struct outcome *why)
{
    g_autofree char *word = NULL;
    const char *from;

    if (http_scan_pointer(scan, &condition->pointer, why) < 0)
        return -1;
    http_scan_blanks(scan);
    from = scan->at;
    word = http_scan_word(scan, "");
    for (guint i = 0; i < G_N_ELEMENTS(relations); i++)
        if (strcmp(word, relations[i].name) == 0) {
            condition->relation = relations[i].relation;
            if (condition->relation == RELATION_EXISTS || condition->relation == RELATION_ABSENT)
                return 0;
            return parse_values(scan, condition, why);
        }
    return http_scan_fault(scan, from, why, "expected =, !=, in, exists, absent or all(=)");
}

/* Where a regular expression that begins here ends: before the next condition. */
static const char *
regex_end(const struct http_scan *scan)
{
    struct http_scan at = *scan;

    for (; *at.at; at.at++)
        if (at.at > scan->text && g_ascii_isspace(at.at[-1]) && at_condition(&at))
            break;
    return at.at;
}

static int
parse_header(struct http_scan *scan, struct condition *condition, struct outcome *why)
{
    if (http_scan_name(scan, &condition->name, why) < 0)
        return -1;
    if (!http_scan_at_gap(scan))
        return http_scan_fault(scan, scan->at, why, "expected a blank behind a header's name");
    http_scan_blanks(scan);
    if (!*scan->at || at_condition(scan))
        return 0;
    return http_scan_regex(scan, regex_end(scan), &condition->regex, why);
}

static int
parse_condition(struct http_scan *scan, struct condition *condition, struct outcome *why)
{
    switch (condition->subject) {
    case SUBJECT_STATUS:
        return parse_status(scan, condition, why);
    case SUBJECT_JSON:
        return parse_json(scan, condition, why);
    case SUBJECT_BODY:
        return http_scan_regex(scan, regex_end(scan), &condition->regex, why);
    case SUBJECT_HEADER:
        return parse_header(scan, condition, why);
    }
    g_assert_not_reached();
}

static int
parse_conditions(struct http_scan *scan, GPtrArray *to, struct outcome *why)
{
    for (http_scan_blanks(scan); *scan->at; http_scan_blanks(scan)) {
        guint subject = 0;

        while (subject < G_N_ELEMENTS(subjects) && !http_scan_prefix(scan, subjects[subject]))
            subject++;
        if (subject == G_N_ELEMENTS(subjects))
            return http_scan_fault(scan, scan->at, why,
                                   "expected http:, json:, body:, header: or ->");
        g_ptr_array_add(to, condition_new(subject));
        if (parse_condition(scan, to->pdata[to->len - 1], why) < 0)
            return -1;
    }
    return 0;
}

/* The last arrow between blanks; NULL if there is none. */
static const char *
last_arrow(const char *text)
{
    const char *found = NULL;

    for (const char *at = strstr(text, ARROW); at; at = strstr(at + 1, ARROW))
        if ((at == text || g_ascii_isspace(at[-1])) &&
            (g_ascii_isspace(at[strlen(ARROW)]) || !at[strlen(ARROW)]))
            found = at;
    return found;
}

static int
parse_class(struct http_scan *scan, enum gateway_class *ret, struct outcome *why)
{
    g_autofree char *word = NULL;
    const char *from;

    http_scan_blanks(scan);
    from = scan->at;
    word = g_strchomp(g_strdup(from));
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(word, classes[i]) == 0) {
            *ret = i;
            return 0;
        }
    return http_scan_fault(scan, from, why,
                           "expected accepted, temporary, permanent, config or unknown");
}

int
http_rule_parse(const char *text, struct http_rule **ret, struct outcome *why)
{
    g_autoptr(HttpRule) rule = g_new0(struct http_rule, 1);
    g_autofree char *front = NULL;
    struct http_scan scan;
    const char *arrow;

    rule->text = g_strdup(text);
    rule->conditions = g_ptr_array_new_with_free_func(condition_free);
    if (http_scan_begin(&scan, text, why) < 0)
        return -1;
    arrow = last_arrow(text);
    if (!arrow)
        return http_scan_fault(&scan, text + strlen(text), why,
                               "expected \"->\" and a class, with blanks around");
    scan.at = arrow + strlen(ARROW);
    if (parse_class(&scan, &rule->class, why) < 0)
        return -1;
    front = g_strndup(text, (gsize)(arrow - text));
    if (http_scan_begin(&scan, front, why) < 0 ||
        parse_conditions(&scan, rule->conditions, why) < 0)
        return -1;
    *ret = g_steal_pointer(&rule);
    return 0;
}
