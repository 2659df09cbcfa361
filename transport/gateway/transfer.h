/* SPDX-License-Identifier: ISC */
/* libcurl's transfers in our event loop: one multi handle, any number of easy ones. */
#ifndef TRANSPORT_GATEWAY_TRANSFER_H
#define TRANSPORT_GATEWAY_TRANSFER_H

#include <curl/curl.h>
#include <glib.h>
#include <systemd/sd-event.h>

struct transfers;

/* NULL only without memory. */
struct transfers *transfers_new(sd_event *loop);

/* Ends what is under way without telling anybody. */
void transfers_free(struct transfers *transfers);

/* Runs easy, which stays the caller's; done is called once, from the loop, and may clean easy up.
 */
typedef void transfer_done_fn(void *context, CURL *easy, CURLcode result);
void transfers_add(struct transfers *transfers, CURL *easy, transfer_done_fn *done, void *context);

#endif
