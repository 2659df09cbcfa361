/* SPDX-License-Identifier: ISC */
/*
 * Owns the decisions of trimming: what is the sender's own text, what goes. Works on an array of
 * lines and only ever removes whole ones. Every step looks at each line a bounded number of times.
 */
#include "transport/reader/trim.h"
#include "transport/reader/trim_phrases.h"
#include "transport/reader/trim_reply.h"

#include <string.h>

#define SIGNATURE_LINES 10 /* behind a "--" that lost its blank */
#define REPLIES_MAX     4  /* that are dropped from one mail: above, below */
#define SENT_FROM_LINES 3

struct mail {
    GArray *lines;
    const struct trim_settings *settings;
    GString *notes;
    GPtrArray *disclaimers; /* folded */
};

static struct line *
line_at(const struct mail *mail, guint i)
{
    return &g_array_index(mail->lines, struct line, i);
}

static void
drop(struct mail *mail, struct range range, const char *what)
{
    g_array_remove_range(mail->lines, range.start, range.end - range.start);
    if (!what || strstr(mail->notes->str, what))
        return;
    if (mail->notes->len > 0)
        g_string_append(mail->notes, ", ");
    g_string_append(mail->notes, what);
}

/* True if a line outside range is not blank. */
static bool
something_left(const struct mail *mail, struct range range)
{
    for (guint i = 0; i < mail->lines->len; i++)
        if ((i < range.start || i >= range.end) && !line_is_blank(line_at(mail, i)))
            return true;
    return false;
}

static bool
is_dashes(const struct line *line)
{
    return line->depth == 0 && line->len == 2 && memcmp(line->text, "--", 2) == 0;
}

/* Where the signature begins in the lines before limit; limit if there is none. */
static guint
signature_start(const struct mail *mail, guint limit)
{
    guint last = limit;
    guint start = limit;

    for (guint i = 0; i < limit; i++) {
        const struct line *line = line_at(mail, i);

        if (is_dashes(line) && line->text == line->raw && line->raw_len > 2 &&
            g_utf8_strlen(line->raw, (gssize)line->raw_len) == 3)
            return i;
    }
    while (last > 0 && line_is_blank(line_at(mail, last - 1)))
        last--;
    for (guint i = last; i > 0 && last - i <= SIGNATURE_LINES; i--) {
        if (line_at(mail, i - 1)->depth > 0)
            break;
        if (is_dashes(line_at(mail, i - 1)))
            start = i - 1;
    }
    return start;
}

/* True if text begins with what was folded, white space, line ends too, being any white space. */
static bool
begins_with(const char *text, const char *folded)
{
    while (*folded) {
        gunichar c = g_utf8_get_char(text);

        if (*folded == ' ') {
            if (!g_unichar_isspace(c))
                return false;
            while (*text && g_unichar_isspace(g_utf8_get_char(text)))
                text = g_utf8_next_char(text);
            folded++;
            continue;
        }
        if (*text == '\0' || g_unichar_tolower(c) != g_utf8_get_char(folded))
            return false;
        text = g_utf8_next_char(text);
        folded = g_utf8_next_char(folded);
    }
    return true;
}

/* The first line before limit from which a disclaimer runs and above which something stands. */
static guint
disclaimer_start(const struct mail *mail, guint limit)
{
    bool above = false;

    for (guint i = 0; i < limit; i++) {
        const struct line *line = line_at(mail, i);

        for (guint k = 0; above && line->depth == 0 && k < mail->disclaimers->len; k++)
            if (begins_with(line->text, g_ptr_array_index(mail->disclaimers, k)))
                return i;
        above = above || !line_is_blank(line);
    }
    return limit;
}

/* The sender's own words, as far as a line can tell. */
static bool
is_own(struct line *line)
{
    return line->depth == 0 && line->len > 0 && !is_dashes(line) && !line_is_sent_from(line);
}

/* The first own line before limit; limit if there is none. */
static guint
first_own(const struct mail *mail, guint limit)
{
    guint i = 0;

    limit = MIN(limit, signature_start(mail, limit));
    while (i < limit && !is_own(line_at(mail, i)))
        i++;
    return i;
}

/* One behind the last own line before limit, what comes at the end of every mail not counted. */
static guint
own_end(const struct mail *mail, guint limit)
{
    guint i = MIN(signature_start(mail, limit), disclaimer_start(mail, limit));

    while (i > 0 && !is_own(line_at(mail, i - 1)))
        i--;
    return i;
}

/* The quote that may go out of the lines before limit; false if there is none. */
static bool
find_quote(const struct mail *mail, guint limit, struct range *ret)
{
    guint own_first = first_own(mail, limit);
    guint own_last = own_end(mail, limit);
    struct range quote = {0, 0};
    bool attributed;
    bool answered = false; /* between own lines stands a quote that is kept */

    while (reply_next_quote(mail->lines, quote.end, limit, &quote, &attributed)) {
        if (own_last <= quote.end) {
            *ret = quote;
            return (attributed || answered) && own_first < quote.start;
        }
        if (!attributed)
            continue;
        if (own_first >= quote.start) {
            guint more = quote.end;

            while (more < limit && line_at(mail, more)->depth == 0)
                more++;
            *ret = quote;
            if (more == limit)
                return true;
        }
        answered = true;
    }
    return false;
}

/* The old mail in this one. It goes to the very end if it has no quote marks. */
static bool
find_reply(const struct mail *mail, struct range *ret)
{
    guint forward = reply_forward_start(mail->lines);
    guint unquoted = reply_unquoted_start(mail->lines, forward, mail->settings->reply);

    if (mail->settings->forwarded)
        return false;
    if (unquoted < forward) {
        *ret = (struct range){unquoted, mail->lines->len};
        return first_own(mail, unquoted) < unquoted;
    }
    return find_quote(mail, forward, ret);
}

