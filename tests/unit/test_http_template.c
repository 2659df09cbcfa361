/* SPDX-License-Identifier: ISC */
/* HTTP templates: what is written and what is refused, by tables in tests/data/http. */
#include "transport/gateway/http_template.h"

#include "tests/unit/tsv.h"

#include <string.h>

static GBytes *
unhex(const char *text)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();

    for (; g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1]); text += 2) {
        guint8 octet = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));

        g_byte_array_append(octets, &octet, 1);
    }
    ck_assert_msg(!*text, "no hex: %s", text);
    return g_byte_array_free_to_bytes(g_steal_pointer(&octets));
}

static const char *
named(void *context, bool secret, const char *name)
{
    static const char *const known[][2] = {
        {"var.key", "k1"},
        {"var.user", "post sms"},
        {"var.from", "+41790000001"},
        {"var.A-z_0", "a-b"},
        {"secret.api", "s3cr&t"},
        {"secret.pw", "p\"w\\ö"},
        {"secret.line", "one\r\ntwo"},
        {"secret.key", "another"},
    };
    g_autofree char *full = g_strconcat(secret ? "secret." : "var.", name, NULL);

    (void)context;
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i][0], full) == 0)
            return known[i][1];
    return NULL;
}

/* "ENCODING|key=value|...": the values that the tables speak of, with some of them changed. */
struct sample {
    struct http_values values;
    char **fields;
};

static void
sample_set(struct http_values *values, const char *key, const char *text)
{
    struct {
        const char *key;
        const char **text;
    } texts[] = {
        {"number", &values->number}, {"sender", &values->originator}, {"phone", &values->phone},
        {"ref", &values->ref},       {"text", &values->text},         {"dlr_url", &values->dlr_url},
        {"token", &values->token},
    };
    gint64 number = g_ascii_strtoll(text, NULL, 10);

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].key, key) == 0) {
            *texts[i].text = text;
            return;
        }
    if (strcmp(key, "data") == 0 || strcmp(key, "udh") == 0) {
        GBytes **octets = strcmp(key, "data") == 0 ? &values->data : &values->udh;

        g_bytes_unref(*octets);
        *octets = unhex(text);
    } else if (strcmp(key, "part") == 0) {
        values->part = (guint)number;
    } else if (strcmp(key, "parts") == 0) {
        values->parts = (guint)number;
    } else if (strcmp(key, "pid") == 0) {
        values->pid = (int)number;
    } else if (strcmp(key, "dcs") == 0) {
        values->dcs = (int)number;
    } else if (strcmp(key, "ttl") == 0) {
        values->ttl_s = number;
    } else {
        ck_abort_msg("no such value: %s", key);
    }
}

static void
sample_init(struct sample *sample, const char *line)
{
    sample->fields = g_strsplit(line, "|", -1);
    sample->values = (struct http_values){.number = "+4205452544",
                                          .originator = "+41790000001",
                                          .phone = "+420776047467",
                                          .ref = "8123456789abcdef0123456789abcdef",
                                          .encoding = sample->fields[0],
                                          .text = "Hello & bye",
                                          .data = unhex(""),
                                          .udh = unhex(""),
                                          .part = 1,
                                          .parts = 1,
                                          .ttl_s = 3600,
                                          .now_s = 1700000000,
                                          .dlr_url = "https://gw.example.com/dlr?t=a&r=1",
                                          .token = "t0k-en",
                                          .named = named};
    if (strcmp(sample->fields[0], "ucs2") == 0) {
        sample->values.text = "Привет";
        sample->values.dcs = 8;
    } else if (strcmp(sample->fields[0], "8bit") == 0) {
        sample->values.text = "";
        sample->values.dcs = 4;
        sample_set(&sample->values, "data", "DEADBEEF");
    } else {
        ck_assert_str_eq(sample->fields[0], "gsm7");
    }
    for (char **field = sample->fields + 1; *field; field++) {
        char *equals = strchr(*field, '=');

        ck_assert_ptr_nonnull(equals);
        *equals = '\0';
        sample_set(&sample->values, *field, equals + 1);
    }
}

static void
sample_clear(struct sample *sample)
{
    g_bytes_unref(sample->values.data);
    g_bytes_unref(sample->values.udh);
    g_strfreev(sample->fields);
}

static enum http_place
place_named(const char *name, const char *where)
{
    static const char *const names[] = {"url", "form", "json", "xml", "header", "plain"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum http_place)i;
    ck_abort_msg("%s: no such place: %s", where, name);
}

static struct http_template *
parsed(const char *text, enum http_place place, const char *where)
{
    struct http_template *tmpl = NULL;
    struct outcome why;
    guint at = 0;

    ck_assert_msg(http_template_parse(text, place, &tmpl, &at, &why) == 0, "%s: %s", where,
                  why.text);
    return tmpl;
}

/* Twice, behind what is there already: nothing of the first stays in the template. */
static void
expand_row(char **fields, const char *where)
{
    g_autoptr(HttpTemplate) tmpl = parsed(fields[2], place_named(fields[0], where), where);
    g_autoptr(GString) out = g_string_new(NULL);
    struct sample sample;
    struct outcome why;

    sample_init(&sample, fields[1]);
    for (int i = 0; i < 2; i++) {
        g_string_assign(out, "=");
        ck_assert_msg(http_template_expand(tmpl, &sample.values, out, &why) == 0, "%s: %s", where,
                      why.text);
        ck_assert_msg(out->str[0] == '=' && strcmp(out->str + 1, fields[3]) == 0, "%s: %s", where,
                      out->str + 1);
        ck_assert_uint_eq(out->len, strlen(out->str));
    }
    sample_clear(&sample);
}

