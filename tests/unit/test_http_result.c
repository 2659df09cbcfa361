/* SPDX-License-Identifier: ISC */
/* What HTTP answers mean. ICE-HTTP-01, ICE-HTTP-03, ICE-HTTP-29, A-28 */
#include "transport/gateway/http_result.h"

#include "tests/unit/tsv.h"

#include <string.h>

#define NUMBER "+41791234567"
#define NOW    1700000000
#define BODY   (256 * 1024) /* as large as an answer may be */

static const char *const classes[] = {
    [GATEWAY_ACCEPTED] = "accepted",   [GATEWAY_TEMPORARY] = "temporary",
    [GATEWAY_PERMANENT] = "permanent", [GATEWAY_CONFIG] = "config",
    [GATEWAY_UNKNOWN] = "unknown",
};

static struct http_rule *
rule_of(const char *text, const char *where)
{
    struct http_rule *rule = NULL;
    struct outcome why;

    ck_assert_msg(http_rule_parse(text, &rule, &why) == 0, "%s: %s", where, why.text);
    ck_assert_str_eq(http_rule_text(rule), text);
    return rule;
}

static struct http_extract *
extract_of(const char *text, const char *where)
{
    struct http_extract *extract = NULL;
    struct outcome why;

    ck_assert_msg(http_extract_parse(text, &extract, &why) == 0, "%s: %s", where, why.text);
    return extract;
}

static struct http_answer *
answer_of(int status, const char *headers, const char *body)
{
    return http_answer_new(status, headers, body, strlen(body), NUMBER);
}

/* Rules in file order and the extracts of one provider. */
struct profile {
    GPtrArray *rules;
    struct http_extract *id, *text, *wait;
};

static GHashTable *profiles;

static void
profile_free(void *data)
{
    struct profile *profile = data;

    g_ptr_array_unref(profile->rules);
    http_extract_free(profile->id);
    http_extract_free(profile->text);
    http_extract_free(profile->wait);
    g_free(profile);
}

static void
profile_row(char **fields, const char *where)
{
    struct profile *profile = g_hash_table_lookup(profiles, fields[0]);

    if (!profile) {
        profile = g_new0(struct profile, 1);
        profile->rules = g_ptr_array_new_with_free_func((GDestroyNotify)http_rule_free);
        g_hash_table_insert(profiles, g_strdup(fields[0]), profile);
    }
    if (strcmp(fields[1], "rule") == 0)
        g_ptr_array_add(profile->rules, rule_of(fields[2], where));
    else if (strcmp(fields[1], "id") == 0)
        profile->id = extract_of(fields[2], where);
    else if (strcmp(fields[1], "text") == 0)
        profile->text = extract_of(fields[2], where);
    else if (strcmp(fields[1], "wait") == 0)
        profile->wait = extract_of(fields[2], where);
    else
        ck_abort_msg("%s: %s", where, fields[1]);
}

static enum gateway_class
judge(const struct profile *profile, int status, struct http_answer *answer)
{
    enum gateway_class class;

    for (guint i = 0; i < profile->rules->len; i++)
        if (http_rule_matches(profile->rules->pdata[i], answer, &class))
            return class;
    return http_status_class(status);
}

static void
check_value(const struct http_extract *extract, struct http_answer *answer, const char *want,
            const char *where)
{
    g_autofree char *got = extract ? http_extract_text(extract, answer, "REF", 255) : NULL;

    ck_assert_msg(strcmp(got ? got : "-", want) == 0, "%s: %s", where, got);
}

static void
answer_row(char **fields, const char *where)
{
    const struct profile *profile = g_hash_table_lookup(profiles, fields[0]);
    int status = atoi(fields[1]);
    g_autoptr(HttpAnswer) answer = answer_of(status, fields[2], fields[3]);
    gint64 wait = -1;
    const char *class;

    ck_assert_msg(profile != NULL, "%s", where);
    class = classes[judge(profile, status, answer)];
    ck_assert_msg(strcmp(class, fields[4]) == 0, "%s: %s", where, class);
    check_value(profile->id, answer, fields[5], where);
    check_value(profile->text, answer, fields[6], where);
    if (profile->wait)
        wait = http_extract_wait(profile->wait, answer, NOW);
    ck_assert_msg(wait == (fields[7][0] == '-' ? -1 : atoi(fields[7])), "%s: %ld", where, wait);
    ck_assert(!http_answer_gave_up(answer));
}

