/* SPDX-License-Identifier: ISC */
/* Owns the canonical text of SMTP rules: parsing it gives the same rules. Pure. */
#include "rules/smtp.h"

void
smtp_print_line(GString *to, enum smtp_section section, const struct smtp_line *line)
{
    bool breaks = section == SMTP_REPLACE;

    if (section == SMTP_REPLACE || section == SMTP_SPAM)
        g_string_append_printf(to, "%d;", line->field);
    smtp_mask(to, line->search, breaks);
    g_string_append_c(to, ';');
    if (section == SMTP_REPLACE) {
        smtp_mask(to, line->replace, breaks);
        g_string_append_c(to, ';');
    } else if (section == SMTP_SPAM) {
        g_string_append_printf(to, "%d;", line->action);
    }
}

char *
smtp_rules_print(const struct smtp_rules *rules)
{
    GString *text = g_string_new(NULL);

    for (int section = 0; section < SMTP_SECTIONS; section++) {
        const GArray *lines = rules->lines[section];

        if (lines->len == 0)
            continue;
        g_string_append_printf(text, "[%s]\n", smtp_section_name(section));
        for (guint i = 0; i < lines->len; i++) {
            smtp_print_line(text, section, &g_array_index(lines, struct smtp_line, i));
            g_string_append_c(text, '\n');
        }
    }
    return g_string_free(text, FALSE);
}
