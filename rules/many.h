/* SPDX-License-Identifier: ISC */
/*
 * Which of many texts occur in one: a single pass whose time depends on the text searched, however
 * hostile, not on how many texts are looked for. Immutable once made; threads may share it.
 */
#ifndef RULES_MANY_H
#define RULES_MANY_H

#include <glib.h>

struct many;

/* texts: n of them, sorted by strcmp, all different, none empty; the n-th is known as n, from 0.
 * Not kept. */
struct many *many_new(const char *const *texts, guint n);
void many_free(struct many *many);

/* Octets of the longest text. */
gsize many_longest(const struct many *many);

/* What searches have found, each text once. */
struct many_found {
    GArray *texts; /* guint32, in no order that matters */
    guint8 *seen;  /* a bit for each text */
};
struct many_found *many_found_new(const struct many *many);
void many_found_reset(struct many_found *found);
void many_found_free(struct many_found *found);
typedef struct many_found ManyFound;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ManyFound, many_found_free)

/* Adds to found the texts that occur in these len octets. */
void many_search(const struct many *many, const char *octets, gsize len, struct many_found *found);

/* The same in the octets folded (fold.h), in blocks: memory does not grow with len. */
void many_search_folded(const struct many *many, const char *octets, gsize len,
                        struct many_found *found);

#endif
