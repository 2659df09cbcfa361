/* SPDX-License-Identifier: ISC */
/*
 * SMTP by libcurl beside the event loop: each transfer runs in a thread of its own, because libcurl
 * waits inside for Postfix's answer to the end of a mail, and to QUIT. Its end is told in the loop.
 */
#ifndef TRANSPORT_DISPATCH_TRANSFER_H
#define TRANSPORT_DISPATCH_TRANSFER_H

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct transfers;

/* NULL only without memory. */
struct transfers *transfers_new(sd_event *loop);

/* The loop ends. False: transfers are under way, and everything they were given must stay until the
 * process is gone. */
bool transfers_free(struct transfers *transfers);

/* Runs easy, which stays the caller's and is not touched until done, called once, from the loop; it
 * may clean easy up. False: no thread could be had, and done will not be called. */
typedef void transfer_done_fn(void *context, CURL *easy, CURLcode result);
bool transfers_add(struct transfers *transfers, CURL *easy, transfer_done_fn *done, void *context);

#endif
