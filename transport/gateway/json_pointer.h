/* SPDX-License-Identifier: ISC */
/*
 * JSON pointers (RFC 6901) with two additions: a segment "*" stands for every element of an array
 * and every member of an object, and "%number%" inside a segment for the digits of a phone number.
 * A member whose name is "*" can only be reached through the wildcard.
 */
#ifndef TRANSPORT_GATEWAY_JSON_POINTER_H
#define TRANSPORT_GATEWAY_JSON_POINTER_H

#include "lib/outcome.h"
#include <jansson.h>

struct json_pointer;

/* -1: why is CONFIG and says what is wrong, *ret_at at which octet of text. */
int json_pointer_parse(const char *text, struct json_pointer **ret, gsize *ret_at,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void json_pointer_free(struct json_pointer *pointer);
typedef struct json_pointer JsonPointer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonPointer, json_pointer_free)

/* False: no more. */
typedef bool json_pointer_fn(void *context, const json_t *value);

/*
 * Calls each with every value that the pointer leads to, in the order of the document, and with
 * NULL wherever it leads nowhere: a name or element that is not there, a wildcard over nothing. At
 * least one call, at most one for each value of the document. digits: what %number% stands for.
 */
void json_pointer_each(const struct json_pointer *pointer, const json_t *root, const char *digits,
                       json_pointer_fn *each, void *context);

/* Appends a string, a number (the shortest that reads back the same) or a boolean as text. False:
 * it is none of these. */
bool json_scalar_text(const json_t *value, GString *to);

#endif
