/* SPDX-License-Identifier: ISC */
/* The sections gateway "NAME" { } of postsms.conf, for lib/conf.c. */
#ifndef LIB_CONF_GATEWAY_H
#define LIB_CONF_GATEWAY_H

#include "lib/conf.h"
#include "lib/conf_value.h"

extern cfg_opt_t conf_gateway_keys[];

/* Adds what a section says, and its profile, to conf->gateways. */
void conf_gateway_get(cfg_t *cfg, struct conf *conf);
void conf_gateway_free(gpointer gateway);

#endif