/* Every provider of the list, by rules alone. */
START_TEST(providers)
{
    profiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, profile_free);
    tsv_each("http/result_profiles.tsv", 3, profile_row);
    tsv_each("http/result_answers.tsv", 8, answer_row);
    g_hash_table_unref(profiles);
}
END_TEST

static void
rule_row(char **fields, const char *where)
{
    g_autoptr(HttpRule) rule = rule_of(fields[0], where);
    g_autoptr(HttpAnswer) answer = answer_of(atoi(fields[1]), fields[2], fields[3]);
    enum gateway_class class = GATEWAY_UNKNOWN;
    bool matches = http_rule_matches(rule, answer, &class);

    ck_assert_msg(matches == (strcmp(fields[4], "yes") == 0), "%s", where);
    if (matches)
        ck_assert_msg(g_str_has_suffix(g_strchomp(fields[0]), classes[class]), "%s", where);
    ck_assert(!http_answer_gave_up(answer));
}

START_TEST(rules)
{
    tsv_each("http/result_rules.tsv", 5, rule_row);
}
END_TEST

static void
rule_fault_row(char **fields, const char *where)
{
    struct http_rule *rule = NULL;
    struct outcome why;

    ck_assert_msg(http_rule_parse(fields[0], &rule, &why) < 0, "%s", where);
    ck_assert_msg(strcmp(why.text, fields[1]) == 0, "%s: %s", where, why.text);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_ptr_null(rule);
}

START_TEST(rule_faults)
{
    tsv_each("http/result_faults.tsv", 2, rule_fault_row);
}
END_TEST

static void
extract_fault_row(char **fields, const char *where)
{
    struct http_extract *extract = NULL;
    struct outcome why;

    ck_assert_msg(http_extract_parse(fields[0], &extract, &why) < 0, "%s", where);
    ck_assert_msg(strcmp(why.text, fields[1]) == 0, "%s: %s", where, why.text);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_ptr_null(extract);
}

START_TEST(extract_faults)
{
    tsv_each("http/extract_faults.tsv", 2, extract_fault_row);
}
END_TEST

static void
text_row(char **fields, const char *where)
{
    g_autoptr(HttpExtract) extract = extract_of(fields[0], where);
    g_autoptr(HttpAnswer) answer = answer_of(200, fields[1], fields[2]);
    g_autofree char *got = http_extract_text(extract, answer, "REF", (gsize)atoi(fields[3]));

    ck_assert_msg(strcmp(got ? got : "-", fields[4]) == 0, "%s: %s", where, got);
}

START_TEST(extract_texts)
{
    tsv_each("http/extract_text.tsv", 5, text_row);
}
END_TEST

static void
wait_row(char **fields, const char *where)
{
    g_autoptr(HttpExtract) extract = extract_of(fields[0], where);
    g_autoptr(HttpAnswer) answer = answer_of(429, fields[1], fields[2]);
    gint64 got = http_extract_wait(extract, answer, g_ascii_strtoll(fields[3], NULL, 10));

    ck_assert_msg(got == g_ascii_strtoll(fields[4], NULL, 10), "%s: %ld", where, got);
}

START_TEST(waits)
{
    tsv_each("http/wait.tsv", 5, wait_row);
}
END_TEST

static void
status_row(char **fields, const char *where)
{
    for (int status = atoi(fields[0]); status <= atoi(fields[1]); status++) {
        const char *class = classes[http_status_class(status)];

        ck_assert_msg(strcmp(class, fields[2]) == 0, "%s: %d %s", where, status, class);
    }
}

START_TEST(statuses)
{
    tsv_each("http/status.tsv", 3, status_row);
}
END_TEST

/* piece again and again, len octets. */
static char *
fill(const char *before, const char *piece, gsize len)
{
    GString *body = g_string_sized_new(len);

    g_string_append(body, before);
    while (body->len < len)
        g_string_append(body, piece);
    g_string_truncate(body, len);
    return g_string_free(body, FALSE);
}

