/* SPDX-License-Identifier: ISC */
/* Octets for people and JSON. */
#ifndef LIB_HEX_H
#define LIB_HEX_H

#include <glib.h>

/* octets as upper-case hex. Newly allocated. */
char *hex_of(GBytes *octets);

#endif
