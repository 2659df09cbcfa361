/* SPDX-License-Identifier: ISC */
/*
 * Owns what makes lines an old mail: attributions over several lines, Outlook's header lines, quote
 * marks. Says where one stands; whether it goes is trim.c's business. Looks a bounded number of
 * lines around each.
 */
#include "transport/reader/trim_reply.h"

#include <string.h>

#define ATTRIBUTION_LINES 4  /* an attribution is wrapped over at most so many */
#define WRAPPED_FROM      50 /* octets a line has at least when a client wraps behind it */
#define ALONE_MAX         80 /* octets of "Anna wrote:", without a date */
#define HEADER_LINES      40 /* of Outlook's header, wrapped recipients counted */

enum strength {
    NO_ATTRIBUTION,
    BEFORE_QUOTE, /* one if quoted lines follow */
    STANDS_ALONE  /* one whatever follows */
};

static struct line *
line_at(GArray *lines, guint i)
{
    return &g_array_index(lines, struct line, i);
}

static enum strength
judge(guint evidence)
{
    bool when = evidence & (HAS_DATE | HAS_TIME);

    if (evidence & HAS_VERB && evidence & HAS_COLON) {
        if (evidence & HAS_DATE && evidence & HAS_ADDRESS)
            return STANDS_ALONE;
        return when || evidence & HAS_ADDRESS ? BEFORE_QUOTE : NO_ATTRIBUTION;
    }
    /* GMX leaves the colon away; Gmail has no verb in Russian, Japanese and Hebrew. */
    if (evidence & HAS_DATE && evidence & HAS_TIME &&
        (evidence & HAS_VERB || (evidence & HAS_COLON && evidence & HAS_ADDRESS_LAST)))
        return BEFORE_QUOTE;
    return NO_ATTRIBUTION;
}

/* True if line may be the beginning of what goes on in next: somebody wrapped it there. */
static bool
may_go_on(GArray *lines, guint i)
{
    struct line *line = line_at(lines, i);
    const struct line *next = line_at(lines, i + 1);

    if (line->len == 0 || line->depth != next->depth || line_ends_with_colon(line))
        return false;
    return (line_evidence(line) & HAS_OPENER && line_evidence(line) & (HAS_DATE | HAS_TIME)) ||
           line->len >= WRAPPED_FROM || *next->text == '<' || line->text[line->len - 1] == ',' ||
           g_unichar_islower(g_utf8_get_char(next->text));
}

/* The line above a complete attribution belongs to it, too: "Anna <anna@example.org>," or "On …".
 */
static bool
is_its_beginning(GArray *lines, guint i, guint evidence)
{
    struct line *line = line_at(lines, i);
    gsize len = line->len;

    if (len > 2 && line->text[len - 2] == '>' && line->text[len - 1] == ',')
        return true;
    return !(evidence & HAS_OPENER) && line_evidence(line) & HAS_OPENER &&
           !(line_evidence(line) & HAS_DATE && evidence & HAS_DATE);
}

/*
 * What the line last ends, looking up at most ATTRIBUTION_LINES lines for the rest. *ret_start:
 * where it begins.
 */
static enum strength
attribution(GArray *lines, guint last, guint *ret_start)
{
    guint evidence = line_evidence(line_at(lines, last));
    enum strength best = judge(evidence);
    guint start = last;

    *ret_start = last;
    while (last - start < ATTRIBUTION_LINES - 1 && start > 0) {
        bool complete = best != NO_ATTRIBUTION && evidence & HAS_DATE;

        if (!may_go_on(lines, start - 1) ||
            (complete && !is_its_beginning(lines, start - 1, evidence)))
            break;
        start--;
        /* Whatever stands further up, the end stays the end. */
        evidence |= line_evidence(line_at(lines, start)) & ~(guint)(HAS_COLON | HAS_ADDRESS_LAST);
        if (judge(evidence) > best || complete) {
            best = judge(evidence);
            *ret_start = start;
        }
    }
    /* "Anna wrote:". */
    if (best == NO_ATTRIBUTION && line_at(lines, last)->len <= ALONE_MAX &&
        (line_evidence(line_at(lines, last)) & (HAS_VERB | HAS_COLON)) == (HAS_VERB | HAS_COLON))
        best = BEFORE_QUOTE;
    return best;
}

/* The first line from i on that has text or a quote mark; limit if there is none. */
static guint
next_filled(GArray *lines, guint i, guint limit)
{
    while (i < limit && line_is_blank(line_at(lines, i)))
        i++;
    return i;
}

/*
 * True if Outlook's header lines begin at i: From and Sent in front, three of From, Sent, To,
 * Subject in a row, Subject last. A notice that lists such fields in another order, or ends with
 * them, stays. under_rule: a rule above has said it; two are enough, in any order.
 */
