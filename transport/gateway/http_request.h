/* SPDX-License-Identifier: ISC */
/* One HTTP request for one part, from the settings' templates. */
#ifndef TRANSPORT_GATEWAY_HTTP_REQUEST_H
#define TRANSPORT_GATEWAY_HTTP_REQUEST_H

#include "transport/gateway/http_settings.h"

struct http_request {
    const char *method; /* the settings' */
    char *url;
    GPtrArray *headers; /* char *: "Name: value" */
    GString *body;      /* NULL: none */
    char *user;         /* of auth BASIC and SIGV4, else NULL */
    char *secret;       /* the same */
    char *sigv4;        /* NULL without */
};

/*
 * now_s: seconds since 1970. masked: for a person, secrets are "***". -1: why is DATA (the part
 * cannot be written so), CONFIG (no secrets, no http or https URL) or REFUSED (the address's values
 * repeat a parameter of the template).
 */
int http_request_build(const struct http_settings *settings, const struct gateway_part *part,
                       gint64 now_s, bool masked, struct http_request **ret,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes what may be secret. */
void http_request_free(struct http_request *request);
typedef struct http_request HttpRequest;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRequest, http_request_free)

#endif
