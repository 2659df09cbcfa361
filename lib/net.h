/* SPDX-License-Identifier: ISC */
/* Client networks: "192.0.2.0/24", "::1" and the like. */
#ifndef LIB_NET_H
#define LIB_NET_H

#include <glib.h>
#include <stdbool.h>

/* A network. NULL if text is not one: an IPv4 or IPv6 address, with /LENGTH or alone; host bits
 * must be zero. To be freed with g_free. */
struct net *net_parse(const char *text);

/* True if the printable address (also "IPv6:…" and IPv4-mapped) lies in one of the networks (struct
 * net *). */
bool net_contains(const GPtrArray *networks, const char *address);

#endif