/* ICE-HTTP-04, -30, ICE-CLK-01, -02, -04, -05, ICE-CERT-02 and the providers' own bodies */
START_TEST(documents)
{
    tsv_each("http/template_documents.tsv", 4, expand_row);
}
END_TEST

/* ICE-HTTP-05 to -29, ICE-CLK-03, ZH-01, ZH-03, ZH-04, ZH-11 */
START_TEST(expansions)
{
    tsv_each("http/template.tsv", 4, expand_row);
}
END_TEST

static void
parse_error_row(char **fields, const char *where)
{
    struct http_template *tmpl = NULL;
    struct outcome why = {0};
    guint at = 0;
    g_autofree char *want = g_strdup_printf("character %s: %s", fields[2], fields[3]);

    ck_assert_msg(http_template_parse(fields[1], place_named(fields[0], where), &tmpl, &at, &why) <
                      0,
                  "%s", where);
    ck_assert_ptr_null(tmpl);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_msg(strcmp(why.text, want) == 0, "%s: %s", where, why.text);
    ck_assert_msg(at == g_ascii_strtoull(fields[2], NULL, 10), "%s: %u", where, at);
}

/* A-39, ZH-11 */
START_TEST(parse_errors)
{
    tsv_each("http/template_errors.tsv", 4, parse_error_row);
}
END_TEST

static void
expand_error_row(char **fields, const char *where)
{
    g_autoptr(HttpTemplate) tmpl = parsed(fields[2], place_named(fields[0], where), where);
    g_autoptr(GString) out = g_string_new(NULL);
    struct outcome why = {0};
    struct sample sample;

    sample_init(&sample, fields[1]);
    ck_assert_msg(http_template_expand(tmpl, &sample.values, out, &why) < 0, "%s: %s", where,
                  out->str);
    ck_assert_int_eq(why.kind, OUT_DATA);
    ck_assert_str_eq(why.dsn, "5.6.0");
    ck_assert_msg(strcmp(why.text, fields[3]) == 0, "%s: %s", where, why.text);
    sample_clear(&sample);
}

START_TEST(expand_errors)
{
    tsv_each("http/template_data_errors.tsv", 4, expand_error_row);
}
END_TEST

/* Octets that no table can hold: every one of them, with nothing done to it but its escape. */
START_TEST(every_octet)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(HttpTemplate) url = parsed("%data;raw%", HTTP_PLACE_URL, "url");
    g_autoptr(HttpTemplate) plain = parsed("%data;raw%", HTTP_PLACE_PLAIN, "plain");
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    struct sample sample;
    struct outcome why;

    for (guint i = 0; i < 256; i++) {
        guint8 octet = (guint8)i;

        g_byte_array_append(all, &octet, 1);
        if (g_ascii_isalnum(octet) || (octet && strchr("-._~", octet)))
            g_string_append_c(want, (char)octet);
        else
            g_string_append_printf(want, "%%%02X", octet);
    }
    sample_init(&sample, "8bit");
    g_bytes_unref(sample.values.data);
    sample.values.data = g_bytes_new(all->data, all->len);
    ck_assert_int_eq(http_template_expand(url, &sample.values, got, &why), 0);
    ck_assert_str_eq(got->str, want->str);
    g_string_truncate(got, 0);
    ck_assert_int_eq(http_template_expand(plain, &sample.values, got, &why), 0);
    ck_assert(got->len == all->len && memcmp(got->str, all->data, all->len) == 0);
    sample_clear(&sample);
}
END_TEST

static void
note_name(void *context, bool secret, const char *name)
{
    g_string_append_printf(context, "%s:%s ", secret ? "secret" : "var", name);
}

START_TEST(names_in_it)
{
    g_autoptr(HttpTemplate) tmpl =
        parsed("%var.a%%number%%secret.b;hex%%from%%condition;isunicode;value=%%var.a%",
               HTTP_PLACE_FORM, "names");
    static const char *const there[] = {"number",    "sender",   "from",
                                        "condition", "secret.b", "var.a"};
    static const char *const not_there[] = {"data",  "body", "phone",    "ref",
                                            "msgid", "a",    "secret.a", "var.b",
                                            "var",   "",     "Number",   "nonsense"};
    g_autoptr(GString) names = g_string_new(NULL);

    http_template_each_named(tmpl, note_name, names);
    ck_assert_str_eq(names->str, "var:a secret:b var:a ");
    for (gsize i = 0; i < G_N_ELEMENTS(there); i++)
        ck_assert_msg(http_template_has(tmpl, there[i]), "%s", there[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(not_there); i++)
        ck_assert_msg(!http_template_has(tmpl, not_there[i]), "%s", not_there[i]);
}
END_TEST

START_TEST(nothing_in_it)
{
    g_autoptr(HttpTemplate) tmpl = parsed("", HTTP_PLACE_JSON, "empty");
    g_autoptr(GString) out = g_string_new(NULL);
    struct sample sample;
    struct outcome why;

    sample_init(&sample, "gsm7");
    ck_assert_int_eq(http_template_expand(tmpl, &sample.values, out, &why), 0);
    ck_assert_str_eq(out->str, "");
    ck_assert(!http_template_has(tmpl, "data"));
    sample_clear(&sample);
    http_template_free(NULL);
}
END_TEST

UNIT_SUITE("http_template", tcase_add_test(unit, documents); tcase_add_test(unit, expansions);
           tcase_add_test(unit, parse_errors); tcase_add_test(unit, expand_errors);
           tcase_add_test(unit, every_octet); tcase_add_test(unit, names_in_it);
           tcase_add_test(unit, nothing_in_it))
