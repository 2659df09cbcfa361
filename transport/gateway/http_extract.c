/* SPDX-License-Identifier: ISC */
/*
 * Owns values taken out of an answer: references, sentences for logs, times to wait. Must never
 * hand out anything but one line of clean UTF-8, or a time between now and tomorrow.
 */
#include "transport/gateway/http_answer.h"

#include "lib/clean.h"
#include "transport/gateway/http_scan.h"
#include <string.h>
#include <time.h>

#define WAIT_MAX_S   86400 /* what asks for more is no wait, it is a fault */
#define TIME_OCTETS  64    /* a date has 33 at most */
#define DEFAULT_NAME "Retry-After"

enum source { SOURCE_JSON, SOURCE_REGEX, SOURCE_HEADER, SOURCE_REF };

enum unit { UNIT_S, UNIT_MS, UNIT_UNIX };

static const char *const units[] = {
    [UNIT_S] = " unit s",
    [UNIT_MS] = " unit ms",
    [UNIT_UNIX] = " unit unix",
};

struct http_extract {
    enum source source;
    struct json_pointer *pointer; /* json */
    struct regex *regex;          /* regex, header; NULL: the whole value */
    char *name;                   /* header */
    enum unit unit;
};

void
http_extract_free(struct http_extract *extract)
{
    if (!extract)
        return;
    json_pointer_free(extract->pointer);
    regex_free(extract->regex);
    g_free(extract->name);
    g_free(extract);
}

/* Cuts the unit off, if there is one. */
static enum unit
take_unit(char *text)
{
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_str_has_suffix(text, units[i])) {
            text[strlen(text) - strlen(units[i])] = '\0';
            return i;
        }
    return UNIT_S;
}

/* Name or Name(regex), up to the end. */
static int
parse_header(struct http_scan *scan, struct http_extract *extract, struct outcome *why)
{
    const char *close;

    if (http_scan_name(scan, &extract->name, why) < 0)
        return -1;
    if (!http_scan_prefix(scan, "("))
        return 0;
    close = scan->at + strlen(scan->at);
    while (close > scan->at && g_ascii_isspace(close[-1]))
        close--;
    if (close == scan->at || close[-1] != ')')
        return http_scan_fault(scan, close, why, "expected \")\"");
    if (http_scan_regex(scan, close - 1, &extract->regex, why) < 0)
        return -1;
    scan->at = close;
    return 0;
}

static int
parse_source(struct http_scan *scan, struct http_extract *extract, struct outcome *why)
{
    const char *from = scan->at;
    g_autofree char *word = NULL;

    if (http_scan_prefix(scan, "json:")) {
        extract->source = SOURCE_JSON;
        return http_scan_pointer(scan, &extract->pointer, why);
    }
    if (http_scan_prefix(scan, "regex:")) {
        extract->source = SOURCE_REGEX;
        return http_scan_regex(scan, from + strlen(from), &extract->regex, why);
    }
    if (http_scan_prefix(scan, "header:")) {
        extract->source = SOURCE_HEADER;
        return parse_header(scan, extract, why);
    }
    word = http_scan_word(scan, "");
    if (strcmp(word, "header") == 0) {
        extract->source = SOURCE_HEADER;
        extract->name = g_strdup(DEFAULT_NAME);
        return 0;
    }
    extract->source = SOURCE_REF;
    if (strcmp(word, "ref") == 0)
        return 0;
    return http_scan_fault(scan, from, why, "expected json:, regex:, header:, header or ref");
}

int
http_extract_parse(const char *text, struct http_extract **ret, struct outcome *why)
{
    g_autoptr(HttpExtract) extract = g_new0(struct http_extract, 1);
    g_autofree char *front = g_strchomp(g_strdup(text));
    struct http_scan scan;

    if (http_scan_begin(&scan, text, why) < 0)
        return -1;
    extract->unit = take_unit(front);
    if (http_scan_begin(&scan, front, why) < 0)
        return -1;
    http_scan_blanks(&scan);
    if (parse_source(&scan, extract, why) < 0)
        return -1;
    http_scan_blanks(&scan);
    if (*scan.at)
        return http_scan_fault(&scan, scan.at, why,
                               "expected unit ms, unit s, unit unix or the end");
    *ret = g_steal_pointer(&extract);
    return 0;
}

