/* SPDX-License-Identifier: ISC */
/*
 * Owns what becomes of the values of HTTP templates. They are foreign text: written through the
 * escape of their place, never read as a template, never named in a message.
 */
#include "transport/gateway/http_escape.h"
#include "transport/gateway/http_template_inside.h"

#include <string.h>

#define LEN_MAX 255 /* what one octet can tell */

/* A value on its way: borrowed, or in work once something was done to it. */
struct value {
    const char *octets;
    gsize len;
    bool text; /* UTF-8 */
    char digits[24];
};

static void
set_text(struct value *value, const char *text)
{
    value->octets = text;
    value->len = strlen(text);
}

static void
set_octets(struct value *value, GBytes *octets, gsize skip)
{
    gsize len = octets ? g_bytes_get_size(octets) : 0;

    value->text = false;
    value->len = len - MIN(skip, len);
    if (value->len > 0)
        value->octets = (const char *)g_bytes_get_data(octets, NULL) + skip;
}

static void
set_number(struct value *value, gint64 number)
{
    g_snprintf(value->digits, sizeof(value->digits), "%" G_GINT64_FORMAT, number);
    set_text(value, value->digits);
}

/* For providers that know a message by a number: the same for every try, and never 0. */
static gint64
ref_number(const char *ref)
{
    g_autofree char *front = g_strndup(ref, 8);
    guint64 number = g_ascii_strtoull(front, NULL, 16) & G_MAXINT32;

    return number > 0 ? (gint64)number : 1;
}

static gint64
ttl_number(gint64 ttl_s, enum http_form form)
{
    gint64 seconds = CLAMP(ttl_s, 0, G_MAXINT64 / 1000);

    if (form == HTTP_FORM_MS)
        return seconds * 1000;
    if (form == HTTP_FORM_MIN)
        return MAX(1, (seconds + 59) / 60);
    return seconds;
}

static const char *
named(const struct http_term *term, const struct http_values *values)
{
    const char *text = values->named(values->context, term->variable == HTTP_SECRET, term->name);

    return text ? text : "";
}

static void
fetch(const struct http_term *term, const struct http_values *values, struct value *value)
{
    bool binary = strcmp(values->encoding, "8bit") == 0;

    switch (term->variable) {
    case HTTP_NUMBER:
        return set_text(value, values->number);
    case HTTP_DATA:
        return binary ? set_octets(value, values->data, 0) : set_text(value, values->text);
    case HTTP_UDH:
        return set_octets(value, values->udh, 1);
    case HTTP_BINARY:
        if (term->form == HTTP_FORM_BOOL)
            return set_text(value, binary ? "true" : "false");
        return set_number(value, binary);
    case HTTP_PID:
        return set_number(value, values->pid);
    case HTTP_DCS:
        return set_number(value, values->dcs);
    case HTTP_SENDER:
        return set_text(value, values->originator);
    case HTTP_PHONE:
        return set_text(value, values->phone);
    case HTTP_PART:
        return set_number(value, values->part);
    case HTTP_PARTS:
        return set_number(value, values->parts);
    case HTTP_REF:
        if (term->form == HTTP_FORM_INT31)
            return set_number(value, ref_number(values->ref));
        return set_text(value, values->ref);
    case HTTP_CONDITION:
        return set_text(value, "");
    case HTTP_DLR_URL:
        return set_text(value, values->dlr_url);
    case HTTP_TOKEN:
        return set_text(value, values->token);
    case HTTP_TTL:
        return set_number(value, ttl_number(values->ttl_s, term->form));
    case HTTP_NOW:
        return set_number(value, values->now_s);
    case HTTP_VAR:
    case HTTP_SECRET:
        return set_text(value, named(term, values));
    case HTTP_VARIABLES:
        break;
    }
    g_assert_not_reached();
}

/* "+digits" or digits? Names of senders are left alone. */
static bool
is_phone(const GString *work)
{
    gsize plus = work->str[0] == '+';

    return work->len > plus && strspn(work->str + plus, "0123456789") == work->len - plus;
}

static void
drop_dashes(GString *work)
{
    gsize kept = 0;

    for (gsize i = 0; i < work->len; i++)
        if (work->str[i] != '-')
            work->str[kept++] = work->str[i];
    g_string_truncate(work, kept);
}

static void
to_hex(GString *work)
{
    static const char digits[] = "0123456789abcdef";
    gsize len = work->len;

    g_string_set_size(work, 2 * len);
    while (len-- > 0) {
        guint8 octet = (guint8)work->str[len];

        work->str[2 * len] = digits[octet >> 4];
        work->str[2 * len + 1] = digits[octet & 15];
    }
}

static void
to_base64(GString *work)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)work->str, work->len);

    g_string_assign(work, base64);
}

static int
to_charset(GString *work, const struct http_term *term, const char *charset, struct outcome *why)
{
    gsize len;
    g_autofree char *text =
        g_convert(work->str, (gssize)work->len, charset, "UTF-8", NULL, &len, NULL);

    if (!text) {
        out_set(why, OUT_DATA, "5.6.0", "%s has a character that %s has not",
                http_variable_name(term->variable), charset);
        return -1;
    }
    g_string_truncate(work, 0);
    g_string_append_len(work, text, (gssize)len);
    return 0;
}

