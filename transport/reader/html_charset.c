/* SPDX-License-Identifier: ISC */
/* Owns what a document says about its own octets, before anybody knows their charset. Believes
 * nothing. */
#include "transport/reader/html.h"

#include <string.h>

#define LOOKED_AT 4096

/* Where word stands in [at, end), in any case; NULL if nowhere. */
static const char *
find(const char *at, const char *end, const char *word)
{
    gsize len = strlen(word);

    for (; (gsize)(end - at) >= len; at++)
        if (g_ascii_strncasecmp(at, word, len) == 0)
            return at;
    return NULL;
}

static const char *
skip_white(const char *at, const char *end)
{
    while (at < end && g_ascii_isspace(*at))
        at++;
    return at;
}

/* What word is set to in a tag: the value behind "word =", with or without quotes. */
static char *
value_of(const char *at, const char *end, const char *word)
{
    while ((at = find(at, end, word))) {
        const char *value = skip_white(at + strlen(word), end);
        gsize len = 0;

        at += strlen(word);
        if (value == end || *value != '=')
            continue;
        value = skip_white(value + 1, end);
        while (value < end && (*value == '"' || *value == '\''))
            value++;
        while (value + len < end && g_ascii_isgraph(value[len]) && !strchr("\"';,>", value[len]))
            len++;
        if (len > 0)
            return g_strndup(value, len);
    }
    return NULL;
}

char *
html_charset(const guint8 *octets, gsize len)
{
    const char *at = (const char *)octets;
    const char *end = at + MIN(len, LOOKED_AT);
    const char *start = at;
    char *found = NULL;

    if (len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        start += 3;
    start = skip_white(start, end);
    if (end - start >= 5 && g_ascii_strncasecmp(start, "<?xml", 5) == 0) {
        const char *stop = memchr(start, '>', (gsize)(end - start));

        found = value_of(start, stop ? stop : end, "encoding");
    }
    while (!found && (at = find(at, end, "<meta"))) {
        const char *stop = memchr(at, '>', (gsize)(end - at));

        if (!stop)
            stop = end;
        found = value_of(at, stop, "charset");
        at = stop;
    }
    return found;
}