struct joined {
    GString *to;
    gsize max;
};

/* A reference that would have to be cut is not begun, unless it is the first. */
static bool
join(void *context, const json_t *value)
{
    struct joined *joined = context;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!value || !json_scalar_text(value, text) || text->len == 0)
        return true;
    if (joined->to->len > 0) {
        if (joined->to->len + 1 + text->len > joined->max)
            return false;
        g_string_append_c(joined->to, ',');
    }
    g_string_append(joined->to, text->str);
    return true;
}

static void
from_json(const struct http_extract *extract, struct http_answer *answer, struct joined *joined)
{
    const json_t *json = http_answer_json(answer);

    if (json)
        json_pointer_each(extract->pointer, json, answer->digits, join, joined);
}

static void
from_regex(const struct http_extract *extract, struct http_answer *answer, GString *to)
{
    struct regex_span span;

    if (http_answer_search(answer, extract->regex, answer->body, answer->len, &span))
        g_string_append_len(to, answer->body + span.from, (gssize)(span.to - span.from));
}

/* The first of that name that has it. */
static void
from_header(const struct http_extract *extract, struct http_answer *answer, GString *to)
{
    const char *at = NULL;
    const char *value;
    gsize len;

    while (to->len == 0 && http_answer_header(answer, extract->name, &at, &value, &len)) {
        struct regex_span span = {0, len};

        if (!extract->regex || http_answer_search(answer, extract->regex, value, len, &span))
            g_string_append_len(to, value + span.from, (gssize)(span.to - span.from));
    }
}

char *
http_extract_text(const struct http_extract *extract, struct http_answer *answer, const char *ref,
                  gsize max)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct joined joined = {text, max};

    switch (extract->source) {
    case SOURCE_JSON:
        from_json(extract, answer, &joined);
        break;
    case SOURCE_REGEX:
        from_regex(extract, answer, text);
        break;
    case SOURCE_HEADER:
        from_header(extract, answer, text);
        break;
    case SOURCE_REF:
        g_string_append(text, ref);
        break;
    }
    if (!g_utf8_validate_len(text->str, text->len, NULL)) {
        g_autofree char *valid = g_utf8_make_valid(text->str, (gssize)text->len);

        g_string_assign(text, valid);
    }
    clean_line(text, max);
    return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static bool
read_number(const char *text, double *ret)
{
    char *end;

    /* strtod() knows more than numbers. */
    if (!*text || text[strspn(text, "+-.0123456789eE")])
        return false;
    *ret = g_ascii_strtod(text, &end);
    return *end == '\0';
}

/* RFC 9110 5.6.7, with the two forms that nobody should send any more. strptime() goes by the
 * locale, but no program of ours sets one. */
static bool
read_date(const char *text, double *ret)
{
    const char *const formats[] = {"%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT", "%a %b %e %T %Y"};

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, formats[i], &tm);

        if (end && !*end) {
            *ret = (double)timegm(&tm);
            return true;
        }
    }
    return false;
}

gint64
http_extract_wait(const struct http_extract *extract, struct http_answer *answer, gint64 now_s)
{
    g_autofree char *text = NULL;
    double value, seconds;

    if (extract->source == SOURCE_REF)
        return -1;
    text = http_extract_text(extract, answer, "", TIME_OCTETS);
    if (!text)
        return -1;
    if (!read_number(text, &value)) {
        if (!read_date(text, &value))
            return -1;
        seconds = value - (double)now_s;
    } else if (extract->unit == UNIT_UNIX) {
        seconds = value - (double)now_s;
    } else {
        seconds = extract->unit == UNIT_MS ? value / 1000 : value;
    }
    return (gint64)(CLAMP(seconds, 0, WAIT_MAX_S) * 1000 + 0.5);
}
