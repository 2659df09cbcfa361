/* SPDX-License-Identifier: ISC */
/* Owns what elements of HTML there are and what each is to a reader. A table, nothing else. */
#include "transport/reader/html_inside.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by name. */
static const struct html_element elements[] = {
    {"a", "a", HTML_LINK},
    {"address", "div", HTML_LINE},
    {"area", "area", HTML_GONE},
    {"article", "div", HTML_LINE},
    {"aside", "div", HTML_LINE},
    {"b", "b", HTML_INLINE},
    {"base", "base", HTML_GONE},
    {"basefont", "basefont", HTML_GONE},
    {"big", "big", HTML_INLINE},
    {"blockquote", "blockquote", HTML_BLOCKQUOTE},
    {"body", "body", HTML_GONE},
    {"br", "br", HTML_BREAK},
    {"button", "button", HTML_DROP},
    {"canvas", "canvas", HTML_DROP},
    {"caption", "caption", HTML_LINE},
    {"center", "div", HTML_LINE},
    {"code", "code", HTML_INLINE},
    {"col", "col", HTML_GONE},
    {"colgroup", "colgroup", HTML_GONE},
    {"datalist", "datalist", HTML_DROP},
    {"dd", "dd", HTML_LINE},
    {"details", "div", HTML_LINE},
    {"dialog", "div", HTML_LINE},
    {"dir", "ul", HTML_LIST},
    {"div", "div", HTML_LINE},
    {"dl", "dl", HTML_LINE},
    {"dt", "dt", HTML_LINE},
    {"em", "em", HTML_INLINE},
    {"embed", "embed", HTML_GONE},
    {"fieldset", "div", HTML_LINE},
    {"figcaption", "div", HTML_LINE},
    {"figure", "div", HTML_LINE},
    {"font", "font", HTML_INLINE},
    {"footer", "div", HTML_LINE},
    {"form", "div", HTML_LINE},
    {"frame", "frame", HTML_GONE},
    {"h1", "h1", HTML_PARAGRAPH},
    {"h2", "h2", HTML_PARAGRAPH},
    {"h3", "h3", HTML_PARAGRAPH},
    {"h4", "h4", HTML_PARAGRAPH},
    {"h5", "h5", HTML_PARAGRAPH},
    {"h6", "h6", HTML_PARAGRAPH},
    {"head", "head", HTML_GONE},
    {"header", "div", HTML_LINE},
    {"hgroup", "div", HTML_LINE},
    {"hr", "hr", HTML_RULE},
    {"html", "html", HTML_GONE},
    {"i", "i", HTML_INLINE},
    {"iframe", "iframe", HTML_DROP},
    {"img", "img", HTML_IMAGE},
    {"input", "input", HTML_GONE},
    {"legend", "div", HTML_LINE},
    {"li", "li", HTML_ITEM},
    {"link", "link", HTML_GONE},
    {"listing", "pre", HTML_PRE},
    {"main", "div", HTML_LINE},
    {"menu", "ul", HTML_LIST},
    {"meta", "meta", HTML_GONE},
    {"nav", "div", HTML_LINE},
    {"noembed", "noembed", HTML_DROP},
    {"noframes", "noframes", HTML_DROP},
    {"noscript", "noscript", HTML_DROP},
    {"o:p", "o:p", HTML_INLINE},
    {"ol", "ol", HTML_LIST},
    {"optgroup", "optgroup", HTML_DROP},
    {"option", "option", HTML_DROP},
    {"p", "p", HTML_PARAGRAPH},
    {"param", "param", HTML_GONE},
    {"pre", "pre", HTML_PRE},
    {"q", "q", HTML_QUOTED},
    {"s", "s", HTML_INLINE},
    {"script", "script", HTML_RAW},
    {"search", "div", HTML_LINE},
    {"section", "div", HTML_LINE},
    {"select", "select", HTML_DROP},
    {"small", "small", HTML_INLINE},
    {"source", "source", HTML_GONE},
    {"span", "span", HTML_INLINE},
    {"strike", "strike", HTML_INLINE},
    {"strong", "strong", HTML_INLINE},
    {"style", "style", HTML_RAW},
    {"sub", "sub", HTML_INLINE},
    {"summary", "div", HTML_LINE},
    {"sup", "sup", HTML_INLINE},
    {"svg", "svg", HTML_DROP},
    {"table", "table", HTML_LINE},
    {"tbody", "tbody", HTML_INLINE},
    {"td", "td", HTML_CELL},
    {"template", "template", HTML_DROP},
    {"textarea", "textarea", HTML_DROP},
    {"tfoot", "tfoot", HTML_INLINE},
    {"th", "th", HTML_CELL},
    {"thead", "thead", HTML_INLINE},
    {"title", "title", HTML_RAW},
    {"tr", "tr", HTML_ROW},
    {"track", "track", HTML_GONE},
    {"tt", "tt", HTML_INLINE},
    {"u", "u", HTML_INLINE},
    {"ul", "ul", HTML_LIST},
    {"wbr", "wbr", HTML_GONE},
    {"xml", "xml", HTML_DROP},
    {"xmp", "pre", HTML_PRE},
};

static const struct html_element unknown = {"", "span", HTML_INLINE};

struct name {
    const char *text;
    gsize len;
};

static int
compare(const void *key, const void *element)
{
    const struct name *name = key;
    const char *known = ((const struct html_element *)element)->name;
    gsize len = strlen(known);
    int order = g_ascii_strncasecmp(name->text, known, MIN(name->len, len));

    return order ? order : (name->len > len) - (name->len < len);
}

const struct html_element *
html_element(const char *name, gsize len)
{
    struct name key = {name, len};
    const struct html_element *found =
        len > 0 ? bsearch(&key, elements, G_N_ELEMENTS(elements), sizeof(*elements), compare)
                : NULL;

    return found ? found : &unknown;
}
