/* SPDX-License-Identifier: ISC */
/*
 * The one message form on our sockets: "name=value" strings, each ended by NUL, an empty one ending
 * the list. On the socket between postsmsd and a reader each list is a frame: four octets of
 * length, most significant first, then the list.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include "lib/outcome.h"

#define WIRE_ENVELOPE_MAX 16384         /* octets of an envelope: addresses are short */
#define WIRE_FRAME_MAX    (4 * 1048576) /* octets of a reader's answer */

/* Writing: append pairs, then end. Names are [a-z0-9-]+; a value's NUL and what follows is lost. */
void wire_put(GString *to, const char *name, const char *value);
void wire_put_int(GString *to, const char *name, gint64 value);
void wire_end(GString *to);

/* A list that was read. */
struct wire;
void wire_free(struct wire *wire);

typedef struct wire Wire;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_free)

/*
 * Reads one list from the first len octets at data. 1: complete, *ret is the caller's, *ret_used
 * the octets it took. 0: more octets are needed. -1: never a list (bad or repeated name, string
 * without '=', longer than max), why says so.
 */
int wire_parse(const char *data, gsize len, gsize max, struct wire **ret, gsize *ret_used,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The value, borrowed; NULL if the list has no such name. */
const char *wire_get(const struct wire *wire, const char *name);

/* The value as a number within [min, max], fallback if absent or anything else. */
gint64 wire_get_int(const struct wire *wire, const char *name, gint64 min, gint64 max,
                    gint64 fallback);

/* Every pair, in the order read. */
void wire_each(const struct wire *wire,
               void (*each)(void *context, const char *name, const char *value), void *context);

/* list as a frame. */
void wire_frame(GString *to, const GString *list);

/* As wire_parse, for one frame; rest after the list inside the frame is a fault. */
int wire_parse_frame(const char *data, gsize len, struct wire **ret, gsize *ret_used,
                     struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
