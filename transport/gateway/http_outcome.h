/* SPDX-License-Identifier: ISC */
/* What a reply means for the part: its class, its sentence, the provider's name for it. */
#ifndef TRANSPORT_GATEWAY_HTTP_OUTCOME_H
#define TRANSPORT_GATEWAY_HTTP_OUTCOME_H

#include "transport/gateway/http_transfer.h"

struct http_outcome {
    enum gateway_class class;
    char *gateway_ref; /* "" if none */
    gint64 wait_ms;
    struct outcome why;
    char *decided; /* for a person: which rule, or what else; secrets masked */
};

/* now_s: seconds since 1970. */
void http_outcome_of(const struct http_settings *settings, const struct gateway_part *part,
                     const struct http_reply *reply, gint64 now_s, struct http_outcome *ret);
void http_outcome_clear(struct http_outcome *outcome);

/* Why a connection could not be made; 0 if it was. */
int http_outcome_of_connect(const struct http_settings *settings, const struct http_reply *reply,
                            struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
