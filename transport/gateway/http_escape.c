/* SPDX-License-Identifier: ISC */
/* Owns the escapes of URLs, JSON, XML and headers. One pass each: what stays is copied in runs. */
#include "transport/gateway/http_escape.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* RFC 3986 2.3 */
static const bool unreserved[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['~'] = true,
};

static void
add_percent(GString *out, guint8 octet)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escape[] = {'%', digits[octet >> 4], digits[octet & 15]};

    g_string_append_len(out, escape, sizeof(escape));
}

static void
escape_url(const guint8 *at, const guint8 *end, GString *out)
{
    while (at < end) {
        const guint8 *run = at;

        while (at < end && unreserved[*at])
            at++;
        g_string_append_len(out, (const char *)run, at - run);
        if (at < end)
            add_percent(out, *at++);
    }
}

static void
add_json(GString *out, guint8 octet)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    g_string_append_c(out, '\\');
    if (short_forms[octet])
        g_string_append_c(out, short_forms[octet]);
    else
        g_string_append_printf(out, "u%04X", octet);
}

static void
escape_json(const guint8 *at, const guint8 *end, GString *out)
{
    while (at < end) {
        const guint8 *run = at;

        while (at < end && *at >= ' ' && *at != '"' && *at != '\\')
            at++;
        g_string_append_len(out, (const char *)run, at - run);
        if (at < end)
            add_json(out, *at++);
    }
}

/* What stands for an ASCII character, or NULL if it stands for itself. Line ends would be
 * normalised in text, all white space in an attribute (XML 1.0 2.11, 3.3.3). */
static const char *
xml_of(guint8 octet)
{
    switch (octet) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return octet < ' ' ? REPLACEMENT : NULL;
    }
}

/* U+FFFE and U+FFFF are no characters of XML 1.0 2.2. */
static bool
is_noncharacter(const guint8 *at, const guint8 *end)
{
    return end - at >= 3 && at[0] == 0xEF && at[1] == 0xBF && at[2] >= 0xBE;
}

static void
escape_xml(const guint8 *at, const guint8 *end, GString *out)
{
    while (at < end) {
        const guint8 *run = at;

        while (at < end && !xml_of(*at) && !is_noncharacter(at, end))
            at++;
        g_string_append_len(out, (const char *)run, at - run);
        if (at == end)
            break;
        g_string_append(out, xml_of(*at) ? xml_of(*at) : REPLACEMENT);
        at += xml_of(*at) ? 1 : 3;
    }
}

/* Octets of the control character at at, 0 if it is none. */
static guint
control_len(const guint8 *at, const guint8 *end)
{
    if (*at < ' ' || *at == 0x7F)
        return 1;
    return end - at >= 2 && at[0] == 0xC2 && at[1] < 0xA0 ? 2 : 0; /* U+0080 to U+009F */
}

static void
escape_header(const guint8 *at, const guint8 *end, GString *out)
{
    while (at < end) {
        const guint8 *run = at;

        while (at < end && !control_len(at, end))
            at++;
        g_string_append_len(out, (const char *)run, at - run);
        if (at == end)
            break;
        g_string_append_c(out, ' ');
        at += control_len(at, end);
    }
}

void
http_escape(enum http_place how, const char *octets, gsize len, GString *out)
{
    const guint8 *at = (const guint8 *)octets;
    const guint8 *end = at + len;

    switch (how) {
    case HTTP_PLACE_URL:
    case HTTP_PLACE_FORM:
        escape_url(at, end, out);
        break;
    case HTTP_PLACE_JSON:
        escape_json(at, end, out);
        break;
    case HTTP_PLACE_XML:
        escape_xml(at, end, out);
        break;
    case HTTP_PLACE_HEADER:
        escape_header(at, end, out);
        break;
    case HTTP_PLACE_PLAIN:
        g_string_append_len(out, octets, (gssize)len);
        break;
    }
}
