/* SPDX-License-Identifier: ISC */
/*
 * Owns PCRE2, and how much work one search may be. No JIT: postsmsd runs without memory that can be
 * both written and executed, and an answer is too short to need it.
 */
#include "transport/gateway/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

/* Steps of one search: an item tried, an octet passed. The longest answer can be passed several
 * times; (a+)+$ is over after some 0.02 s. PCRE2's own limit counts anew at each octet where a
 * match may begin, so it alone bounds nothing. */
#define EFFORT_MAX 4000000

#define MATCH_MAX 1000000
#define DEPTH_MAX 100000
#define HEAP_MAX  16384 /* KiB */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcre2_code, pcre2_code_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcre2_compile_context, pcre2_compile_context_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcre2_match_context, pcre2_match_context_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcre2_match_data, pcre2_match_data_free)

struct regex {
    pcre2_code *code;
    bool grouped;
};

struct effort {
    gsize at;
    gsize left;
};

int
regex_compile(const char *pattern, struct regex **ret, gsize *ret_at, struct outcome *why)
{
    g_autoptr(pcre2_compile_context) context = pcre2_compile_context_create(NULL);
    /* Callouts are where effort is counted. */
    guint32 options = PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C;
    g_autoptr(pcre2_code) code = NULL;
    guint32 groups = 0;
    PCRE2_SIZE at = 0;
    int error;

    options |= g_str_is_ascii(pattern) ? PCRE2_NEVER_UTF : PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    if (!context)
        g_error("out of memory");
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern), options, &error, &at, context);
    if (!code) {
        guint8 text[200] = "";

        pcre2_get_error_message(error, text, sizeof(text));
        out_set(why, OUT_CONFIG, "4.3.5", "the regular expression is wrong: %s", (char *)text);
        *ret_at = MIN(at, strlen(pattern));
        return -1;
    }
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    *ret = g_new0(struct regex, 1);
    (*ret)->code = g_steal_pointer(&code);
    (*ret)->grouped = groups > 0;
    return 0;
}

void
regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    g_free(regex);
}

/* Before each item of the pattern; the octets between two of these calls were looked at, too. */
static int
spend(pcre2_callout_block *block, void *data)
{
    struct effort *effort = data;
    gsize at = block->current_position;
    gsize steps = 1 + MAX(at, effort->at) - MIN(at, effort->at);

    effort->at = at;
    if (steps > effort->left)
        return PCRE2_ERROR_CALLOUT;
    effort->left -= steps;
    return 0;
}

enum regex_found
regex_search(const struct regex *regex, const char *text, gsize len, struct regex_span *ret)
{
    g_autoptr(pcre2_match_context) context = pcre2_match_context_create(NULL);
    g_autoptr(pcre2_match_data) data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    struct effort effort = {.left = EFFORT_MAX};
    const PCRE2_SIZE *offsets;
    int group = regex->grouped ? 1 : 0;
    int found;

    if (!context || !data)
        return REGEX_GAVE_UP;
    pcre2_set_match_limit(context, MATCH_MAX);
    pcre2_set_depth_limit(context, DEPTH_MAX);
    pcre2_set_heap_limit(context, HEAP_MAX);
    pcre2_set_callout(context, spend, &effort);
    found = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, 0, data, context);
    if (found == PCRE2_ERROR_NOMATCH)
        return REGEX_NOT_FOUND;
    if (found < 0)
        return REGEX_GAVE_UP;
    offsets = pcre2_get_ovector_pointer(data);
    *ret = (struct regex_span){0, 0};
    if (group < found && offsets[2 * group] < offsets[2 * group + 1])
        *ret = (struct regex_span){offsets[2 * group], offsets[2 * group + 1]};
    return REGEX_FOUND;
}
