/* SPDX-License-Identifier: ISC */
/*
 * Owns all use of GMime: Content-Type and Content-Disposition with their parameters (RFC 2045, RFC
 * 2231 continuations).
 *
 * Its mail parser is not used. It builds every part before anybody can count them (one megabyte of
 * "--b\n\n" becomes 270 MB), parses the addresses of nested messages recursively and hides what
 * lies deeper than 1,024 multiparts; the limits have to hold before such work is done, so parts.c
 * does the splitting. g_mime_content_type_encode and g_mime_multipart_get_boundary must never be
 * called on foreign mail: they can allocate until the end.
 */
#include "transport/reader/mime.h"

#include <gmime/gmime.h>
#include <string.h>

/* Octets of a parameter that is written again. */
#define NAME_LENGTH_MAX 255

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentDisposition, g_object_unref)

void
content_prepare(void)
{
    g_mime_init();
}

void
content_clear(struct content *content)
{
    g_clear_pointer(&content->type, g_free);
    g_clear_pointer(&content->charset, g_free);
    g_clear_pointer(&content->boundary, g_free);
}

/* Octets of the charset name at c if one stands there that GMime would hand to iconv: "=?NAME?" or
 * "*=NAME'". */
static gsize
foreign_charset(const char *c, const char *end, char stop)
{
    gsize len = 0;

    while (c + len < end && g_ascii_isgraph(c[len]) && c[len] != ';' && c[len] != '?' &&
           c[len] != '\'')
        len++;
    return c + len < end && c[len] == stop ? len : 0;
}

/* The value with every charset name in it replaced: GMime gives names to iconv that our own table
 * would not let pass. */
static char *
tame(const GString *value)
{
    GString *tamed = g_string_sized_new(value->len);
    const char *at = value->str;
    const char *end = value->str + value->len;

    while (at < end) {
        gsize skip = 0;

        if (at + 2 < end && at[0] == '=' && at[1] == '?')
            skip = foreign_charset(at + 2, end, '?');
        else if (at + 2 < end && at[0] == '*' && at[1] == '=')
            skip = foreign_charset(at + 2, end, '\'');
        g_string_append_c(tamed, *at++);
        if (skip > 0) {
            g_string_append_c(tamed, *at++);
            g_string_append(tamed, "utf-8");
            at += skip;
        }
    }
    return g_string_free(tamed, FALSE);
}

static char *
parameter(GMimeContentType *type, const char *name)
{
    const char *value = g_mime_content_type_get_parameter(type, name);

    return value && *value ? g_strdup(value) : NULL;
}

/* The value of the Content-Type field, parsed; NULL if there is none. */
static GMimeContentType *
parse_type(const struct fields *fields, char **ret_value)
{
    GString *value = fields_get(fields, "Content-Type", MIME_PARAMETERS_MAX);

    if (!value)
        return NULL;
    *ret_value = tame(value);
    g_string_free(value, TRUE);
    return g_mime_content_type_parse(NULL, *ret_value);
}

/* GMime keeps the quote of a string that never ends; a boundary cannot end with a blank. */
static char *
boundary_of(GMimeContentType *type)
{
    char *boundary = parameter(type, "boundary");

    if (!boundary)
        return NULL;
    if (boundary[0] == '"')
        memmove(boundary, boundary + 1, strlen(boundary));
    g_strchomp(boundary);
    if (*boundary == '\0')
        g_clear_pointer(&boundary, g_free);
    return boundary;
}

static bool
has_token(GMimeContentType *type, const char *name, const char *token)
{
    const char *value = g_mime_content_type_get_parameter(type, name);

    return value && g_ascii_strcasecmp(value, token) == 0;
}

void
content_read(const struct fields *fields, const char *fallback, struct content *ret)
{
    g_autofree char *tamed = NULL;
    g_autoptr(GMimeContentType) type = parse_type(fields, &tamed);
    g_autofree char *name = NULL;

    *ret = (struct content){0};
    if (!type) {
        ret->type = g_strdup(fallback);
        return;
    }
    name = g_mime_content_type_get_mime_type(type);

    /* RFC 2045 section 5.2: what cannot be read is plain text; "Content-Type: text" was once
     * common. */
    if (memchr(tamed, '/', strcspn(tamed, ";")))
        ret->type = g_ascii_strdown(name, -1);
    else
        ret->type = g_strdup("text/plain");
    ret->charset = parameter(type, "charset");
    ret->boundary = boundary_of(type);
    ret->flowed = has_token(type, "format", "flowed");
    ret->delsp = has_token(type, "delsp", "yes");
    ret->named = g_mime_content_type_get_parameter(type, "name") != NULL;
}

/* As RFC 2231 section 4 wants it if it is more than ASCII. */
static void
append_name(GString *to, GMimeContentType *type)
{
    const char *value = g_mime_content_type_get_parameter(type, "name");
    bool plain = true;

    if (!value || *value == '\0' || strlen(value) > NAME_LENGTH_MAX ||
        !g_utf8_validate(value, -1, NULL))
        return;
    for (const char *c = value; *c; c++) {
        if ((guchar)*c < 0x20 || *c == 0x7F)
            return;
        plain = plain && (guchar)*c < 0x80 && *c != '"' && *c != '\\';
    }
    if (plain) {
        g_string_append_printf(to, ";\n name=\"%s\"", value);
        return;
    }
    g_string_append(to, ";\n name*=utf-8''");
    for (const char *c = value; *c; c++) {
        if (g_ascii_isalnum(*c) || *c == '.' || *c == '-' || *c == '_')
            g_string_append_c(to, *c);
        else
            g_string_append_printf(to, "%%%02X", (guchar)*c);
    }
}

char *
content_as_utf8(const struct fields *fields)
{
    g_autofree char *tamed = NULL;
    g_autoptr(GMimeContentType) type = parse_type(fields, &tamed);
    GString *to = g_string_new("text/plain; charset=utf-8");

    if (type) {
        append_name(to, type);
    }
    return g_string_free(to, FALSE);
}

bool
content_inline(const struct fields *fields)
{
    GString *value = fields_get(fields, "Content-Disposition", MIME_PARAMETERS_MAX);
    g_autofree char *tamed = NULL;
    const char *word;

    if (!value)
        return true;
    tamed = tame(value);
    g_string_free(value, TRUE);
    g_autoptr(GMimeContentDisposition) disposition = g_mime_content_disposition_parse(NULL, tamed);
    word = g_mime_content_disposition_get_disposition(disposition);
    /* RFC 2183 section 2.8: a word nobody knows means attachment. */
    return !word || *word == '\0' || g_ascii_strncasecmp(word, "inline", strlen("inline")) == 0;
}
