/* SPDX-License-Identifier: ISC */
/* How a value is written so that it ends where it ends, whatever is in it. */
#ifndef TRANSPORT_GATEWAY_HTTP_ESCAPE_H
#define TRANSPORT_GATEWAY_HTTP_ESCAPE_H

#include "transport/gateway/http_template.h"

/* Appends len octets to out. They are UTF-8 for JSON, XML and headers, anything elsewhere. */
void http_escape(enum http_place how, const char *octets, gsize len, GString *out);

#endif
