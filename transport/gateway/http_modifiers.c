/* SPDX-License-Identifier: ISC */
/*
 * Owns the modifiers of HTTP templates: which there are, which variable has a use for which, and
 * the order in which they are done. What could not be done is refused here, before any message.
 */
#include "transport/gateway/http_template_inside.h"

#include <string.h>

#define CHARACTERS 100000 /* of ;max: far above what one message can have */
#define DIGITS     6      /* of that number */

/* What a variable can be, for modifiers that not every variable has a use for. */
enum use {
    TEXT = 1,
    PHONE = 2,
    DASHES = 4,
    FLAG = 8,
    REF = 16,
    TIME = 32,
};

static const guint uses[HTTP_VARIABLES] = {
    [HTTP_NUMBER] = TEXT | PHONE | DASHES,
    [HTTP_DATA] = TEXT,
    [HTTP_UDH] = 0,
    [HTTP_BINARY] = TEXT | FLAG,
    [HTTP_PID] = TEXT,
    [HTTP_DCS] = TEXT,
    [HTTP_SENDER] = TEXT | PHONE | DASHES,
    [HTTP_PHONE] = TEXT | PHONE | DASHES,
    [HTTP_PART] = TEXT,
    [HTTP_PARTS] = TEXT,
    [HTTP_REF] = TEXT | DASHES | REF,
    [HTTP_CONDITION] = TEXT,
    [HTTP_DLR_URL] = TEXT,
    [HTTP_TOKEN] = TEXT | DASHES,
    [HTTP_TTL] = TEXT | TIME,
    [HTTP_NOW] = TEXT,
    [HTTP_VAR] = TEXT | PHONE | DASHES,
    [HTTP_SECRET] = TEXT | DASHES,
};

/* A term has one of a kind at most, but several values; each kind of step is a kind. */
enum kind { ENCODING, ISSET, VALUE, PREFIX, SUFFIX, ESCAPE, FORM, RAW, STEP };

static const struct modifier {
    const char *name;
    enum kind kind;
    guint which;      /* place, form or kind of step */
    guint use;        /* that a variable must have, or 0 */
    bool argument;    /* "=…" follows */
    const char *text; /* the encoding; of a step without argument */
} modifiers[] = {
    {"isunicode", ENCODING, 0, 0, false, "ucs2"},
    {"isascii", ENCODING, 0, 0, false, "gsm7"},
    {"isbinary", ENCODING, 0, 0, false, "8bit"},
    {"isset", ISSET, 0, 0, false, NULL},
    {"value", VALUE, 0, 0, true, NULL},
    {"prefix", PREFIX, 0, 0, true, NULL},
    {"suffix", SUFFIX, 0, 0, true, NULL},
    {"url", ESCAPE, HTTP_PLACE_URL, 0, false, NULL},
    {"json", ESCAPE, HTTP_PLACE_JSON, 0, false, NULL},
    {"xml", ESCAPE, HTTP_PLACE_XML, 0, false, NULL},
    {"bool", FORM, HTTP_FORM_BOOL, FLAG, false, NULL},
    {"int31", FORM, HTTP_FORM_INT31, REF, false, NULL},
    {"s", FORM, HTTP_FORM_PLAIN, TIME, false, NULL},
    {"ms", FORM, HTTP_FORM_MS, TIME, false, NULL},
    {"min", FORM, HTTP_FORM_MIN, TIME, false, NULL},
    {"raw", RAW, 0, 0, false, NULL},
    {"nodash", STEP, HTTP_STEP_NODASH, DASHES, false, NULL},
    {"interprefix", STEP, HTTP_STEP_PREFIX, PHONE, true, NULL},
    {"noplus", STEP, HTTP_STEP_PREFIX, PHONE, false, ""},
    {"00", STEP, HTTP_STEP_PREFIX, PHONE, false, "00"},
    {"plus", STEP, HTTP_STEP_PLUS, PHONE, false, NULL},
    {"unicode", STEP, HTTP_STEP_CHARSET, TEXT, false, "UTF-16BE"},
    {"charset", STEP, HTTP_STEP_CHARSET, TEXT, true, NULL},
    {"len", STEP, HTTP_STEP_LEN, 0, false, NULL},
    {"hex", STEP, HTTP_STEP_HEX, 0, false, NULL},
    {"b64", STEP, HTTP_STEP_B64, 0, false, NULL},
    {"max", STEP, HTTP_STEP_MAX, 0, true, NULL},
};

