/* SPDX-License-Identifier: ISC */
/*
 * The rooms of HTML to text, private to html*.c:
 *   html_feed.c      octets to tokens that libxml2 can take
 *   html_elements.c  which elements there are
 *   html.c           libxml2 and what each element means
 *   html_style.c     what CSS hides
 *   html_lines.c     text to lines
 *   html_link.c      which link and which image has something to say
 */
#ifndef TRANSPORT_READER_HTML_INSIDE_H
#define TRANSPORT_READER_HTML_INSIDE_H

#include <glib.h>
#include <stdbool.h>

#define HTML_ATTRIBUTE_MAX                                                                         \
    4096 /* octets of a value; longer ones are data: pictures and the like                         \
          */

enum html_kind {
    HTML_INLINE,
    HTML_GONE, /* the tag says nothing to a reader, what is in the element does */
    HTML_DROP, /* nothing in it is the mail's text */
    HTML_RAW,  /* no tags in there, up to its own end tag, and no text */
    HTML_BREAK,
    HTML_RULE,
    HTML_IMAGE,
    HTML_LINK,
    HTML_QUOTED,
    HTML_LINE,
    HTML_PARAGRAPH,
    HTML_PRE,
    HTML_BLOCKQUOTE,
    HTML_LIST,
    HTML_ITEM,
    HTML_ROW,
    HTML_CELL,
};

struct html_element {
    const char *name; /* lower case */
    const char *as;   /* the name libxml2 gets: it knows HTML 4 and closes no <p> for a <section> */
    enum html_kind kind;
};

/* The element of that name, in any case; an unknown one is an inline one that is passed on as
 * span. */
const struct html_element *html_element(const char *name, gsize len);

/* ---- html_feed.c */

enum html_token {
    HTML_TOKEN_END,
    HTML_TOKEN_START, /* a start tag that has an end */
    HTML_TOKEN_STYLE, /* style and style_len are set, nothing was appended */
    HTML_TOKEN_OTHER, /* anything else, nothing included */
};

struct html_feed {
    const char *at;
    const char *end;
    const char *style; /* the text of a <style> */
    gsize style_len;
    bool titles_open; /* a <title> has no end: no other has */
};

/* Once, before html_feed_next. */
void html_feed_prepare(void);

/* Appends the next token in a form without surprises, a few KiB at most. */
enum html_token html_feed_next(struct html_feed *feed, GString *to);

/* ---- html_style.c */

enum html_display { HTML_DISPLAY_UNSET, HTML_DISPLAY_INLINE, HTML_DISPLAY_BLOCK };

enum html_tristate { HTML_UNSET, HTML_NO, HTML_YES };

/* What declarations say about an element, as far as text goes. */
struct html_looks {
    enum html_tristate hidden; /* with all in it */
    enum html_tristate tiny;   /* letters of at most 1px; an element inside may have others */
    enum html_tristate faint;  /* letters in the colour of their ground, the same */
    enum html_tristate pre;
    enum html_display display;
    bool tight;      /* no margin above and below */
    bool borderless; /* says so */
    bool marker;     /* Word: the number or bullet of a list paragraph */
    guint level;     /* Word: a list paragraph's, from 1; 0: it is none */
};

/* What "display: none; color: …" says. */
void html_looks_read(const char *css, gsize len, struct html_looks *ret);

/* Simple rules of style sheets that hide something: a tag, .class, tag.class, #id. */
struct html_sheet;
struct html_sheet *html_sheet_new(void);
void html_sheet_free(struct html_sheet *sheet);
void html_sheet_read(struct html_sheet *sheet, const char *css, gsize len);

/* class and id may be NULL. */
bool html_sheet_hides(const struct html_sheet *sheet, const char *tag, const char *class,
                      const char *id);

/* ---- html_lines.c */

#define HTML_LINES_GAP 2 /* line ends that make one blank line */

/* Lines being written. Only html_lines.c looks inside. */
struct html_lines {
    GString *to;
    gsize start; /* of ours in to */
    gsize max;
    GString *prefix; /* of the lines to come: "> " and blanks */
    GString *last;   /* the prefix of the last line */
    GString *marker; /* of a list item that has no text yet */
    gsize marker_at; /* where in the prefix it stands */
    GString *blanks; /* of a preformatted line */
    guint wanted;    /* line ends before the next character */
    guint rule;      /* a line across, if anything follows: line ends before it */
    guint64 breaks;  /* places where lines ended */
    gunichar joiner; /* stands before the next character if it touches the last one */
    bool blank;      /* stands before the next character */
    bool hard;       /* a no-break space was all that the line had: an empty line is wanted */
    bool soft;       /* at the start of a cell or item: no more line ends */
    bool pre_start;  /* the line end behind <pre> is none */
    bool full;       /* max is reached, all else is passed over */
};

/* Text is appended to to, at most max octets. */
void html_lines_open(struct html_lines *lines, GString *to, gsize max);

/* Leaves at most max octets; true if there was more. */
bool html_lines_close(struct html_lines *lines);

/* True if nothing was written yet. */
bool html_lines_none(const struct html_lines *lines);

/* A block begins or ends: at least count line ends before the next character. */
void html_lines_want(struct html_lines *lines, guint count);

/* One more line end. */
void html_lines_break(struct html_lines *lines);

void html_lines_rule(struct html_lines *lines);

/* White space collapses unless pre. */
void html_lines_text(struct html_lines *lines, const char *text, gsize len, bool pre);

/* Behind the last character, whatever line ends are wanted. */
void html_lines_attach(struct html_lines *lines, const char *text);

/* Before a table's cell: the next text stays in the line if joined, and is on the next one
 * otherwise. */
void html_lines_cell(struct html_lines *lines, bool joined);

/* The line ends that are wanted are not wanted: a blank is. */
void html_lines_join(struct html_lines *lines);

/* A list item begins: marker stands before its text, the lines after that are indented. */
void html_lines_item(struct html_lines *lines, const char *marker);

/* ---- html_link.c */

/* The address of a link as people should get it, without what only tracks; NULL if it is not one
 * that a phone could open. Newly allocated. */
char *html_link_address(const char *href);

/* True if the visible text of a link tells its address. */
bool html_link_told(const char *text, gsize len, const char *href, const char *address);

/* What a mailto: or tel: link is about, for one that has no text; NULL for other links. Newly
 * allocated. */
char *html_link_contact(const char *href);

/* True if an image's alt text is more than the name of a file. */
bool html_alt_speaks(const char *alt);

#endif
