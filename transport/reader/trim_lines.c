/* SPDX-License-Identifier: ISC */
/*
 * Owns what a single line of a mail gives away; trim.c makes sense of it. No regular expressions:
 * one walk over a line, then tables (trim_phrases.h), so that hostile lines cost what others do.
 */
#include "transport/reader/trim_lines.h"
#include "transport/reader/trim_phrases.h"

#include <string.h>

#define RULE_MIN      20
#define PHRASE_MIN    5   /* octets; a line with less has nothing to say */
#define LABEL_MAX     60  /* octets of a header line's name */
#define SENT_FROM_MAX 300 /* octets, an address of a web page counted */
#define WIDE_COLON    0xFF1A

static const char *
before(const char *start, const char *end)
{
    return end > start ? g_utf8_find_prev_char(start, end) : NULL;
}

static void
strip(const char **start, const char **end)
{
    const char *last;

    while (*start < *end && g_unichar_isspace(g_utf8_get_char(*start)))
        *start = g_utf8_next_char(*start);
    while ((last = before(*start, *end)) && g_unichar_isspace(g_utf8_get_char(last)))
        *end = last;
}

static struct line
line_of(const char *raw, gsize len)
{
    struct line line = {.raw = raw, .raw_len = len};
    const char *start = raw;
    const char *end = raw + len;

    /* "> > text", ">> text", " > text". */
    for (;;) {
        const char *mark = start;

        while (mark < end && *mark == ' ')
            mark++;
        if (mark == end || *mark != '>' || mark - start > 4)
            break;
        line.depth++;
        start = mark + 1;
    }
    strip(&start, &end);
    line.text = start;
    line.len = (gsize)(end - start);
    return line;
}

GArray *
lines_of(const char *text)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(struct line));

    for (;;) {
        gsize len = strcspn(text, "\n");
        struct line line = line_of(text, len);

        g_array_append_val(lines, line);
        if (text[len] == '\0')
            return lines;
        text += len + 1;
    }
}

bool
line_is_blank(const struct line *line)
{
    return line->len == 0 && line->depth == 0;
}

char *
line_folded(const char *text, gsize len)
{
    g_autofree char *low = g_utf8_casefold(text, (gssize)len);
    g_autofree char *composed = g_utf8_normalize(low, -1, G_NORMALIZE_NFC);
    GString *folded = g_string_sized_new(len);
    bool blank = false;

    for (const char *c = composed; *c; c = g_utf8_next_char(c)) {
        gunichar this = g_utf8_get_char(c);

        if (g_unichar_isspace(this)) {
            blank = folded->len > 0;
            continue;
        }
        /* Turkish İ has become i with a dot above it. */
        if (this == 0x0307 && folded->len > 0 && folded->str[folded->len - 1] == 'i' && !blank)
            continue;
        if (blank)
            g_string_append_c(folded, ' ');
        blank = false;
        g_string_append_unichar(folded, this == 0x2019 ? '\'' : this);
    }
    return g_string_free(folded, FALSE);
}

/* The next phrase of a row; NULL behind the last. */
static const char *
phrase_next(const char *const **rows, const char **at, gsize *len)
{
    const char *phrase;

    if (!*at || **at == '\0') {
        if (*at)
            (*rows)++;
        *at = **rows;
    }
    if (!*at)
        return NULL;
    phrase = *at;
    *len = strcspn(phrase, "|");
    *at += *len + (phrase[*len] == '|');
    return phrase;
}

bool
phrase_is(const char *const *rows, const char *string, gsize len)
{
    const char *at = NULL;
    const char *phrase;
    gsize phrase_len;

    while ((phrase = phrase_next(&rows, &at, &phrase_len)))
        if (phrase_len == len && memcmp(phrase, string, len) == 0)
            return true;
    return false;
}

static bool
phrase_inside(const char *const *rows, const char *string)
{
    gsize len = strlen(string);
    const char *at = NULL;
    const char *phrase;
    gsize phrase_len;

    while ((phrase = phrase_next(&rows, &at, &phrase_len)))
        if (memmem(string, len, phrase, phrase_len))
            return true;
    return false;
}

static bool
phrase_begins(const char *const *rows, const char *string, const char *behind)
{
    gsize len = strlen(string);
    const char *at = NULL;
    const char *phrase;
    gsize phrase_len;

    while ((phrase = phrase_next(&rows, &at, &phrase_len)))
        if (phrase_len <= len && memcmp(phrase, string, phrase_len) == 0 &&
            g_str_has_prefix(string + phrase_len, behind))
            return true;
    return false;
}

/* The text inside "---- text ----"; false if there are no dashes on both sides. */
static bool
without_dashes(const struct line *line, const char **ret, gsize *ret_len)
{
    const char *start = line->text;
    const char *end = line->text + line->len;

    if (line->len < 5 || memcmp(start, "--", 2) != 0 || memcmp(end - 2, "--", 2) != 0)
        return false;
    while (start < end && (*start == '-' || *start == ' '))
        start++;
    while (end > start && (end[-1] == '-' || end[-1] == ' '))
        end--;
    *ret = start;
    *ret_len = (gsize)(end - start);
    return start < end;
}

