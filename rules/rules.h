/* SPDX-License-Identifier: ISC */
/*
 * The SMTP rules file (design sections 7 and 14, postsms-smtp.rules(5); UMG-SMTP-01..30): read,
 * checked, evaluated, printed. A compiled file is immutable and counted; threads may share it.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "lib/conf.h"
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

/* Warns of legal lines that can do nothing or not what they seem to: unreachable because an earlier
 * line of the file always speaks first, texts that cannot occur where they are searched for,
 * replacements without effect. For check and -n: on a large file it takes longer than loading. */
void smtp_rules_check(const struct smtp_rules *rules, Faults *faults);

/* A line that spoke. */
struct smtp_hit {
    enum smtp_section section;
    int line; /* in the file; of the section's heading if no line of an ALLOW section matched */
    const char *effect; /* "allow deny replace delete hold redirect copy-to list remove"; static */
};

/* Hits in the order in which the lines spoke. */
GArray *smtp_hits_new(void); /* struct smtp_hit */

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

/*
 * FILTER-ADDRESSES: is this SMS recipient (as written, bare) served? number: its normalised number,
 * NULL if it is none; a line speaks if either contains its text. False: he is not, *hit ("remove")
 * is the lowest line that says so.
 */
bool smtp_rules_recipient(const struct smtp_rules *rules, const char *recipient, const char *number,
                          struct smtp_hit *hit);

/* The sentence for a recipient whom smtp_rules_recipient does not serve and filter_addresses =
 * "reject": NOUSER 5.1.1. */
void smtp_rules_unserved(struct outcome *why);

/* REPLACE-TEXT: fields as they stand in the file. */
enum smtp_replace { SMTP_REPLACE_SUBJECT, SMTP_REPLACE_BODY };

/*
 * text (valid UTF-8; a subject is one line, a body has LF line ends) with the field's lines applied
 * in file order, each to the result of the one before, never to its own output. In a subject a line
 * break that a replacement makes is a blank. What grows beyond max octets is cut at a character's
 * end and nothing more is replaced. The result is as clean as a view's (lib/clean.h), whatever the
 * lines put in. NULL: no line changed anything; else newly allocated. hits
 * ("replace", one a line that changed something) may be NULL.
 */
char *smtp_rules_replace(const struct smtp_rules *rules, enum smtp_replace field, const char *text,
                         gsize max, GArray *hits);

/* What action 3 and 4 declare; if both do, list wins. The name stands in header, ledger and
 * explain: "", "copy-to", "list". */
enum smtp_class { SMTP_CLASS_NONE, SMTP_CLASS_COPY_TO, SMTP_CLASS_LIST };
const char *smtp_class_name(enum smtp_class class);

/* One mail as the rules see it, while its sender is there (or "postsms explain" asks). */
struct smtp_mail {
    const char *const
        *recipients;    /* every one of the envelope, bare, also those refused; NULL-ended */
    bool mixed;         /* some of those who will get it are no SMS recipients */
    const char *header; /* as sent: lines with their folds, CRLF or LF line ends */
    gsize header_len;
    const char *body; /* as sent; may be NULL if smtp_rules_wants_body says no */
    gsize body_len;
    /*
     * Gives subject and text of the mail, decoded by a reader, cleaned as in a view. Called once at
     * most, and only if a line that may still decide searches or replaces them. 1: they are there,
     * until the next call of anything. 0: this mail has none that could be read (the transport will
     * refuse it). -1: nobody can say now, why says the reason.
     */
    int (*decode)(void *context, const char **ret_subject, const char **ret_text,
                  struct outcome *why);
    void *context;
};

/* What becomes of its SMS half. */
enum smtp_fate {
    SMTP_PASS,
    SMTP_DISCARD,  /* accepted and dropped without any answer; in a mixed mail the SMS recipients */
    SMTP_HOLD,     /* Postfix's hold queue; never in a mixed mail */
    SMTP_REDIRECT, /* the SMS recipients give way to spam_target */
};

struct smtp_verdict {
    enum smtp_fate fate;
    struct smtp_hit fatal; /* the line that decided a fate other than PASS */
    bool nowhere; /* DISCARD, since a mixed mail had to be moved and there is no spam_target */
    enum smtp_class class;
    GArray *hits; /* every REPLACE and SPAM line that spoke, in that order (struct smtp_hit) */
    /* With lines applied; NULL: as it was. A mail that is disposed of without having been decoded
     * keeps both. */
    char *subject, *text;
};
void smtp_verdict_clear(struct smtp_verdict *verdict);

/* May any line need the body, raw or decoded? Without such a line nobody has to keep it. */
bool smtp_rules_wants_body(const struct smtp_rules *rules);

/* May any line need subject or body decoded, for whatever mail? */
bool smtp_rules_wants_reader(const struct smtp_rules *rules);

/*
 * REPLACE-TEXT, then SPAM-FILTER-RULES (UMG-SMTP-07..28), by the knobs in conf. The first line with
 * action 1 or 2 that matches ends the search; 3 and 4 in front of it declare. Fields 1 and 2 (and
 * the header half of 5 and 6) search the header as sent, 3 to 6 the decoded text after replacement,
 * 7 and 8 the body as sent; 0 the envelope's recipients and the addresses in To: and Cc:. -1:
 * decode said so, why is its.
 */
int smtp_rules_mail(const struct smtp_rules *rules, const struct conf *conf,
                    const struct smtp_mail *mail, struct smtp_verdict *ret,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
