/* SPDX-License-Identifier: ISC */
/*
 * Owns what CSS tells about text: hidden or not, a block or not, white space kept or not. Reads
 * declarations one by one and the simplest selectors; no cascade, no inheritance, nothing that
 * depends on a screen's size. Never lays anything out.
 */
#include "transport/reader/html_inside.h"

#include <string.h>

#define SHEET_MAX    262144 /* octets of style sheets that are looked at; real mail has 60 KB */
#define RULES_MAX    1024
#define CLASSES_MAX  16  /* of an element */
#define SELECTOR_MAX 128 /* octets */

struct html_sheet {
    GHashTable *rules; /* selector, "" or "h" if it hides */
    gsize left;        /* octets still looked at */
};

/* Declarations as they are read; what they mean together is known at the end. */
struct reading {
    struct html_looks *looks;
    char colour[32];
    char ground[32];
    guint zeros;
    bool clipped;
    bool top_zero;
    bool bottom_zero;
};

enum { ZERO_HEIGHT = 1, ZERO_WIDTH = 2, ZERO_MAX_HEIGHT = 4, ZERO_MAX_WIDTH = 8 };

static bool
begins(const char *value, const char *word)
{
    return g_ascii_strncasecmp(value, word, strlen(word)) == 0;
}

/* A length of at most the given pixels: "0", "1px", ".0001pt", "0 auto". */
static bool
at_most(const char *value, double pixels)
{
    char *unit;
    double number = g_ascii_strtod(value, &unit);

    if (unit == value || number < 0)
        return false;
    return number == 0 || (number <= pixels && (begins(unit, "px") || begins(unit, "pt")));
}

static enum html_tristate
tristate(bool yes)
{
    return yes ? HTML_YES : HTML_NO;
}

static void
read_display(struct reading *reading, const char *value)
{
    struct html_looks *looks = reading->looks;

    looks->hidden = tristate(begins(value, "none"));
    if (g_ascii_strcasecmp(value, "inline") == 0)
        looks->display = HTML_DISPLAY_INLINE;
    else if (begins(value, "block") || begins(value, "flex") || begins(value, "grid") ||
             begins(value, "list-item"))
        looks->display = HTML_DISPLAY_BLOCK;
}

/* The vertical ones of "1px 2px 3px 4px". */
static void
read_margin(struct reading *reading, const char *value)
{
    g_auto(GStrv) sides = g_strsplit_set(value, " \t", 5);
    const char *bottom;

    if (!sides[0])
        return;
    bottom = sides[1] && sides[2] ? sides[2] : sides[0];
    reading->top_zero = at_most(sides[0], 0.5);
    reading->bottom_zero = at_most(bottom, 0.5);
}

static void
read_list(struct reading *reading, const char *value)
{
    g_autofree char *lower = g_ascii_strdown(value, -1);
    const char *level = strstr(lower, "level");

    reading->looks->marker = begins(lower, "ignore");
    if (level && g_ascii_isdigit(level[5]))
        reading->looks->level = (guint)(level[5] - '0');
}

static void
zero(struct reading *reading, const char *value, guint which)
{
    if (at_most(value, 0))
        reading->zeros |= which;
    else
        reading->zeros &= ~which;
}

static void
read_size(struct reading *reading, const char *name, const char *value)
{
    if (strcmp(name, "height") == 0)
        zero(reading, value, ZERO_HEIGHT);
    else if (strcmp(name, "width") == 0)
        zero(reading, value, ZERO_WIDTH);
    else if (strcmp(name, "max-height") == 0)
        zero(reading, value, ZERO_MAX_HEIGHT);
    else if (strcmp(name, "max-width") == 0)
        zero(reading, value, ZERO_MAX_WIDTH);
    else if (strcmp(name, "overflow") == 0)
        reading->clipped = begins(value, "hidden") || begins(value, "clip");
}

static void
read_declaration(struct reading *reading, const char *name, const char *value)
{
    struct html_looks *looks = reading->looks;

    if (strcmp(name, "display") == 0)
        read_display(reading, value);
    else if (strcmp(name, "visibility") == 0)
        looks->hidden = tristate(begins(value, "hidden") || begins(value, "collapse"));
    else if (strcmp(name, "opacity") == 0 && at_most(value, 0))
        looks->hidden = HTML_YES;
    else if (strcmp(name, "font-size") == 0)
        looks->tiny = tristate(at_most(value, 1));
    else if (strcmp(name, "color") == 0)
        g_strlcpy(reading->colour, value, sizeof(reading->colour));
    else if (strcmp(name, "background-color") == 0 || strcmp(name, "background") == 0)
        g_strlcpy(reading->ground, value, sizeof(reading->ground));
    else if (strcmp(name, "white-space") == 0)
        looks->pre = tristate(begins(value, "pre") || begins(value, "break-spaces"));
    else if (strcmp(name, "margin") == 0)
        read_margin(reading, value);
    else if (strcmp(name, "margin-top") == 0)
        reading->top_zero = at_most(value, 0.5);
    else if (strcmp(name, "margin-bottom") == 0)
        reading->bottom_zero = at_most(value, 0.5);
    else if (strcmp(name, "border") == 0)
        looks->borderless = begins(value, "none") || at_most(value, 0);
    else if (strcmp(name, "mso-list") == 0)
        read_list(reading, value);
    else
        read_size(reading, name, value);
}

static void
conclude(struct reading *reading)
{
    struct html_looks *looks = reading->looks;
    bool flat = (reading->zeros & ZERO_HEIGHT) && (reading->zeros & ZERO_WIDTH);

    if ((reading->zeros & ZERO_MAX_HEIGHT) || flat || (reading->zeros && reading->clipped))
        looks->hidden = HTML_YES;
    if (*reading->colour)
        looks->faint = tristate(begins(reading->colour, "transparent") ||
                                g_ascii_strcasecmp(reading->colour, reading->ground) == 0);
    looks->tight = reading->top_zero && reading->bottom_zero;
}