static bool
has_step(const struct http_term *term, enum http_step_kind kind)
{
    for (guint i = 0; i < term->steps_count; i++)
        if (term->steps[i].kind == kind)
            return true;
    return false;
}

static bool
is_digits(const struct http_term *term)
{
    return has_step(term, HTTP_STEP_HEX) || has_step(term, HTTP_STEP_B64);
}

static bool
is_utf8(const char *charset)
{
    return g_ascii_strcasecmp(charset, "UTF-8") == 0 || g_ascii_strcasecmp(charset, "UTF8") == 0;
}

/* No "//TRANSLIT": a text goes out as it was written or not at all. "" is the locale's charset. */
static bool
is_charset(const char *charset)
{
    GIConv conversion;

    if (!*charset || strchr(charset, '/'))
        return false;
    conversion = g_iconv_open(charset, "UTF-8");
    if (conversion == (GIConv)-1)
        return false;
    g_iconv_close(conversion);
    return true;
}

static int
read_step(struct http_reading *reading, struct http_draft *draft, const struct modifier *modifier,
          const char *at, const char *argument)
{
    struct http_term *term = draft->term;
    enum http_step_kind kind = modifier->which;
    const char *text = modifier->argument ? argument : modifier->text;
    guint64 number = 0;

    if (kind == HTTP_STEP_MAX &&
        (strlen(text) > DIGITS ||
         !g_ascii_string_to_unsigned(text, 10, 1, CHARACTERS, &number, NULL)))
        return http_reading_fail(reading, at, "max is a number from 1 to %d", CHARACTERS);
    if (kind == HTTP_STEP_CHARSET && !is_charset(text))
        return http_reading_fail(reading, at, "unknown charset \"%.*s\"",
                                 http_reading_shown(strlen(text)), text);
    if (kind <= HTTP_STEP_CHARSET && (is_digits(term) || has_step(term, HTTP_STEP_CHARSET)))
        return http_reading_fail(reading, at, "%s is for text, which the value is no more",
                                 modifier->name);
    if (kind == HTTP_STEP_CHARSET && is_utf8(text))
        return 0; /* every value is */
    if (kind == HTTP_STEP_CHARSET || kind == HTTP_STEP_LEN)
        draft->octets_at = at;
    if (kind == HTTP_STEP_CHARSET && !modifier->argument) {
        draft->unicode = true;
        draft->raw = false; /* only behind it it says that octets are wanted */
    }
    term->steps[term->steps_count++] = (struct http_step){kind, g_strdup(text), (guint)number};
    return 0;
}

static void
append(char **to, const char *text)
{
    char *longer = g_strconcat(*to ? *to : "", text, NULL);

    g_free(*to);
    *to = longer;
}

static int
apply(struct http_reading *reading, struct http_draft *draft, const struct modifier *modifier,
      const char *at, const char *argument)
{
    struct http_term *term = draft->term;

    term->transformed |= modifier->kind >= FORM;
    switch (modifier->kind) {
    case ENCODING:
        term->encoding = modifier->text;
        return 0;
    case ISSET:
        term->isset = true;
        return 0;
    case VALUE:
        append(&term->text, argument);
        return 0;
    case PREFIX:
        append(&term->prefix, argument);
        return 0;
    case SUFFIX:
        append(&term->suffix, argument);
        return 0;
    case ESCAPE:
        term->escape = modifier->which;
        return 0;
    case FORM:
        term->form = modifier->which;
        return 0;
    case RAW:
        draft->raw = true;
        draft->octets_at = at;
        return 0;
    case STEP:
        return read_step(reading, draft, modifier, at, argument);
    }
    g_assert_not_reached();
}

static const struct modifier *
find(const char *name, gsize len)
{
    for (guint i = 0; i < G_N_ELEMENTS(modifiers); i++)
        if (strlen(modifiers[i].name) == len && memcmp(modifiers[i].name, name, len) == 0)
            return &modifiers[i];
    return NULL;
}