/* What such a body makes of one rule; *ret_gave_up, whether anybody could tell. */
static bool
matches(const char *text, const char *body, gsize len, bool *ret_gave_up)
{
    g_autoptr(HttpRule) rule = rule_of(text, text);
    g_autoptr(HttpAnswer) answer = http_answer_new(200, "", body, len, NUMBER);
    enum gateway_class class;
    bool does = http_rule_matches(rule, answer, &class);

    *ret_gave_up = http_answer_gave_up(answer);
    return does;
}

/* Each is a life's work for somebody who tries everything; here it ends and is no match. */
START_TEST(endless_searches)
{
    static const struct {
        const char *rule, *before, *piece;
        gsize len;
    } rows[] = {
        {"body:(a+)+$ -> accepted", "", "a", 40},
        {"body:(a|aa)+$ -> accepted", "", "a", BODY},
        {"body:^(a?){30}a{30}$ -> accepted", "", "a", 30},
        {"body:[^x]*[yz] -> accepted", "", "a", BODY},
        {"body:[^x]*+[yz] -> accepted", "", "a", BODY},
        {"body:.*.*.*[yz] -> accepted", "", "a", BODY},
        {"body:(?s).*?b.*?c.*?d -> accepted", "", "bc", BODY},
        {"body:^(.|\\n)*x -> accepted", "", "a", BODY},
        {"body:^(\\((?1)*\\))*x -> accepted", "", "(", BODY},
        {"body:ü(.+)+$ -> accepted", "ü", "ä", 80},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *body = fill(rows[i].before, rows[i].piece, rows[i].len);
        bool gave_up;

        body[rows[i].len - 1] = '!';
        ck_assert_msg(!matches(rows[i].rule, body, rows[i].len, &gave_up), "%s", rows[i].rule);
        ck_assert_msg(gave_up, "%s", rows[i].rule);
    }
}
END_TEST

