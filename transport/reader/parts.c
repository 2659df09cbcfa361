/* SPDX-License-Identifier: ISC */
/*
 * Owns the walk over a mail's parts: splitting multiparts (RFC 2046 section 5.1), the limits, the
 * choice of the part whose text is sent. Works on the mail where it lies and copies only the chosen
 * text. Each level is split once by its own boundary lines, outer ones first, so a missing end
 * inside cannot swallow what follows.
 */
#include "transport/reader/decode.h"
#include "transport/reader/mime.h"

#include <string.h>

struct walk {
    guint parts;
    struct chosen *direct; /* the mail's own text */
    struct chosen *nested; /* from a message inside, for want of anything better */
    struct outcome *why;
};

/* An entity: a mail, a message inside, a part. */
struct entity {
    const guint8 *data;
    gsize len;
    const char *fallback; /* type without a Content-Type */
    guint depth;
    bool nested; /* inside a message/rfc822 */
};

static int walk_entity(struct walk *walk, const struct entity *entity);

static int
too_much(struct walk *walk, const char *what, int max)
{
    out_set(walk->why, OUT_DATA, "5.6.0", "the mail cannot be read: %s (limit %d)", what, max);
    return -1;
}

/* The decoded octets; false for an encoding whose octets are no text. cut: not all of them. */
static bool
transfer_decode(const struct fields *fields, const guint8 *body, gsize len, GByteArray *to,
                bool *cut)
{
    GString *value = fields_get(fields, "Content-Transfer-Encoding", MIME_PARAMETERS_MAX);
    g_autofree char *encoding = value ? g_string_free(value, FALSE) : g_strdup("");
    gsize use = MIN(len, MIME_DECODE_MAX);

    encoding[strcspn(encoding, " \t;(")] = '\0';
    if (g_ascii_strncasecmp(encoding, "x-uu", 4) == 0 ||
        g_ascii_strncasecmp(encoding, "uu", 2) == 0)
        return false;
    if (g_ascii_strcasecmp(encoding, "base64") == 0)
        decode_base64((const char *)body, use, to);
    else if (g_ascii_strcasecmp(encoding, "quoted-printable") == 0)
        decode_quoted((const char *)body, use, to);
    else
        g_byte_array_append(to, body, (guint)use);
    *cut = use < len;
    return true;
}

static bool
only_white(const GString *text)
{
    for (const char *c = text->str; *c; c = g_utf8_next_char(c))
        if (!g_unichar_isspace(g_utf8_get_char(c)))
            return false;
    return true;
}

/* Takes the text of a text/plain part unless there is one already; an empty one is passed over. */
static void
take_text(const struct fields *fields, const char *charset, const guint8 *body, gsize len,
          struct chosen *ret)
{
    g_autoptr(GByteArray) octets = NULL;
    g_autoptr(GString) text = NULL;
    guint replaced = 0;
    bool cut;

    if (ret->text || !content_inline(fields))
        return;
    octets = g_byte_array_new();
    if (!transfer_decode(fields, body, len, octets, &cut))
        return;
    text = g_string_new(NULL);
    charset_decode(charset, octets->data, octets->len, text, &replaced);
    clean_text(text);
    if (only_white(text))
        return;
    *ret = (struct chosen){.text = g_steal_pointer(&text), .cut = cut, .replaced = replaced};
}

enum delimiter { DELIMITER_NONE, DELIMITER_PART, DELIMITER_END };

/* What the line is to a multipart with that boundary; blanks may follow, and anything behind the
 * closing one. */
static enum delimiter
delimiter_of(const guint8 *line, gsize len, const char *boundary, gsize boundary_len)
{
    if (len < 2 + boundary_len || line[0] != '-' || line[1] != '-' ||
        memcmp(line + 2, boundary, boundary_len) != 0)
        return DELIMITER_NONE;
    line += 2 + boundary_len;
    len -= 2 + boundary_len;
    if (len >= 2 && line[0] == '-' && line[1] == '-')
        return DELIMITER_END;
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
        len--;
    return len == 0 ? DELIMITER_PART : DELIMITER_NONE;
}