static int
add_len(GString *work, const struct http_term *term, struct outcome *why)
{
    if (work->len > LEN_MAX) {
        out_set(why, OUT_DATA, "5.6.0", "%s has %" G_GSIZE_FORMAT " octets, len can tell %d",
                http_variable_name(term->variable), work->len, LEN_MAX);
        return -1;
    }
    if (work->len > 0)
        g_string_prepend_c(work, (char)work->len);
    return 0;
}

static void
shorten(GString *work, bool text, guint max)
{
    if (!text)
        g_string_truncate(work, MIN(work->len, max));
    else if (work->len > max && g_utf8_strlen(work->str, (gssize)work->len) > (glong)max)
        g_string_truncate(work, (gsize)(g_utf8_offset_to_pointer(work->str, max) - work->str));
}

static int
do_step(const struct http_term *term, const struct http_step *step, GString *work, bool *text,
        struct outcome *why)
{
    switch (step->kind) {
    case HTTP_STEP_NODASH:
        drop_dashes(work);
        return 0;
    case HTTP_STEP_PREFIX:
        if (is_phone(work) && work->str[0] == '+')
            g_string_replace(work, "+", step->text, 1);
        return 0;
    case HTTP_STEP_PLUS:
        if (is_phone(work) && work->str[0] != '+')
            g_string_prepend_c(work, '+');
        return 0;
    case HTTP_STEP_CHARSET:
        if (*text && to_charset(work, term, step->text, why) < 0)
            return -1;
        *text = false;
        return 0;
    case HTTP_STEP_LEN:
        *text = false;
        return add_len(work, term, why);
    case HTTP_STEP_HEX:
        to_hex(work);
        *text = true;
        return 0;
    case HTTP_STEP_B64:
        to_base64(work);
        *text = true;
        return 0;
    case HTTP_STEP_MAX:
        shorten(work, *text, step->number);
        return 0;
    case HTTP_STEPS:
        break;
    }
    g_assert_not_reached();
}

/* Does all that is done to the value, in *work if there is something to do. */
static int
transform(const struct http_term *term, struct value *value, GString **work, struct outcome *why)
{
    bool base64 = !value->text && !term->transformed;

    if (term->steps_count == 0 && !base64)
        return 0;
    *work = g_string_new_len(value->octets, (gssize)value->len);
    if (base64) {
        to_base64(*work);
        value->text = true;
    }
    for (guint i = 0; i < term->steps_count; i++)
        if (do_step(term, &term->steps[i], *work, &value->text, why) < 0)
            return -1;
    value->octets = (*work)->str;
    value->len = (*work)->len;
    return 0;
}

static bool
is_for(const struct http_template *tmpl, const struct http_term *term, const char *encoding)
{
    if (!term->encoding || strcmp(term->encoding, encoding) == 0)
        return true;
    return tmpl->ascii_takes_binary && term->variable == HTTP_DATA && !term->instead &&
           strcmp(term->encoding, "gsm7") == 0 && strcmp(encoding, "8bit") == 0;
}

static int
write_value(const struct http_term *term, const struct value *value, GString *out,
            struct outcome *why)
{
    if (value->len == 0)
        return 0;
    if (!value->text && (term->escape == HTTP_PLACE_JSON || term->escape == HTTP_PLACE_XML ||
                         term->escape == HTTP_PLACE_HEADER)) {
        out_set(why, OUT_DATA, "5.6.0", "%s is binary and must end as hex or b64 here",
                http_variable_name(term->variable));
        return -1;
    }
    if (term->prefix)
        g_string_append(out, term->prefix);
    http_escape(term->escape, value->octets, value->len, out);
    if (term->suffix)
        g_string_append(out, term->suffix);
    return 0;
}

static int
expand_term(const struct http_template *tmpl, const struct http_term *term,
            const struct http_values *values, GString *out, struct outcome *why)
{
    struct value value = {.octets = "", .text = true};
    g_autoptr(GString) work = NULL;

    if (!is_for(tmpl, term, values->encoding))
        return 0;
    fetch(term, values, &value);
    if (term->isset && value.len == 0)
        return 0;
    if (!term->instead &&
        (transform(term, &value, &work, why) < 0 || write_value(term, &value, out, why) < 0))
        return -1;
    if (term->text)
        g_string_append(out, term->text);
    return 0;
}

int
http_template_expand(const struct http_template *tmpl, const struct http_values *values,
                     GString *out, struct outcome *why)
{
    for (guint i = 0; i < tmpl->terms->len; i++) {
        const struct http_term *term = &g_array_index(tmpl->terms, struct http_term, i);

        g_string_append_len(out, term->before->str, (gssize)term->before->len);
        if (expand_term(tmpl, term, values, out, why) < 0)
            return -1;
    }
    g_string_append_len(out, tmpl->behind->str, (gssize)tmpl->behind->len);
    return 0;
}