static bool
is_header_block(GArray *lines, guint i, guint limit, bool under_rule)
{
    guint depth = line_at(lines, i)->depth;
    guint seen = 0, count = 0, wrapped = 0, j;
    bool from_letter = false;
    bool sent_late = false; /* behind To: some clients do it, notices without a subject too */

    if (line_label(line_at(lines, i)) != LABEL_FROM && line_label(line_at(lines, i)) != LABEL_SENT)
        return false;
    for (j = i; j < limit && j < i + HEADER_LINES; j++) {
        struct line *line = line_at(lines, j);
        enum label label = line_label(line);

        if (line->depth != depth || line->len == 0)
            break;
        if (label == LABEL_NONE) {
            /* Of the names behind To there may be many, and lines of text look the same. */
            if (seen & 1 << LABEL_SUBJECT || wrapped++ > (seen & 1 << LABEL_TO ? 10 : 1))
                break;
            continue;
        }
        if (label == LABEL_CC)
            continue;
        if (!under_rule && ((seen & 1 << LABEL_SUBJECT) || (label == LABEL_SENT && count > 2) ||
                            (count == 1 && label != LABEL_FROM && !(seen & 1 << LABEL_FROM))))
            return false;
        sent_late = sent_late || (label == LABEL_SENT && count > 1);
        from_letter = from_letter || (label == LABEL_FROM && line_value_has_letter(line));
        count += !(seen & 1 << label);
        seen |= 1u << label;
    }
    if (!from_letter)
        return false;
    if (under_rule)
        return count >= 2;
    /* A notice about a mail names its sender and subject, but not when it was sent. */
    return count >= 3 && (seen & 1 << LABEL_SENT || depth > 0) &&
           (!sent_late || seen & 1 << LABEL_SUBJECT) &&
           next_filled(lines, j, lines->len) < lines->len;
}

guint
reply_forward_start(GArray *lines)
{
    guint i;

    for (i = 0; i < lines->len; i++)
        if (line_at(lines, i)->depth == 0 && line_is_forward_marker(line_at(lines, i)))
            break;
    return i;
}

static bool
begins_unquoted_reply(GArray *lines, guint i, guint limit, bool reply, guint *ret_start)
{
    const struct line *line = line_at(lines, i);
    guint next;

    *ret_start = i;
    if (line->depth > 0 || line->len == 0)
        return false;
    if (line_is_original_marker(line) || (reply && is_header_block(lines, i, limit, false)))
        return true;
    next = next_filled(lines, i + 1, limit);
    /* What HTML draws across is short as text: it must not say as much as a long rule. */
    if (line_is_rule(line) || (reply && line_is_short_rule(line)))
        return next < limit && line_at(lines, next)->depth == 0 &&
               is_header_block(lines, next, limit, line_is_rule(line));
    return line_ends_with_colon(line) && (next == limit || line_at(lines, next)->depth == 0) &&
           attribution(lines, i, ret_start) == STANDS_ALONE;
}

guint
reply_unquoted_start(GArray *lines, guint limit, bool reply)
{
    guint start;

    for (guint i = 0; i < limit; i++)
        if (begins_unquoted_reply(lines, i, limit, reply, &start))
            return start;
    return limit;
}

/* The quoted lines from i on, blank ones between them included. */
static guint
quote_end(GArray *lines, guint i, guint limit)
{
    guint end = i;

    for (; i < limit && (line_at(lines, i)->depth > 0 || line_is_blank(line_at(lines, i))); i++)
        if (line_at(lines, i)->depth > 0)
            end = i + 1;
    return end;
}

/* True if the quote tells itself whose it is: Apple Mail quotes the attribution, too. */
static bool
has_attribution_inside(GArray *lines, struct range quote)
{
    guint start;

    for (guint i = quote.start; i < MIN(quote.end, quote.start + ATTRIBUTION_LINES); i++) {
        struct line *line = line_at(lines, i);

        if (line->len == 0)
            continue;
        if (line_is_original_marker(line) || is_header_block(lines, i, quote.end, false) ||
            (line_ends_with_colon(line) && attribution(lines, i, &start) != NO_ATTRIBUTION &&
             line_evidence(line_at(lines, start)) & (HAS_DATE | HAS_ADDRESS)))
            return true;
    }
    return false;
}

/* Stretches the quote over its attribution; false if it has none, above or inside. floor: where
 * the quote before it ended. */
static bool
attribute(GArray *lines, struct range *quote, guint floor)
{
    guint last = quote->start;
    guint start;

    while (last > floor && line_is_blank(line_at(lines, last - 1)))
        last--;
    if (last > floor && attribution(lines, last - 1, &start) != NO_ATTRIBUTION) {
        quote->start = MAX(start, floor);
        return true;
    }
    return has_attribution_inside(lines, *quote);
}

bool
reply_next_quote(GArray *lines, guint from, guint limit, struct range *ret, bool *attributed)
{
    guint i = from;

    while (i < limit && line_at(lines, i)->depth == 0)
        i++;
    if (i == limit)
        return false;
    ret->start = i;
    ret->end = quote_end(lines, i, limit);
    *attributed = attribute(lines, ret, from);
    return true;
}
