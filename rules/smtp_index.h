/* SPDX-License-Identifier: ISC */
/* Lines of one section, made ready for a search for all of them at once. */
#ifndef RULES_SMTP_INDEX_H
#define RULES_SMTP_INDEX_H

#include "rules/many.h"
#include <stdbool.h>

struct smtp_index {
    struct many *many; /* NULL: no lines */
    guint32 *first;    /* by text: where its lines begin in lines; the next one's end them */
    guint32 *lines;
};

/* What an index takes from a line. */
struct smtp_index_kind {
    guint fields; /* a bit for each field whose lines are in it */
    bool fold;    /* texts are folded */
    bool once;    /* of lines that say the same, only the first */
};

/* lines: struct smtp_line. Their texts are not kept. */
void smtp_index_build(struct smtp_index *index, const GArray *lines, struct smtp_index_kind kind);
void smtp_index_clear(struct smtp_index *index);

/* The lines (as numbers in their section, in file order) that have a text which was found; *ret_n
 * of them, never 0. Borrowed. */
const guint32 *smtp_index_lines(const struct smtp_index *index, guint32 text, guint *ret_n);

#endif
