/* SPDX-License-Identifier: ISC */
/*
 * A template in any place, then values for it: the first octet is the place, the second the
 * encoding; template and values follow, a NUL behind each. What is accepted has only variables and
 * modifiers that there are, and no value gets out of its place.
 */
#include "transport/gateway/http_template.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#define VALUES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The language once more, as one pattern. %s: the percent escapes of URLs and forms. */
#define LANGUAGE                                                                                   \
    "\\A(?:[^%%]|%%%%%s|%%(?:number|data|body|udh|binary|pid|dcs|sender|from|sender_phonealias|"   \
    "phone|parts?|ref|msgid|condition|dlr_url|token|ttl|now|(?:var|secret)\\.[A-Za-z0-9_-]+)"      \
    "(?:;(?:isunicode|isascii|isbinary|isset|unicode|hex|len|b64|raw|url|json|xml|nodash|plus|"    \
    "noplus|00|bool|int31|s|ms|min|max=[0-9]{1,6}|(?:value|prefix|suffix|charset|interprefix)="    \
    "[^;%%]*))*%%)*+\\z"
#define ESCAPES "|%(?:[0-9][0-9A-Fa-f]|[A-Fa-f][0-9]|[A-F][A-F])"

static bool
is_language(const char *text, enum http_place place)
{
    static GRegex *regexes[2];
    gsize which = place == HTTP_PLACE_URL || place == HTTP_PLACE_FORM;

    if (!regexes[which]) {
        g_autofree char *pattern = g_strdup_printf(LANGUAGE, which ? ESCAPES : "");

        regexes[which] = g_regex_new(pattern, G_REGEX_DOTALL | G_REGEX_OPTIMIZE, 0, NULL);
        g_assert(regexes[which]);
    }
    return g_regex_match(regexes[which], text, 0, NULL);
}

/* Has text any of these characters, or a control character? */
static bool
has_any(const char *text, const char *characters)
{
    for (; *text; text++)
        if ((guint8)*text < ' ' || strchr(characters, *text))
            return true;
    return false;
}

/* The template gives nothing but what is checked for, so whatever else there is came from a value.
 */
static void
check_url(const char *text, const GString *out)
{
    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("-._~%;=", *p))
            return;
    for (gsize i = 0; i < out->len; i++)
        g_assert(g_ascii_isalnum(out->str[i]) || (out->str[i] && strchr("-._~%;=", out->str[i])));
}

static void
check_json(const char *text, const GString *out)
{
    g_autoptr(GString) quoted = g_string_new("\"");
    json_t *string;

    if (has_any(text, "\"\\"))
        return;
    g_string_append_len(quoted, out->str, (gssize)out->len);
    g_string_append_c(quoted, '"');
    string = json_loadb(quoted->str, quoted->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    g_assert(string && json_is_string(string));
    json_decref(string);
}

static void
check_xml(const char *text, const GString *out)
{
    if (has_any(text, "<>&\"'"))
        return;
    g_assert(g_utf8_validate(out->str, (gssize)out->len, NULL));
    g_assert(!has_any(out->str, "<>\"'"));
    for (const char *p = out->str; (p = strchr(p, '&')); p++)
        g_assert(g_str_has_prefix(p, "&amp;") || g_str_has_prefix(p, "&lt;") ||
                 g_str_has_prefix(p, "&gt;") || g_str_has_prefix(p, "&quot;") ||
                 g_str_has_prefix(p, "&#39;") || g_str_has_prefix(p, "&#9;") ||
                 g_str_has_prefix(p, "&#10;") || g_str_has_prefix(p, "&#13;"));
}

/* Unless the template asks for another escape, which then is the only one. */
static void
check_place(const char *text, enum http_place place, const GString *out)
{
    bool json = strstr(text, ";json"), xml = strstr(text, ";xml");

    if (place == HTTP_PLACE_HEADER)
        g_assert(!memchr(out->str, '\r', out->len) && !memchr(out->str, '\n', out->len) &&
                 !memchr(out->str, '\0', out->len));
    else if ((place == HTTP_PLACE_URL || place == HTTP_PLACE_FORM) && !json && !xml)
        check_url(text, out);
    else if (place == HTTP_PLACE_JSON && !xml)
        check_json(text, out);
    else if (place == HTTP_PLACE_XML && !json)
        check_xml(text, out);
}

static void
expand(const struct http_template *tmpl, const char *text, enum http_place place,
       const struct http_values *values)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GString) again = g_string_new("again");
    struct outcome why;

    if (http_template_expand(tmpl, values, out, &why) < 0) {
        g_assert(why.kind == OUT_DATA && *why.text);
        return;
    }
    check_place(text, place, out);
    g_assert(http_template_expand(tmpl, values, again, &why) == 0);
    g_assert(again->len == out->len + 5 && memcmp(again->str + 5, out->str, out->len) == 0);
}

