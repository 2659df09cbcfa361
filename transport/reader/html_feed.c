/* SPDX-License-Identifier: ISC */
/*
 * Owns what reaches libxml2: tags, attributes and references in one plain form. Its parser (2.9.14)
 * searches all open elements for each end tag, all attributes for each attribute and all names for
 * each reference, so that half a megabyte can take five seconds and eight take half an hour; it
 * shows "<![if !mso]>" as text and knows HTML 4 only. So comments, declarations, scripts, style
 * sheets, named references, unknown attributes and all but short values end here. Never decides
 * what is text to a reader, but for these.
 */
#include "transport/reader/html_inside.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#define TEXT_MAX       4096 /* octets of text in a token */
#define REFERENCE_MAX  32   /* of a reference */
#define OPEN_MAX       6    /* of one that may end without a semicolon */
#define LAST_REFERENCE 9830 /* HTML 4's, the diamonds */

/* The attributes that anybody looks at, and thereby the most a tag can have. */
static const char *const attributes[] = {"alt",   "class", "height", "hidden", "href",  "id",
                                         "media", "start", "style",  "type",   "value", "width"};

/* References that HTML 4 did not have and mail does. */
static const struct {
    const char *name;
    const char *text;
} later_references[] = {
    {"NewLine", "\n"},    {"Tab", "\t"},   {"ast", "*"},       {"bigstar", "★"},
    {"bsol", "\\"},       {"check", "✓"},  {"checkmark", "✓"}, {"colon", ":"},
    {"comma", ","},       {"commat", "@"}, {"cross", "✗"},     {"dollar", "$"},
    {"equals", "="},      {"excl", "!"},   {"grave", "`"},     {"half", "½"},
    {"hairsp", "\u200A"}, {"horbar", "―"}, {"hyphen", "‐"},    {"lbrace", "{"},
    {"lbrack", "["},      {"lcub", "{"},   {"lowbar", "_"},    {"lpar", "("},
    {"lsqb", "["},        {"num", "#"},    {"numero", "№"},    {"percnt", "%"},
    {"period", "."},      {"phone", "☎"},  {"plus", "+"},      {"quest", "?"},
    {"rbrace", "}"},      {"rbrack", "]"}, {"rcub", "}"},      {"rpar", ")"},
    {"rsqb", "]"},        {"semi", ";"},   {"sol", "/"},       {"star", "☆"},
    {"starf", "★"},       {"verbar", "|"}, {"vert", "|"},      {"ZeroWidthSpace", ""},
    {"NoBreak", ""},      {"sung", "♪"},
};

static bool
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Text without NUL and other controls; every line end is LF. */
static void
append_text(GString *to, const char *text, gsize len)
{
    for (gsize i = 0; i < len; i++) {
        if (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))
            g_string_append_c(to, '\n');
        else if ((guint8)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t')
            g_string_append_c(to, text[i]);
        else if (text[i] == '\f')
            g_string_append_c(to, ' ');
    }
}

static void
take_text(struct html_feed *feed, GString *to)
{
    gsize left = MIN((gsize)(feed->end - feed->at), TEXT_MAX);
    gsize len = 0;

    while (len < left && feed->at[len] != '<' && feed->at[len] != '&')
        len++;
    /* Not between the octets of a character, nor between CR and LF. */
    if (len == TEXT_MAX)
        while (len > TEXT_MAX - 8 &&
               (((guint8)feed->at[len - 1] & 0x80) || feed->at[len - 1] == '\r'))
            len--;
    append_text(to, feed->at, len);
    feed->at += len;
}

/* What a named reference stands for. */
struct reference {
    char text[8]; /* the longest character or name of later_references */
    bool open;    /* HTML lets it end without a semicolon: "&copy2026" */
};

static GHashTable *known; /* name, struct reference */

static void
know(const char *name, const char *text, gsize len, bool open)
{
    struct reference *reference = g_new0(struct reference, 1);

    memcpy(reference->text, text, MIN(len, sizeof(reference->text) - 1));
    reference->open = open;
    g_hash_table_insert(known, g_strdup(name), reference);
}

void
html_feed_prepare(void)
{
    if (known)
        return;
    known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint value = 1; value <= LAST_REFERENCE; value++) {
        const htmlEntityDesc *entity = htmlEntityValueLookup(value);
        char text[6] = {0};

        if (entity)
            know(entity->name, text, (gsize)g_unichar_to_utf8(value, text), value < 256);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(later_references); i++)
        know(later_references[i].name, later_references[i].text, strlen(later_references[i].text),
             false);
}

static const struct reference *
reference_named(const char *name, gsize len)
{
    char buffer[REFERENCE_MAX + 1];

    memcpy(buffer, name, len);
    buffer[len] = '\0';
    return g_hash_table_lookup(known, buffer);
}

/* The octets of name that are a reference which may end without a semicolon, 0 if none. */
static gsize
open_reference(const char *name, gsize len)
{
    for (gsize n = MIN(len, OPEN_MAX); n >= 2; n--) {
        const struct reference *reference = reference_named(name, n);

        if (reference && reference->open)
            return n;
    }
    return 0;
}

