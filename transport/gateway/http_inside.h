/* SPDX-License-Identifier: ISC */
/* A parsed template, for http_template.c, which parses, and http_expand.c, which expands. */
#ifndef TRANSPORT_GATEWAY_HTTP_INSIDE_H
#define TRANSPORT_GATEWAY_HTTP_INSIDE_H

#include "transport/gateway/http_template.h"

enum http_variable {
    HTTP_NUMBER,
    HTTP_DATA,
    HTTP_UDH,
    HTTP_BINARY_FLAG,
    HTTP_PID,
    HTTP_DCS,
    HTTP_SENDER,
    HTTP_PHONE,
    HTTP_PART,
    HTTP_PARTS,
    HTTP_REF,
    HTTP_CONDITION,
    HTTP_DLR_URL,
    HTTP_TOKEN,
    HTTP_TTL,
    HTTP_NOW,
    HTTP_VAR,
    HTTP_SECRET,
    HTTP_VARIABLES
};

enum http_modifier {
    /* conditions */
    HTTP_IS_UNICODE,
    HTTP_IS_ASCII,
    HTTP_IS_BINARY,
    HTTP_IS_SET,
    /* texts */
    HTTP_VALUE,
    HTTP_PREFIX,
    HTTP_SUFFIX,
    /* escapes */
    HTTP_ESCAPE_URL,
    HTTP_ESCAPE_JSON,
    HTTP_ESCAPE_XML,
    /* what changes the value; from here on a term "transforms" */
    HTTP_INTERPREFIX,
    HTTP_PLUS,
    HTTP_NOPLUS,
    HTTP_00,
    HTTP_NODASH,
    HTTP_MAX,
    HTTP_BOOL,
    HTTP_INT31,
    HTTP_S,
    HTTP_MS,
    HTTP_MIN,
    HTTP_UTF16, /* ;unicode */
    HTTP_CHARSET,
    HTTP_LEN,
    HTTP_HEX,
    HTTP_B64,
    HTTP_RAW,
    HTTP_MODIFIERS
};
#define HTTP_TRANSFORMS HTTP_INTERPREFIX

struct http_step {
    enum http_modifier modifier;
    char *argument; /* NULL if it takes none */
    guint number;   /* of HTTP_MAX */
};

struct http_term {
    char *literal; /* then nothing else; else NULL */
    enum http_variable variable;
    char *name;    /* of VAR and SECRET */
    GArray *steps; /* struct http_step */
};

struct http_template {
    enum http_place place;
    GPtrArray *terms; /* struct http_term * */
};

bool http_term_has(const struct http_term *term, enum http_modifier modifier);
/* Is there any from first to last? */
bool http_term_has_any(const struct http_term *term, enum http_modifier first,
                       enum http_modifier last);

#endif
