/* SPDX-License-Identifier: ISC */
/*
 * Owns the expansion of templates: what variables stand for, what modifiers make of it, and the
 * escape of the place, which no value gets around: a text must never end its string, its element or
 * its parameter.
 */
#include "transport/gateway/http_inside.h"

#include <string.h>

struct expanding {
    const struct http_values *values;
    const struct http_template *tmpl;
    const struct http_term *term;
    struct outcome *why;
};

static int
fail(struct expanding *expanding, const char *text)
{
    out_set(expanding->why, OUT_DATA, "5.6.0", "%s", text);
    return -1;
}

static bool
is_binary_message(const struct http_values *values)
{
    return strcmp(values->encoding, "8bit") == 0;
}

static void
put_bytes(GString *out, GBytes *bytes, gsize skip)
{
    gsize len;
    const char *octets = g_bytes_get_data(bytes, &len);

    if (len > skip)
        g_string_append_len(out, octets + skip, (gssize)(len - skip));
}

/* The 16 octets that a reference is in hexadecimal. */
static void
put_reference_octets(GString *out, const char *ref)
{
    for (; g_ascii_isxdigit(ref[0]) && g_ascii_isxdigit(ref[1]); ref += 2)
        g_string_append_c(out,
                          (char)(g_ascii_xdigit_value(ref[0]) << 4 | g_ascii_xdigit_value(ref[1])));
}

static void
put_reference(GString *out, const struct http_term *term, const char *ref)
{
    if (http_term_has_any(term, HTTP_LEN, HTTP_B64))
        put_reference_octets(out, ref);
    else
        g_string_append(out, ref);
}

static void
put_time_left(GString *out, const struct http_term *term, gint64 seconds)
{
    gint64 left = http_term_has(term, HTTP_MS)    ? seconds * 1000
                  : http_term_has(term, HTTP_MIN) ? MAX(1, (seconds + 59) / 60)
                                                  : seconds;

    g_string_append_printf(out, "%" G_GINT64_FORMAT, left);
}

/* The variable as it is. */
static void
put_variable(struct expanding *expanding, GString *out)
{
    const struct http_values *values = expanding->values;
    const struct http_term *term = expanding->term;
    const char *text = NULL;

    switch (term->variable) {
    case HTTP_NUMBER:
        text = values->number;
        break;
    case HTTP_SENDER:
        text = values->originator;
        break;
    case HTTP_PHONE:
        text = values->phone;
        break;
    case HTTP_DATA:
        if (is_binary_message(values))
            put_bytes(out, values->data, 0);
        else
            text = values->text;
        break;
    case HTTP_UDH:
        put_bytes(out, values->udh, 1); /* without its length octet: ;len puts it there */
        break;
    case HTTP_BINARY_FLAG:
        text = is_binary_message(values) ? "1" : "0";
        break;
    case HTTP_PID:
        g_string_append_printf(out, "%d", values->pid);
        break;
    case HTTP_DCS:
        g_string_append_printf(out, "%d", values->dcs);
        break;
    case HTTP_PART:
        g_string_append_printf(out, "%u", values->part);
        break;
    case HTTP_PARTS:
        g_string_append_printf(out, "%u", values->parts);
        break;
    case HTTP_REF:
        put_reference(out, term, values->ref);
        break;
    case HTTP_DLR_URL:
        text = values->dlr_url;
        break;
    case HTTP_TOKEN:
        text = values->token;
        break;
    case HTTP_TTL:
        put_time_left(out, term, values->ttl_s);
        break;
    case HTTP_NOW:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, values->now_s);
        break;
    case HTTP_VAR:
    case HTTP_SECRET:
        text = values->named(values->context, term->variable == HTTP_SECRET, term->name);
        break;
    case HTTP_CONDITION:
    case HTTP_VARIABLES:
        break;
    }
    if (text)
        g_string_append(out, text);
}

static bool
is_number(const GString *value)
{
    const char *digits = value->str + (value->str[0] == '+');

    return *digits && strspn(digits, "0123456789") == strlen(digits) &&
           strlen(value->str) == value->len;
}

static void
change_prefix(GString *value, const char *prefix)
{
    if (value->str[0] != '+')
        return;
    g_string_erase(value, 0, 1);
    g_string_prepend(value, prefix);
}

static void
cut(GString *value, guint max)
{
    if (!g_utf8_validate(value->str, (gssize)value->len, NULL)) {
        g_string_truncate(value, MIN(value->len, max));
        return;
    }
    if (g_utf8_strlen(value->str, (gssize)value->len) > (glong)max)
        g_string_truncate(value, (gsize)(g_utf8_offset_to_pointer(value->str, max) - value->str));
}

