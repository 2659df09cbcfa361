/* SPDX-License-Identifier: ISC */
/*
 * Owns the warnings about legal lines that can do nothing, found by letting the rules search each
 * other's texts. What one line alone shows is said by the parser. Must never refuse anything.
 */
#include "rules/smtp.h"

#include "rules/fold.h"
#include <string.h>

/* One section's lines being asked about, one after another. */
struct check {
    const struct smtp_rules *rules;
    Faults *faults;
    const struct smtp_line *line;
    guint32 number; /* of line in its section */
};

#define WARN(check, ...)                                                                           \
    faults_warn((check)->faults, (check)->rules->file, (check)->line->line, __VA_ARGS__)

/* A new object to find index's texts in other texts; NULL if it has none. */
static struct many_found *
found_for(const struct smtp_index *index)
{
    return index->many ? many_found_new(index->many) : NULL;
}

static void
check_ending(struct check *check, enum smtp_section section)
{
    const struct smtp_endings *endings = &check->rules->endings[section];
    g_autofree char *folded = fold_text(check->line->search);
    int first = GPOINTER_TO_INT(g_hash_table_lookup(endings->lines, folded));
    int shorter = smtp_find_ending(endings, folded, strlen(folded) - 1);
    int deny = section == SMTP_DENY
                   ? 0
                   : smtp_find_ending(&check->rules->endings[SMTP_DENY], folded, G_MAXSIZE);

    if (first != check->line->line)
        return; /* a repetition, which the parser has said */
    if (deny)
        WARN(check, "admits nobody: line %d of [DENY-FROM-DOMAIN] refuses every such sender", deny);
    else if (shorter)
        WARN(check, "does nothing that line %d does not do: whoever ends with this ends with that",
             shorter);
}

/* True if no mail has such a text, decoded. */
static bool
cannot_occur(const char *search, bool subject)
{
    for (; *search; search = g_utf8_next_char(search)) {
        gunichar c = g_utf8_get_char(search);

        if ((c < 0x20 || (c >= 0x7F && c < 0xA0)) && (subject || (c != '\n' && c != '\t')))
            return true;
    }
    return false;
}

static void
check_replace(struct check *check, struct many_found *const found[])
{
    const struct smtp_line *line = check->line;
    const struct smtp_index *index = &check->rules->replace[line->field];
    struct many_found *in_it = found[line->field];
    guint32 lowest = check->number;

    if (line->field == SMTP_REPLACE_SUBJECT && strchr(line->search, '\n'))
        WARN(check, "never matches: a subject has no line breaks");
    else if (cannot_occur(line->search, line->field == SMTP_REPLACE_SUBJECT))
        WARN(check, "never matches: decoded texts have no control characters");
    if (strcmp(line->search, line->replace) == 0)
        WARN(check, "changes nothing: search and replacement are the same");
    many_search(index->many, line->search, strlen(line->search), in_it);
    for (guint i = 0; i < in_it->texts->len; i++) {
        guint n;
        guint32 first = *smtp_index_lines(index, g_array_index(in_it->texts, guint32, i), &n);
        const struct smtp_line *other = smtp_line(check->rules, SMTP_REPLACE, first);

        if (strcmp(other->search, other->replace) != 0)
            lowest = MIN(lowest, first);
    }
    many_found_reset(in_it);
    if (lowest < check->number) {
        const struct smtp_line *other = smtp_line(check->rules, SMTP_REPLACE, lowest);
        g_autoptr(GString) shown = g_string_new(NULL);

        if (strcmp(other->search, line->search) == 0 && strcmp(other->replace, line->replace) == 0)
            return; /* a repetition */
        smtp_mask(shown, other->search, true);
        WARN(check, "may never match: line %d replaces \"%s\" in it first", other->line,
             shown->str);
    }
}

/* True if what a field sees is part of what the wider one sees, and whatever text is in that is in
 * this. */
