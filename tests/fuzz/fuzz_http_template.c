/* SPDX-License-Identifier: ISC */
/*
 * A template, and what it is expanded with. First octet: place and encoding; the line behind it is
 * the template; the rest is the text. Whatever the text, it stays inside its place: no value ends a
 * JSON string, an XML element, a header line or a parameter.
 */
#include "transport/gateway/http_template.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
named(void *context, bool secret, const char *name)
{
    (void)secret;
    (void)name;
    return context;
}

/* The variable alone, in a place that its text must not get out of. */
static void
check_place(const struct http_values *values, enum http_place place)
{
    static const char *const around[] = {
        [HTTP_PLACE_URL] = "%data%",        [HTTP_PLACE_FORM] = "%data%",
        [HTTP_PLACE_JSON] = "[\"%data%\"]", [HTTP_PLACE_XML] = "%data%",
        [HTTP_PLACE_HEADER] = "%data%",     [HTTP_PLACE_PLAIN] = "%data%",
    };
    g_autoptr(HttpTemplate) tmpl = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    struct outcome why;
    json_t *json;
    guint at;

    g_assert(http_template_parse(around[place], place, &tmpl, &at, &why) == 0);
    g_assert(http_template_expand(tmpl, values, out, &why) == 0);
    switch (place) {
    case HTTP_PLACE_URL:
    case HTTP_PLACE_FORM:
        for (const char *c = out->str; *c; c++)
            g_assert(g_ascii_isalnum(*c) || strchr("-._~%", *c));
        break;
    case HTTP_PLACE_JSON:
        json = json_loadb(out->str, out->len, JSON_ALLOW_NUL, NULL);
        g_assert(json && json_array_size(json) == 1);
        g_assert(strcmp(values->encoding, "8bit") == 0 ||
                 strcmp(json_string_value(json_array_get(json, 0)), values->text) == 0);
        json_decref(json);
        break;
    case HTTP_PLACE_XML:
        g_assert(!strpbrk(out->str, "<>\"'"));
        break;
    case HTTP_PLACE_HEADER:
        for (const char *c = out->str; *c; c++)
            g_assert((guchar)*c >= ' ' && *c != 0x7f);
        break;
    case HTTP_PLACE_PLAIN:
        break;
    }
    g_assert(strlen(out->str) == out->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {"gsm7", "ucs2", "8bit"};
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    g_autoptr(HttpTemplate) tmpl = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GBytes) octets = NULL;
    g_autofree char *text = NULL;
    g_autofree char *written = NULL;
    enum http_place place;
    struct outcome why;
    struct http_values values;
    guint at;

    if (!line || line == data)
        return 0;
    place = (enum http_place)(data[0] % 6);
    written = g_strndup((const char *)data + 1, (gsize)(line - data - 1));
    octets = g_bytes_new(line + 1, size - (gsize)(line + 1 - data));
    text = g_utf8_make_valid((const char *)line + 1, (gssize)g_bytes_get_size(octets));
    values = (struct http_values){
        .number = "+41791234567",
        .originator = text,
        .phone = "",
        .ref = "00112233445566778899aabbccddeeff",
        .encoding = encodings[data[0] / 6 % 3],
        .text = text,
        .data = octets,
        .udh = octets,
        .part = 1,
        .parts = 1,
        .ttl_s = 60,
        .dlr_url = text,
        .token = text,
        .named = named,
        .context = text,
    };
    check_place(&values, place);
    if (http_template_parse(written, place, &tmpl, &at, &why) < 0) {
        g_assert(why.kind == OUT_CONFIG);
        g_assert(at >= 1 && at <= (guint)strlen(written) + 1);
    } else if (http_template_expand(tmpl, &values, out, &why) < 0) {
        g_assert(why.kind == OUT_DATA);
    }
    return 0;
}