static void
make_int31(GString *value)
{
    guint64 number = 0;

    for (int i = 0; i < 8 && g_ascii_isxdigit(value->str[i]); i++)
        number = number << 4 | (guint)g_ascii_xdigit_value(value->str[i]);
    number &= 0x7fffffff;
    g_string_printf(value, "%u", (guint)MAX(1, number));
}

static int
convert(struct expanding *expanding, GString *value, const char *charset)
{
    g_autoptr(GError) error = NULL;
    gsize len;
    g_autofree char *octets =
        g_convert(value->str, (gssize)value->len, charset, "UTF-8", NULL, &len, &error);

    if (!octets)
        return fail(expanding, "the text has characters that the provider's character set has not");
    g_string_truncate(value, 0);
    g_string_append_len(value, octets, (gssize)len);
    return 0;
}

/* The steps that come before the octets are counted and written as digits. */
static int
change(struct expanding *expanding, GString *value, const struct http_step *step)
{
    bool number = is_number(value);

    switch (step->modifier) {
    case HTTP_INTERPREFIX:
        change_prefix(value, step->argument);
        break;
    case HTTP_PLUS:
        if (number && value->str[0] != '+')
            g_string_prepend_c(value, '+');
        break;
    case HTTP_NOPLUS:
        if (number)
            change_prefix(value, "");
        break;
    case HTTP_00:
        if (number)
            change_prefix(value, "00");
        break;
    case HTTP_NODASH:
        g_string_replace(value, "-", "", 0);
        break;
    case HTTP_MAX:
        cut(value, step->number);
        break;
    case HTTP_BOOL:
        g_string_assign(value, value->len == 0 || strcmp(value->str, "0") == 0 ? "false" : "true");
        break;
    case HTTP_INT31:
        make_int31(value);
        break;
    case HTTP_UTF16:
        return convert(expanding, value, "UTF-16BE");
    case HTTP_CHARSET:
        return convert(expanding, value, step->argument);
    default:
        break;
    }
    return 0;
}

static void
write_digits(GString *value, enum http_modifier modifier)
{
    g_autofree char *text = NULL;

    if (modifier == HTTP_B64) {
        text = g_base64_encode((const guchar *)value->str, value->len);
        g_string_assign(value, text);
        return;
    }
    text = g_malloc(2 * value->len + 1);
    for (gsize i = 0; i < value->len; i++)
        g_snprintf(text + 2 * i, 3, "%02x", (guchar)value->str[i]);
    text[2 * value->len] = '\0';
    g_string_assign(value, text);
}

/* Octets without a modifier that says how to write them are base64, a text in UTF-16 is hex. */
static void
write_octets(struct expanding *expanding, GString *value)
{
    const struct http_term *term = expanding->term;
    bool said = false;

    for (guint i = 0; i < term->steps->len; i++) {
        enum http_modifier modifier = g_array_index(term->steps, struct http_step, i).modifier;

        if (modifier == HTTP_HEX || modifier == HTTP_B64)
            write_digits(value, modifier);
        said |= modifier == HTTP_HEX || modifier == HTTP_B64 || modifier == HTTP_RAW;
    }
    if (!said && http_term_has(term, HTTP_UTF16))
        write_digits(value, HTTP_HEX);
    else if (!http_term_has_any(term, HTTP_TRANSFORMS, HTTP_MODIFIERS) &&
             (term->variable == HTTP_UDH ||
              (term->variable == HTTP_DATA && is_binary_message(expanding->values))))
        write_digits(value, HTTP_B64);
}

static int
transform(struct expanding *expanding, GString *value)
{
    const struct http_term *term = expanding->term;

    for (guint i = 0; i < term->steps->len; i++)
        if (change(expanding, value, &g_array_index(term->steps, struct http_step, i)) < 0)
            return -1;
    if (http_term_has(term, HTTP_LEN) && value->len > 255)
        return fail(expanding, "a value is longer than the 255 octets that ;len can say");
    if (http_term_has(term, HTTP_LEN) && value->len > 0)
        g_string_prepend_len(value, (char[]){(char)value->len}, 1);
    write_octets(expanding, value);
    return 0;
}

static void
escape_percent(GString *out, const GString *value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (gsize i = 0; i < value->len; i++) {
        guchar c = (guchar)value->str[i];

        if (g_ascii_isalnum(c) || (c && strchr("-._~", c))) {
            g_string_append_c(out, (char)c);
        } else {
            g_string_append_c(out, '%');
            g_string_append_c(out, digits[c >> 4]);
            g_string_append_c(out, digits[c & 15]);
        }
    }
}

static void
escape_json(GString *out, const GString *value)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";

    for (gsize i = 0; i < value->len; i++) {
        char c = value->str[i];
        const char *at = c ? strchr(plain, c) : NULL;

        if (at)
            g_string_append_printf(out, "\\%c", letter[at - plain]);
        else if ((guchar)c < 0x20)
            g_string_append_printf(out, "\\u%04x", (guchar)c);
        else
            g_string_append_c(out, c);
    }
}

