/* SPDX-License-Identifier: ISC */
/*
 * Templates of HTTP requests: "%name;modifier;modifier=value%" (postsms-http(5), ICE-HTTP-04..30).
 * Parsed once, expanded for each part. Pure: no I/O, no clock.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_TEMPLATE_H
#define TRANSPORT_GATEWAY_HTTP_TEMPLATE_H

#include "lib/outcome.h"

/* Where a template stands: it decides how values are escaped. */
enum http_place {
    HTTP_PLACE_URL,  /* percent-encoded, RFC 3986 unreserved characters stay */
    HTTP_PLACE_FORM, /* the same, in a body */
    HTTP_PLACE_JSON, /* as inside a JSON string, RFC 8259 7 */
    HTTP_PLACE_XML,  /* as text or attribute value; what XML 1.0 has no character for becomes U+FFFD
                      */
    HTTP_PLACE_HEADER, /* control characters become blanks */
    HTTP_PLACE_PLAIN,  /* as it is */
};

/* What variables stand for. All strings UTF-8 and "" if there is none, all borrowed. */
struct http_values {
    const char *number;     /* "+digits" */
    const char *originator; /* "+digits" or letters */
    const char *phone;      /* the sender's own number */
    const char *ref;        /* ours, 32 hex digits */
    const char *encoding;   /* "gsm7", "ucs2" or "8bit" */
    const char *text;       /* of gsm7 and ucs2 */
    GBytes *data;           /* of 8bit */
    GBytes *udh;            /* its length octet first; of size 0 if there is none */
    int pid, dcs;
    guint part, parts;
    gint64 ttl_s; /* how long the carrier may try, seconds */
    gint64 now_s; /* seconds since 1970 */
    const char *dlr_url;
    const char *token;
    /* The values of %var.NAME% and %secret.NAME%; NULL if there is none. */
    const char *(*named)(void *context, bool secret, const char *name);
    void *context;
};

struct http_template;

/* -1: why is CONFIG and says what is wrong, *ret_at where in text (characters, from 1). */
int http_template_parse(const char *text, enum http_place place, struct http_template **ret,
                        guint *ret_at, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_template_free(struct http_template *tmpl);
typedef struct http_template HttpTemplate;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpTemplate, http_template_free)

/* Calls each for every %var.NAME% (secret false) and %secret.NAME% in it. */
void http_template_each_named(const struct http_template *tmpl,
                              void (*each)(void *context, bool secret, const char *name),
                              void *context);

/* Is there a variable of this name in it ("dlr_url"; aliases count as what they stand for)? */
bool http_template_has(const struct http_template *tmpl, const char *name);

/* Appends to out. -1: why is DATA and says which value cannot be written so (";len" of more than
 * 255 octets, a character that a charset has not); what was appended then is of no use. */
int http_template_expand(const struct http_template *tmpl, const struct http_values *values,
                         GString *out, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
