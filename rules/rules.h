/* SPDX-License-Identifier: ISC */
/*
 * The SMTP rules file (design sections 7 and 14, postsms-smtp.rules(5); UMG-SMTP-01..30): read,
 * checked, evaluated, printed. A compiled file is immutable and counted; threads may share it.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "lib/fault.h"
#include "lib/outcome.h"

enum smtp_section { SMTP_ALLOW, SMTP_DENY, SMTP_REPLACE, SMTP_SPAM, SMTP_FILTER, SMTP_SECTIONS };

/* "ALLOW-FROM-DOMAIN" … */
const char *smtp_section_name(enum smtp_section section);

struct smtp_rules;

/*
 * Reads file. NULL if there are errors (every one of them is in faults); a missing file is an error
 * only if must_exist, else it is an empty one. The caller holds one reference.
 */
struct smtp_rules *smtp_rules_load(const char *file, bool must_exist, Faults *faults);

/* The same from len octets of text; file is the name that faults are reported under. */
struct smtp_rules *smtp_rules_parse(const char *text, gsize len, const char *file, Faults *faults);

struct smtp_rules *smtp_rules_ref(struct smtp_rules *rules);
void smtp_rules_unref(struct smtp_rules *rules);
typedef struct smtp_rules SmtpRules;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmtpRules, smtp_rules_unref)

/* The file's name as it was given, borrowed. */
const char *smtp_rules_file(const struct smtp_rules *rules);

/* How many lines the section has. */
guint smtp_rules_count(const struct smtp_rules *rules, enum smtp_section section);

/* Canonical text: parsing it again gives the same rules. Newly allocated. */
char *smtp_rules_print(const struct smtp_rules *rules);

/* A line that spoke. */
struct smtp_hit {
    enum smtp_section section;
    int line; /* in the file; of the section's heading if no line of an ALLOW section matched */
    const char *effect; /* "allow", "deny" */
};

/*
 * May this envelope sender (without angle brackets, "" for the null sender) send SMS? DENY wins; an
 * empty ALLOW admits everybody, any other only whom it names, which the null sender never is. True:
 * he may. *hit is the line that decided, if one did, which *ret_hit says; both may be NULL.
 */
bool smtp_rules_sender(const struct smtp_rules *rules, const char *sender, struct smtp_hit *hit,
                       bool *ret_hit);

/* The sentence for a sender whom smtp_rules_sender refused, the same in the SMTP session and in a
 * bounce: REFUSED 5.7.1, without file, line or rule. */
void smtp_rules_refusal(const char *sender, struct outcome *why);

#endif