static void
escape_xml(GString *out, const GString *value)
{
    for (gsize i = 0; i < value->len; i++) {
        char c = value->str[i];

        switch (c) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\'':
            g_string_append(out, "&#39;");
            break;
        default:
            if (c == '\t' || c == '\n' || c == '\r')
                g_string_append_printf(out, "&#%d;", c);
            else if ((guchar)c < 0x20)
                g_string_append(out, "\357\277\275"); /* U+FFFD: XML has no such character */
            else
                g_string_append_c(out, c);
        }
    }
}

static void
escape_header(GString *out, const GString *value)
{
    for (gsize i = 0; i < value->len; i++)
        g_string_append_c(out,
                          g_ascii_iscntrl(value->str[i]) || !value->str[i] ? ' ' : value->str[i]);
}

static void
escape(const struct expanding *expanding, GString *out, const GString *value)
{
    const struct http_term *term = expanding->term;
    enum http_place place = expanding->tmpl->place;

    if (http_term_has(term, HTTP_ESCAPE_URL))
        place = HTTP_PLACE_URL;
    else if (http_term_has(term, HTTP_ESCAPE_JSON))
        place = HTTP_PLACE_JSON;
    else if (http_term_has(term, HTTP_ESCAPE_XML))
        place = HTTP_PLACE_XML;
    else if (http_term_has(term, HTTP_RAW) && term->name)
        place = HTTP_PLACE_PLAIN; /* the admin's own text, such as the beginning of a URL */
    switch (place) {
    case HTTP_PLACE_URL:
    case HTTP_PLACE_FORM:
        escape_percent(out, value);
        break;
    case HTTP_PLACE_JSON:
        escape_json(out, value);
        break;
    case HTTP_PLACE_XML:
        escape_xml(out, value);
        break;
    case HTTP_PLACE_HEADER:
        escape_header(out, value);
        break;
    case HTTP_PLACE_PLAIN:
        g_string_append_len(out, value->str, (gssize)value->len);
        break;
    }
}

static bool
conditions_hold(const struct expanding *expanding, const GString *value)
{
    const struct http_term *term = expanding->term;
    const char *encoding = expanding->values->encoding;

    return (!http_term_has(term, HTTP_IS_UNICODE) || strcmp(encoding, "ucs2") == 0) &&
           (!http_term_has(term, HTTP_IS_ASCII) || strcmp(encoding, "gsm7") == 0) &&
           (!http_term_has(term, HTTP_IS_BINARY) || strcmp(encoding, "8bit") == 0) &&
           (!http_term_has(term, HTTP_IS_SET) || value->len > 0);
}

static void
put_texts(const struct http_term *term, enum http_modifier modifier, GString *out)
{
    for (guint i = 0; i < term->steps->len; i++) {
        const struct http_step *step = &g_array_index(term->steps, struct http_step, i);

        if (step->modifier == modifier)
            g_string_append(out, step->argument);
    }
}

/* value= behind conditions alone is a text that depends on them, not one behind the value. */
static bool
is_text_alone(const struct http_term *term)
{
    return http_term_has(term, HTTP_VALUE) &&
           http_term_has_any(term, HTTP_IS_UNICODE, HTTP_IS_SET) &&
           !http_term_has_any(term, HTTP_TRANSFORMS, HTTP_MODIFIERS);
}

static int
expand_term(struct expanding *expanding, GString *out)
{
    const struct http_term *term = expanding->term;
    g_autoptr(GString) value = g_string_new(NULL);
    bool some;

    put_variable(expanding, value);
    if (!conditions_hold(expanding, value))
        return 0;
    some = value->len > 0;
    if (!is_text_alone(term)) {
        if (transform(expanding, value) < 0)
            return -1;
        if (some)
            put_texts(term, HTTP_PREFIX, out);
        escape(expanding, out, value);
    }
    put_texts(term, HTTP_VALUE, out);
    if (some && !is_text_alone(term))
        put_texts(term, HTTP_SUFFIX, out);
    if (term->variable == HTTP_SECRET || term->variable == HTTP_TOKEN)
        explicit_bzero(value->str, value->len);
    return 0;
}

int
http_template_expand(const struct http_template *tmpl, const struct http_values *values,
                     GString *out, struct outcome *why)
{
    struct expanding expanding = {.values = values, .tmpl = tmpl, .why = why};

    for (guint i = 0; i < tmpl->terms->len; i++) {
        expanding.term = tmpl->terms->pdata[i];
        if (expanding.term->literal)
            g_string_append(out, expanding.term->literal);
        else if (expand_term(&expanding, out) < 0)
            return -1;
    }
    return 0;
}
