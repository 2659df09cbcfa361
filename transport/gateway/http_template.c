/* SPDX-License-Identifier: ISC */
/*
 * Owns the syntax of templates: names, modifiers, which go together. Everything that can be wrong
 * with a template is said here, when it is read; expanding meets only what a message brings.
 */
#include "transport/gateway/http_inside.h"

#include <string.h>

#define TEMPLATE_MAX 16384 /* octets; far above what any provider wants */
#define TERMS_MAX    256
#define LOWER        "abcdefghijklmnopqrstuvwxyz"

static const struct {
    const char *name;
    enum http_variable variable;
} variables[] = {
    {"number", HTTP_NUMBER},
    {"data", HTTP_DATA},
    {"body", HTTP_DATA},
    {"udh", HTTP_UDH},
    {"binary", HTTP_BINARY_FLAG},
    {"pid", HTTP_PID},
    {"dcs", HTTP_DCS},
    {"sender", HTTP_SENDER},
    {"from", HTTP_SENDER},
    {"sender_phonealias", HTTP_PHONE},
    {"phone", HTTP_PHONE},
    {"part", HTTP_PART},
    {"parts", HTTP_PARTS},
    {"ref", HTTP_REF},
    {"msgid", HTTP_REF},
    {"condition", HTTP_CONDITION},
    {"dlr_url", HTTP_DLR_URL},
    {"token", HTTP_TOKEN},
    {"ttl", HTTP_TTL},
    {"now", HTTP_NOW},
};

#define ANY       (~0u)
#define ONLY(v)   (1u << (v))
#define NUMBERS   (ONLY(HTTP_NUMBER) | ONLY(HTTP_SENDER) | ONLY(HTTP_PHONE) | ONLY(HTTP_VAR))
#define ANY_TEXTS (ANY & ~(ONLY(HTTP_UDH) | ONLY(HTTP_CONDITION)))

/* argument: 0 none, 1 a text, 2 a text that is not empty, 3 a number. */
static const struct {
    const char *name;
    enum http_modifier modifier;
    int argument;
    guint of; /* variables that it makes sense for */
} modifiers[] = {
    {"isunicode", HTTP_IS_UNICODE, 0, ANY},
    {"isascii", HTTP_IS_ASCII, 0, ANY},
    {"isbinary", HTTP_IS_BINARY, 0, ANY},
    {"isset", HTTP_IS_SET, 0, ANY & ~ONLY(HTTP_CONDITION)},
    {"value", HTTP_VALUE, 1, ANY},
    {"prefix", HTTP_PREFIX, 1, ANY & ~ONLY(HTTP_CONDITION)},
    {"suffix", HTTP_SUFFIX, 1, ANY & ~ONLY(HTTP_CONDITION)},
    {"url", HTTP_ESCAPE_URL, 0, ANY},
    {"json", HTTP_ESCAPE_JSON, 0, ANY},
    {"xml", HTTP_ESCAPE_XML, 0, ANY},
    {"interprefix", HTTP_INTERPREFIX, 1, NUMBERS},
    {"plus", HTTP_PLUS, 0, NUMBERS},
    {"noplus", HTTP_NOPLUS, 0, NUMBERS},
    {"00", HTTP_00, 0, NUMBERS},
    {"nodash", HTTP_NODASH, 0, ANY_TEXTS},
    {"max", HTTP_MAX, 3, ANY_TEXTS},
    {"bool", HTTP_BOOL, 0, ONLY(HTTP_BINARY_FLAG) | ONLY(HTTP_VAR)},
    {"int31", HTTP_INT31, 0, ONLY(HTTP_REF)},
    {"s", HTTP_S, 0, ONLY(HTTP_TTL)},
    {"ms", HTTP_MS, 0, ONLY(HTTP_TTL)},
    {"min", HTTP_MIN, 0, ONLY(HTTP_TTL)},
    {"unicode", HTTP_UTF16, 0, ANY_TEXTS},
    {"charset", HTTP_CHARSET, 2, ANY_TEXTS},
    {"len", HTTP_LEN, 0, ANY},
    {"hex", HTTP_HEX, 0, ANY},
    {"b64", HTTP_B64, 0, ANY},
    {"raw", HTTP_RAW, 0, ANY},
};

struct parsing {
    const char *text; /* the whole */
    const char *at;   /* what a fault is about */
    enum http_place place;
    struct outcome *why;
};

static int G_GNUC_PRINTF(2, 3) fault(struct parsing *parsing, const char *fmt, ...)
{
    g_autofree char *said = NULL;
    va_list ap;

    va_start(ap, fmt);
    said = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    out_set(parsing->why, OUT_CONFIG, "4.3.5", "character %ld: %s",
            g_utf8_pointer_to_offset(parsing->text, parsing->at) + 1, said);
    return -1;
}

