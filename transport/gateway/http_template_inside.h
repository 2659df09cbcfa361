/* SPDX-License-Identifier: ISC */
/*
 * A template's inside: http_template.c reads text and variables, http_modifiers.c what is done to a
 * value, http_expand.c does it.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_TEMPLATE_INSIDE_H
#define TRANSPORT_GATEWAY_HTTP_TEMPLATE_INSIDE_H

#include "transport/gateway/http_template.h"

enum http_variable {
    HTTP_NUMBER,
    HTTP_DATA,
    HTTP_UDH,
    HTTP_BINARY,
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

/* What is done to a value, one step behind the other; of each kind there is one at most. */
enum http_step_kind {
    HTTP_STEP_NODASH,
    HTTP_STEP_PREFIX, /* text stands for a leading '+' */
    HTTP_STEP_PLUS,
    HTTP_STEP_CHARSET, /* text; this and those above: of text that is not encoded yet */
    HTTP_STEP_LEN,
    HTTP_STEP_HEX,
    HTTP_STEP_B64,
    HTTP_STEP_MAX, /* number */
    HTTP_STEPS
};

struct http_step {
    enum http_step_kind kind;
    char *text;
    guint number;
};

/* Another form than a variable has by itself. */
enum http_form { HTTP_FORM_PLAIN, HTTP_FORM_BOOL, HTTP_FORM_INT31, HTTP_FORM_MS, HTTP_FORM_MIN };

/* A variable and the literal text in front of it. */
struct http_term {
    GString *before;
    enum http_variable variable;
    char *name;           /* of HTTP_VAR and HTTP_SECRET */
    const char *encoding; /* the only one it is there for, or NULL */
    bool isset;           /* only if the value is not empty */
    bool transformed;     /* binary values are octets, not base64 */
    enum http_form form;
    enum http_place escape;
    char *prefix, *suffix; /* around a value that is not empty, or NULL */
    char *text;            /* of value=: behind the value, or instead of it; or NULL */
    bool instead;
    guint steps_count;
    struct http_step steps[HTTP_STEPS];
};

struct http_template {
    GArray *terms;           /* struct http_term */
    GString *behind;         /* the last of them */
    bool ascii_takes_binary; /* no term but %data;isascii% would take the data of a binary one */
};

/* A template while it is read. */
struct http_reading {
    const char *text;
    enum http_place place;
    struct http_template *tmpl;
    guint *ret_at;
    struct outcome *why;
};

/* A term while it is read. */
struct http_draft {
    struct http_term *term;
    const char *at;        /* its '%' */
    const char *octets_at; /* the modifier that makes it octets which are no UTF-8, or NULL */
    guint seen;            /* kinds of modifiers it has */
    bool unicode, raw;
};

/* A variable as templates write it. */
const char *http_variable_name(enum http_variable variable);

/* Says what is wrong at at, which is within the text. -1, always. */
int http_reading_fail(struct http_reading *reading, const char *at, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);

/* Octets of len that a message shows of somebody's typing error. */
int http_reading_shown(gsize len);

/* May the template itself say these len octets here? They go out as they are. */
int http_reading_verbatim(struct http_reading *reading, const char *at, gsize len);

/* Puts a modifier, "name" or "name=argument" of len octets, into the draft's term. */
int http_modifier_read(struct http_reading *reading, struct http_draft *draft, const char *at,
                       gsize len);

/* Behind the last modifier: brings the steps into their order; -1 if they are no use together. */
int http_modifiers_arrange(struct http_reading *reading, struct http_draft *draft);

#endif
