/* SPDX-License-Identifier: ISC */
/*
 * Owns HTML to text: libxml2's push parser, which says where elements begin and end and what
 * references stand for, and what each element means for the text. No tree is built: what is kept is
 * one record for each open element. Never believes an address: nothing is fetched.
 */
#include "transport/reader/html.h"
#include "lib/mailview.h"
#include "transport/reader/html_inside.h"

#include <libxml/HTMLparser.h>
#include <string.h>

/* Elements in elements, as in browsers: the rest is read as if its tags were not there. libxml2
 * searches all open elements for an end tag, so this bounds what 8 MiB of them cost, too. */
#define DEPTH_MAX 512

#define GROUND     "<mail>" /* no end tag closes it: behind the last one libxml2 stops */
#define CHUNK      8192     /* octets given to libxml2 at once */
#define MARKER_MAX 16       /* octets of Word's list markers */

/* An element that is open. */
struct open {
    const struct html_element *element;
    enum html_kind kind;
    gsize prefix; /* length of the prefix in front of it */
    guint gap;    /* line ends wanted behind it */
    bool hidden;  /* the text in it is not read; this and the next four are inherited */
    bool tiny;
    bool faint;
    bool pre;
    bool marker;         /* the text is Word's list marker */
    bool listed;         /* HTML_LIST, numbered */
    char style;          /* '1', 'a', 'A' */
    gint number;         /* of the next item */
    bool row_told;       /* a cell in it had text */
    bool row_ended;      /* and several lines of it */
    gsize cell_start;    /* HTML_CELL, HTML_ITEM: length of the text in front */
    guint64 cell_breaks; /* HTML_CELL: line ends when its first line has begun */
    bool cell_soft;
};

struct html {
    htmlParserCtxtPtr parser;
    struct html_lines lines;
    struct html_sheet *sheet;
    GString *chunk;
    guint starts;  /* tags in chunk that libxml2 has not seen */
    GArray *stack; /* struct open */
    GString *href; /* of the link that is open */
    gsize link_start;
    guint link_depth; /* where in the stack it is, 0: nowhere */
    char *told;       /* the address of the last link that was written */
    GString *marker;
};

static struct open *
top(struct html *html)
{
    return &g_array_index(html->stack, struct open, html->stack->len - 1);
}

static const char *
attribute(const xmlChar **list, const char *name)
{
    for (; list && list[0]; list += 2)
        if (strcmp((const char *)list[0], name) == 0)
            return list[1] ? (const char *)list[1] : "";
    return NULL;
}

static bool
has_word(const char *text, const char *word)
{
    return text && strstr(text, word);
}

static void
write_text(struct html *html, const char *text)
{
    html_lines_text(&html->lines, text, strlen(text), false);
}

/* ---- links */

static void
link_begin(struct html *html, const char *href)
{
    if (!href)
        return;
    g_string_assign(html->href, href);
    html->link_start = html->lines.to->len;
    html->link_depth = html->stack->len + 1;
}

static void
link_end(struct html *html)
{
    g_autofree char *address = html_link_address(html->href->str);
    const char *text = html->lines.to->str + html->link_start;
    gsize len = html->lines.to->len - html->link_start;

    html->link_depth = 0;
    /* A picture without a word is a link to nobody who reads. */
    if (len == 0 || !address || html_link_told(text, len, html->href->str, address) ||
        g_strcmp0(address, html->told) == 0)
        return;
    g_autofree char *shown = g_strdup_printf(" <%s>", address);
    html_lines_attach(&html->lines, shown);
    g_free(html->told);
    html->told = g_steal_pointer(&address);
}

/* ---- lists */

/* The marker of the next item of the list that is open at parent. */
static char *
item_marker(struct open *parent, const char *value)
{
    gint number;

    if (parent->kind != HTML_LIST || !parent->listed)
        return g_strdup("- ");
    if (value)
        parent->number = (gint)CLAMP(g_ascii_strtoll(value, NULL, 10), -99999, 99999);
    number = parent->number++;
    if ((parent->style == 'a' || parent->style == 'A') && number >= 1 && number <= 26)
        return g_strdup_printf("%c. ", parent->style + number - 1);
    return g_strdup_printf("%d. ", number);
}

