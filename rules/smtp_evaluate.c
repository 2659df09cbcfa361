/* SPDX-License-Identifier: ISC */
/* Owns what the SMTP rules say about a sender and a recipient. Pure: same question, same answer;
 * any thread. Must never log. */
#include "rules/smtp.h"

#include "lib/log.h"
#include "rules/fold.h"
#include "rules/limits.h"
#include <string.h>

int
smtp_find_ending(const struct smtp_endings *endings, const char *folded, gsize longest)
{
    gsize len = strlen(folded);
    guint32 hash = SMTP_HASH_START;
    int lowest = 0;

    longest = MIN(longest, len);
    for (gsize length = 1; length <= longest && length < endings->lengths->len; length++) {
        const char *ending = folded + len - length;
        guint32 bit;
        int line;

        hash = smtp_hash(hash, *ending);
        bit = smtp_filter_bit(endings, hash);
        if (!endings->lengths->data[length] || !(endings->filter[bit / 8] & 1u << bit % 8))
            continue;
        line = GPOINTER_TO_INT(g_hash_table_lookup(endings->lines, ending));
        if (line && (!lowest || line < lowest))
            lowest = line;
    }
    return lowest;
}

bool
smtp_rules_sender(const struct smtp_rules *rules, const char *sender, struct smtp_hit *hit,
                  bool *ret_hit)
{
    g_autofree char *folded = fold_text(sender);
    struct smtp_hit found = {
        SMTP_DENY, smtp_find_ending(&rules->endings[SMTP_DENY], folded, G_MAXSIZE), "deny"};
    bool spoke = true;

    if (!found.line && rules->lines[SMTP_ALLOW]->len == 0) {
        spoke = false;
    } else if (!found.line) {
        found.section = SMTP_ALLOW;
        found.line = smtp_find_ending(&rules->endings[SMTP_ALLOW], folded, G_MAXSIZE);
        if (found.line)
            found.effect = "allow";
        else
            found.line = rules->heading[SMTP_ALLOW];
    }
    if (ret_hit)
        *ret_hit = spoke;
    if (spoke && hit)
        *hit = found;
    return !spoke || strcmp(found.effect, "allow") == 0;
}

void
smtp_rules_refusal(const char *sender, struct outcome *why)
{
    g_autofree char *clean = log_clean(sender, SMTP_REFUSED_SENDER_MAX);

    out_set(why, OUT_REFUSED, "5.7.1", "sender <%s> may not send SMS here", clean);
}

bool
smtp_rules_recipient(const struct smtp_rules *rules, const char *recipient, const char *number,
                     struct smtp_hit *hit)
{
    const struct smtp_index *index = &rules->filter;
    g_autoptr(ManyFound) found = NULL;
    guint32 lowest = SMTP_NONE;

    if (!index->many)
        return true;
    found = many_found_new(index->many);
    many_search_folded(index->many, recipient, strlen(recipient), found);
    if (number)
        many_search(index->many, number, strlen(number), found);
    for (guint i = 0; i < found->texts->len; i++) {
        guint n;

        lowest = MIN(lowest, *smtp_index_lines(index, g_array_index(found->texts, guint32, i), &n));
    }
    if (lowest == SMTP_NONE)
        return true;
    *hit = (struct smtp_hit){SMTP_FILTER, smtp_line(rules, SMTP_FILTER, lowest)->line, "remove"};
    return false;
}

void
smtp_rules_unserved(struct outcome *why)
{
    out_set(why, OUT_NOUSER, "5.1.1", "this recipient gets no SMS from here");
}
