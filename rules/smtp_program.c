/* SPDX-License-Identifier: ISC */
/*
 * Owns the compiled SMTP rules: immutable once the parser has handed them out, counted, shared by
 * threads. Must never look at a mail.
 */
#include "rules/smtp.h"

#include "rules/fold.h"
#include <string.h>

static const char *const section_names[SMTP_SECTIONS] = {
    [SMTP_ALLOW] = "ALLOW-FROM-DOMAIN", [SMTP_DENY] = "DENY-FROM-DOMAIN",
    [SMTP_REPLACE] = "REPLACE-TEXT",    [SMTP_SPAM] = "SPAM-FILTER-RULES",
    [SMTP_FILTER] = "FILTER-ADDRESSES",
};

const char *
smtp_section_name(enum smtp_section section)
{
    return section_names[section];
}

static void
line_clear(gpointer data)
{
    struct smtp_line *line = data;

    g_free(line->search);
    g_free(line->replace);
}

struct smtp_rules *
smtp_program_new(const char *file)
{
    struct smtp_rules *rules = g_new0(struct smtp_rules, 1);

    rules->references = 1;
    rules->file = g_strdup(file);
    for (int section = 0; section < SMTP_SECTIONS; section++) {
        rules->lines[section] = g_array_new(FALSE, FALSE, sizeof(struct smtp_line));
        g_array_set_clear_func(rules->lines[section], line_clear);
    }
    for (int section = SMTP_ALLOW; section <= SMTP_DENY; section++) {
        rules->endings[section].lines =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        rules->endings[section].lengths = g_byte_array_new();
    }
    return rules;
}

struct smtp_rules *
smtp_rules_ref(struct smtp_rules *rules)
{
    g_atomic_int_inc(&rules->references);
    return rules;
}

void
smtp_rules_unref(struct smtp_rules *rules)
{
    if (!rules || !g_atomic_int_dec_and_test(&rules->references))
        return;
    for (int section = 0; section < SMTP_SECTIONS; section++)
        g_array_unref(rules->lines[section]);
    for (int section = SMTP_ALLOW; section <= SMTP_DENY; section++) {
        g_hash_table_unref(rules->endings[section].lines);
        g_byte_array_unref(rules->endings[section].lengths);
        g_free(rules->endings[section].filter);
    }
    smtp_index_clear(&rules->filter);
    for (int field = 0; field < SMTP_REPLACE_FIELDS; field++)
        smtp_index_clear(&rules->replace[field]);
    smtp_index_clear(&rules->spam[0]);
    smtp_index_clear(&rules->spam[1]);
    g_free(rules->file);
    g_free(rules);
}

const char *
smtp_rules_file(const struct smtp_rules *rules)
{
    return rules->file;
}

guint
smtp_rules_count(const struct smtp_rules *rules, enum smtp_section section)
{
    return rules->lines[section]->len;
}

static int
add_ending(struct smtp_endings *endings, const struct smtp_line *line)
{
    char *folded = fold_text(line->search);
    gsize len = strlen(folded);
    int earlier = GPOINTER_TO_INT(g_hash_table_lookup(endings->lines, folded));

    if (earlier) {
        g_free(folded);
        return earlier;
    }
    while (endings->lengths->len <= len)
        g_byte_array_append(endings->lengths, (const guint8 *)"", 1);
    endings->lengths->data[len] = 1;
    g_hash_table_insert(endings->lines, folded, GINT_TO_POINTER(line->line));
    return 0;
}

static void
build_filter(struct smtp_endings *endings)
{
    /* 16 bits a text: one question in sixteen goes to the table for nothing. */
    guint64 wanted = 16 * (guint64)g_hash_table_size(endings->lines);
    GHashTableIter texts;
    gpointer key;

    endings->filter_bits = 8;
    while (endings->filter_bits < 30 && (1ull << endings->filter_bits) < wanted)
        endings->filter_bits++;
    endings->filter = g_malloc0((1ul << endings->filter_bits) / 8);
    g_hash_table_iter_init(&texts, endings->lines);
    while (g_hash_table_iter_next(&texts, &key, NULL)) {
        const char *text = key;
        guint32 hash = SMTP_HASH_START;
        guint32 bit;

        for (gsize i = strlen(text); i > 0; i--)
            hash = smtp_hash(hash, text[i - 1]);
        bit = smtp_filter_bit(endings, hash);
        endings->filter[bit / 8] |= (guint8)(1u << bit % 8);
    }
}

void
smtp_program_finish(struct smtp_rules *rules)
{
    const GArray *spam = rules->lines[SMTP_SPAM];

    for (int section = SMTP_ALLOW; section <= SMTP_DENY; section++)
        build_filter(&rules->endings[section]);
    smtp_index_build(&rules->filter, rules->lines[SMTP_FILTER],
                     (struct smtp_index_kind){.fields = ~0u, .fold = true, .once = true});
    for (guint field = 0; field < SMTP_REPLACE_FIELDS; field++)
        smtp_index_build(&rules->replace[field], rules->lines[SMTP_REPLACE],
                         (struct smtp_index_kind){.fields = 1u << field});
    smtp_index_build(
        &rules->spam[0], spam,
        (struct smtp_index_kind){.fields = ~SMTP_SPAM_EXACT, .fold = true, .once = true});
    smtp_index_build(&rules->spam[1], spam,
                     (struct smtp_index_kind){.fields = SMTP_SPAM_EXACT, .once = true});
    for (guint field = 0; field < SMTP_SPAM_FIELDS; field++)
        rules->spam_first[field] = SMTP_NONE;
    for (guint32 i = spam->len; i > 0; i--)
        rules->spam_first[smtp_line(rules, SMTP_SPAM, i - 1)->field] = i - 1;
}

/* The other sections have no index yet: their lines are told apart by their canonical text, section
 * in front. */
static int
add_seen(GHashTable *seen, enum smtp_section section, const struct smtp_line *line)
{
    GString *text = g_string_new(section_names[section]);
    char *key;
    int earlier;

    g_string_append_c(text, '\n');
    smtp_print_line(text, section, line);
    key = g_string_free(text, FALSE);
    if (section == SMTP_FILTER) {
        char *folded = fold_text(key);
        g_free(key);
        key = folded;
    }
    earlier = GPOINTER_TO_INT(g_hash_table_lookup(seen, key));
    if (earlier)
        g_free(key);
    else
        g_hash_table_insert(seen, key, GINT_TO_POINTER(line->line));
    return earlier;
}

GHashTable *
smtp_program_seen_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

int
smtp_program_add(struct smtp_rules *rules, enum smtp_section section, struct smtp_line *line,
                 GHashTable *seen)
{
    g_array_append_val(rules->lines[section], *line);
    return section <= SMTP_DENY ? add_ending(&rules->endings[section], line)
                                : add_seen(seen, section, line);
}
