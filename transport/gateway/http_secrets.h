/* SPDX-License-Identifier: ISC */
/* The secrets of one gateway: read from its file, never shown, wiped when done with. */
#ifndef TRANSPORT_GATEWAY_HTTP_SECRETS_H
#define TRANSPORT_GATEWAY_HTTP_SECRETS_H

#include "lib/outcome.h"

struct http_secrets;

/*
 * A file of lines "name = value" ('#' begins a comment line), or of one line that is the value of
 * the name "secret". Refused if anybody but owner and group may read it. -1: why is CONFIG 4.3.5
 * and names file and line, never a value.
 */
int http_secrets_read(const char *path, struct http_secrets **ret,
                      struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
struct http_secrets *http_secrets_none(void);
void http_secrets_free(struct http_secrets *secrets);

/* NULL if there is none; borrowed. */
const char *http_secrets_get(const struct http_secrets *secrets, const char *name);

/* Puts "***" in the place of every secret of at least four octets: as it is, percent-encoded, as
 * JSON, HTML or base64 have it, and of two of them as basic authentication has them. Before a text
 * is cut: the beginning of a secret is not known as one. */
void http_secrets_mask(const struct http_secrets *secrets, GString *text);

#endif
