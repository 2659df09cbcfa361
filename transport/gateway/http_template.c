/* SPDX-License-Identifier: ISC */
/*
 * Owns the language of HTTP templates but for the modifiers: literal text, variables and what ends
 * them. Must never look at a value.
 */
#include "transport/gateway/http_template_inside.h"

#include <string.h>

#define OCTETS_MAX 16384 /* no request of a profile comes near it */
#define TERMS_MAX  256
#define SHOWN_MAX  40
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME       LETTERS "0123456789_-"

static const struct {
    const char *name;
    enum http_variable variable;
    bool alias; /* of the one above */
} names[] = {
    {"number", HTTP_NUMBER, false},   {"data", HTTP_DATA, false},
    {"body", HTTP_DATA, true},        {"udh", HTTP_UDH, false},
    {"binary", HTTP_BINARY, false},   {"pid", HTTP_PID, false},
    {"dcs", HTTP_DCS, false},         {"sender", HTTP_SENDER, false},
    {"from", HTTP_SENDER, true},      {"sender_phonealias", HTTP_PHONE, false},
    {"phone", HTTP_PHONE, true},      {"part", HTTP_PART, false},
    {"parts", HTTP_PARTS, false},     {"ref", HTTP_REF, false},
    {"msgid", HTTP_REF, true},        {"condition", HTTP_CONDITION, false},
    {"dlr_url", HTTP_DLR_URL, false}, {"token", HTTP_TOKEN, false},
    {"ttl", HTTP_TTL, false},         {"now", HTTP_NOW, false},
    {"var", HTTP_VAR, false},         {"secret", HTTP_SECRET, false},
};

const char *
http_variable_name(enum http_variable variable)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].variable == variable)
            return names[i].name;
    g_assert_not_reached();
}

int
http_reading_fail(struct http_reading *reading, const char *at, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    *reading->ret_at = (guint)g_utf8_pointer_to_offset(reading->text, at) + 1;
    out_set(reading->why, OUT_CONFIG, "4.3.5", "character %u: %s", *reading->ret_at, text);
    return -1;
}

int
http_reading_shown(gsize len)
{
    return (int)MIN(len, SHOWN_MAX);
}

int
http_reading_verbatim(struct http_reading *reading, const char *at, gsize len)
{
    for (gsize i = 0; i < len; i++) {
        guint8 c = (guint8)at[i];

        if (reading->place == HTTP_PLACE_HEADER && (c < ' ' || c == 0x7F))
            return http_reading_fail(reading, at + i, "a header has no control characters");
        if (reading->place == HTTP_PLACE_URL && (c <= ' ' || c == 0x7F))
            return http_reading_fail(reading, at + i, "a URL has no blanks or control characters");
    }
    return 0;
}

static bool
is_named(enum http_variable variable)
{
    return variable == HTTP_VAR || variable == HTTP_SECRET;
}

/* The variable that name, of len octets, stands for, and the name behind its dot; or -1. */
static int
find_variable(const char *name, gsize len, char **ret_name)
{
    const char *dot = memchr(name, '.', len);
    gsize front = dot ? (gsize)(dot - name) : len;
    gsize behind = dot ? len - front - 1 : 0;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strlen(names[i].name) != front || memcmp(name, names[i].name, front) != 0)
            continue;
        if (!is_named(names[i].variable))
            return dot ? -1 : (int)names[i].variable;
        if (behind == 0 || memchr(dot + 1, '.', behind))
            return -1;
        *ret_name = g_strndup(dot + 1, behind);
        return (int)names[i].variable;
    }
    return -1;
}

static int
fail_unknown(struct http_reading *reading, const char *at, gsize len)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (!names[i].alias)
            g_string_append_printf(known, " %s%s", names[i].name,
                                   is_named(names[i].variable) ? ".NAME" : "");
    return http_reading_fail(reading, at, "unknown variable \"%.*s\"; known are%s",
                             http_reading_shown(len), at + 1, known->str);
}

static int
fail_open(struct http_reading *reading, const char *at, gsize len)
{
    return http_reading_fail(reading, at, "%%%.*s has no %% behind it", http_reading_shown(len),
                             at + 1);
}

/* "%DATA%" begins like "%DA", but is a variable written wrongly. */
static bool
is_shouted(const char *at)
{
    gsize len = strspn(at + 1, LETTERS "_");
    g_autofree char *lower = g_ascii_strdown(at + 1, (gssize)len);
    g_autofree char *name = NULL;

    return (at[1 + len] == '%' || at[1 + len] == ';') && find_variable(lower, len, &name) >= 0;
}

/* Is it a percent escape that the template brings along? Two letters are upper case: "%ab" is taken
 * for a variable. */
static bool
is_escape(const struct http_reading *reading, const char *at)
{
    if (*at != '%' || !g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]))
        return false;
    if (reading->place != HTTP_PLACE_URL && reading->place != HTTP_PLACE_FORM)
        return false;
    if (g_ascii_isdigit(at[1]) || g_ascii_isdigit(at[2]))
        return true;
    return g_ascii_isupper(at[1]) && g_ascii_isupper(at[2]) && !is_shouted(at);
}

static void
term_clear(gpointer data)
{
    struct http_term *term = data;

    for (guint i = 0; i < term->steps_count; i++)
        g_free(term->steps[i].text);
    g_string_free(term->before, TRUE);
    g_free(term->name);
    g_free(term->prefix);
    g_free(term->suffix);
    g_free(term->text);
}