bool
line_ends_with_colon(const struct line *line)
{
    const char *last = before(line->text, line->text + line->len);
    const char *inside;
    gsize len;

    if (!last)
        return false;
    return *last == ':' || g_utf8_get_char(last) == WIDE_COLON ||
           (*last == '-' && without_dashes(line, &inside, &len));
}

static bool
is_word(gunichar c)
{
    return g_unichar_isalnum(c) || g_unichar_ismark(c) ||
           g_unichar_type(c) == G_UNICODE_LETTER_NUMBER;
}

static bool
has_verb(const char *folded)
{
    const char *c = folded;

    while (*c) {
        const char *start = c;

        while (*c && is_word(g_utf8_get_char(c)))
            c = g_utf8_next_char(c);
        if (c > start && phrase_is(phrases_wrote, start, (gsize)(c - start)))
            return true;
        if (*c)
            c = g_utf8_next_char(c);
    }
    return phrase_inside(phrases_wrote_inside, folded);
}

/* Dates and times by their digits, in any script that has some. */
static guint
number_evidence(const char *c)
{
    guint evidence = 0;
    guint chain = 0; /* numbers so far with mark between them */
    gunichar mark = 0;

    while (*c) {
        guint count = 0, value = 0;
        gunichar behind;

        for (; g_unichar_isdigit(g_utf8_get_char(c)); c = g_utf8_next_char(c), count++)
            value = MIN(value * 10 + (guint)g_unichar_digit_value(g_utf8_get_char(c)), 99999);
        if (count == 0) {
            chain = 0;
            mark = 0;
            c = g_utf8_next_char(c);
            continue;
        }
        behind = *c ? g_utf8_get_char(c) : 0;
        if (count == 4 && value >= 1970 && value < 2100)
            evidence |= HAS_DATE;
        chain = mark ? chain + 1 : 1;
        if (chain == 3)
            evidence |= HAS_DATE;
        if (count <= 2 && value < 25 && behind &&
            (strchr(":h", (int)(behind < 0x80 ? behind : ' ')) || behind == 0x6642 ||
             behind == 0x65F6 || behind == 0xC2DC))
            evidence |= g_unichar_isdigit(g_utf8_get_char(g_utf8_next_char(c))) || behind >= 0x80
                            ? HAS_TIME
                            : 0;
        if ((behind == '.' || behind == '/' || behind == '-') && (mark == 0 || behind == mark)) {
            mark = behind;
            c = g_utf8_next_char(c);
        } else {
            mark = 0;
        }
    }
    return evidence;
}

static guint
address_evidence(const char *folded)
{
    const char *sign = strchr(folded, '@');
    const char *last_word = strrchr(folded, ' ');

    while (sign && !(sign > folded && is_word(g_utf8_get_char(g_utf8_prev_char(sign))) &&
                     is_word(g_utf8_get_char(sign + 1))))
        sign = strchr(sign + 1, '@');
    if (!sign)
        return 0;
    /* "… <anna@example.org> :" has its colon apart. */
    if (last_word && strchr(":-", last_word[1]))
        last_word = g_strrstr_len(folded, last_word - folded, " ");
    return HAS_ADDRESS | (!last_word || strchr(last_word, '@') ? HAS_ADDRESS_LAST : 0);
}

guint
line_evidence(struct line *line)
{
    g_autofree char *folded = NULL;

    if (line->evidence & EVIDENCE_KNOWN)
        return line->evidence;
    line->evidence = EVIDENCE_KNOWN;
    if (line->len < PHRASE_MIN || line->len > LINE_LOOKED_AT)
        return line->evidence;
    folded = line_folded(line->text, line->len);
    line->evidence |= number_evidence(folded) | address_evidence(folded);
    if (line_ends_with_colon(line))
        line->evidence |= HAS_COLON;
    if (has_verb(folded))
        line->evidence |= HAS_VERB;
    if (phrase_begins(phrases_opener, folded, " "))
        line->evidence |= HAS_OPENER;
    return line->evidence;
}

/* Behind the colon of a header line, at most LABEL_MAX octets in; NULL: there is none. */
static const char *
label_end(const struct line *line, gsize *name_len)
{
    const char *end = line->text + MIN(line->len, LABEL_MAX);

    for (const char *c = line->text; c < end; c = g_utf8_next_char(c))
        if (*c == ':' || g_utf8_get_char(c) == WIDE_COLON) {
            *name_len = (gsize)(c - line->text);
            return g_utf8_next_char(c);
        }
    return NULL;
}