static void
list_begin(struct html *html, struct open *open, const struct open *parent, const xmlChar **list)
{
    const char *start = attribute(list, "start");
    const char *type = attribute(list, "type");

    open->listed = strcmp(open->element->name, "ol") == 0;
    open->number = start ? (gint)CLAMP(g_ascii_strtoll(start, NULL, 10), -99999, 99999) : 1;
    open->style = type ? *type : '1';
    open->gap = 1;
    html_lines_want(&html->lines, 1);
    /* Outlook writes a list in a list without an item around it. */
    if (parent->kind == HTML_LIST)
        g_string_append(html->lines.prefix, "  ");
}

static void
item_begin(struct html *html, struct open *open, struct open *parent, const xmlChar **list)
{
    g_autofree char *marker = item_marker(parent, attribute(list, "value"));

    open->cell_soft = html->lines.soft;
    open->cell_start = html->lines.to->len;
    html_lines_item(&html->lines, marker);
}

/* What Word wrote as a number or bullet, in letters of a font that has no letters. */
static void
write_marker(struct html *html)
{
    gsize len = strcspn(html->marker->str, " \t\n\xC2\xA0");
    bool numbered = len > 1 && strchr(".)", html->marker->str[len - 1]);

    if (html->marker->len > 0) {
        g_string_truncate(html->marker, len);
        write_text(html, numbered ? html->marker->str : "-");
        write_text(html, " ");
    }
    g_string_truncate(html->marker, 0);
}

/* ---- tables */

static void
cell_begin(struct html *html, struct open *open, const struct open *row)
{
    struct html_lines *lines = &html->lines;
    bool joined = row->row_told && !row->row_ended;

    open->cell_soft = lines->soft;
    open->cell_start = lines->to->len;
    html_lines_cell(lines, joined);
    open->cell_breaks = lines->breaks + (lines->wanted > 0 && !html_lines_none(lines) ? 1 : 0);
}

/* A cell with several lines cannot have the next one behind its last line. */
static void
cell_end(struct html *html, const struct open *open, struct open *row)
{
    struct html_lines *lines = &html->lines;
    bool told = lines->to->len > open->cell_start;

    lines->soft = !told && open->cell_soft;
    lines->hard = false;
    if (!told)
        return;
    row->row_told = true;
    row->row_ended = lines->breaks > open->cell_breaks;
    html_lines_join(lines);
}

static void
item_end(struct html *html, const struct open *open)
{
    struct html_lines *lines = &html->lines;
    bool told = lines->to->len > open->cell_start;

    lines->soft = !told && open->cell_soft;
    lines->hard = false;
    if (told)
        lines->wanted = 1;
    else
        g_string_truncate(lines->marker, 0);
}

/* ---- elements */

static void
image(struct html *html, const struct open *open, const xmlChar **list)
{
    const char *alt = attribute(list, "alt");
    const char *width = attribute(list, "width");
    const char *height = attribute(list, "height");

    /* Of one point: it counts who reads. */
    if (!alt ||
        (width && height && g_ascii_strtod(width, NULL) <= 1 && g_ascii_strtod(height, NULL) <= 1))
        return;
    if (html_alt_speaks(alt))
        html_lines_text(&html->lines, alt, strlen(alt), open->pre);
}

/* A quote unless it says that it is not: mail programs indent with it, too. */
static void
quote_begin(struct html *html, const struct html_looks *looks, const xmlChar **list)
{
    const char *type = attribute(list, "type");
    bool cited = (type && g_ascii_strcasecmp(type, "cite") == 0) ||
                 has_word(attribute(list, "class"), "quote");

    html_lines_want(&html->lines, 1);
    if (cited || !looks->borderless)
        g_string_append(html->lines.prefix, "> ");
}

/* Line ends around a paragraph: Outlook's have no margin, and an empty one where people want a
 * blank line. */
