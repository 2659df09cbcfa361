/* SPDX-License-Identifier: ISC */
/* An HTTP answer as rules (http_result.c) and extracts (http_extract.c) look at it. */
#ifndef TRANSPORT_GATEWAY_HTTP_ANSWER_H
#define TRANSPORT_GATEWAY_HTTP_ANSWER_H

#include "transport/gateway/http_result.h"
#include "transport/gateway/json_pointer.h"
#include "transport/gateway/regex.h"

struct http_answer {
    int status;
    char *headers;
    char *body; /* with a NUL behind it */
    gsize len;
    char *digits; /* of the number */
    json_t *json; /* NULL if the body is none, or nobody asked yet */
    bool json_tried;
    bool gave_up;
};

/* The body as JSON, read when it is first asked for; NULL if it is none. */
const json_t *http_answer_json(struct http_answer *answer);

/* The next header with that name, its value without blanks around it; false if there is none. *at:
 * NULL at first. */
bool http_answer_header(const struct http_answer *answer, const char *name, const char **at,
                        const char **ret_value, gsize *ret_len);

/* Is there a match? If nobody knows, there is none, and the answer remembers that. */
bool http_answer_search(struct http_answer *answer, const struct regex *regex, const char *text,
                        gsize len, struct regex_span *ret);

#endif
