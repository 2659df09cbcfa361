/* SPDX-License-Identifier: ISC */
/* A result rule as its grammar (http_rule.c) leaves it to its judge (http_result.c). */
#ifndef TRANSPORT_GATEWAY_HTTP_RULE_H
#define TRANSPORT_GATEWAY_HTTP_RULE_H

#include "transport/gateway/http_result.h"
#include "transport/gateway/json_pointer.h"
#include "transport/gateway/regex.h"

enum subject { SUBJECT_STATUS, SUBJECT_JSON, SUBJECT_BODY, SUBJECT_HEADER };

enum relation { RELATION_EQUAL, RELATION_UNEQUAL, RELATION_EXISTS, RELATION_ABSENT, RELATION_ALL };

struct range {
    int from, to;
};

struct value {
    char *text;
    bool quoted; /* a JSON string and nothing else */
};

struct condition {
    enum subject subject;
    GArray *ranges;               /* http: struct range */
    struct json_pointer *pointer; /* json */
    enum relation relation;       /* json */
    GArray *values;               /* json: struct value */
    char *name;                   /* header */
    struct regex *regex;          /* body, header; NULL: it is there */
};

struct http_rule {
    char *text;
    GPtrArray *conditions;
    enum gateway_class class;
};

#endif