enum label
line_label(struct line *line)
{
    static const struct {
        const char *const *rows;
        enum label label;
    } tables[] = {{phrases_from, LABEL_FROM},
                  {phrases_sent, LABEL_SENT},
                  {phrases_to, LABEL_TO},
                  {phrases_subject, LABEL_SUBJECT},
                  {phrases_cc, LABEL_CC}};
    g_autofree char *folded = NULL;
    const char *name = line->text;
    gsize len;

    if (line->label != LABEL_UNKNOWN)
        return line->label;
    line->label = LABEL_NONE;
    if (!label_end(line, &len) || len == 0)
        return line->label;
    /* Gmail writes bold as "*From:*". */
    while (len > 0 && *name == '*') {
        name++;
        len--;
    }
    folded = line_folded(name, len);
    for (gsize i = 0; i < G_N_ELEMENTS(tables) && line->label == LABEL_NONE; i++)
        if (phrase_is(tables[i].rows, folded, strlen(folded)))
            line->label = tables[i].label;
    return line->label;
}

bool
line_value_has_letter(const struct line *line)
{
    gsize len;
    const char *c = label_end(line, &len);

    for (; c && c < line->text + line->len; c = g_utf8_next_char(c))
        if (g_unichar_isalpha(g_utf8_get_char(c)))
            return true;
    return false;
}

bool
line_is_rule(const struct line *line)
{
    return line->len >= RULE_MIN && strchr("_-=*", line->text[0]) &&
           strspn(line->text, (char[]){line->text[0], '\0'}) >= line->len;
}

bool
line_is_short_rule(const struct line *line)
{
    return line->len == 3 && memcmp(line->text, "---", 3) == 0;
}

static bool
is_marker(const struct line *line, const char *const *rows)
{
    g_autofree char *folded = NULL;
    const char *inside;
    gsize len;

    if (line->len < PHRASE_MIN || line->len > LINE_LOOKED_AT ||
        !without_dashes(line, &inside, &len))
        return false;
    folded = line_folded(inside, len);
    return phrase_is(rows, folded, strlen(folded));
}

bool
line_is_original_marker(const struct line *line)
{
    return is_marker(line, phrases_original);
}

bool
line_is_forward_marker(const struct line *line)
{
    const char *last = before(line->text, line->text + line->len);
    g_autofree char *folded = NULL;
    gsize len;

    if (is_marker(line, phrases_forwarded))
        return true;
    if (line->len < PHRASE_MIN || line->len > LINE_LOOKED_AT || !line_ends_with_colon(line))
        return false;
    folded = line_folded(line->text, (gsize)(last - line->text));
    len = strlen(folded);
    while (len > 0 && folded[len - 1] == ' ')
        len--;
    return phrase_is(phrases_forward_begins, folded, len);
}

/* Addresses of web pages and what stands around them go; so do full stops at the end. */
static void
drop_links(char *text)
{
    static const char *const openers[] = {"<http", "(http", "[http", "http"};
    gsize len;

    for (gsize i = 0; i < G_N_ELEMENTS(openers); i++) {
        char *start = strstr(text, openers[i]);
        char *end = start ? start + strcspn(start, *start == '<'   ? ">"
                                                   : *start == '(' ? ")"
                                                   : *start == '[' ? "]"
                                                                   : " ")
                          : NULL;

        if (start)
            memmove(start, end + (*end != '\0'), strlen(end + (*end != '\0')) + 1);
    }
    len = strlen(text);
    while (len > 0 && strchr(" .!", text[len - 1]))
        len--;
    text[len] = '\0';
}

/* text is begin*end, and a word does not go on where begin ends. */
static bool
fits_pair(const char *text, gsize len, const char *pair, gsize pair_len)
{
    const char *star = memchr(pair, '*', pair_len);
    gsize begin = (gsize)(star - pair);
    gsize end = pair_len - begin - 1;

    return len > begin + end && memcmp(text, pair, begin) == 0 &&
           memcmp(text + len - end, star + 1, end) == 0 &&
           !(begin > 0 && g_ascii_isalnum(text[begin - 1]) && g_ascii_isalnum(text[begin]));
}

static bool
looks_sent_from(const struct line *line)
{
    g_autofree char *folded = NULL;
    const char *const *rows = phrases_sent_from;
    const char *at = NULL;
    const char *pair;
    gsize pair_len, len;

    if (line->depth > 0 || line->len < PHRASE_MIN || line->len > SENT_FROM_MAX)
        return false;
    folded = line_folded(line->text, line->len);
    if (phrase_begins(phrases_promotion, folded, ""))
        return true;
    drop_links(folded);
    len = strlen(folded);
    if (!phrase_inside(phrases_device, folded))
        return phrase_is(phrases_promotion, folded, len);
    while ((pair = phrase_next(&rows, &at, &pair_len)))
        if (fits_pair(folded, len, pair, pair_len))
            return true;
    return false;
}

bool
line_is_sent_from(struct line *line)
{
    if (line->sent_from == SENT_FROM_UNKNOWN)
        line->sent_from = looks_sent_from(line) ? SENT_FROM_YES : SENT_FROM_NO;
    return line->sent_from == SENT_FROM_YES;
}