void
http_template_free(struct http_template *tmpl)
{
    if (!tmpl)
        return;
    g_array_unref(tmpl->terms);
    g_string_free(tmpl->behind, TRUE);
    g_free(tmpl);
}

/* A new term behind the literal text read so far. */
static struct http_term *
add_term(struct http_reading *reading, enum http_variable variable, char *name)
{
    struct http_template *tmpl = reading->tmpl;
    struct http_term term = {
        .before = tmpl->behind, .variable = variable, .name = name, .escape = reading->place};

    tmpl->behind = g_string_new(NULL);
    g_array_append_val(tmpl->terms, term);
    return &g_array_index(tmpl->terms, struct http_term, tmpl->terms->len - 1);
}

/* Reads the variable whose '%' is *at and leaves *at behind it. */
static int
read_variable(struct http_reading *reading, const char **at)
{
    struct http_draft draft = {.at = *at};
    const char *end = *at + 1 + strspn(*at + 1, NAME ".");
    gsize len = (gsize)(end - *at - 1);
    g_autofree char *name = NULL;
    int variable = find_variable(*at + 1, len, &name);

    if (len == 0)
        return http_reading_fail(reading, *at, "this %% begins no variable: write %%%%");
    if (*end != ';' && *end != '%')
        return fail_open(reading, *at, len);
    if (variable < 0)
        return fail_unknown(reading, *at, len);
    if (reading->tmpl->terms->len == TERMS_MAX)
        return http_reading_fail(reading, *at, "more than %d variables", TERMS_MAX);
    draft.term = add_term(reading, (enum http_variable)variable, g_steal_pointer(&name));
    while (*end == ';') {
        const char *modifier = end + 1;

        end = modifier + strcspn(modifier, ";%");
        if (*end && http_modifier_read(reading, &draft, modifier, (gsize)(end - modifier)) < 0)
            return -1;
    }
    if (!*end)
        return fail_open(reading, *at, len);
    *at = end + 1;
    return http_modifiers_arrange(reading, &draft);
}

static int
read_template(struct http_reading *reading)
{
    const char *at = reading->text;

    while (*at) {
        gsize literal = is_escape(reading, at) ? 3 : strcspn(at, "%");

        if (literal > 0) {
            if (http_reading_verbatim(reading, at, literal) < 0)
                return -1;
            g_string_append_len(reading->tmpl->behind, at, (gssize)literal);
            at += literal;
        } else if (at[1] == '%') {
            g_string_append_c(reading->tmpl->behind, '%');
            at += 2;
        } else if (read_variable(reading, &at) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Where does the data of a binary message go? Only where text in GSM 03.38 goes, if nothing else
 * would take them: that is how the preset for Clickatell sends both. */
static bool
ascii_takes_binary(const struct http_template *tmpl)
{
    bool takes = false;

    for (guint i = 0; i < tmpl->terms->len; i++) {
        const struct http_term *term = &g_array_index(tmpl->terms, struct http_term, i);

        if (term->variable != HTTP_DATA || term->instead)
            continue;
        if (!term->encoding || strcmp(term->encoding, "8bit") == 0)
            return false;
        takes |= strcmp(term->encoding, "gsm7") == 0;
    }
    return takes;
}

int
http_template_parse(const char *text, enum http_place place, struct http_template **ret,
                    guint *ret_at, struct outcome *why)
{
    g_autoptr(HttpTemplate) tmpl = g_new0(struct http_template, 1);
    /* cppcheck-suppress ctuuninitvar; it is written there, never read */
    struct http_reading reading = {text, place, tmpl, ret_at, why};
    const char *invalid;

    tmpl->terms = g_array_new(FALSE, FALSE, sizeof(struct http_term));
    g_array_set_clear_func(tmpl->terms, term_clear);
    tmpl->behind = g_string_new(NULL);
    if (!g_utf8_validate(text, -1, &invalid))
        return http_reading_fail(&reading, invalid, "this is no UTF-8");
    if (strlen(text) > OCTETS_MAX)
        return http_reading_fail(&reading, g_utf8_find_prev_char(text, text + OCTETS_MAX + 1),
                                 "longer than %d octets", OCTETS_MAX);
    if (read_template(&reading) < 0)
        return -1;
    tmpl->ascii_takes_binary = ascii_takes_binary(tmpl);
    *ret = g_steal_pointer(&tmpl);
    return 0;
}

void
http_template_each_named(const struct http_template *tmpl,
                         void (*each)(void *context, bool secret, const char *name), void *context)
{
    for (guint i = 0; i < tmpl->terms->len; i++) {
        const struct http_term *term = &g_array_index(tmpl->terms, struct http_term, i);

        if (term->name)
            each(context, term->variable == HTTP_SECRET, term->name);
    }
}

bool
http_template_has(const struct http_template *tmpl, const char *name)
{
    g_autofree char *own_name = NULL;
    int variable = find_variable(name, strlen(name), &own_name);

    for (guint i = 0; i < tmpl->terms->len; i++) {
        const struct http_term *term = &g_array_index(tmpl->terms, struct http_term, i);

        if ((int)term->variable == variable && g_strcmp0(term->name, own_name) == 0)
            return true;
    }
    return false;
}