int
http_modifier_read(struct http_reading *reading, struct http_draft *draft, const char *at,
                   gsize len)
{
    const char *equals = memchr(at, '=', len);
    gsize name_len = equals ? (gsize)(equals - at) : len;
    const struct modifier *modifier = find(at, name_len);
    g_autofree char *argument = equals ? g_strndup(equals + 1, len - name_len - 1) : NULL;
    guint kind;

    if (!modifier)
        return http_reading_fail(reading, at, "unknown modifier \"%.*s\"",
                                 http_reading_shown(name_len), at);
    if (modifier->argument != (equals != NULL))
        return http_reading_fail(reading, at, "%s is written with%s \"=\"", modifier->name,
                                 modifier->argument ? "" : "out");
    if (modifier->use && !(uses[draft->term->variable] & modifier->use))
        return http_reading_fail(reading, at, "%s makes no sense for %s", modifier->name,
                                 http_variable_name(draft->term->variable));
    kind = 1U << (modifier->kind + (modifier->kind == STEP ? modifier->which : 0));
    if (modifier->kind != VALUE && (draft->seen & kind))
        return http_reading_fail(reading, at, "%s is one too many of its kind", modifier->name);
    draft->seen |= kind;
    if ((modifier->kind == VALUE || modifier->kind == PREFIX || modifier->kind == SUFFIX) &&
        http_reading_verbatim(reading, equals + 1, len - name_len - 1) < 0)
        return -1;
    return apply(reading, draft, modifier, at, argument);
}

static void
insert_step(struct http_term *term, guint index, struct http_step step)
{
    g_assert(term->steps_count < HTTP_STEPS);
    memmove(term->steps + index + 1, term->steps + index,
            (term->steps_count - index) * sizeof(step));
    term->steps[index] = step;
    term->steps_count++;
}

static void
remove_step(struct http_term *term, guint index)
{
    term->steps_count--;
    memmove(term->steps + index, term->steps + index + 1,
            (term->steps_count - index) * sizeof(term->steps[0]));
}

/* Wherever it is written: behind what is for text and in front of hex and b64. */
static void
move_len(struct http_term *term)
{
    struct http_step step;
    guint at = 0;

    while (at < term->steps_count && term->steps[at].kind != HTTP_STEP_LEN)
        at++;
    if (at == term->steps_count)
        return;
    step = term->steps[at];
    remove_step(term, at);
    for (guint i = at; i < term->steps_count; i++)
        if (term->steps[i].kind <= HTTP_STEP_CHARSET)
            at = i + 1;
    for (guint i = 0; i < at; i++)
        if (term->steps[i].kind == HTTP_STEP_HEX || term->steps[i].kind == HTTP_STEP_B64)
            at = i;
    insert_step(term, at, step);
}

/* Our reference is hex as it is. */
static void
drop_hex_of_ref(struct http_term *term)
{
    guint at = 0;

    while (at < term->steps_count &&
           (term->steps[at].kind == HTTP_STEP_MAX || term->steps[at].kind == HTTP_STEP_NODASH))
        at++;
    if (at < term->steps_count && term->steps[at].kind == HTTP_STEP_HEX &&
        term->form == HTTP_FORM_PLAIN)
        remove_step(term, at);
}

/* Octets that are no text can be written into a URL, a form and where nothing is escaped. */
static int
check_octets(struct http_reading *reading, const struct http_draft *draft)
{
    const struct http_term *term = draft->term;
    bool binary = term->variable == HTTP_UDH ||
                  (term->variable == HTTP_DATA && g_strcmp0(term->encoding, "8bit") == 0);
    const char *at = draft->octets_at ? draft->octets_at : draft->at;

    if (term->escape == HTTP_PLACE_URL || term->escape == HTTP_PLACE_FORM ||
        term->escape == HTTP_PLACE_PLAIN || is_digits(term))
        return 0;
    if (draft->octets_at || (binary && term->transformed))
        return http_reading_fail(reading, at, "%s must end as hex or b64 here",
                                 http_variable_name(term->variable));
    return 0;
}

int
http_modifiers_arrange(struct http_reading *reading, struct http_draft *draft)
{
    struct http_term *term = draft->term;

    if (draft->raw && term->variable == HTTP_VAR)
        term->escape = HTTP_PLACE_PLAIN; /* the admin's own text, such as the beginning of a URL */
    if (draft->unicode && !is_digits(term) && !draft->raw)
        insert_step(term, term->steps_count, (struct http_step){.kind = HTTP_STEP_HEX});
    move_len(term);
    term->instead = term->encoding && term->text && !term->transformed;
    if (term->instead && (term->prefix || term->suffix))
        return http_reading_fail(
            reading, draft->at, "prefix and suffix belong to a value, and value= is instead of it");
    if (check_octets(reading, draft) < 0)
        return -1;
    if (term->variable == HTTP_REF)
        drop_hex_of_ref(term);
    return 0;
}
