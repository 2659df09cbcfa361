/* SPDX-License-Identifier: ISC */
/* What the grammars of rules and extracts have in common: where a fault is, and how pointers,
 * regular expressions and quoted words are written. */
#ifndef TRANSPORT_GATEWAY_HTTP_SCAN_H
#define TRANSPORT_GATEWAY_HTTP_SCAN_H

#include "transport/gateway/json_pointer.h"
#include "transport/gateway/regex.h"

struct http_scan {
    const char *text; /* whole, for positions */
    const char *at;
};

/* CONFIG: "character N: …", N counted from 1. Returns -1. */
int http_scan_fault(const struct http_scan *scan, const char *where, struct outcome *why,
                    const char *fmt, ...) G_GNUC_PRINTF(4, 5);

/* Faults if it is not UTF-8; every scan begins with it. */
int http_scan_begin(struct http_scan *scan, const char *text, struct outcome *why);

void http_scan_blanks(struct http_scan *scan);

/* Is this the end or a blank? */
bool http_scan_at_gap(const struct http_scan *scan);

/* Passes the prefix, if it is there. */
bool http_scan_prefix(struct http_scan *scan, const char *prefix);

/* Passes a word without blanks and without the characters of stop; may be empty. The caller's. */
char *http_scan_word(struct http_scan *scan, const char *stop);

/* Passes "any character" (\" and \\ inside) from its opening quote on. */
int http_scan_quoted(struct http_scan *scan, char **ret, struct outcome *why);

/* Passes a header's name (RFC 9110 5.6.2). */
int http_scan_name(struct http_scan *scan, char **ret, struct outcome *why);

/* Passes a JSON pointer: up to a blank, or quoted. */
int http_scan_pointer(struct http_scan *scan, struct json_pointer **ret, struct outcome *why);

/* Passes a regular expression that ends before end, without blanks around it. */
int http_scan_regex(struct http_scan *scan, const char *end, struct regex **ret,
                    struct outcome *why);

#endif
