/* SPDX-License-Identifier: ISC */
/* Time and chance, handed to whoever needs them, so that tests can hand in others. */
#ifndef LIB_CLK_H
#define LIB_CLK_H

#include <glib.h>

struct clk {
    gint64 (*wall)(void);                  /* milliseconds since 1970 */
    gint64 (*mono)(void);                  /* milliseconds, never jumps */
    void (*random)(void *to, gsize count); /* octets from the system's generator */
};

extern const struct clk clk_system;

/* RFC 3339 with seconds and offset, local time zone: "2026-11-22T22:05:31+01:00". Newly allocated.
 */
char *clk_string(gint64 wall_ms);

#endif
