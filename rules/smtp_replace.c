/* SPDX-License-Identifier: ISC */
/*
 * Owns REPLACE-TEXT. One pass finds the lines whose text occurs at all; each of them is then
 * applied where it may occur, and only what it changed is searched again, so that neither many
 * lines nor a mail that has the texts of all of them take longer than their replacements do. Pure.
 */
#include "rules/smtp.h"

#include "lib/clean.h"
#include <string.h>

#define PIECE                                                                                      \
    2048 /* octets in which the text is cut: what one replacement may cause to be copied */

/* The text is the pieces, one after another. A search text may cross their borders. */
struct piece {
    GString *text;
    guint8 *lines; /* a bit for each line whose text may begin in this piece */
    bool changed;  /* by the line being applied */
};

struct edit {
    const struct smtp_rules *rules;
    enum smtp_replace field;
    const struct smtp_index *index;
    GPtrArray *pieces; /* struct piece * */
    struct many_found *found;
    guint lines;     /* of the section */
    guint8 *pending; /* a bit for each line that is in any piece */
    gsize max;
    bool full;
};

static bool
bit_get(const guint8 *bits, guint32 n)
{
    return bits[n / 8] & 1u << n % 8;
}

static void
bit_set(guint8 *bits, guint32 n)
{
    bits[n / 8] |= (guint8)(1u << n % 8);
}

static void
piece_free(gpointer data)
{
    struct piece *piece = data;

    g_string_free(piece->text, TRUE);
    g_free(piece->lines);
    g_free(piece);
}

static struct piece *
piece_new(const struct edit *edit, const char *octets, gsize len, const guint8 *lines)
{
    struct piece *piece = g_new0(struct piece, 1);
    gsize size = edit->lines / 8 + 1;

    piece->text = g_string_new_len(octets, (gssize)len);
    piece->lines = lines ? g_memdup2(lines, size) : g_malloc0(size);
    return piece;
}

static struct piece *
piece_at(const struct edit *edit, guint n)
{
    return edit->pieces->pdata[n];
}

/* Appends what follows the n-th piece, at most len octets. */
static void
append_following(const struct edit *edit, guint n, gsize len, GString *to)
{
    for (guint i = n + 1; i < edit->pieces->len && len > 0; i++) {
        const GString *text = piece_at(edit, i)->text;
        gsize take = MIN(len, text->len);

        g_string_append_len(to, text->str, (gssize)take);
        len -= take;
    }
}

/* Looks for lines from first on in the n-th piece and as far around it as a text that touches it
 * may reach, and marks where they may begin. */
static void
find_around(struct edit *edit, guint n, guint32 first)
{
    gsize reach = many_longest(edit->index->many) - 1;
    g_autoptr(GString) window = g_string_new(NULL);
    gsize before = 0;
    guint from = n;

    while (from > 0 && before < reach)
        before += piece_at(edit, --from)->text->len;
    for (guint i = from; i <= n; i++)
        g_string_append_len(window, piece_at(edit, i)->text->str,
                            (gssize)piece_at(edit, i)->text->len);
    append_following(edit, n, reach, window);
    many_search(edit->index->many, window->str, window->len, edit->found);
    for (guint i = 0; i < edit->found->texts->len; i++) {
        guint count;
        const guint32 *lines =
            smtp_index_lines(edit->index, g_array_index(edit->found->texts, guint32, i), &count);

        for (guint k = 0; k < count; k++) {
            if (lines[k] < first)
                continue;
            bit_set(edit->pending, lines[k]);
            for (guint p = from; p <= n; p++)
                bit_set(piece_at(edit, p)->lines, lines[k]);
        }
    }
    many_found_reset(edit->found);
}

/* Takes the first len octets behind the n-th piece away. */
static void
consume_following(struct edit *edit, guint n, gsize len)
{
    for (guint i = n + 1; len > 0; i++) {
        GString *text = piece_at(edit, i)->text;
        gsize take = MIN(len, text->len);

        g_string_erase(text, 0, (gssize)take);
        len -= take;
    }
}

/* The occurrences that begin in the n-th piece. before: octets in front of it. */
static bool
apply_to_piece(struct edit *edit, guint n, const char *search, const char *replace, gsize before)
{
    struct piece *piece = piece_at(edit, n);
    gsize len = strlen(search);
    g_autoptr(GString) window = g_string_new_len(piece->text->str, (gssize)piece->text->len);
    g_autoptr(GString) result = g_string_new(NULL);
    gsize at = 0;
    const char *hit;

    append_following(edit, n, len - 1, window);
    while (before + result->len <= edit->max &&
           (hit = memmem(window->str + at, window->len - at, search, len))) {
        g_string_append_len(result, window->str + at, hit - (window->str + at));
        g_string_append(result, replace);
        at = (gsize)(hit - window->str) + len;
        piece->changed = true;
    }
    if (!piece->changed)
        return false;
    if (at < piece->text->len)
        g_string_append_len(result, window->str + at, (gssize)(piece->text->len - at));
    else
        consume_following(edit, n, at - piece->text->len);
    g_string_assign(piece->text, result->str);
    return true;
}