/* The part from start to before the delimiter line at end: the line end in front of that line is
 * the delimiter's. */
static int
walk_part(struct walk *walk, const struct entity *part, const guint8 *body, gsize start, gsize end)
{
    struct entity entity = *part;

    if (end > start && body[end - 1] == '\n')
        end--;
    if (end > start && body[end - 1] == '\r')
        end--;
    entity.data = body + start;
    entity.len = end - start;
    return walk_entity(walk, &entity);
}

static int
walk_multipart(struct walk *walk, const struct entity *part, const char *boundary,
               const guint8 *body, gsize len)
{
    gsize boundary_len = strlen(boundary);
    gsize start = 0;
    bool inside = false;
    gsize next;

    for (gsize at = 0; at < len; at = next) {
        const guint8 *lf = memchr(body + at, '\n', len - at);
        gsize line_len = lf ? (gsize)(lf - (body + at)) : len - at;
        enum delimiter delimiter = delimiter_of(body + at, line_len, boundary, boundary_len);

        next = lf ? at + line_len + 1 : len;
        if (delimiter == DELIMITER_NONE)
            continue;
        if (inside && walk_part(walk, part, body, start, at) < 0)
            return -1;
        if (delimiter == DELIMITER_END)
            return 0;
        inside = true;
        start = next;
    }
    /* The closing line is missing: the mail was cut somewhere, what is there counts. */
    if (!inside)
        return 0;
    struct entity last = *part;
    last.data = body + start;
    last.len = len - start;
    return walk_entity(walk, &last);
}

static bool
is_message(const char *type)
{
    return strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 ||
           strcmp(type, "message/news") == 0;
}

static int
walk_entity(struct walk *walk, const struct entity *entity)
{
    g_auto(Content) content = {0};
    struct entity inner = {.depth = entity->depth + 1, .nested = entity->nested};
    struct fields fields;
    const guint8 *body;
    gsize len;

    if (++walk->parts > MIME_PARTS_MAX)
        return too_much(walk, "too many parts", MIME_PARTS_MAX);
    if (entity->depth > MIME_DEPTH_MAX)
        return too_much(walk, "parts are nested too deep", MIME_DEPTH_MAX);
    fields_scan(entity->data, entity->len, &fields);
    if (fields.lines > MIME_HEADER_LINES_MAX)
        return too_much(walk, "too many header lines", MIME_HEADER_LINES_MAX);
    content_read(&fields, entity->fallback, &content);
    body = entity->data + fields.body;
    len = entity->len - fields.body;
    if (g_str_has_prefix(content.type, "multipart/")) {
        inner.fallback =
            strcmp(content.type, "multipart/digest") == 0 ? "message/rfc822" : "text/plain";
        return content.boundary ? walk_multipart(walk, &inner, content.boundary, body, len) : 0;
    }
    if (is_message(content.type)) {
        inner.data = body;
        inner.len = len;
        inner.fallback = "text/plain";
        inner.nested = true;
        return walk_entity(walk, &inner);
    }
    if (strcmp(content.type, "text/plain") == 0)
        take_text(&fields, content.charset, body, len,
                  entity->nested ? walk->nested : walk->direct);
    return 0;
}

int
parts_choose(const guint8 *data, gsize len, struct chosen *ret, struct outcome *why)
{
    struct chosen direct = {0};
    struct chosen nested = {0};
    struct walk walk = {.direct = &direct, .nested = &nested, .why = why};
    struct entity mail = {.data = data, .len = len, .fallback = "text/plain"};
    int result = walk_entity(&walk, &mail);

    *ret = (struct chosen){0};
    if (result == 0) {
        *ret = direct.text ? direct : nested;
        if (direct.text)
            direct.text = NULL;
        else
            nested.text = NULL;
    }
    if (direct.text)
        g_string_free(direct.text, TRUE);
    if (nested.text)
        g_string_free(nested.text, TRUE);
    return result;
}
