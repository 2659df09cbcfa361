/* SPDX-License-Identifier: ISC */
/*
 * Owns the way through a JSON document that a gateway sent. Must never do more work than the
 * document has values, whatever the pointer.
 */
#include "transport/gateway/json_pointer.h"

#include <string.h>

#define NUMBER "%number%"

struct segment {
    char *name; /* unescaped */
    bool wildcard;
    bool has_number;
};

struct json_pointer {
    GPtrArray *segments;
};

struct walk {
    const GPtrArray *segments;
    const char *digits;
    json_pointer_fn *each;
    void *context;
};

static void
segment_free(void *data)
{
    struct segment *segment = data;

    g_free(segment->name);
    g_free(segment);
}

void
json_pointer_free(struct json_pointer *pointer)
{
    if (!pointer)
        return;
    g_ptr_array_unref(pointer->segments);
    g_free(pointer);
}

/* What looks like a variable and is none would never be found, and nobody would know why. */
static const char *
foreign_variable(const char *from, const char *end)
{
    for (const char *at = from; at < end; at++) {
        const char *p = at + 1;

        if (*at != '%')
            continue;
        if (g_str_has_prefix(at, NUMBER)) {
            at += strlen(NUMBER) - 1;
            continue;
        }
        while (p < end && (g_ascii_isalpha(*p) || *p == '_'))
            p++;
        if (p > at + 1 && p < end && *p == '%')
            return at;
    }
    return NULL;
}

static struct segment *
segment_new(const char *from, const char *end)
{
    struct segment *segment = g_new0(struct segment, 1);
    GString *name = g_string_new(NULL);

    for (const char *at = from; at < end; at++) {
        if (*at == '~')
            g_string_append_c(name, *++at == '0' ? '~' : '/');
        else
            g_string_append_c(name, *at);
    }
    segment->wildcard = strcmp(name->str, "*") == 0;
    segment->has_number = strstr(name->str, NUMBER) != NULL;
    segment->name = g_string_free(name, FALSE);
    return segment;
}

int
json_pointer_parse(const char *text, struct json_pointer **ret, gsize *ret_at, struct outcome *why)
{
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(segment_free);
    const char *at = text;
    const char *wrong;

    if (*at && *at != '/') {
        out_set(why, OUT_CONFIG, "4.3.5", "a JSON pointer begins with \"/\"");
        *ret_at = 0;
        return -1;
    }
    for (wrong = strchr(text, '~'); wrong; wrong = strchr(wrong + 1, '~'))
        if (wrong[1] != '0' && wrong[1] != '1') {
            out_set(why, OUT_CONFIG, "4.3.5", "expected ~0 (for \"~\") or ~1 (for \"/\")");
            *ret_at = (gsize)(wrong - text);
            return -1;
        }
    while (*at == '/') {
        const char *end = at + 1 + strcspn(at + 1, "/");

        wrong = foreign_variable(at + 1, end);
        if (wrong) {
            out_set(why, OUT_CONFIG, "4.3.5", "the only variable in a JSON pointer is %s", NUMBER);
            *ret_at = (gsize)(wrong - text);
            return -1;
        }
        g_ptr_array_add(segments, segment_new(at + 1, end));
        at = end;
    }
    *ret = g_new0(struct json_pointer, 1);
    (*ret)->segments = g_steal_pointer(&segments);
    return 0;
}

/* RFC 6901 4: no leading zeros; "-" is behind the last element. */
static const json_t *
element(const json_t *array, const char *name)
{
    guint64 index;

    if ((name[0] == '0' && name[1]) ||
        !g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32, &index, NULL))
        return NULL;
    return json_array_get(array, index);
}

static const json_t *
child(const struct walk *walk, const struct segment *segment, const json_t *value)
{
    g_autoptr(GString) name = g_string_new(segment->name);

    if (segment->has_number)
        g_string_replace(name, NUMBER, walk->digits, 0);
    return json_is_array(value) ? element(value, name->str) : json_object_get(value, name->str);
}

static bool descend(const struct walk *walk, guint depth, const json_t *value);

static bool
each_child(const struct walk *walk, guint depth, const json_t *value)
{
    if (json_is_array(value)) {
        for (gsize i = 0; i < json_array_size(value); i++)
            if (!descend(walk, depth + 1, json_array_get(value, i)))
                return false;
    } else {
        json_t *object = (json_t *)value; /* jansson's iterators take no const */

        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
            if (!descend(walk, depth + 1, json_object_iter_value(i)))
                return false;
    }
    return true;
}

static bool
descend(const struct walk *walk, guint depth, const json_t *value)
{
    const struct segment *segment;

    if (!value || depth == walk->segments->len)
        return walk->each(walk->context, value);
    segment = walk->segments->pdata[depth];
    if (!segment->wildcard)
        return descend(walk, depth + 1, child(walk, segment, value));
    if (json_array_size(value) == 0 && json_object_size(value) == 0)
        return walk->each(walk->context, NULL);
    return each_child(walk, depth, value);
}

void
json_pointer_each(const struct json_pointer *pointer, const json_t *root, const char *digits,
                  json_pointer_fn *each, void *context)
{
    const struct walk walk = {pointer->segments, digits, each, context};

    descend(&walk, 0, root);
}

static void
append_real(double value, GString *to)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    const char *const formats[] = {"%.15g", "%.16g", "%.17g"};

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof(text), formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(to, text);
}

bool
json_scalar_text(const json_t *value, GString *to)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        g_string_append(to, json_string_value(value));
        return true;
    case JSON_INTEGER:
        g_string_append_printf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return true;
    case JSON_REAL:
        append_real(json_real_value(value), to);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        g_string_append(to, json_is_true(value) ? "true" : "false");
        return true;
    default:
        return false;
    }
}