/* Cuts "!important" and blanks off. */
static void
strip_value(char *value)
{
    char *mark = strchr(value, '!');

    if (mark)
        *mark = '\0';
    g_strstrip(value);
}

void
html_looks_read(const char *css, gsize len, struct html_looks *ret)
{
    struct reading reading = {.looks = ret};
    const char *end = css + len;

    *ret = (struct html_looks){0};
    while (css < end) {
        const char *stop = memchr(css, ';', (gsize)(end - css));
        gsize whole = (gsize)((stop ? stop : end) - css);
        const char *colon = memchr(css, ':', whole);

        if (colon) {
            g_autofree char *name = g_ascii_strdown(css, colon - css);
            g_autofree char *value = g_strndup(colon + 1, whole - (gsize)(colon + 1 - css));

            g_strstrip(name);
            strip_value(value);
            read_declaration(&reading, name, value);
        }
        css += whole + 1;
    }
    conclude(&reading);
}

struct html_sheet *
html_sheet_new(void)
{
    struct html_sheet *sheet = g_new0(struct html_sheet, 1);

    sheet->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    sheet->left = SHEET_MAX;
    return sheet;
}

void
html_sheet_free(struct html_sheet *sheet)
{
    g_hash_table_destroy(sheet->rules);
    g_free(sheet);
}

/* Copies a sheet without comments, which may stand anywhere, and without "<!--" and "-->". */
static char *
without_comments(const char *css, gsize len)
{
    GString *to = g_string_sized_new(len);
    const char *end = css + len;

    while (css < end) {
        gsize left = (gsize)(end - css);

        if (left >= 2 && css[0] == '/' && css[1] == '*') {
            const char *stop = memmem(css + 2, left - 2, "*/", 2);

            css = stop ? stop + 2 : end;
        } else if (left >= 4 && memcmp(css, "<!--", 4) == 0) {
            css += 4;
        } else if (left >= 3 && memcmp(css, "-->", 3) == 0) {
            css += 3;
        } else {
            if (*css != '\0')
                g_string_append_c(to, *css);
            css++;
        }
    }
    return g_string_free(to, FALSE);
}

/* One name, or a tag or nothing with one class or id. */
static bool
is_simple(const char *selector)
{
    const char *mark = strpbrk(selector, ".#");
    const char *name = mark ? mark + 1 : selector;

    if (*selector == '\0' || strlen(selector) > SELECTOR_MAX || *name == '\0')
        return false;
    if (mark && *mark == '#' && mark != selector)
        return false;
    for (const char *c = selector; *c; c++)
        if (c != mark && !g_ascii_isalnum(*c) && *c != '-' && *c != '_' && (guint8)*c < 0x80)
            return false;
    return true;
}

static void
add_rules(struct html_sheet *sheet, const char *selectors, const char *block, gsize len)
{
    struct html_looks looks;

    html_looks_read(block, len, &looks);
    if (looks.hidden == HTML_UNSET)
        return;
    g_auto(GStrv) list = g_strsplit(selectors, ",", 64);
    for (guint i = 0; list[i]; i++) {
        char *selector = g_strstrip(list[i]);

        if (!is_simple(selector) || g_hash_table_size(sheet->rules) >= RULES_MAX)
            continue;
        g_hash_table_insert(sheet->rules, g_strdup(selector), GUINT_TO_POINTER(looks.hidden));
    }
}

/* Behind the "}" that closes what was opened before at; blocks may stand in a block. */
static const char *
block_end(const char *at)
{
    guint depth = 1;

    while (*at && depth > 0) {
        depth += *at == '{';
        depth -= *at == '}';
        at++;
    }
    return at;
}

void
html_sheet_read(struct html_sheet *sheet, const char *css, gsize len)
{
    gsize use = MIN(len, sheet->left);
    g_autofree char *text = without_comments(css, use);
    const char *at = text;

    sheet->left -= use;
    while (*at) {
        gsize until = strcspn(at, "{;}");
        const char *block = at + until + 1;

        if (at[until] == '\0')
            return;
        if (at[until] != '{') {
            at = block; /* "@import …;" */
            continue;
        }
        g_autofree char *selectors = g_strndup(at, until);
        at = block_end(block);
        /* "@media …" depends on a screen we do not have. */
        if (*g_strstrip(selectors) != '@')
            add_rules(sheet, selectors, block,
                      (gsize)(at - block) - (at > block && at[-1] == '}' ? 1 : 0));
    }
}

static void
apply(const struct html_sheet *sheet, const char *before, const char *mark, const char *name,
      guint *hidden)
{
    g_autofree char *selector = g_strconcat(before, mark, name, NULL);
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(sheet->rules, selector));

    if (found != HTML_UNSET)
        *hidden = found;
}

bool
html_sheet_hides(const struct html_sheet *sheet, const char *tag, const char *class, const char *id)
{
    guint hidden = HTML_UNSET;

    if (g_hash_table_size(sheet->rules) == 0)
        return false;
    apply(sheet, tag, "", "", &hidden);
    if (class) {
        g_auto(GStrv) names = g_strsplit_set(class, " \t", CLASSES_MAX);

        for (guint i = 0; names[i]; i++) {
            apply(sheet, "", ".", names[i], &hidden);
            apply(sheet, tag, ".", names[i], &hidden);
        }
    }
    if (id)
        apply(sheet, "", "#", id, &hidden);
    return hidden == HTML_YES;
}
