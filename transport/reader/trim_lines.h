/* SPDX-License-Identifier: ISC */
/* Lines of a mail and what they give away: the eyes of trim.c. Private to the module. */
#ifndef TRANSPORT_READER_TRIM_LINES_H
#define TRANSPORT_READER_TRIM_LINES_H

#include <glib.h>
#include <stdbool.h>

/* What a line has of an attribution. */
enum {
    HAS_VERB = 1 << 0,         /* "wrote", in one of the languages */
    HAS_ADDRESS = 1 << 1,      /* a mail address */
    HAS_ADDRESS_LAST = 1 << 2, /* right before the colon */
    HAS_DATE = 1 << 3,         /* a year, or three numbers with the same mark between them */
    HAS_TIME = 1 << 4,         /* 10:11 */
    HAS_COLON = 1 << 5,        /* at the end; or dashes around the line, as Zoho has it */
    HAS_OPENER = 1 << 6,       /* begins as an attribution does: "On ", "Am " */
    EVIDENCE_KNOWN = 1 << 7    /* looked at already */
};

/* Header lines as Outlook quotes them. */
enum label { LABEL_UNKNOWN, LABEL_NONE, LABEL_FROM, LABEL_SENT, LABEL_TO, LABEL_SUBJECT, LABEL_CC };

struct line {
    const char *raw; /* in the text, without LF */
    gsize raw_len;
    const char *text; /* without quote marks and white space at its ends */
    gsize len;
    guint depth; /* quote marks in front */
    guint evidence;
    enum label label;
    enum { SENT_FROM_UNKNOWN, SENT_FROM_NO, SENT_FROM_YES } sent_from;
};

/* The lines of text, which must outlive them. */
GArray *lines_of(const char *text);

/* Empty, and not quoted. */
bool line_is_blank(const struct line *line);

/* Lower case, composed, white space as single blanks and none at the ends, typographic apostrophes
 * as plain ones. Newly allocated. */
char *line_folded(const char *text, gsize len);

/* True if one of the phrases in rows is the string; trim_phrases.h has the form of rows. */
bool phrase_is(const char *const *rows, const char *string, gsize len);

/* These look once and remember. Lines of more than LINE_LOOKED_AT octets have and are nothing. */
#define LINE_LOOKED_AT 1000
guint line_evidence(struct line *line);
enum label line_label(struct line *line);

/* "Sent from my iPhone", "Get Outlook for iOS". */
bool line_is_sent_from(struct line *line);

/* Ends as an attribution does: the cheap question before line_evidence. */
bool line_ends_with_colon(const struct line *line);

/* The value of a header line has a letter: From: +49171 is a fax machine's. */
bool line_value_has_letter(const struct line *line);

/* A rule of at least 20 underscores or the like, as Outlook has it above its header lines. */
bool line_is_rule(const struct line *line);

/* "---", which HTML's line across has become. */
bool line_is_short_rule(const struct line *line);

/* "-----Original Message-----", in one of the languages. */
bool line_is_original_marker(const struct line *line);

/* "---------- Forwarded message ---------", "Begin forwarded message:". */
bool line_is_forward_marker(const struct line *line);

#endif
