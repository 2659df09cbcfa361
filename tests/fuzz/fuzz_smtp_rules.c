/* SPDX-License-Identifier: ISC */
/*
 * SMTP rules of any octets: never a crash, NULL exactly if there are errors, what is printed reads
 * back as the same rules without an error, and the index finds what a plain search finds.
 */
#include "rules/fold.h"
#include "rules/smtp.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_rules(const struct smtp_rules *a, const struct smtp_rules *b)
{
    for (int section = 0; section < SMTP_SECTIONS; section++) {
        g_assert(a->lines[section]->len == b->lines[section]->len);
        for (guint i = 0; i < a->lines[section]->len; i++) {
            const struct smtp_line *x = &g_array_index(a->lines[section], struct smtp_line, i);
            const struct smtp_line *y = &g_array_index(b->lines[section], struct smtp_line, i);

            g_assert(x->field == y->field && x->action == y->action);
            g_assert(strcmp(x->search, y->search) == 0);
            g_assert(g_strcmp0(x->replace, y->replace) == 0);
        }
    }
}

/* The first line of the section that the sender ends with; 0 if there is none. */
static int
plain_search(const struct smtp_rules *rules, enum smtp_section section, const char *sender)
{
    g_autofree char *folded = fold_text(sender);

    for (guint i = 0; i < rules->lines[section]->len; i++) {
        const struct smtp_line *line = &g_array_index(rules->lines[section], struct smtp_line, i);
        g_autofree char *search = fold_text(line->search);

        if (g_str_has_suffix(folded, search))
            return line->line;
    }
    return 0;
}

static void
ask(const struct smtp_rules *rules, const char *sender)
{
    int deny = plain_search(rules, SMTP_DENY, sender);
    int allow = plain_search(rules, SMTP_ALLOW, sender);
    bool open = rules->lines[SMTP_ALLOW]->len == 0;
    struct smtp_hit hit;
    bool spoke;
    bool may = smtp_rules_sender(rules, sender, &hit, &spoke);

    g_assert(may == (!deny && (open || allow)));
    g_assert(spoke == (deny || !open));
    if (deny)
        g_assert(hit.section == SMTP_DENY && hit.line == deny);
    else if (allow)
        g_assert(hit.section == SMTP_ALLOW && hit.line == allow);
    else if (spoke)
        g_assert(hit.line == rules->heading[SMTP_ALLOW]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Faults) second = faults_new();
    const char *octets = size ? (const char *)data : "";
    g_autoptr(SmtpRules) rules = smtp_rules_parse(octets, size, "fuzz", faults);
    g_autoptr(SmtpRules) again = NULL;
    g_autofree char *text = NULL;
    g_autofree char *twice = NULL;
    g_autofree char *sender = g_strndup(octets, size);

    g_assert((rules == NULL) == (faults_errors(faults) > 0));
    if (!rules)
        return 0;
    text = smtp_rules_print(rules);
    again = smtp_rules_parse(text, strlen(text), "fuzz", second);
    g_assert(again);
    same_rules(rules, again);
    twice = smtp_rules_print(again);
    g_assert(strcmp(text, twice) == 0);
    ask(rules, "");
    ask(rules, sender);
    for (int section = SMTP_ALLOW; section <= SMTP_DENY; section++)
        for (guint i = 0; i < MIN(rules->lines[section]->len, 8); i++)
            ask(rules, g_array_index(rules->lines[section], struct smtp_line, i).search);
    return 0;
}