/* The end of the longest answer is looked at as well as its beginning. */
START_TEST(long_searches)
{
    static const struct {
        const char *rule, *before, *piece, *last;
    } rows[] = {
        {"body:throughput|Cannot charge -> temporary", "", "all is well here\n", "Cannot charge"},
        {"body:ERR: \\d+$ -> temporary", "", "all is well here\n", "ERR: 5"},
        {"body:(?s)^.*error 5 -> temporary", "", "all is well here\n", "error 5"},
        {"body:(?i)ERROR\\s+(\\d+) -> temporary", "", "all is well here\n", "error  7"},
        {"json:/messages/*/status all(=) 0 -> temporary", "{\"messages\":[", "{\"status\":\"0\"}, ",
         "{\"status\":0}]}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) body = g_string_new(rows[i].before);
        gsize len = strlen(rows[i].last);
        bool gave_up;

        while (body->len + strlen(rows[i].piece) + len <= BODY)
            g_string_append(body, rows[i].piece);
        g_string_append(body, rows[i].last);
        ck_assert_msg(matches(rows[i].rule, body->str, body->len, &gave_up), "%s", rows[i].rule);
        ck_assert_msg(!gave_up, "%s", rows[i].rule);
    }
}
END_TEST

/* Bodies made to hurt whoever reads JSON. No rule of JSON holds for what is none. */
START_TEST(hostile_json)
{
    static const struct {
        const char *before, *piece;
        bool valid; /* with after */
        const char *after;
    } rows[] = {
        {"", "[", false, ""},
        {"", "{\"a\":", false, ""},
        {"{\"a\":\"", "\\ud800", false, "\"}"},
        {"{\"a\":\"", "\\u0000", false, "\"}"},
        {"{\"a\":", "9", false, "}"},
        {"{\"a\":-", "9", false, "}"},
        {"{\"a\":1e", "9", false, "}"},
        {"{\"a\":\"", "\xFF", true, "\"}"},
        {"{\"a\":\"", "\xC3\xA4", true, "\"}"},
        {"{\"a\":1,\"b\":[[]", ",[]", true, "]}"},
        {"{\"a\":1,\"b\":[{}", ",{}", true, "]}"},
        {"{\"a\":1", ",\"a\":1", true, "}"},
        {"{\"a\":0.", "3", true, "}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) body = g_string_new(rows[i].before);
        bool gave_up;

        while (body->len + strlen(rows[i].piece) + strlen(rows[i].after) <= BODY)
            g_string_append(body, rows[i].piece);
        g_string_append(body, rows[i].after);
        ck_assert_msg(matches("json:/a exists -> accepted", body->str, body->len, &gave_up) ==
                          rows[i].valid,
                      "%u", i);
        ck_assert(!matches("json:/b/*/*/c/* exists -> accepted", body->str, body->len, &gave_up));
        ck_assert(!matches("json:/a = x -> accepted", body->str, body->len, &gave_up));
        ck_assert(!matches("json:/b/* all(=) 0 -> accepted", body->str, body->len, &gave_up));
    }
}
END_TEST

/* NUL octets end nothing: neither a search nor a value. */
START_TEST(nul_octets)
{
    static const char body[] = "{\"a\":1}\0 id=\0x\0\n";
    g_autoptr(HttpAnswer) answer = http_answer_new(200, "", body, sizeof(body) - 1, NUMBER);
    g_autoptr(HttpExtract) extract = extract_of("regex:id=(.*)", "id");
    g_autofree char *got = http_extract_text(extract, answer, "REF", 99);
    bool gave_up;

    ck_assert_str_eq(got, "\xEF\xBF\xBDx\xEF\xBF\xBD");
    ck_assert(!matches("json:/a exists -> accepted", body, sizeof(body) - 1, &gave_up));
    ck_assert(matches("body:id= -> accepted", body, sizeof(body) - 1, &gave_up));
}
END_TEST

/* A search that was given up is remembered, wherever it was. */
START_TEST(gave_up)
{
    g_autofree char *header = fill("X: ", "a", 64);
    g_autofree char *headers = g_strconcat(header, "!", NULL);
    g_autoptr(HttpAnswer) answer = answer_of(200, headers, "");
    g_autoptr(HttpRule) rule = rule_of("header:X (a+)+$ -> permanent", "rule");
    g_autoptr(HttpExtract) extract = extract_of("header:X((a+)+$)", "extract");
    enum gateway_class class = GATEWAY_ACCEPTED;

    ck_assert(!http_answer_gave_up(answer));
    ck_assert(!http_rule_matches(rule, answer, &class));
    ck_assert(http_answer_gave_up(answer));
    ck_assert_int_eq(class, GATEWAY_ACCEPTED);
    ck_assert_ptr_null(http_extract_text(extract, answer, "REF", 99));
}
END_TEST

/* However long it is: one line, no longer than asked for, whole characters. */
START_TEST(long_values)
{
    g_autofree char *body = fill("id=", "\xC3\xA4\x01\n\xFF\t", BODY);
    g_autoptr(HttpAnswer) answer = http_answer_new(200, "", body, BODY, NUMBER);
    g_autoptr(HttpExtract) extract = extract_of("regex:(?s)id=(.*)", "id");

    for (gsize max = 1; max < 40; max++) {
        g_autofree char *got = http_extract_text(extract, answer, "REF", max);

        if (max == 1) {
            ck_assert_ptr_null(got);
            continue;
        }
        ck_assert_uint_le(strlen(got), max);
        ck_assert(g_utf8_validate(got, -1, NULL));
        ck_assert_ptr_null(strpbrk(got, "\x01\n\t"));
        ck_assert(g_str_has_prefix(got, "ä"));
    }
}
END_TEST

UNIT_SUITE("http_result", tcase_add_test(unit, providers); tcase_add_test(unit, rules);
           tcase_add_test(unit, rule_faults); tcase_add_test(unit, extract_faults);
           tcase_add_test(unit, extract_texts); tcase_add_test(unit, waits);
           tcase_add_test(unit, statuses); tcase_add_test(unit, endless_searches);
           tcase_add_test(unit, long_searches); tcase_add_test(unit, hostile_json);
           tcase_add_test(unit, nul_octets); tcase_add_test(unit, gave_up);
           tcase_add_test(unit, long_values))
