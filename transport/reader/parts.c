/* SPDX-License-Identifier: ISC */
/*
 * Owns the walk over a mail's parts: splitting multiparts (RFC 2046 section 5.1), the limits, which
 * parts may hold a text. Works on the mail where it lies and copies nothing. Each level is split
 * once by its own boundary lines, outer ones first, so a missing end inside cannot swallow what
 * follows.
 */
#include "transport/reader/mime.h"

#include <string.h>

#define PLACES_MAX 64 /* of one kind: more parts than a person would put text into */

struct walk {
    guint parts;
    guint mixed; /* multipart/mixed seen so far */
    struct places *places;
    struct outcome *why;
};

/* An entity: a mail, a message inside, a part. */
struct entity {
    const guint8 *data;
    gsize len;
    const char *fallback; /* type without a Content-Type */
    guint depth;
    bool nested;    /* inside a message/rfc822 */
    bool sealed;    /* inside something signed or encrypted */
    guint together; /* as in a place */
};

static int walk_entity(struct walk *walk, const struct entity *entity);

static int
too_much(struct walk *walk, const char *what, int max)
{
    out_set(walk->why, OUT_DATA, "5.6.0", "the mail cannot be read: %s (limit %d)", what, max);
    return -1;
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

/* Types whose content somebody has signed or encrypted: a changed octet breaks it. */
static bool
is_sealed(const char *type)
{
    static const char *const types[] = {
        "multipart/signed",          "multipart/encrypted",         "application/pkcs7-mime",
        "application/x-pkcs7-mime",  "application/pkcs7-signature", "application/x-pkcs7-signature",
        "application/pgp-encrypted", "application/pgp-signature",   "application/pgp",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* Types whose content only the addressee can read. */
static bool
is_encrypted(const struct content *content)
{
    return strcmp(content->type, "multipart/encrypted") == 0 ||
           strcmp(content->type, "application/pgp-encrypted") == 0 ||
           g_str_has_suffix(content->type, "pkcs7-mime"); /* packed, even if only signed */
}

static int
text_kind(const struct content *content)
{
    static const struct {
        const char *type;
        enum text_kind kind;
    } kinds[] = {
        {"text/plain", TEXT_PLAIN},           {"text/html", TEXT_HTML},
        {"application/xhtml+xml", TEXT_HTML}, {"text/calendar", TEXT_CALENDAR},
        {"application/ms-tnef", TEXT_TNEF},   {"application/vnd.ms-tnef", TEXT_TNEF},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(content->type, kinds[i].type) == 0)
            return kinds[i].kind;
    return -1;
}

/* Remembers a part that may hold the text. */
static void
add_place(struct walk *walk, const struct entity *entity, const struct fields *fields,
          const struct content *content)
{
    int kind = text_kind(content);
    GArray *list;

    /* Calendar entries and what Outlook packs come as attachments by nature. */
    if (kind < 0 || (kind < TEXT_CALENDAR && !content_inline(fields)))
        return;
    list = (entity->nested ? walk->places->nested : walk->places->direct)[kind];
    if (list->len == PLACES_MAX) {
        walk->places->more = true;
        return;
    }
    g_array_set_size(list, list->len + 1);
    g_array_index(list, struct place, list->len - 1) = (struct place){
        .fields = *fields,
        .len = entity->len - fields->body,
        .charset = g_strdup(content->charset),
        .flowed = content->flowed,
        .delsp = content->delsp,
        .sealed = entity->sealed,
        .together = content->named ? 0 : entity->together,
    };
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
    inner.sealed = entity->sealed || is_sealed(content.type);
    walk->places->sealed |= inner.sealed && !entity->nested;
    walk->places->encrypted |= is_encrypted(&content) && !entity->nested;
    if (g_str_has_prefix(content.type, "multipart/")) {
        inner.fallback =
            strcmp(content.type, "multipart/digest") == 0 ? "message/rfc822" : "text/plain";
        if (strcmp(content.type, "multipart/mixed") == 0)
            inner.together = ++walk->mixed;
        else if (strcmp(content.type, "multipart/related") == 0)
            inner.together = entity->together; /* one text and its pictures */
        return content.boundary ? walk_multipart(walk, &inner, content.boundary, body, len) : 0;
    }
    if (is_message(content.type)) {
        inner.data = body;
        inner.len = len;
        inner.fallback = "text/plain";
        inner.nested = true;
        return walk_entity(walk, &inner);
    }
    add_place(walk, entity, &fields, &content);
    return 0;
}

static void
place_clear(gpointer data)
{
    g_free(((struct place *)data)->charset);
}

void
places_clear(struct places *places)
{
    for (int kind = 0; kind < TEXT_KINDS; kind++) {
        g_clear_pointer(&places->direct[kind], g_array_unref);
        g_clear_pointer(&places->nested[kind], g_array_unref);
    }
}

int
parts_walk(const guint8 *data, gsize len, struct places *ret, struct outcome *why)
{
    struct walk walk = {.places = ret, .why = why};
    struct entity mail = {.data = data, .len = len, .fallback = "text/plain"};

    *ret = (struct places){0};
    for (int kind = 0; kind < TEXT_KINDS; kind++) {
        ret->direct[kind] = g_array_new(FALSE, FALSE, sizeof(struct place));
        ret->nested[kind] = g_array_new(FALSE, FALSE, sizeof(struct place));
        g_array_set_clear_func(ret->direct[kind], place_clear);
        g_array_set_clear_func(ret->nested[kind], place_clear);
    }
    return walk_entity(&walk, &mail);
}