/* As text that libxml2 does not take for anything else, in an attribute or not. */
static void
append_reference(GString *to, const struct reference *reference)
{
    static const char *const marks[][2] = {
        {"&", "&amp;"}, {"<", "&lt;"}, {"\"", "&quot;"}, {"'", "&#39;"}};

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
        if (strcmp(reference->text, marks[i][0]) == 0) {
            g_string_append(to, marks[i][1]);
            return;
        }
    g_string_append(to, reference->text);
}

static bool
is_number(const char *text, const char *end)
{
    if (end - text < 2 || text[0] != '#')
        return false;
    if (text[1] == 'x' || text[1] == 'X')
        return end - text > 2 && g_ascii_isxdigit(text[2]);
    return g_ascii_isdigit(text[1]);
}

/* At "&": appends what stands there, gives the octets that it took. libxml2 reads numbers. */
static gsize
take_reference(const char *at, const char *end, bool attribute, GString *to)
{
    const char *name = at + 1;
    gsize left = MIN((gsize)(end - name), REFERENCE_MAX);
    const struct reference *reference;
    gsize len = 0;
    gsize open;
    char next;

    while (len < left && g_ascii_isalnum(name[len]))
        len++;
    if (len == 0) {
        g_string_append(to, is_number(name, end) ? "&" : "&amp;");
        return 1;
    }
    reference = name + len < end && name[len] == ';' ? reference_named(name, len) : NULL;
    if (reference) {
        append_reference(to, reference);
        return len + 2;
    }
    open = open_reference(name, len);
    next = name + open < end ? name[open] : '\0';
    /* Not so in an address that somebody forgot to escape: "?a=1&copy=2". */
    if (open == 0 || next == '=' || (attribute && g_ascii_isalnum(next))) {
        g_string_append(to, "&amp;");
        return 1;
    }
    append_reference(to, reference_named(name, open));
    return open + 1;
}

static gint
attribute_place(const char *name, gsize len)
{
    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (strlen(attributes[i]) == len && g_ascii_strncasecmp(attributes[i], name, len) == 0)
            return (gint)i;
    return -1;
}

static void
append_attribute(GString *to, const char *name, const char *value, gsize len)
{
    char quote = memchr(value, '"', len) ? '\'' : '"';

    g_string_append_printf(to, " %s=%c", name, quote);
    for (gsize i = 0; i < len;) {
        if (value[i] == '&') {
            i += take_reference(value + i, value + len, true, to);
            continue;
        }
        if (value[i] != quote)
            g_string_append_c(to, (guint8)value[i] < ' ' ? ' ' : value[i]);
        i++;
    }
    g_string_append_c(to, quote);
}

/* Sets at to behind the value that begins there. */
static void
value_end(const char **at, const char *end, const char **value, gsize *len)
{
    char quote = *at < end && (**at == '"' || **at == '\'') ? **at : '\0';
    const char *stop;

    if (quote) {
        *value = ++*at;
        stop = memchr(*at, quote, (gsize)(end - *at));
        *len = (gsize)((stop ? stop : end) - *value);
        *at = stop ? stop + 1 : end;
        return;
    }
    *value = *at;
    while (*at < end && !is_white(**at) && **at != '>')
        ++*at;
    *len = (gsize)(*at - *value);
}

/* From behind a tag's name to behind its ">", or to the end: the tag is none, then. */
static bool
take_attributes(struct html_feed *feed, GString *to)
{
    const char *at = feed->at;
    guint seen = 0;

    while (at < feed->end && *at != '>') {
        const char *name = at;
        const char *value = "";
        gsize value_len = 0;
        gint place;

        if (is_white(*at) || *at == '/') {
            at++;
            continue;
        }
        do
            at++;
        while (at < feed->end && !is_white(*at) && *at != '/' && *at != '>' && *at != '=');
        place = attribute_place(name, (gsize)(at - name));
        while (at < feed->end && is_white(*at))
            at++;
        if (at < feed->end && *at == '=') {
            at++;
            while (at < feed->end && is_white(*at))
                at++;
            value_end(&at, feed->end, &value, &value_len);
        }
        if (place < 0 || (seen & (1u << place)) || value_len > HTML_ATTRIBUTE_MAX)
            continue;
        seen |= 1u << place;
        append_attribute(to, attributes[place], value, value_len);
    }
    feed->at = at < feed->end ? at + 1 : feed->end;
    return at < feed->end;
}

/* Where "</name" stands; NULL if nowhere. */
static const char *
raw_end(const struct html_feed *feed, const char *name)
{
    gsize len = strlen(name);
    const char *at = feed->at;

    while ((at = memchr(at, '<', (gsize)(feed->end - at)))) {
        if ((gsize)(feed->end - at) >= len + 2 && at[1] == '/' &&
            g_ascii_strncasecmp(at + 2, name, len) == 0)
            return at;
        at++;
    }
    return NULL;
}

static bool
for_a_screen(const char *tag)
{
    const char *media = strstr(tag, " media=");

    return !media || g_str_has_prefix(media, " media=\"all\"") ||
           g_str_has_prefix(media, " media=\"screen\"") || g_str_has_prefix(media, " media=\"\"");
}

