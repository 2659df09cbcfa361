/* SPDX-License-Identifier: ISC */
/* Templates of HTTP requests: every variable, modifier, place and fault, and the documents' URLs as
 * they are printed (ICE-HTTP-04..30, ICE-CLK-01..05, ZH-01, ZH-03, ZH-04, A-30, A-39..41). */
#include "tests/unit/cases.h"
#include "transport/gateway/http_template.h"

static const char *
named(void *context, bool secret, const char *name)
{
    (void)context;
    if (secret)
        return strcmp(name, "s") == 0 ? "p&w" : NULL;
    return strcmp(name, "x") == 0 ? "a b" : strcmp(name, "base") == 0 ? "http://h:1" : NULL;
}

static enum http_place
place_of(const char *options)
{
    static const char *const names[] = {
        [HTTP_PLACE_URL] = "url", [HTTP_PLACE_FORM] = "form",     [HTTP_PLACE_JSON] = "json",
        [HTTP_PLACE_XML] = "xml", [HTTP_PLACE_HEADER] = "header", [HTTP_PLACE_PLAIN] = "plain",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(g_strchug((char *)(guintptr)options), names[i]))
            return (enum http_place)i;
    ck_abort_msg("place: %s", options);
}

/* OPTIONS: the place and the message: gsm7, ucs2 or 8bit, and what else is different. */
static void
check_template(const struct unit_case *c)
{
    bool binary = strstr(c->options, "8bit"), unicode = strstr(c->options, "ucs2");
    g_autoptr(GBytes) data = g_bytes_new("\0\xff\x1b%&", binary ? 5 : 0);
    g_autoptr(GBytes) udh = g_bytes_new("\6\5\4\x0b\x84\x23\xf0", binary ? 7 : 0);
    g_autoptr(HttpTemplate) tmpl = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    g_autofree char *long_text = g_strnfill(256, 'x');
    struct http_values values = {
        .number = strstr(c->options, "short") ? "41" : "+41791234567",
        .originator = strstr(c->options, "anonymous") ? "" : "ACME+1",
        .phone = "+41790000000",
        .ref = "80112233445566778899aabbccddeeff",
        .encoding = binary    ? "8bit"
                    : unicode ? "ucs2"
                              : "gsm7",
        .text = binary                        ? ""
                : strstr(c->options, "long")  ? long_text
                : strstr(c->options, "lines") ? "a\r\n\tb\001"
                : unicode                     ? "ж“"
                                              : "Ä & \"x\\\" <y>",
        .data = data,
        .udh = udh,
        .pid = 65,
        .dcs = 245,
        .part = 2,
        .parts = 3,
        .ttl_s = 100,
        .now_s = 1700000000,
        .dlr_url = strstr(c->options, "noreport") ? "" : "https://d/?a=1",
        .token = "T0",
        .named = named,
    };
    struct outcome why;
    guint at;

    if (http_template_parse(c->input, place_of(c->options), &tmpl, &at, &why) < 0) {
        g_autofree char *position = g_strdup_printf("character %u: ", at);

        ck_assert_int_eq(why.kind, OUT_CONFIG);
        ck_assert_msg(g_str_has_prefix(why.text, position), "%s: %s at %u", c->where, why.text, at);
        g_string_assign(got, why.text);
    } else if (http_template_expand(tmpl, &values, got, &why) < 0) {
        ck_assert_int_eq(why.kind, OUT_DATA);
        g_string_assign(got, why.text);
    }
    ck_assert_msg(strcmp(got->str, c->want) == 0, "%s:\n%s\nwanted:\n%s", c->where, got->str,
                  c->want);
}

START_TEST(templates)
{
    ck_assert_uint_ge(cases_each("http/templates.txt", check_template), 80);
}
END_TEST

static void
note_named(void *context, bool secret, const char *name)
{
    g_string_append_printf(context, "%s %s;", secret ? "secret" : "var", name);
}

START_TEST(names)
{
    g_autoptr(HttpTemplate) tmpl = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    struct outcome why;
    guint at;

    ck_assert_int_eq(http_template_parse("%var.a%%secret.b-1;hex%%body%%var.a%", HTTP_PLACE_URL,
                                         &tmpl, &at, &why),
                     0);
    http_template_each_named(tmpl, note_named, got);
    ck_assert_str_eq(got->str, "var a;secret b-1;var a;");
    ck_assert(http_template_has(tmpl, "data"));
    ck_assert(http_template_has(tmpl, "body"));
    ck_assert(!http_template_has(tmpl, "number"));
    ck_assert(!http_template_has(tmpl, "var"));
}
END_TEST

START_TEST(limits)
{
    g_autofree char *wide = g_strnfill(16385, 'x');
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(HttpTemplate) tmpl = NULL;
    struct outcome why;
    guint at;

    ck_assert_int_eq(http_template_parse(wide, HTTP_PLACE_URL, &tmpl, &at, &why), -1);
    for (int i = 0; i < 257; i++)
        g_string_append(many, "%pid%");
    ck_assert_int_eq(http_template_parse(many->str, HTTP_PLACE_URL, &tmpl, &at, &why), -1);
    ck_assert_str_eq(why.text, "character 1281: more than 256 variables");
    ck_assert_int_eq(http_template_parse("\xff", HTTP_PLACE_URL, &tmpl, &at, &why), -1);
}
END_TEST

UNIT_SUITE("http_template", tcase_add_test(unit, templates); tcase_add_test(unit, names);
           tcase_add_test(unit, limits))
