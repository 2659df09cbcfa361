/* SPDX-License-Identifier: ISC */
/*
 * Owns an HTTP answer while it is judged: its headers are found by name, its body is read as JSON
 * at most once. All of it is hostile. Decides nothing.
 */
#include "transport/gateway/http_answer.h"

#include <string.h>

#define BOM "\xEF\xBB\xBF"

struct http_answer *
http_answer_new(int status, const char *headers, const char *body, gsize len, const char *number)
{
    struct http_answer *answer = g_new0(struct http_answer, 1);

    answer->status = status;
    answer->headers = g_strdup(headers);
    answer->body = g_malloc(len + 1);
    if (len > 0)
        memcpy(answer->body, body, len);
    answer->body[len] = '\0';
    answer->len = len;
    answer->digits = g_strdup(number[0] == '+' ? number + 1 : number);
    return answer;
}

void
http_answer_free(struct http_answer *answer)
{
    if (!answer)
        return;
    g_free(answer->headers);
    g_free(answer->body);
    g_free(answer->digits);
    json_decref(answer->json);
    g_free(answer);
}

bool
http_answer_gave_up(const struct http_answer *answer)
{
    return answer->gave_up;
}

/* One wrong octet in a sentence must not hide what the gateway decided: it becomes U+FFFD, which no
 * rule asks for. Nor must an integer beyond 64 bits: it loses digits, as all integers then do. */
static json_t *
parse(const char *text, gsize len)
{
    const size_t flags = JSON_DECODE_ANY;
    g_autofree char *valid = NULL;
    json_t *json;

    if (!g_utf8_validate_len(text, len, NULL)) {
        valid = g_utf8_make_valid(text, (gssize)len);
        text = valid;
        len = strlen(valid);
    }
    if (g_str_has_prefix(text, BOM)) {
        text += strlen(BOM);
        len -= strlen(BOM);
    }
    json = json_loadb(text, len, flags, NULL);
    return json ? json : json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, NULL);
}

const json_t *
http_answer_json(struct http_answer *answer)
{
    if (!answer->json_tried) {
        answer->json = parse(answer->body, answer->len);
        answer->json_tried = true;
    }
    return answer->json;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool
http_answer_header(const struct http_answer *answer, const char *name, const char **at,
                   const char **ret_value, gsize *ret_len)
{
    gsize name_len = strlen(name);
    const char *line = *at ? *at : answer->headers;

    while (*line) {
        gsize len = strcspn(line, "\n");
        const char *end = line + len;
        const char *next = *end ? end + 1 : end;
        const char *value = line + name_len + 1;

        if (len > name_len && line[name_len] == ':' &&
            g_ascii_strncasecmp(line, name, name_len) == 0) {
            while (value < end && is_blank(*value))
                value++;
            while (end > value && is_blank(end[-1]))
                end--;
            *ret_value = value;
            *ret_len = (gsize)(end - value);
            *at = next;
            return true;
        }
        line = next;
    }
    return false;
}

bool
http_answer_search(struct http_answer *answer, const struct regex *regex, const char *text,
                   gsize len, struct regex_span *ret)
{
    enum regex_found found = regex_search(regex, text, len, ret);

    if (found == REGEX_GAVE_UP)
        answer->gave_up = true;
    return found == REGEX_FOUND;
}