static guint
paragraph_gap(const struct open *open, const struct html_looks *looks, const xmlChar **list)
{
    const char *class = attribute(list, "class");

    if (open->element->name[0] != 'p')
        return HTML_LINES_GAP;
    if (looks->tight || looks->level > 0 || has_word(class, "MsoNormal") ||
        has_word(class, "MsoPlainText") || has_word(class, "MsoListParagraph") ||
        has_word(class, "MsoNoSpacing"))
        return 1;
    return HTML_LINES_GAP;
}

static void
block_begin(struct html *html, struct open *open, guint gap)
{
    html_lines_want(&html->lines, gap);
    open->gap = gap;
}

static void
element_begin(struct html *html, struct open *open, struct open *parent,
              const struct html_looks *looks, const xmlChar **list)
{
    switch (open->kind) {
    case HTML_BREAK:
        html_lines_break(&html->lines);
        break;
    case HTML_RULE:
        html_lines_rule(&html->lines);
        break;
    case HTML_IMAGE:
        image(html, open, list);
        break;
    case HTML_LINK:
        link_begin(html, attribute(list, "href"));
        break;
    case HTML_QUOTED:
        write_text(html, "\"");
        break;
    case HTML_LINE:
    case HTML_ROW:
        block_begin(html, open, 1);
        break;
    case HTML_PARAGRAPH:
        block_begin(html, open, paragraph_gap(open, looks, list));
        for (guint level = 1; level < looks->level; level++)
            g_string_append(html->lines.prefix, "  ");
        break;
    case HTML_PRE:
        block_begin(html, open, HTML_LINES_GAP);
        open->pre = true;
        html->lines.pre_start = true;
        break;
    case HTML_BLOCKQUOTE:
        quote_begin(html, looks, list);
        open->gap = 1;
        break;
    case HTML_LIST:
        list_begin(html, open, parent, list);
        break;
    case HTML_ITEM:
        item_begin(html, open, parent, list);
        break;
    case HTML_CELL:
        cell_begin(html, open, parent);
        break;
    default:
        break;
    }
    if (looks->display == HTML_DISPLAY_BLOCK &&
        (open->kind == HTML_INLINE || open->kind == HTML_LINK))
        block_begin(html, open, 1);
}

/* Of an element that is read: what it inherits and what it says itself. */
static void
look(struct html *html, struct open *open, struct html_looks *looks, const xmlChar **list)
{
    const char *style = attribute(list, "style");
    const char *width = attribute(list, "width");
    const char *height = attribute(list, "height");

    html_looks_read(style ? style : "", style ? strlen(style) : 0, looks);
    if (looks->hidden == HTML_UNSET &&
        html_sheet_hides(html->sheet, open->element->name, attribute(list, "class"),
                         attribute(list, "id")))
        looks->hidden = HTML_YES;
    if (attribute(list, "hidden") ||
        (width && height && strcmp(width, "0") == 0 && strcmp(height, "0") == 0))
        looks->hidden = HTML_YES;
    open->hidden |= looks->hidden == HTML_YES || open->kind == HTML_DROP;
    if (looks->tiny != HTML_UNSET)
        open->tiny = looks->tiny == HTML_YES;
    if (looks->faint != HTML_UNSET)
        open->faint = looks->faint == HTML_YES;
    if (looks->pre != HTML_UNSET)
        open->pre = looks->pre == HTML_YES;
    open->marker |= looks->marker;
    if (looks->display == HTML_DISPLAY_INLINE &&
        (open->kind == HTML_LINE || open->kind == HTML_PARAGRAPH))
        open->kind = HTML_INLINE;
}

static void
on_start(void *user, const xmlChar *name, const xmlChar **list)
{
    struct html *html = user;
    struct open *parent = top(html);
    struct html_looks looks = {0};
    struct open open = {
        .element = html_element((const char *)name, strlen((const char *)name)),
        .hidden = parent->hidden,
        .tiny = parent->tiny,
        .faint = parent->faint,
        .pre = parent->pre,
        .marker = parent->marker,
        .prefix = html->lines.prefix->len,
    };

    open.kind = open.element->kind;
    if (!open.hidden)
        look(html, &open, &looks, list);
    if (!open.hidden)
        element_begin(html, &open, parent, &looks, list);
    g_array_append_val(html->stack, open);
}