/* Behind the start tag of an element whose content is no HTML; tag is how that looks. */
static enum html_token
take_raw(struct html_feed *feed, const struct html_element *element, const char *tag)
{
    bool title = strcmp(element->name, "title") == 0;
    const char *stop = title && feed->titles_open ? NULL : raw_end(feed, element->name);
    const char *text = feed->at;

    if (!stop && title) {
        feed->titles_open = true;
        return HTML_TOKEN_OTHER;
    }
    feed->at = stop ? stop : feed->end;
    if (strcmp(element->name, "style") != 0 || !for_a_screen(tag))
        return HTML_TOKEN_OTHER;
    feed->style = text;
    feed->style_len = (gsize)(feed->at - text);
    return HTML_TOKEN_STYLE;
}

static gsize
name_length(const char *name, const char *end)
{
    gsize len = 0;

    while (name + len < end && !is_white(name[len]) && name[len] != '>' && name[len] != '/')
        len++;
    return len;
}

/* "<anna@example.com>" and "<https://…>" in a text that nobody escaped. */
static bool
is_address(const char *name, gsize len)
{
    return memchr(name, '@', len) || (len >= 5 && g_ascii_strncasecmp(name, "http:", 5) == 0) ||
           (len >= 6 && g_ascii_strncasecmp(name, "https:", 6) == 0) ||
           (len >= 7 && g_ascii_strncasecmp(name, "mailto:", 7) == 0);
}

static enum html_token
take_start(struct html_feed *feed, GString *to)
{
    const char *name = feed->at + 1;
    gsize len = name_length(name, feed->end);
    const struct html_element *element = html_element(name, len);
    gsize before = to->len;

    if (is_address(name, len)) {
        g_string_append(to, "&lt;");
        feed->at++;
        return HTML_TOKEN_OTHER;
    }
    g_string_append_printf(to, "<%s", element->as);
    feed->at = name + len;
    if (!take_attributes(feed, to)) {
        g_string_truncate(to, before);
        return HTML_TOKEN_OTHER;
    }
    if (element->kind == HTML_GONE || element->kind == HTML_RAW) {
        enum html_token token = HTML_TOKEN_OTHER;

        if (element->kind == HTML_RAW)
            token = take_raw(feed, element, to->str + before);
        g_string_truncate(to, before);
        return token;
    }
    g_string_append_c(to, '>');
    return element->kind == HTML_BREAK || element->kind == HTML_RULE || element->kind == HTML_IMAGE
               ? HTML_TOKEN_OTHER
               : HTML_TOKEN_START;
}

/* Passes over up to and with the next ">". */
static void
skip_tag(struct html_feed *feed)
{
    const char *stop = memchr(feed->at, '>', (gsize)(feed->end - feed->at));

    feed->at = stop ? stop + 1 : feed->end;
}

static void
take_end(struct html_feed *feed, GString *to)
{
    const char *name = feed->at + 2;
    const struct html_element *element = html_element(name, name_length(name, feed->end));

    if (element->kind == HTML_BREAK)
        g_string_append(to, "<br>");
    else if (element->kind != HTML_GONE && element->kind != HTML_RAW &&
             element->kind != HTML_RULE && element->kind != HTML_IMAGE)
        g_string_append_printf(to, "</%s>", element->as);
    /* With no <p> open it ends a line all the same: scripts put it between lines. */
    if (strcmp(element->as, "p") == 0)
        g_string_append(to, "<div></div>");
    skip_tag(feed);
}

/* "<!--[if !mso]><!-->" is a comment like any other: what is hidden in one is not shown outside
 * Outlook, and what is between two is. */
static void
skip_comment(struct html_feed *feed)
{
    const char *text = feed->at + strlen("<!--");
    gsize left = (gsize)(feed->end - text);
    const char *stop;

    if (left > 0 && text[0] == '>') {
        feed->at = text + 1;
        return;
    }
    /* "<!--->" is whole, too. */
    stop = memmem(text - 1, left + 1, "-->", 3);
    feed->at = stop ? stop + 3 : feed->end;
}

enum html_token
html_feed_next(struct html_feed *feed, GString *to)
{
    gsize left = (gsize)(feed->end - feed->at);
    char next = left > 1 ? feed->at[1] : '\0';

    if (left == 0)
        return HTML_TOKEN_END;
    if (*feed->at == '&')
        feed->at += take_reference(feed->at, feed->end, false, to);
    else if (*feed->at != '<')
        take_text(feed, to);
    else if (g_ascii_isalpha(next))
        return take_start(feed, to);
    else if (next == '/' && left > 2 && g_ascii_isalpha(feed->at[2]))
        take_end(feed, to);
    else if (next == '!' && left >= 4 && memcmp(feed->at, "<!--", 4) == 0)
        skip_comment(feed);
    else if (next == '!' || next == '?' || next == '/')
        skip_tag(feed);
    else {
        g_string_append(to, "&lt;");
        feed->at++;
    }
    return HTML_TOKEN_OTHER;
}
