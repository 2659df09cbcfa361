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
    bool sealed;           /* a part that is not inside a message is signed or encrypted */
    struct outcome *why;
};

/* An entity: a mail, a message inside, a part. */
struct entity {
    const guint8 *data;
    gsize len;
    const char *fallback; /* type without a Content-Type */
    guint depth;
    bool nested; /* inside a message/rfc822 */
    bool sealed; /* inside something signed or encrypted */
};

static int walk_entity(struct walk *walk, const struct entity *entity);

static int
too_much(struct walk *walk, const char *what, int max)
{
    out_set(walk->why, OUT_DATA, "5.6.0", "the mail cannot be read: %s (limit %d)", what, max);
    return -1;
}

enum encoding
parts_encoding(const struct fields *fields)
{
    GString *value = fields_get(fields, "Content-Transfer-Encoding", MIME_PARAMETERS_MAX);
    g_autofree char *name = value ? g_string_free(value, FALSE) : g_strdup("");

    name[strcspn(name, " \t;(")] = '\0';
    if (g_ascii_strncasecmp(name, "x-uu", 4) == 0 || g_ascii_strncasecmp(name, "uu", 2) == 0)
        return ENCODING_UU;
    if (g_ascii_strcasecmp(name, "base64") == 0)
        return ENCODING_BASE64;
    if (g_ascii_strcasecmp(name, "quoted-printable") == 0)
        return ENCODING_QUOTED;
    if (g_ascii_strcasecmp(name, "8bit") == 0 || g_ascii_strcasecmp(name, "binary") == 0)
        return ENCODING_8BIT;
    return ENCODING_7BIT;
}

/* The decoded octets; false for an encoding whose octets are no text. cut: not all of them. */
static bool
transfer_decode(const struct fields *fields, gsize len, GByteArray *to, bool *cut)
{
    const guint8 *body = fields->data + fields->body;
    gsize use = MIN(len, MIME_DECODE_MAX);

    *cut = use < len;
    switch (parts_encoding(fields)) {
    case ENCODING_UU:
        return false;
    case ENCODING_BASE64:
        decode_base64((const char *)body, use, to);
        return true;
    case ENCODING_QUOTED:
        decode_quoted((const char *)body, use, to);
        return true;
    case ENCODING_7BIT:
    case ENCODING_8BIT:
        break;
    }
    g_byte_array_append(to, body, (guint)use);
    return true;
}

/* OpenPGP without MIME: the armour's first line (RFC 9580 section 6.2) begins a line of the text.
 */
static bool
has_armour(const char *text)
{
    static const char *const armours[] = {"-----BEGIN PGP SIGNED MESSAGE-----",
                                          "-----BEGIN PGP MESSAGE-----"};

    for (gsize i = 0; i < G_N_ELEMENTS(armours); i++)
        for (const char *at = text; (at = strstr(at, armours[i])); at++)
            if (at == text || at[-1] == '\n')
                return true;
    return false;
}

/* Takes the text of a text/plain part unless there is one already; an empty one is passed over. */
static void
take_text(const struct fields *fields, const char *charset, gsize len, bool sealed,
          struct chosen *ret)
{
    g_autoptr(GByteArray) octets = NULL;
    g_autoptr(GString) text = NULL;
    guint replaced = 0;
    bool cut;

    if (ret->text || !content_inline(fields))
        return;
    octets = g_byte_array_new();
    if (!transfer_decode(fields, len, octets, &cut))
        return;
    text = g_string_new(NULL);
    charset_decode(charset, octets->data, octets->len, text, &replaced);
    clean_text(text);
    if (clean_is_white(text))
        return;
    *ret = (struct chosen){.text = text,
                           .cut = cut,
                           .replaced = replaced,
                           .sealed = sealed || has_armour(text->str),
                           .fields = *fields,
                           .len = len};
    text = NULL;
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
    walk->sealed |= inner.sealed && !entity->nested;
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
        take_text(&fields, content.charset, len, entity->sealed,
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
    ret->sealed |= walk.sealed;
    if (direct.text)
        g_string_free(direct.text, TRUE);
    if (nested.text)
        g_string_free(nested.text, TRUE);
    return result;
}
