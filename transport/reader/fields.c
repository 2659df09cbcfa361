/* SPDX-License-Identifier: ISC */
/*
 * Owns the reading of header fields (RFC 5322 section 2.2) straight from the mail's octets. The
 * first field of a name wins, as every MUA shows it; GMime takes the last. A bare CR is data here,
 * never the end of a line.
 */
#include "transport/reader/mime.h"

#include <string.h>

/* One line without its end; *next is where the following one begins. */
static gsize
line_length(const guint8 *line, gsize len, gsize *next)
{
    const guint8 *end = memchr(line, '\n', len);
    gsize length = end ? (gsize)(end - line) : len;

    *next = end ? length + 1 : len;
    if (end && length > 0 && line[length - 1] == '\r')
        length--;
    return length;
}

/* Octets of the field name a line begins with, 0 if it begins none. Blanks before the colon are an
 * old habit. */
static gsize
name_length(const guint8 *line, gsize length)
{
    gsize at = 0;
    gsize colon;

    while (at < length && line[at] > ' ' && line[at] < 0x7f && line[at] != ':')
        at++;
    for (colon = at; colon < length && (line[colon] == ' ' || line[colon] == '\t'); colon++)
        ;
    return colon < length && line[colon] == ':' ? at : 0;
}

static bool
is_blank(guint8 octet)
{
    return octet == ' ' || octet == '\t';
}

void
fields_scan(const guint8 *data, gsize len, struct fields *ret)
{
    gsize at = 0;
    gsize next;

    *ret = (struct fields){.data = data};
    /* A mail taken from a mailbox file brings that file's separator along. */
    if (len >= 5 && memcmp(data, "From ", 5) == 0) {
        line_length(data, len, &next);
        at = next;
    }
    while (at < len) {
        gsize length = line_length(data + at, len - at, &next);

        if (length == 0) {
            ret->len = at;
            ret->body = at + next;
            return;
        }
        if (is_blank(data[at]) ? ret->lines == 0 : name_length(data + at, length) == 0)
            break;
        ret->lines++;
        at += next;
    }
    ret->len = ret->body = at;
    if (ret->lines == 0)
        ret->len = ret->body = 0;
}

/* One line's share of a value: NUL cannot be kept, white space at both ends belongs to the fold. */
static void
append_line(GString *value, const guint8 *line, gsize length, gsize max)
{
    while (length > 0 && is_blank(line[0])) {
        line++;
        length--;
    }
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    if (length == 0)
        return;
    if (value->len > 0 && value->len < max)
        g_string_append_c(value, ' ');
    for (gsize i = 0; i < length && value->len < max; i++)
        if (line[i] != '\0')
            g_string_append_c(value, (char)line[i]);
}

bool
fields_next(const struct fields *fields, const char *name, gsize from, struct field *ret)
{
    gsize name_len = strlen(name);
    bool found = false;
    gsize next;

    for (gsize at = from; at < fields->len; at += next) {
        const guint8 *line = fields->data + at;
        gsize length = line_length(line, fields->len - at, &next);

        if (found && !(length > 0 && is_blank(line[0])))
            break;
        if (!found && name_length(line, length) == name_len &&
            g_ascii_strncasecmp((const char *)line, name, name_len) == 0) {
            found = true;
            ret->start = at;
        }
        if (found)
            ret->end = at + next;
    }
    return found;
}

GString *
fields_value(const struct fields *fields, const struct field *field, gsize max)
{
    const guint8 *colon = memchr(fields->data + field->start, ':', field->end - field->start);
    GString *value = g_string_new(NULL);
    gsize next;

    for (gsize at = (gsize)(colon - fields->data) + 1; at < field->end; at += next) {
        const guint8 *line = fields->data + at;
        gsize length = line_length(line, field->end - at, &next);

        append_line(value, line, length, max);
    }
    return value;
}

GString *
fields_get(const struct fields *fields, const char *name, gsize max)
{
    struct field field;

    return fields_next(fields, name, 0, &field) ? fields_value(fields, &field, max) : NULL;
}

enum encoding
fields_encoding(const struct fields *fields)
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
