/* SPDX-License-Identifier: ISC */
/* Owns the words of rules and extracts, and how a fault in them is told. Knows neither's grammar.
 */
#include "transport/gateway/http_scan.h"

#include <string.h>

int
http_scan_fault(const struct http_scan *scan, const char *where, struct outcome *why,
                const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    out_set(why, OUT_CONFIG, "4.3.5", "character %ld: %s",
            g_utf8_strlen(scan->text, where - scan->text) + 1, text);
    return -1;
}

int
http_scan_begin(struct http_scan *scan, const char *text, struct outcome *why)
{
    const char *wrong;

    scan->text = text;
    scan->at = text;
    if (!g_utf8_validate(text, -1, &wrong))
        return http_scan_fault(scan, wrong, why, "expected UTF-8");
    return 0;
}

void
http_scan_blanks(struct http_scan *scan)
{
    while (g_ascii_isspace(*scan->at))
        scan->at++;
}

bool
http_scan_at_gap(const struct http_scan *scan)
{
    return *scan->at == '\0' || g_ascii_isspace(*scan->at);
}

bool
http_scan_prefix(struct http_scan *scan, const char *prefix)
{
    if (!g_str_has_prefix(scan->at, prefix))
        return false;
    scan->at += strlen(prefix);
    return true;
}

char *
http_scan_word(struct http_scan *scan, const char *stop)
{
    const char *from = scan->at;

    while (!http_scan_at_gap(scan) && !strchr(stop, *scan->at))
        scan->at++;
    return g_strndup(from, (gsize)(scan->at - from));
}

int
http_scan_quoted(struct http_scan *scan, char **ret, struct outcome *why)
{
    g_autoptr(GString) value = g_string_new(NULL);
    const char *p = scan->at + 1;

    for (; *p != '"'; p++) {
        if (*p == '\\') {
            p++;
            if (*p != '"' && *p != '\\')
                return http_scan_fault(scan, p, why, "expected \" or \\ behind \\ in quotes");
        }
        if (!*p)
            return http_scan_fault(scan, p, why, "expected the closing \"");
        g_string_append_c(value, *p);
    }
    scan->at = p + 1;
    *ret = g_string_free(g_steal_pointer(&value), FALSE);
    return 0;
}

int
http_scan_name(struct http_scan *scan, char **ret, struct outcome *why)
{
    const char *from = scan->at;

    while (g_ascii_isalnum(*scan->at) || (*scan->at && strchr("!#$%&'*+-.^_`|~", *scan->at)))
        scan->at++;
    if (scan->at == from)
        return http_scan_fault(scan, from, why, "expected the name of a header");
    *ret = g_strndup(from, (gsize)(scan->at - from));
    return 0;
}

int
http_scan_pointer(struct http_scan *scan, struct json_pointer **ret, struct outcome *why)
{
    const char *from = scan->at;
    g_autofree char *text = NULL;
    gsize wrong;

    if (*from != '"')
        text = http_scan_word(scan, "");
    else if (http_scan_quoted(scan, &text, why) < 0)
        return -1;
    if (json_pointer_parse(text, ret, &wrong, why) == 0)
        return 0;
    /* Escapes in quotes shift what stands behind them; the beginning is near enough then. */
    return http_scan_fault(scan, *from == '"' ? from : from + wrong, why, "%s", why->text);
}

int
http_scan_regex(struct http_scan *scan, const char *end, struct regex **ret, struct outcome *why)
{
    g_autofree char *text = NULL;
    const char *from;
    gsize wrong;

    http_scan_blanks(scan);
    from = scan->at;
    while (end > from && g_ascii_isspace(end[-1]))
        end--;
    if (end <= from)
        return http_scan_fault(scan, from, why, "expected a regular expression");
    text = g_strndup(from, (gsize)(end - from));
    if (regex_compile(text, ret, &wrong, why) < 0)
        return http_scan_fault(scan, from + wrong, why, "%s", why->text);
    scan->at = end;
    return 0;
}
