/* SPDX-License-Identifier: ISC */
/*
 * Regular expressions of a profile (pcre2pattern(3)), searched in octets that a gateway sent. The
 * pattern is ours, the octets are hostile: a search does a bounded amount of work, the same for the
 * same octets. "." stops at CR and LF, "$" matches before a last CRLF too. A pattern of ASCII alone
 * looks at octets; another one at UTF-8, and octets that are none match nothing.
 */
#ifndef TRANSPORT_GATEWAY_REGEX_H
#define TRANSPORT_GATEWAY_REGEX_H

#include "lib/outcome.h"

struct regex;

enum regex_found { REGEX_NOT_FOUND, REGEX_FOUND, REGEX_GAVE_UP };

/* Octets of what was searched: the first group, without groups the whole match. A group that took
 * no part is empty. */
struct regex_span {
    gsize from, to;
};

/* pattern: UTF-8. -1: why is CONFIG and says what is wrong, *ret_at at which octet. */
int regex_compile(const char *pattern, struct regex **ret, gsize *ret_at,
                  struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void regex_free(struct regex *regex);

/* text must not be NULL. REGEX_GAVE_UP: nobody knows, it would have been too much work. */
enum regex_found regex_search(const struct regex *regex, const char *text, gsize len,
                              struct regex_span *ret);

#endif
