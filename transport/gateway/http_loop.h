/* SPDX-License-Identifier: ISC */
/* One libcurl multi handle in the event loop: every transfer of every HTTP gateway of a process. */
#ifndef TRANSPORT_GATEWAY_HTTP_LOOP_H
#define TRANSPORT_GATEWAY_HTTP_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct http_loop;

/* Never fails but without memory. */
struct http_loop *http_loop_new(sd_event *loop);
void http_loop_free(struct http_loop *loop); /* without a transfer under way */

/* Called once, from the event loop; easy is the callee's again. */
typedef void http_loop_done_fn(void *context, CURL *easy, CURLcode code);

/* easy is the loop's until done or http_loop_remove. */
void http_loop_add(struct http_loop *loop, CURL *easy, http_loop_done_fn *done, void *context);
void http_loop_remove(struct http_loop *loop, CURL *easy);

/* Has the connection from that local port octets that nobody has read, or ended? */
bool http_loop_unread(struct http_loop *loop, int local_port);

#endif
