/* SPDX-License-Identifier: ISC */
/* JSON pointers: RFC 6901, the wildcard and the number. ICE-HTTP-29 */
#include "transport/gateway/json_pointer.h"

#include "tests/unit/tsv.h"

#include <string.h>

#define DIGITS "41791234567"

static json_t *
load(const char *text)
{
    g_autofree char *rfc = NULL;
    json_t *json;

    if (strcmp(text, "rfc") == 0)
        text = rfc = unit_data("http/rfc6901.json", NULL);
    json = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

static struct json_pointer *
parse(const char *text)
{
    struct json_pointer *pointer = NULL;
    struct outcome why;
    gsize at;

    ck_assert_msg(json_pointer_parse(text, &pointer, &at, &why) == 0, "%s: %s", text, why.text);
    return pointer;
}

static bool
list(void *context, const json_t *value)
{
    GString *to = context;
    char *dump = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    g_string_append_printf(to, "%s%s", to->len ? " " : "", dump ? dump : "-");
    free(dump);
    return true;
}

static void
pointer_row(char **fields, const char *where)
{
    g_autoptr(JsonPointer) pointer = parse(fields[0]);
    g_autoptr(GString) got = g_string_new(NULL);
    json_t *json = load(fields[1]);

    json_pointer_each(pointer, json, DIGITS, list, got);
    ck_assert_msg(strcmp(got->str, fields[2]) == 0, "%s: %s", where, got->str);
    json_decref(json);
}

START_TEST(pointers)
{
    tsv_each("http/pointer.tsv", 3, pointer_row);
}
END_TEST

static void
fault_row(char **fields, const char *where)
{
    struct json_pointer *pointer = NULL;
    struct outcome why;
    gsize at;

    ck_assert_msg(json_pointer_parse(fields[0], &pointer, &at, &why) < 0, "%s", where);
    ck_assert_msg(at == (gsize)atoi(fields[1]), "%s: %zu", where, at);
    ck_assert_msg(strcmp(why.text, fields[2]) == 0, "%s: %s", where, why.text);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_ptr_null(pointer);
}

START_TEST(faults)
{
    tsv_each("http/pointer_faults.tsv", 3, fault_row);
}
END_TEST

static bool
two(void *context, const json_t *value)
{
    (void)value;
    return ++*(guint *)context < 2;
}

/* Who has seen enough is asked no further, on no level. */
START_TEST(enough)
{
    g_autoptr(JsonPointer) pointer = parse("/*/*");
    json_t *json = load("[[1,2,3],[4,5],{\"a\":6}]");
    guint calls = 0;

    json_pointer_each(pointer, json, DIGITS, two, &calls);
    ck_assert_uint_eq(calls, 2);
    json_decref(json);
}
END_TEST

static bool
tally(void *context, const json_t *value)
{
    (void)value;
    ++*(guint *)context;
    return true;
}

/* Wildcards cost what the document has, not a power of it. */
START_TEST(many_wildcards)
{
    g_autoptr(GString) text = g_string_new("/a");
    g_autoptr(GString) document = g_string_new("{\"a\":[[1]");
    g_autoptr(JsonPointer) pointer = NULL;
    guint calls = 0;
    json_t *json;

    for (guint i = 0; i < 2000; i++)
        g_string_append(text, "/*");
    for (guint i = 0; i < 60000; i++)
        g_string_append(document, ",[1]");
    g_string_append(document, "]}");
    pointer = parse(text->str);
    json = load(document->str);
    json_pointer_each(pointer, json, DIGITS, tally, &calls);
    ck_assert_uint_eq(calls, 60001);
    json_decref(json);
}
END_TEST

START_TEST(scalars)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"\"a b\"", "a b"},
        {"\"\"", ""},
        {"0", "0"},
        {"-12", "-12"},
        {"9223372036854775807", "9223372036854775807"},
        {"1.0", "1"},
        {"0.1", "0.1"},
        {"-2.50", "-2.5"},
        {"1e25", "1e+25"},
        {"5e-324", "4.94065645841247e-324"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"true", "true"},
        {"false", "false"},
        {"null", NULL},
        {"[]", NULL},
        {"{}", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new("<");
        json_t *json = load(rows[i].json);

        ck_assert(json_scalar_text(json, text) == (rows[i].text != NULL));
        ck_assert_str_eq(text->str + 1, rows[i].text ? rows[i].text : "");
        json_decref(json);
    }
}
END_TEST

UNIT_SUITE("json_pointer", tcase_add_test(unit, pointers); tcase_add_test(unit, faults);
           tcase_add_test(unit, enough); tcase_add_test(unit, many_wildcards);
           tcase_add_test(unit, scalars))