/* Where the sender's own part ends: at an old mail, forwarded or quoted, that has stayed. */
static guint
own_part_end(const struct mail *mail)
{
    guint end = reply_forward_start(mail->lines);
    struct range reply;

    if (find_reply(mail, &reply) && reply.start > 0)
        end = MIN(end, reply.start);
    return MIN(end, disclaimer_start(mail, end));
}

static void
drop_quotes(struct mail *mail)
{
    struct range reply;

    for (int i = 0; i < REPLIES_MAX && find_reply(mail, &reply); i++)
        drop(mail, reply, "quoted reply");
}

/* Drops the last line before end if it is one, with the dashes above it. */
static bool
drop_sent_from_before(struct mail *mail, guint end)
{
    struct range range;

    while (end > 0 && line_is_blank(line_at(mail, end - 1)))
        end--;
    if (end == 0 || !line_is_sent_from(line_at(mail, end - 1)))
        return false;
    range = (struct range){end - 1, end};
    if (range.start > 0 && is_dashes(line_at(mail, range.start - 1)))
        range.start--;
    if (!something_left(mail, range))
        return false;
    drop(mail, range, "sent from");
    return true;
}

static void
drop_sent_from(struct mail *mail)
{
    for (int i = 0; i < SENT_FROM_LINES; i++) {
        guint end = own_part_end(mail);

        if (!drop_sent_from_before(mail, end) &&
            !drop_sent_from_before(mail, signature_start(mail, end)))
            return;
    }
}

static void
drop_signature(struct mail *mail)
{
    guint end = own_part_end(mail);
    struct range range = {signature_start(mail, end), end};

    if (range.start < end && something_left(mail, range))
        drop(mail, range, "signature");
}

static void
drop_disclaimer(struct mail *mail)
{
    struct range range = {disclaimer_start(mail, mail->lines->len), mail->lines->len};

    if (range.start < range.end)
        drop(mail, range, "disclaimer");
}

/* The lines that are left, without white space at their ends. */
static char *
joined(const struct mail *mail)
{
    GString *out = g_string_new(NULL);
    int blanks = 0;

    for (guint i = 0; i < mail->lines->len; i++) {
        const struct line *line = line_at(mail, i);
        int most = mail->settings->blank_lines;

        if (line_is_blank(line)) {
            blanks++;
            continue;
        }
        if (out->len > 0)
            for (int k = most < 0 ? blanks : MIN(blanks, most); k >= 0; k--)
                g_string_append_c(out, '\n');
        blanks = 0;
        /* Indentation stays, but at the very beginning. */
        if (out->len == 0 && line->depth == 0)
            g_string_append_len(out, line->text, (gssize)line->len);
        else
            g_string_append_len(out, line->raw, line->text + line->len - line->raw);
        while (g_ascii_isspace(out->str[out->len - 1]))
            g_string_truncate(out, out->len - 1);
    }
    return g_string_free(out, FALSE);
}

/* As begins_with wants it: case goes letter by letter, ß stays one. */
static char *
fold_disclaimer(const char *line)
{
    GString *folded = g_string_new(NULL);

    for (const char *c = line; *c; c = g_utf8_next_char(c)) {
        gunichar this = g_utf8_get_char(c);

        if (!g_unichar_isspace(this))
            g_string_append_unichar(folded, g_unichar_tolower(this));
        else if (folded->len > 0 && folded->str[folded->len - 1] != ' ')
            g_string_append_c(folded, ' ');
    }
    return g_strchomp(g_string_free(folded, FALSE));
}

static GPtrArray *
fold_disclaimers(const char *const *disclaimers)
{
    GPtrArray *folded = g_ptr_array_new_with_free_func(g_free);

    for (; disclaimers && *disclaimers; disclaimers++) {
        g_autofree char *line = fold_disclaimer(*disclaimers);

        if (*line)
            g_ptr_array_add(folded, g_steal_pointer(&line));
    }
    return folded;
}

char *
trim_text(const char *text, const struct trim_settings *settings, GString *notes)
{
    g_autoptr(GArray) lines = lines_of(text);
    g_autoptr(GPtrArray) disclaimers = fold_disclaimers(settings->disclaimers);
    struct mail mail = {lines, settings, notes, disclaimers};

    if (settings->quotes)
        drop_quotes(&mail);
    if (settings->sent_from)
        drop_sent_from(&mail);
    if (settings->signature)
        drop_signature(&mail);
    drop_disclaimer(&mail);
    return joined(&mail);
}

/* Does the subject begin with one of these words and a colon? "Re[2]:" counts as "Re:". */
static bool
subject_begins(const char *subject, const char *const *phrases)
{
    const char *colon = strpbrk(subject, ":");
    const char *wide = strstr(subject, "：");
    const char *end = colon && (!wide || colon < wide) ? colon : wide;
    const char *count = strchr(subject, '[');
    g_autofree char *folded = NULL;

    if (!end || end - subject > 40)
        return false;
    if (count && count > subject && count < end)
        end = count;
    folded = line_folded(subject, (gsize)(end - subject));
    return phrase_is(phrases, folded, strlen(folded));
}

bool
trim_is_forward(const char *subject)
{
    return subject_begins(subject, phrases_subject_forward);
}

bool
trim_is_reply(const char *subject)
{
    return subject_begins(subject, phrases_subject_reply);
}
