/* SPDX-License-Identifier: ISC */
/*
 * Templates of HTTP requests (postsms-http(5), ICE-HTTP-04..30). Parsed once, expanded for each
 * part. Pure: no I/O, no clock.
 *
 * %name;modifier;modifier=argument% stands for a value and ends at the first '%' behind its name;
 * names are lower case. %% outside of it is one '%'. In a URL and a form, '%' and two hex digits
 * are a percent escape that the template brings along, but two letters only in upper case: "%ab" is
 * an unknown variable.
 *
 * Variables (alias): number, data (body), udh, binary (1 or 0), pid, dcs, sender (from),
 * sender_phonealias (phone), part, parts, ref (msgid), condition (always empty), dlr_url, token,
 * ttl, now, var.NAME, secret.NAME.
 *
 * Conditions: isascii, isunicode, isbinary ask for the message's encoding, whatever the variable;
 * isset for a value that is not empty. If one does not hold, the whole variable is nothing. Data of
 * 8bit go where isascii has the text if no other %data% of the template would take them.
 *
 * Text that goes out as it stands: value=TEXT, also several times, behind the value; with a
 * condition on the encoding and without a change, instead of it. prefix=TEXT and suffix=TEXT
 * around a value that is not empty. TEXT has no ';' and no '%'.
 *
 * Changes, from left to right: nodash; interprefix=X, 00, noplus (for a leading '+'), plus, which
 * leave names alone; unicode (UTF-16BE, as hex unless hex, b64 or raw follows); charset=NAME;
 * hex (lower case, of ref the reference itself); b64; max=N characters or octets; len (the number
 * of octets in one octet in front of a value that is not empty), which is always done just before
 * hex and b64 and behind what is for text; raw (the octets; var is not escaped then). Of binary:
 * bool (true or false); of ref: int31 (its first 4 octets as a number without the top bit, never
 * 0); of ttl: s, ms, min (rounded up). Without any change data of 8bit and the udh are base64; with
 * one they are octets, of the udh without its length octet.
 *
 * What comes out is escaped for its place, or, with url, json or xml, in that way only. A header's
 * own text has no control characters, a URL's no blanks either; octets that are no text are refused
 * where they cannot be written.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_TEMPLATE_H
#define TRANSPORT_GATEWAY_HTTP_TEMPLATE_H

#include "lib/outcome.h"

/* Where a template stands: it decides how values are escaped. */
enum http_place {
    HTTP_PLACE_URL,  /* percent-encoded, RFC 3986 unreserved characters stay */
    HTTP_PLACE_FORM, /* the same, in a body */
    HTTP_PLACE_JSON, /* as inside a JSON string, RFC 8259 7 */
    HTTP_PLACE_XML,  /* as text or attribute value; U+FFFD for what XML 1.0 has no character for */
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

/* -1: why is CONFIG and says what is wrong and where ("character 12: ..."), *ret_at is that 12.
 * A template has 16 KiB and 256 variables at most. */
int http_template_parse(const char *text, enum http_place place, struct http_template **ret,
                        guint *ret_at, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void http_template_free(struct http_template *tmpl);
typedef struct http_template HttpTemplate;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpTemplate, http_template_free)

/* Calls each for every %var.NAME% (secret false) and %secret.NAME% in it. */
void http_template_each_named(const struct http_template *tmpl,
                              void (*each)(void *context, bool secret, const char *name),
                              void *context);

/* Is this variable in it ("dlr_url", "var.NAME")? An alias is what it stands for. */
bool http_template_has(const struct http_template *tmpl, const char *name);

/* Appends to out. -1: why is DATA and says which value cannot be written so (";len" of more than
 * 255 octets, a character that a charset has not); what was appended then is of no use. */
int http_template_expand(const struct http_template *tmpl, const struct http_values *values,
                         GString *out, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