static bool
apply_line(struct edit *edit, guint32 n)
{
    const struct smtp_line *line = smtp_line(edit->rules, SMTP_REPLACE, n);
    g_autofree char *replace = g_strdup(line->replace);
    bool changed = false;
    gsize before = 0;

    if (edit->field == SMTP_REPLACE_SUBJECT)
        g_strdelimit(replace, "\n", ' ');
    if (strcmp(line->search, replace) == 0)
        return false;
    for (guint i = 0; i < edit->pieces->len; i++) {
        struct piece *piece = piece_at(edit, i);

        if (bit_get(piece->lines, n) && apply_to_piece(edit, i, line->search, replace, before))
            changed = true;
        before += piece->text->len;
        if (changed && before > edit->max) {
            /* What follows is cut off anyway. */
            edit->full = true;
            return true;
        }
    }
    return changed;
}

/* What line n has changed: cut again if it grew, and searched for the lines behind n. */
static void
follow_up(struct edit *edit, guint32 n)
{
    for (guint i = 0; i < edit->pieces->len; i++) {
        struct piece *piece = piece_at(edit, i);

        if (!piece->changed)
            continue;
        if (piece->text->len > 2 * PIECE) {
            struct piece *rest =
                piece_new(edit, piece->text->str + PIECE, piece->text->len - PIECE, piece->lines);

            rest->changed = true;
            g_string_truncate(piece->text, PIECE);
            g_ptr_array_insert(edit->pieces, (gint)i + 1, rest);
        }
        find_around(edit, i, n + 1);
        piece->changed = false;
    }
}

/* The text as a reader would find it in a mail: only some replacements are written into one. */
static char *
joined(const struct edit *edit)
{
    GString *text = g_string_new(NULL);
    gsize max = edit->max;

    for (guint i = 0; i < edit->pieces->len; i++)
        g_string_append(text, piece_at(edit, i)->text->str);
    if (edit->full) {
        while (max > 0 && ((guint8)text->str[max] & 0xC0) == 0x80)
            max--;
        g_string_truncate(text, max);
    }
    if (edit->field == SMTP_REPLACE_SUBJECT)
        clean_line(text, edit->max);
    else
        clean_body(text);
    return g_string_free(text, FALSE);
}

static void
start(struct edit *edit, const char *text, gsize len)
{
    for (gsize at = 0; at < len; at += PIECE)
        g_ptr_array_add(edit->pieces, piece_new(edit, text + at, MIN(PIECE, len - at), NULL));
    for (guint i = 0; i < edit->pieces->len; i++)
        find_around(edit, i, 0);
}

static bool
apply_all(struct edit *edit, GArray *hits)
{
    bool changed = false;

    for (guint32 n = 0; n < edit->lines && !edit->full; n++) {
        struct smtp_hit hit = {SMTP_REPLACE, 0, "replace"};

        if (!edit->pending[n / 8])
            n |= 7; /* none of these eight */
        if (!bit_get(edit->pending, n) || !apply_line(edit, n))
            continue;
        changed = true;
        hit.line = smtp_line(edit->rules, SMTP_REPLACE, n)->line;
        if (hits)
            g_array_append_val(hits, hit);
        if (!edit->full)
            follow_up(edit, n);
    }
    return changed;
}

char *
smtp_rules_replace(const struct smtp_rules *rules, enum smtp_replace field, const char *text,
                   gsize max, GArray *hits)
{
    const struct smtp_index *index = &rules->replace[field];
    struct edit edit = {.rules = rules, .field = field, .index = index, .max = max};
    g_autoptr(ManyFound) found = index->many ? many_found_new(index->many) : NULL;
    g_autoptr(GPtrArray) pieces = NULL;
    g_autofree guint8 *pending = NULL;
    gsize len = strlen(text);

    if (!found)
        return NULL;
    many_search(index->many, text, len, found);
    if (found->texts->len == 0)
        return NULL;
    many_found_reset(found);
    edit.found = found;
    edit.lines = rules->lines[SMTP_REPLACE]->len;
    edit.pieces = pieces = g_ptr_array_new_with_free_func(piece_free);
    edit.pending = pending = g_malloc0(edit.lines / 8 + 1);
    start(&edit, text, len);
    return apply_all(&edit, hits) ? joined(&edit) : NULL;
}
