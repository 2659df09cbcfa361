/* SPDX-License-Identifier: ISC */
/* Owns what the SMTP rules say about a mail. Pure: same question, same answer; any thread. Must
 * never log. */
#include "rules/smtp.h"

#include "lib/log.h"
#include "rules/fold.h"
#include "rules/limits.h"
#include <string.h>

/* The lowest line of those whose text the address ends with, or 0. */
static int
find_ending(const struct smtp_endings *endings, const char *folded)
{
    gsize len = strlen(folded);
    gsize longest = endings->lengths->len; /* and one */
    guint32 hash = SMTP_HASH_START;
    int lowest = 0;

    for (gsize length = 1; length <= len && length < longest; length++) {
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
    struct smtp_hit found = {SMTP_DENY, find_ending(&rules->endings[SMTP_DENY], folded), "deny"};
    bool spoke = true;

    if (!found.line && rules->lines[SMTP_ALLOW]->len == 0) {
        spoke = false;
    } else if (!found.line) {
        found.section = SMTP_ALLOW;
        found.line = find_ending(&rules->endings[SMTP_ALLOW], folded);
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