static bool
covers(guint8 wider, guint8 field)
{
    /* By wider field: the fields it covers. */
    static const guint covered[SMTP_SPAM_FIELDS] = {1u << 0,
                                                    1u << 1 | 1u << 2,
                                                    1u << 2,
                                                    1u << 3 | 1u << 4,
                                                    1u << 4,
                                                    0x7Eu,
                                                    1u << 2 | 1u << 4 | 1u << 6,
                                                    1u << 7 | 1u << 8,
                                                    1u << 8};

    return covered[wider] & 1u << field;
}

/* The lowest line below lowest that disposes of every mail which the checked one would match. */
static guint32
disposed_before(const struct check *check, const struct smtp_index *index, struct many_found *in_it,
                guint32 lowest)
{
    for (guint i = 0; i < in_it->texts->len; i++) {
        guint n;
        const guint32 *lines = smtp_index_lines(index, g_array_index(in_it->texts, guint32, i), &n);

        for (guint k = 0; k < n && lines[k] < lowest; k++) {
            const struct smtp_line *other = smtp_line(check->rules, SMTP_SPAM, lines[k]);

            if (other->action <= 2 && covers(other->field, check->line->field))
                lowest = lines[k];
        }
    }
    many_found_reset(in_it);
    return lowest;
}

static void
check_spam(struct check *check, struct many_found *const found[])
{
    const struct smtp_line *line = check->line;
    guint32 lowest = check->number;
    const struct smtp_line *other;

    if ((line->field == 3 || line->field == 4) && cannot_occur(line->search, false))
        WARN(check, "never matches: decoded texts have no control characters");
    for (guint exact = 0; exact < 2; exact++) {
        const struct smtp_index *index = &check->rules->spam[exact];

        if (!found[exact])
            continue;
        if (exact)
            many_search(index->many, line->search, strlen(line->search), found[exact]);
        else
            many_search_folded(index->many, line->search, strlen(line->search), found[exact]);
        lowest = disposed_before(check, index, found[exact], lowest);
    }
    if (lowest == check->number)
        return;
    other = smtp_line(check->rules, SMTP_SPAM, lowest);
    if (other->field == line->field && other->action == line->action &&
        strcmp(other->search, line->search) == 0)
        return; /* a repetition */
    WARN(check, "is never reached: line %d disposes of every mail that it would match",
         other->line);
}

static void
check_filter(struct check *check, struct many_found *found)
{
    const struct smtp_index *index = &check->rules->filter;
    g_autofree char *folded = fold_text(check->line->search);
    guint32 lowest = SMTP_NONE;

    many_search(index->many, folded, strlen(folded), found);
    for (guint i = 0; i < found->texts->len; i++) {
        guint n;
        guint32 first = *smtp_index_lines(index, g_array_index(found->texts, guint32, i), &n);
        const struct smtp_line *other = smtp_line(check->rules, SMTP_FILTER, first);
        g_autofree char *text = fold_text(other->search);

        if (strcmp(text, folded) != 0)
            lowest = MIN(lowest, first);
    }
    many_found_reset(found);
    if (lowest != SMTP_NONE)
        WARN(check, "does nothing that line %d does not do: it contains that line's text",
             smtp_line(check->rules, SMTP_FILTER, lowest)->line);
}

void
smtp_rules_check(const struct smtp_rules *rules, Faults *faults)
{
    g_autoptr(ManyFound) subject = found_for(&rules->replace[SMTP_REPLACE_SUBJECT]);
    g_autoptr(ManyFound) body = found_for(&rules->replace[SMTP_REPLACE_BODY]);
    g_autoptr(ManyFound) folded = found_for(&rules->spam[0]);
    g_autoptr(ManyFound) exact = found_for(&rules->spam[1]);
    g_autoptr(ManyFound) filter = found_for(&rules->filter);
    struct many_found *const replace[] = {subject, body};
    struct many_found *const spam[] = {folded, exact};

    for (int section = 0; section < SMTP_SECTIONS; section++)
        for (guint32 n = 0; n < rules->lines[section]->len; n++) {
            struct check check = {rules, faults, smtp_line(rules, section, n), n};

            if (section <= SMTP_DENY)
                check_ending(&check, section);
            else if (section == SMTP_REPLACE)
                check_replace(&check, replace);
            else if (section == SMTP_SPAM)
                check_spam(&check, spam);
            else
                check_filter(&check, filter);
        }
}