static void
element_end(struct html *html, const struct open *open)
{
    struct open *parent = top(html);

    if (open->marker && !parent->marker)
        write_marker(html);
    if (open->kind == HTML_QUOTED)
        write_text(html, "\"");
    else if (open->kind == HTML_CELL)
        cell_end(html, open, parent);
    else if (open->kind == HTML_ITEM)
        item_end(html, open);
    if (open->gap > 0)
        html_lines_want(&html->lines, open->gap);
}

static void
on_end(void *user, const xmlChar *name)
{
    struct html *html = user;
    struct open open = *top(html);

    (void)name;
    if (html->stack->len == 1)
        return;
    if (html->link_depth == html->stack->len)
        link_end(html);
    g_array_set_size(html->stack, html->stack->len - 1);
    if (open.hidden)
        return;
    element_end(html, &open);
    g_string_truncate(html->lines.prefix, MIN(open.prefix, html->lines.prefix->len));
}

static void
on_text(void *user, const xmlChar *text, int len)
{
    struct html *html = user;
    const struct open *open = top(html);

    if (len <= 0 || open->hidden || open->tiny || open->faint)
        return;
    if (open->marker) {
        if (html->marker->len + (gsize)len <= MARKER_MAX)
            g_string_append_len(html->marker, (const char *)text, len);
        return;
    }
    html_lines_text(&html->lines, (const char *)text, (gsize)len, open->pre);
}

/* ---- the whole */

void
html_prepare(void)
{
    xmlInitParser();
    html_feed_prepare();
}

static void
flush(struct html *html)
{
    htmlParseChunk(html->parser, html->chunk->str, (int)html->chunk->len, 0);
    g_string_truncate(html->chunk, 0);
    html->starts = 0;
}

static void
feed(struct html *html, const char *text, gsize len)
{
    struct html_feed feed = {.at = text, .end = text + len};
    enum html_token token;

    do {
        gsize before;

        if (html->chunk->len >= CHUNK || html->stack->len + html->starts >= DEPTH_MAX)
            flush(html);
        before = html->chunk->len;
        token = html_feed_next(&feed, html->chunk);
        if (token == HTML_TOKEN_START && html->stack->len + html->starts++ >= DEPTH_MAX) {
            g_string_truncate(html->chunk, before);
        } else if (token == HTML_TOKEN_STYLE) {
            flush(html);
            html_sheet_read(html->sheet, feed.style, feed.style_len);
        }
    } while (token != HTML_TOKEN_END && !html->lines.full);
}

static htmlParserCtxtPtr
parser_new(struct html *html)
{
    xmlSAXHandler handler = {
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
    };
    htmlParserCtxtPtr parser =
        htmlCreatePushParserCtxt(&handler, html, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);

    if (!parser)
        g_error("out of memory");
    htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                   HTML_PARSE_NONET | HTML_PARSE_NOIMPLIED);
    return parser;
}

bool
html_text(const char *text, gsize len, GString *to)
{
    struct html html = {
        .sheet = html_sheet_new(),
        .chunk = g_string_new(GROUND),
        .stack = g_array_sized_new(FALSE, FALSE, sizeof(struct open), DEPTH_MAX),
        .href = g_string_new(NULL),
        .marker = g_string_new(NULL),
    };
    struct open ground = {.element = html_element("", 0)};
    bool cut;

    html_prepare();
    g_array_append_val(html.stack, ground);
    html_lines_open(&html.lines, to, VIEW_TEXT_MAX);
    html.parser = parser_new(&html);
    feed(&html, text, len);
    htmlParseChunk(html.parser, html.chunk->str, (int)html.chunk->len, 1);
    while (html.stack->len > 1)
        on_end(&html, NULL);
    cut = html_lines_close(&html.lines);
    xmlFreeDoc(html.parser->myDoc);
    htmlFreeParserCtxt(html.parser);
    html_sheet_free(html.sheet);
    g_string_free(html.chunk, TRUE);
    g_array_unref(html.stack);
    g_string_free(html.href, TRUE);
    g_string_free(html.marker, TRUE);
    g_free(html.told);
    return cut;
}
