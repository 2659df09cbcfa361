/* SPDX-License-Identifier: ISC */
/*
 * First line: a pointer; the rest: a document. A pointer leads to no more places than there are,
 * and to each value of the document leads one.
 */
#include "transport/gateway/json_pointer.h"

#include <stdint.h>
#include <string.h>

#define DIGITS "41791234567"
#define VISITS 300 /* each walks from the root */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct visit {
    const json_t *root;
    GString *path;
    gsize values;
};

struct seen {
    gsize calls;
    const json_t *last;
};

static bool
see(void *context, const json_t *value)
{
    struct seen *seen = context;
    g_autoptr(GString) text = g_string_new(NULL);

    seen->calls++;
    seen->last = value;
    if (value && json_scalar_text(value, text))
        g_assert(g_utf8_validate(text->str, (gssize)text->len, NULL));
    return true;
}

static void
check_path(const struct visit *visit, const json_t *value)
{
    g_autoptr(JsonPointer) pointer = NULL;
    struct seen seen = {0, NULL};
    struct outcome why;
    gsize at;

    /* A name that looks like a variable cannot be written down. */
    if (json_pointer_parse(visit->path->str, &pointer, &at, &why) < 0) {
        g_assert(why.kind == OUT_CONFIG && visit->path->str[at] == '%');
        return;
    }
    json_pointer_each(pointer, visit->root, DIGITS, see, &seen);
    if (strstr(visit->path->str, "%number%"))
        g_assert(seen.calls == 1);
    else
        g_assert(seen.calls == 1 && seen.last == value);
}

static void each_value(struct visit *visit, json_t *value);

static void
step(struct visit *visit, const char *name, json_t *value)
{
    g_autoptr(GString) segment = g_string_new(name);
    gsize len = visit->path->len;

    g_string_replace(segment, "~", "~0", 0);
    g_string_replace(segment, "/", "~1", 0);
    g_string_append_printf(visit->path, "/%s", segment->str);
    each_value(visit, value);
    g_string_truncate(visit->path, len);
}

static void
each_value(struct visit *visit, json_t *value)
{
    json_t *child;
    size_t index;
    const char *name;

    visit->values++;
    if (visit->values < VISITS && !strstr(visit->path->str, "/*"))
        check_path(visit, value);
    json_array_foreach(value, index, child)
    {
        g_autofree char *number = g_strdup_printf("%zu", index);

        step(visit, number, child);
    }
    json_object_foreach(value, name, child)
    {
        step(visit, name, child);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = memchr(text, '\n', size);
    gsize len = end ? (gsize)(end - text) : size;
    g_autofree char *first = g_strndup(text, len);
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(JsonPointer) pointer = NULL;
    struct seen seen = {0, NULL};
    struct outcome why;
    json_t *root;
    gsize at;

    root = end ? json_loadb(end + 1, size - len - 1, JSON_DECODE_ANY, NULL) : NULL;
    if (json_pointer_parse(first, &pointer, &at, &why) < 0)
        g_assert(why.kind == OUT_CONFIG && at <= strlen(first));
    if (root) {
        struct visit visit = {root, path, 0};

        each_value(&visit, root);
        if (pointer)
            json_pointer_each(pointer, root, DIGITS, see, &seen);
        g_assert(!pointer || (seen.calls >= 1 && seen.calls <= visit.values));
    }
    json_decref(root);
    return 0;
}
