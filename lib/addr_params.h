/* SPDX-License-Identifier: ISC */
/* The parameters of an address, for lib/addr.c. */
#ifndef LIB_ADDR_PARAMS_H
#define LIB_ADDR_PARAMS_H

#include "lib/addr.h"

/* Frees a string that may hold a password, its octets first. */
void addr_wipe(char **secret);
#define addr_auto_wipe __attribute__((cleanup(addr_wipe)))

/* value with its %XX decoded; a '%' that begins none becomes lone, or the answer is NULL if lone is
 * 0. */
char *addr_decode(const char *value, char lone);

/* Adds "name=value&name=value…" to addr; -1: why is NOUSER 5.1.3 and names the parameter. */
int addr_add_params(struct addr *addr, const char *params,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
