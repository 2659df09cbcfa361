/* SPDX-License-Identifier: ISC */
/* Owns the form of messages on our sockets (wire.h). Reads hostile octets: bounded, and nothing is
 * believed. */
#include "lib/wire.h"

#include <string.h>

struct pair {
    char *name;
    char *value; /* points into name's memory */
};

struct wire {
    GArray *pairs; /* struct pair */
};

static void
pair_clear(gpointer data)
{
    g_free(((struct pair *)data)->name);
}

void
wire_free(struct wire *wire)
{
    if (!wire)
        return;
    g_array_unref(wire->pairs);
    g_free(wire);
}

void
wire_put(GString *to, const char *name, const char *value)
{
    g_string_append_printf(to, "%s=%s", name, value);
    g_string_append_c(to, '\0');
}

void
wire_put_int(GString *to, const char *name, gint64 value)
{
    g_string_append_printf(to, "%s=%" G_GINT64_FORMAT, name, value);
    g_string_append_c(to, '\0');
}

void
wire_end(GString *to)
{
    g_string_append_c(to, '\0');
}

static int
add_pair(struct wire *wire, const char *string, gsize len, struct outcome *why)
{
    struct pair pair;
    gsize name_len = strspn(string, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (name_len == 0 || string[name_len] != '=') {
        out_set(why, OUT_BUG, "4.3.0", "message without name=value: \"%.20s\"", string);
        return -1;
    }
    pair.name = g_memdup2(string, len + 1);
    pair.name[name_len] = '\0';
    pair.value = pair.name + name_len + 1;
    if (wire_get(wire, pair.name)) {
        out_set(why, OUT_BUG, "4.3.0", "message names \"%.20s\" twice", pair.name);
        g_free(pair.name);
        return -1;
    }
    g_array_append_val(wire->pairs, pair);
    return 0;
}

int
wire_parse(const char *data, gsize len, gsize max, struct wire **ret, gsize *ret_used,
           struct outcome *why)
{
    g_autoptr(Wire) wire = g_new0(struct wire, 1);
    gsize at = 0;

    wire->pairs = g_array_new(FALSE, FALSE, sizeof(struct pair));
    g_array_set_clear_func(wire->pairs, pair_clear);
    while (at < len) {
        const char *end = memchr(data + at, '\0', len - at);
        gsize string_len;

        if (!end)
            break;
        string_len = (gsize)(end - (data + at));
        if (at + string_len + 1 > max)
            break;
        if (string_len == 0) {
            *ret_used = at + 1;
            *ret = g_steal_pointer(&wire);
            return 1;
        }
        if (add_pair(wire, data + at, string_len, why) < 0)
            return -1;
        at += string_len + 1;
    }
    if (len >= max) {
        out_set(why, OUT_BUG, "4.3.0", "message longer than %" G_GSIZE_FORMAT " octets", max);
        return -1;
    }
    return 0;
}

const char *
wire_get(const struct wire *wire, const char *name)
{
    for (guint i = 0; i < wire->pairs->len; i++) {
        const struct pair *pair = &g_array_index(wire->pairs, struct pair, i);

        if (strcmp(pair->name, name) == 0)
            return pair->value;
    }
    return NULL;
}

gint64
wire_get_int(const struct wire *wire, const char *name, gint64 min, gint64 max, gint64 fallback)
{
    const char *value = wire_get(wire, name);
    gint64 number;

    if (!value || !g_ascii_string_to_signed(value, 10, min, max, &number, NULL))
        return fallback;
    return number;
}

void
wire_each(const struct wire *wire, void (*each)(void *context, const char *name, const char *value),
          void *context)
{
    for (guint i = 0; i < wire->pairs->len; i++) {
        const struct pair *pair = &g_array_index(wire->pairs, struct pair, i);
        each(context, pair->name, pair->value);
    }
}

void
wire_frame(GString *to, const GString *list)
{
    guint32 len = GUINT32_TO_BE((guint32)list->len);

    g_string_append_len(to, (const char *)&len, sizeof(len));
    g_string_append_len(to, list->str, (gssize)list->len);
}

int
wire_parse_frame(const char *data, gsize len, struct wire **ret, gsize *ret_used,
                 struct outcome *why)
{
    guint32 frame;
    gsize used = 0;
    int complete;

    if (len < sizeof(frame))
        return 0;
    memcpy(&frame, data, sizeof(frame));
    frame = GUINT32_FROM_BE(frame);
    if (frame > WIRE_FRAME_MAX) {
        out_set(why, OUT_BUG, "4.3.0", "frame of %u octets", frame);
        return -1;
    }
    if (len - sizeof(frame) < frame)
        return 0;
    complete = wire_parse(data + sizeof(frame), frame, (gsize)frame + 1, ret, &used, why);
    if (complete == 1 && used == frame) {
        *ret_used = sizeof(frame) + frame;
        return 1;
    }
    if (complete == 1)
        g_clear_pointer(ret, wire_free);
    if (complete != -1)
        out_set(why, OUT_BUG, "4.3.0", "frame that does not end with its list");
    return -1;
}
