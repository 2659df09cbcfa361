/* SPDX-License-Identifier: ISC */
/* Owns which lines stand behind each text that is searched for. */
#include "rules/smtp_index.h"

#include "rules/fold.h"
#include "rules/smtp.h"
#include <stdlib.h>
#include <string.h>

struct entry {
    const char *text;
    guint32 line;
};

static int
by_text(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : x->line < y->line ? -1 : 1;
}

/* Entries of one text, [from, to): true if one of the lines kept so far says the same. */
static bool
repeats(const GArray *lines, const GArray *uses, guint from, guint32 line)
{
    const struct smtp_line *this = &g_array_index(lines, struct smtp_line, line);

    for (guint i = from; i < uses->len; i++) {
        const struct smtp_line *earlier =
            &g_array_index(lines, struct smtp_line, g_array_index(uses, guint32, i));

        if (earlier->field == this->field && earlier->action == this->action)
            return true;
    }
    return false;
}

static void
collect(struct smtp_index *index, const GArray *lines, const GArray *entries, bool once)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) uses = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint32 from = 0;

    for (guint i = 0; i < entries->len; i++) {
        const struct entry *entry = &g_array_index(entries, struct entry, i);

        if (i == 0 || strcmp(entry->text, entry[-1].text) != 0) {
            from = uses->len;
            g_array_append_val(first, from);
            g_ptr_array_add(texts, (gpointer)entry->text);
        }
        if (!once || !repeats(lines, uses, from, entry->line))
            g_array_append_val(uses, entry->line);
    }
    from = uses->len;
    g_array_append_val(first, from);
    index->many = many_new((const char *const *)texts->pdata, texts->len);
    index->first = g_memdup2(first->data, first->len * sizeof(guint32));
    index->lines = g_memdup2(uses->data, uses->len * sizeof(guint32));
}

void
smtp_index_build(struct smtp_index *index, const GArray *lines, struct smtp_index_kind kind)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    g_autoptr(GPtrArray) folded = g_ptr_array_new_with_free_func(g_free);

    for (guint32 i = 0; i < lines->len; i++) {
        const struct smtp_line *line = &g_array_index(lines, struct smtp_line, i);
        struct entry entry = {line->search, i};

        if (!(kind.fields & 1u << line->field))
            continue;
        if (kind.fold) {
            entry.text = fold_text(line->search);
            g_ptr_array_add(folded, (gpointer)entry.text);
        }
        g_array_append_val(entries, entry);
    }
    if (entries->len == 0)
        return;
    qsort(entries->data, entries->len, sizeof(struct entry), by_text);
    collect(index, lines, entries, kind.once);
}

void
smtp_index_clear(struct smtp_index *index)
{
    g_clear_pointer(&index->many, many_free);
    g_clear_pointer(&index->first, g_free);
    g_clear_pointer(&index->lines, g_free);
}

const guint32 *
smtp_index_lines(const struct smtp_index *index, guint32 text, guint *ret_n)
{
    *ret_n = index->first[text + 1] - index->first[text];
    return index->lines + index->first[text];
}