bool
http_term_has_any(const struct http_term *term, enum http_modifier first, enum http_modifier last)
{
    for (guint i = 0; term->steps && i < term->steps->len; i++) {
        enum http_modifier modifier = g_array_index(term->steps, struct http_step, i).modifier;

        if (modifier >= first && modifier <= last)
            return true;
    }
    return false;
}

bool
http_term_has(const struct http_term *term, enum http_modifier modifier)
{
    return http_term_has_any(term, modifier, modifier);
}

static void
step_clear(gpointer data)
{
    g_free(((struct http_step *)data)->argument);
}

static struct http_term *
term_new(void)
{
    struct http_term *term = g_new0(struct http_term, 1);

    term->steps = g_array_new(FALSE, TRUE, sizeof(struct http_step));
    g_array_set_clear_func(term->steps, step_clear);
    return term;
}

static void
term_free(gpointer data)
{
    struct http_term *term = data;

    g_free(term->literal);
    g_free(term->name);
    g_array_unref(term->steps);
    g_free(term);
}

void
http_template_free(struct http_template *tmpl)
{
    if (!tmpl)
        return;
    g_ptr_array_unref(tmpl->terms);
    g_free(tmpl);
}

/* "var.NAME" or "secret.NAME"; false: it is neither. */
static bool
parse_named(struct http_term *term, const char *name)
{
    gsize skip = g_str_has_prefix(name, "var.") ? 4 : g_str_has_prefix(name, "secret.") ? 7 : 0;

    if (!skip || !name[skip] ||
        name[skip + strspn(name + skip, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-")])
        return false;
    term->variable = skip == 4 ? HTTP_VAR : HTTP_SECRET;
    term->name = g_strdup(name + skip);
    return true;
}

static int
parse_variable(struct parsing *parsing, struct http_term *term, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        if (strcmp(variables[i].name, name) == 0) {
            term->variable = variables[i].variable;
            return 0;
        }
    return parse_named(term, name) ? 0 : fault(parsing, "unknown variable \"%.40s\"", name);
}

static bool
is_charset(const char *name)
{
    GIConv conv = g_iconv_open(name, "UTF-8");

    if (conv == (GIConv)-1)
        return false;
    g_iconv_close(conv);
    return true;
}

static int
check_argument(struct parsing *parsing, int wanted, const char *name, struct http_step *step)
{
    guint64 number = 0;

    if (wanted == 0 && step->argument)
        return fault(parsing, ";%s takes no value", name);
    if (wanted != 0 && (!step->argument || (wanted > 1 && !*step->argument)))
        return fault(parsing, ";%s= wants a value", name);
    if (wanted == 3 && !g_ascii_string_to_unsigned(step->argument, 10, 1, 65535, &number, NULL))
        return fault(parsing, ";%s= wants a number from 1 to 65535", name);
    step->number = (guint)number;
    if (step->modifier == HTTP_CHARSET && !is_charset(step->argument))
        return fault(parsing, "unknown character set \"%.40s\"", step->argument);
    return 0;
}

/* "name" or "name=argument", whose variable is known. */
static int
parse_modifier(struct parsing *parsing, struct http_term *term, const char *text)
{
    g_autofree char *name = g_strndup(text, strcspn(text, "="));
    const char *equals = strchr(text, '=');

    for (guint i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        struct http_step step = {.modifier = modifiers[i].modifier};

        if (strcmp(modifiers[i].name, name) != 0)
            continue;
        if (!(modifiers[i].of & ONLY(term->variable)))
            return fault(parsing, ";%s makes no sense here", name);
        step.argument = equals ? g_strdup(equals + 1) : NULL;
        g_array_append_val(term->steps, step);
        return check_argument(parsing, modifiers[i].argument, name,
                              &g_array_index(term->steps, struct http_step, term->steps->len - 1));
    }
    return fault(parsing, "unknown modifier \"%.40s\"", name);
}

/* Octets that are no text can be written into URLs, forms and plain bodies only. */
static int
check_octets(struct parsing *parsing, const struct http_term *term)
{
    bool digits = http_term_has_any(term, HTTP_HEX, HTTP_B64);
    bool octets = false;

    if (parsing->place == HTTP_PLACE_URL || parsing->place == HTTP_PLACE_FORM ||
        parsing->place == HTTP_PLACE_PLAIN || digits)
        return 0;
    octets = http_term_has(term, HTTP_LEN) ||
             (http_term_has(term, HTTP_RAW) &&
              (term->variable == HTTP_DATA || term->variable == HTTP_UDH ||
               http_term_has(term, HTTP_UTF16)));
    for (guint i = 0; i < term->steps->len; i++) {
        const struct http_step *step = &g_array_index(term->steps, struct http_step, i);

        octets |=
            step->modifier == HTTP_CHARSET && g_ascii_strcasecmp(step->argument, "UTF-8") != 0;
    }
    return octets ? fault(parsing, "octets cannot stand here; ;hex or ;b64 is wanted") : 0;
}

/* From behind the '%' at parsing->at up to the one that ends it: what is between. */
static int
parse_term(struct parsing *parsing, const char *begin, gsize len, struct http_term *term)
{
    g_autofree char *inside = g_strndup(begin, len);
    g_auto(GStrv) words = g_strsplit(inside, ";", -1);
    const char *percent = parsing->at;
    const char *at = begin;

    if (parse_variable(parsing, term, words[0] ? words[0] : "") < 0)
        return -1;
    for (char **word = words + 1; words[0] && *word; word++) {
        at += strlen(word[-1]) + 1;
        parsing->at = at;
        if (parse_modifier(parsing, term, *word) < 0)
            return -1;
    }
    parsing->at = percent;
    return check_octets(parsing, term);
}

/* "%41" of the URL itself. Names are of small letters, so "%e2" might begin one: then it must not
 * look ended, nor be "%data" that somebody forgot to end. */
static bool
is_percent_escape(const struct parsing *parsing, const char *at)
{
    gsize name;

    if ((parsing->place != HTTP_PLACE_URL && parsing->place != HTTP_PLACE_FORM) ||
        !g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]))
        return false;
    if (!g_ascii_islower(at[1]))
        return true;
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        if (g_str_has_prefix(at + 1, variables[i].name))
            return false;
    name = strspn(at + 1, LOWER G_CSET_DIGITS "_.");
    return at[1 + name] != '%' && at[1 + name] != ';';
}

static void
add_literal(struct http_template *tmpl, GString *literal)
{
    struct http_term *term;

    if (literal->len == 0)
        return;
    term = term_new();
    term->literal = g_strndup(literal->str, literal->len);
    g_ptr_array_add(tmpl->terms, term);
    g_string_truncate(literal, 0);
}

/* The term whose '%' is at parsing->at; *ret_end behind it. */
static int
take_term(struct parsing *parsing, struct http_template *tmpl, const char **ret_end)
{
    const char *begin = parsing->at + 1;
    const char *end = strchr(begin, '%');
    struct http_term *term;

    if (!end || !g_ascii_islower(*begin))
        return fault(parsing,
                     "a '%%' that begins no variable; write %%%% for the character itself");
    term = term_new();
    g_ptr_array_add(tmpl->terms, term);
    *ret_end = end + 1;
    return parse_term(parsing, begin, (gsize)(end - begin), term);
}

static int
parse_all(struct parsing *parsing, struct http_template *tmpl)
{
    g_autoptr(GString) literal = g_string_new(NULL);

    for (const char *at = parsing->text; *at;) {
        parsing->at = at;
        if (*at != '%') {
            g_string_append_c(literal, *at++);
        } else if (at[1] == '%') {
            g_string_append_c(literal, '%');
            at += 2;
        } else if (is_percent_escape(parsing, at)) {
            g_string_append_len(literal, at, 3);
            at += 3;
        } else {
            add_literal(tmpl, literal);
            if (take_term(parsing, tmpl, &at) < 0)
                return -1;
        }
        if (tmpl->terms->len > TERMS_MAX)
            return fault(parsing, "more than %d variables", TERMS_MAX);
    }
    add_literal(tmpl, literal);
    return 0;
}

int
http_template_parse(const char *text, enum http_place place, struct http_template **ret,
                    guint *ret_at, struct outcome *why)
{
    g_autoptr(HttpTemplate) tmpl = g_new0(struct http_template, 1);
    struct parsing parsing = {text, text, place, why};
    int result;

    tmpl->place = place;
    tmpl->terms = g_ptr_array_new_with_free_func(term_free);
    *ret_at = 1;
    if (!g_utf8_validate(text, -1, NULL) || strlen(text) > TEMPLATE_MAX)
        result = fault(&parsing, "not UTF-8, or longer than %d octets", TEMPLATE_MAX);
    else if ((result = parse_all(&parsing, tmpl)) < 0)
        *ret_at = (guint)g_utf8_pointer_to_offset(text, parsing.at) + 1;
    else
        *ret = g_steal_pointer(&tmpl);
    return result;
}

void
http_template_each_named(const struct http_template *tmpl,
                         void (*each)(void *context, bool secret, const char *name), void *context)
{
    for (guint i = 0; i < tmpl->terms->len; i++) {
        const struct http_term *term = tmpl->terms->pdata[i];

        if (term->name)
            each(context, term->variable == HTTP_SECRET, term->name);
    }
}

bool
http_template_has(const struct http_template *tmpl, const char *name)
{
    for (guint v = 0; v < G_N_ELEMENTS(variables); v++)
        if (strcmp(variables[v].name, name) == 0)
            for (guint i = 0; i < tmpl->terms->len; i++) {
                const struct http_term *term = tmpl->terms->pdata[i];

                if (!term->literal && term->variable == variables[v].variable)
                    return true;
            }
    return false;
}
