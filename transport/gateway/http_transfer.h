/* SPDX-License-Identifier: ISC */
/* One request on the wire, and what came of it. */
#ifndef TRANSPORT_GATEWAY_HTTP_TRANSFER_H
#define TRANSPORT_GATEWAY_HTTP_TRANSFER_H

#include "transport/gateway/http_loop.h"
#include "transport/gateway/http_request.h"

#define HTTP_ANSWER_MAX (256 * 1024) /* octets of a body, and of all headers */

struct http_reply {
    CURLcode code;
    char error[CURL_ERROR_SIZE]; /* libcurl's sentence, "" if there is none */
    bool written;                /* octets of the request may have left */
    bool answered;               /* octets of an answer came, */
    bool whole_head;             /* up to the empty line behind its headers */
    bool kept;                   /* it went over a connection that had been used before */
    bool repeated;               /* libcurl wanted to send it a second time and was not let */
    bool too_long;               /* body or headers were longer than HTTP_ANSWER_MAX */
    int status;                  /* of the last answer that was not 1xx; 0: none */
    GString *headers;            /* its lines, LF behind each, without the status line */
    GString *body;
};

struct http_transfer;

/* Called once, from the loop; the transfer is freed behind it. */
typedef void http_transfer_done_fn(void *context, const struct http_reply *reply);

/*
 * Sends request, at most once, whatever happens. It stays the caller's until done. Certificates are
 * verified, TLS is 1.2 or newer, HTTP is 1.1, no redirect is followed, no proxy but the settings'
 * is used.
 */
struct http_transfer *http_transfer_send(struct http_loop *loop,
                                         const struct http_settings *settings,
                                         const struct http_request *request,
                                         http_transfer_done_fn *done, void *context);

/* Connects, TLS included, and sends nothing. */
struct http_transfer *http_transfer_connect(struct http_loop *loop,
                                            const struct http_settings *settings,
                                            const struct http_request *request,
                                            http_transfer_done_fn *done, void *context);

/* Instead of done. */
void http_transfer_cancel(struct http_transfer *transfer);

#endif
