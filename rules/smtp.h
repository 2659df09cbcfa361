/* SPDX-License-Identifier: ISC */
/* What the parts of the SMTP rules share among themselves: lexer → parser → program ← mail,
 * replace, evaluate, check, print. */
#ifndef RULES_SMTP_H
#define RULES_SMTP_H

#include "rules/limits.h"
#include "rules/rules.h"
#include "rules/smtp_index.h"

/* Lexer: one token a line; empty lines and comments are passed over. */
enum smtp_token_kind {
    SMTP_TOKEN_END,
    SMTP_TOKEN_HEADING,    /* name */
    SMTP_TOKEN_PARAMETERS, /* closed, rest */
    SMTP_TOKEN_FAULT       /* a line that is no text; text says why */
};

struct smtp_lexer {
    const char *at;
    const char *end;
    int line; /* of the token last read */
    enum smtp_token_kind kind;
    char *text; /* of a heading, what stands between the brackets; of a fault, what is wrong */
    GPtrArray *closed; /* char *: the parameters that a ';' closes, still masked */
    const char *rest;  /* what follows the last ';', still masked; borrowed from the line */
    char *copy;        /* the line, NUL-ended */
};

void smtp_lexer_init(struct smtp_lexer *lexer, const char *text, gsize len);
void smtp_lexer_next(struct smtp_lexer *lexer);
void smtp_lexer_clear(struct smtp_lexer *lexer);

/* True for white space and nothing. */
bool smtp_is_blank(const char *text);

/* Masking of parameters: ^1 is ';', ^^ is '^' and, where line_breaks is set, ^n a line break. Newly
 * allocated. */
char *smtp_unmask(const char *masked, bool line_breaks);
void smtp_mask(GString *to, const char *text, bool line_breaks);

/* Program. */
#define SMTP_REPLACE_FIELDS 2
#define SMTP_SPAM_FIELDS    9
#define SMTP_SPAM_EXACT     0x154u /* fields in which upper and lower case differ: 2, 4, 6, 8 */
#define SMTP_SPAM_DECODED   0x078u /* fields that look at decoded text: 3 to 6 */

struct smtp_line {
    int line;
    guint8 field;  /* REPLACE-TEXT and SPAM-FILTER-RULES */
    guint8 action; /* SPAM-FILTER-RULES, 1 to 4 */
    char *search;  /* never empty */
    char *replace; /* REPLACE-TEXT, else NULL */
};

/*
 * The texts of a section with ending search. An address is walked once, from its end, with a
 * running hash; the filter, small enough for the processor's cache, says at which ends it is worth
 * asking the table. So the time depends on the address, not on how many lines there are.
 */
struct smtp_endings {
    GHashTable *lines;   /* folded text → lowest line */
    GByteArray *lengths; /* at [n] 1 if there is a text of n octets */
    guint8 *filter;      /* a bit for each text's hash, and some by chance; NULL until finished */
    guint filter_bits;   /* it has 2^filter_bits bits */
};

/* The running hash, octets taken from the end of the text. */
#define SMTP_HASH_START 2166136261u
static inline guint32
smtp_hash(guint32 hash, char octet)
{
    return (hash ^ (guint8)octet) * 16777619u;
}

/* The bit of the filter that stands for hash. */
static inline guint32
smtp_filter_bit(const struct smtp_endings *endings, guint32 hash)
{
    return (hash * 2654435769u) >> (32 - endings->filter_bits);
}

struct smtp_rules {
    int references;
    char *file;
    int heading[SMTP_SECTIONS];   /* line of the first one; 0 if there is none */
    GArray *lines[SMTP_SECTIONS]; /* struct smtp_line, in file order */
    struct smtp_endings endings[SMTP_DENY + 1];
    struct smtp_index filter, replace[SMTP_REPLACE_FIELDS];
    struct smtp_index spam[2];            /* fields that fold, fields that do not */
    guint32 spam_first[SMTP_SPAM_FIELDS]; /* by field: its first line in the section; SMTP_NONE */
};

#define SMTP_NONE G_MAXUINT32

static inline const struct smtp_line *
smtp_line(const struct smtp_rules *rules, enum smtp_section section, guint32 n)
{
    return &g_array_index(rules->lines[section], struct smtp_line, n);
}

struct smtp_rules *smtp_program_new(const char *file);

/* Takes the texts in line. Returns the earlier line that says the same, or 0. */
int smtp_program_add(struct smtp_rules *rules, enum smtp_section section, struct smtp_line *line,
                     GHashTable *seen);

/* After the last line: the rules are immutable from here on. */
void smtp_program_finish(struct smtp_rules *rules);

/* What smtp_program_add remembers of all sections while one file is read. */
GHashTable *smtp_program_seen_new(void);

/*
 * The lowest line of those whose text the folded address ends with, texts of at most longest octets
 * considered; 0 if there is none.
 */
int smtp_find_ending(const struct smtp_endings *endings, const char *folded, gsize longest);

/* One line in its canonical form, without line end. */
void smtp_print_line(GString *to, enum smtp_section section, const struct smtp_line *line);

#endif