/* The value of every %var% and %secret% is context. */
static const char *
named(void *context, bool secret, const char *name)
{
    g_assert(*name && !strpbrk(name, ".;% "));
    return secret ? context : NULL;
}

static void
check_name(void *context, bool secret, const char *name)
{
    g_autofree char *full = g_strconcat(secret ? "secret." : "var.", name, NULL);

    g_assert(http_template_has(context, full));
}

/* The octets up to the next NUL. */
static char *
piece(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
    char *text = g_strndup((const char *)*at, (gsize)((nul ? nul : end) - *at));

    *at = nul ? nul + 1 : end;
    return text;
}

static void
expand_with(const struct http_template *tmpl, const char *text, enum http_place place,
            uint8_t encoding, const uint8_t *at, const uint8_t *end)
{
    static const char *const encodings[] = {"gsm7", "ucs2", "8bit"};
    g_autoptr(GBytes) octets = g_bytes_new(at, (gsize)(end - at));
    char *values[VALUES];

    for (guint i = 0; i < VALUES; i++) {
        g_autofree char *raw = piece(&at, end);

        values[i] = g_utf8_make_valid(raw, -1);
    }
    expand(tmpl, text, place,
           &(struct http_values){.number = values[0],
                                 .originator = values[1],
                                 .phone = values[2],
                                 .ref = values[3],
                                 .encoding = encodings[encoding % G_N_ELEMENTS(encodings)],
                                 .text = values[4],
                                 .data = octets,
                                 .udh = octets,
                                 .pid = encoding,
                                 .parts = encoding,
                                 .ttl_s = g_ascii_strtoll(values[0], NULL, 10),
                                 .now_s = g_ascii_strtoll(values[3], NULL, 16),
                                 .dlr_url = values[5],
                                 .token = values[6],
                                 .named = named,
                                 .context = values[7]});
    for (guint i = 0; i < VALUES; i++)
        g_free(values[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nasty[] = "+41\0\"'<\r\n&>\0"
                                "00\0"
                                "ffffffff\0"
                                "%data%\\\x01\xEF\xBF\xBF"
                                "\xC2\x85\xE2\x80\xA8\t\x1F\x7F\0?a=&b#\0 -%25-\0\"\\\r\nX: y";
    const uint8_t *at = data + 2;
    const uint8_t *end = data + size;
    g_autoptr(HttpTemplate) tmpl = NULL;
    g_autofree char *text = NULL;
    enum http_place place;
    struct outcome why;
    guint wrong_at = 0;

    if (size < 2)
        return 0;
    place = data[0] % (HTTP_PLACE_PLAIN + 1);
    text = piece(&at, end);
    if (http_template_parse(text, place, &tmpl, &wrong_at, &why) < 0) {
        g_assert(why.kind == OUT_CONFIG && g_str_has_prefix(why.text, "character "));
        g_assert(wrong_at >= 1 && wrong_at <= strlen(text));
        return 0;
    }
    g_assert(is_language(text, place));
    http_template_each_named(tmpl, check_name, tmpl);
    for (uint8_t encoding = 0; encoding < 3; encoding++)
        expand_with(tmpl, text, place, encoding, (const uint8_t *)nasty,
                    (const uint8_t *)nasty + sizeof(nasty) - 1);
    expand_with(tmpl, text, place, data[1], at, end);
    return 0;
}
