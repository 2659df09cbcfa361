/* SPDX-License-Identifier: ISC */
/*
 * Owns RTF: the compression of [MS-OXRTFCP] and the way from a document to its text. Reads hostile
 * octets: groups are counted, not recursed into; what is unknown is passed over. Knows no layout.
 */
#include "transport/reader/rtf.h"
#include "transport/reader/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 256 /* groups that have a state of their own; deeper ones share the last */
#define FONTS_MAX 1024
#define WORD_MAX  32 /* octets of a control word (the RTF specification) */

/* [MS-OXRTFCP] section 2.1.3.1.1: what the dictionary begins with. */
static const char dictionary_begin[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
#define DICTIONARY     4096
#define HEADER         16
#define MAGIC_PACKED   "LZFu"
#define MAGIC_UNPACKED "MELA"

static guint32
read32(const guint8 *data)
{
    return data[0] | (guint32)data[1] << 8 | (guint32)data[2] << 16 | (guint32)data[3] << 24;
}

/* Runs of a control octet and eight tokens: an octet, or two that point into the dictionary. */
static void
unpack_tokens(const guint8 *data, const guint8 *end, gsize wanted, GByteArray *to)
{
    guint8 dictionary[DICTIONARY] = {0};
    guint at = sizeof(dictionary_begin) - 1;

    memcpy(dictionary, dictionary_begin, at);
    while (data < end) {
        guint control = *data++;

        for (int bit = 0; bit < 8; bit++, control >>= 1) {
            guint from, count;

            if (data >= end || to->len >= wanted)
                return;
            if (!(control & 1)) {
                g_byte_array_append(to, data, 1);
                dictionary[at++ % DICTIONARY] = *data++;
                continue;
            }
            if (data + 1 >= end)
                return;
            from = (guint)data[0] << 4 | data[1] >> 4;
            count = (data[1] & 0x0F) + 2;
            data += 2;
            if (from == at % DICTIONARY)
                return; /* the end mark */
            while (count-- > 0) {
                guint8 octet = dictionary[from++ % DICTIONARY];

                g_byte_array_append(to, &octet, 1);
                dictionary[at++ % DICTIONARY] = octet;
            }
        }
    }
}

bool
rtf_unpack(const guint8 *data, gsize len, GByteArray *to)
{
    gsize wanted;

    if (len < HEADER)
        return false;
    wanted = MIN(read32(data + 4), RTF_MAX);
    if (memcmp(data + 8, MAGIC_UNPACKED, 4) == 0) {
        g_byte_array_append(to, data + HEADER, (guint)MIN(wanted, len - HEADER));
        return true;
    }
    if (memcmp(data + 8, MAGIC_PACKED, 4) != 0)
        return false;
    unpack_tokens(data + HEADER, data + len, wanted, to);
    return true;
}

/* What a group changes and gives back at its end. */
struct group {
    bool hidden;   /* a destination that is no text */
    bool vanished; /* \v: hidden text */
    bool fonts;    /* inside the font table */
    int fallback;  /* \uc: characters behind \u that stand for it */
    int code_page; /* of the current font */
    int font;      /* being defined, in the font table */
};

struct document {
    GString *to;
    guint *replaced;
    GByteArray *octets; /* text not yet decoded */
    int octets_page;
    int ansi_page;
    guint16 font_page[FONTS_MAX]; /* 0: the document's */
    struct group groups[DEPTH_MAX];
    guint depth;    /* groups open */
    int skip;       /* characters that stand for a \u before them */
    bool starred;   /* \* has just been read */
    gunichar2 high; /* half of a surrogate pair */
};

/* Groups too deep for a state of their own share one. */
static struct group *
group_now(struct document *document)
{
    return &document->groups[MIN(document->depth, DEPTH_MAX - 1)];
}

static void
flush_octets(struct document *document)
{
    GByteArray *octets = document->octets;
    bool ascii = true;
    char label[16];

    for (guint i = 0; i < octets->len && ascii; i++)
        ascii = octets->data[i] < 0x80;
    if (ascii) {
        g_string_append_len(document->to, (char *)octets->data, octets->len);
    } else {
        snprintf(label, sizeof(label), "cp%d", document->octets_page);
        charset_decode(document->octets_page == 65001   ? "utf-8"
                       : document->octets_page == 10000 ? "macintosh"
                                                        : label,
                       octets->data, octets->len, document->to, document->replaced);
    }
    g_byte_array_set_size(octets, 0);
}

static void
put_character(struct document *document, gunichar character)
{
    if (group_now(document)->hidden || group_now(document)->vanished)
        return;
    flush_octets(document);
    if (!g_unichar_validate(character) || character == 0) {
        character = 0xFFFD;
        (*document->replaced)++;
    }
    g_string_append_unichar(document->to, character);
}

static void
put_octet(struct document *document, guint8 octet)
{
    struct group *group = group_now(document);

    if (document->skip > 0) {
        document->skip--;
        return;
    }
    if (group->hidden || group->vanished || octet == '\0')
        return;
    if (document->high) {
        put_character(document, document->high); /* half a pair: U+FFFD */
        document->high = 0;
    }
    if (document->octets->len > 0 && document->octets_page != group->code_page)
        flush_octets(document);
    document->octets_page = group->code_page;
    g_byte_array_append(document->octets, &octet, 1);
}

/* \u: a UTF-16 unit as a signed number. */
static void
put_unit(struct document *document, int value)
{
    gunichar2 unit = (gunichar2)(guint)value;
    gunichar2 high = document->high;

    document->skip = group_now(document)->fallback;
    document->high = 0;
    if (high && unit >= 0xDC00 && unit < 0xE000) {
        put_character(document, 0x10000 + (((gunichar)high - 0xD800) << 10) + (unit - 0xDC00));
        return;
    }
    if (high)
        put_character(document, high); /* half a pair: U+FFFD */
    if (unit >= 0xD800 && unit < 0xDC00)
        document->high = unit;
    else
        put_character(document, unit);
}

/* \fcharset: the code page of a font; 0 where the document's holds. */
static guint16
page_of_charset(int charset)
{
    static const struct {
        int charset;
        guint16 page;
    } pages[] = {{77, 10000}, {128, 932},  {129, 949},  {134, 936},  {136, 950},
                 {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256},
                 {186, 1257}, {204, 1251}, {222, 874},  {238, 1250}, {255, 437}};

    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++)
        if (pages[i].charset == charset)
            return pages[i].page;
    return 0;
}

static void
set_font(struct document *document, int font)
{
    struct group *group = group_now(document);
    bool known = font >= 0 && font < FONTS_MAX;

    if (group->fonts)
        group->font = known ? font : -1;
    else
        group->code_page =
            known && document->font_page[font] ? document->font_page[font] : document->ansi_page;
}

static const struct {
    const char *word;
    gunichar character;
} characters[] = {
    {"par", '\n'},      {"line", '\n'},        {"sect", '\n'},        {"page", '\n'},
    {"row", '\n'},      {"cell", '\t'},        {"nestcell", '\t'},    {"nestrow", '\n'},
    {"tab", '\t'},      {"emdash", 0x2014},    {"endash", 0x2013},    {"lquote", 0x2018},
    {"rquote", 0x2019}, {"ldblquote", 0x201C}, {"rdblquote", 0x201D}, {"bullet", 0x2022},
    {"emspace", ' '},   {"enspace", ' '},      {"qmspace", ' '},      {"zwj", 0x200D},
    {"zwnj", 0x200C},
};

/* Destinations of the old kind, without \*, that are no text of the message. */
static const char *const hidden_destinations[] = {
    "colortbl", "stylesheet", "info",    "pict",    "object",  "header",   "headerl",   "headerr",
    "headerf",  "footer",     "footerl", "footerr", "footerf", "footnote", "themedata",
};

static bool
put_named(struct document *document, const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(characters); i++)
        if (strcmp(word, characters[i].word) == 0) {
            if (document->skip > 0)
                document->skip--;
            else
                put_character(document, characters[i].character);
            return true;
        }
    return false;
}

static void
hide_destination(struct group *group, const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hidden_destinations); i++)
        if (strcmp(word, hidden_destinations[i]) == 0)
            group->hidden = true;
}

/* number: the word's parameter, has_number: it has one. */
static void
control_word(struct document *document, const char *word, bool has_number, int number)
{
    struct group *group = group_now(document);

    /* RTF specification: a reader that does not know a destination behind \* passes it over. */
    if (document->starred) {
        group->hidden = true;
    } else if (strcmp(word, "u") == 0 && has_number) {
        put_unit(document, number);
    } else if (strcmp(word, "uc") == 0) {
        group->fallback = CLAMP(number, 0, 16);
    } else if (strcmp(word, "ansicpg") == 0 && number > 0 && number <= 65001) {
        document->ansi_page = number;
        group->code_page = number;
    } else if (strcmp(word, "f") == 0) {
        set_font(document, number);
    } else if (strcmp(word, "fcharset") == 0) {
        if (group->fonts && group->font >= 0)
            document->font_page[group->font] = page_of_charset(number);
    } else if (strcmp(word, "fonttbl") == 0) {
        group->hidden = true;
        group->fonts = true;
    } else if (strcmp(word, "plain") == 0) {
        group->code_page = document->ansi_page;
        group->vanished = false;
    } else if (strcmp(word, "v") == 0) {
        group->vanished = !has_number || number != 0;
    } else if (!put_named(document, word)) {
        hide_destination(group, word);
    }
}

static int
hex_value(const guint8 *data, const guint8 *end)
{
    int high, low;

    if (end - data < 2)
        return -1;
    high = g_ascii_xdigit_value((char)data[0]);
    low = g_ascii_xdigit_value((char)data[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A backslash and what is no letter. data is behind both. */
static const guint8 *
control_symbol(struct document *document, guint8 symbol, const guint8 *data, const guint8 *end)
{
    int value;

    switch (symbol) {
    case '\'':
        value = hex_value(data, end);
        if (value < 0)
            return data;
        put_octet(document, (guint8)value);
        return data + 2;
    case '\\':
    case '{':
    case '}':
        put_octet(document, symbol);
        break;
    case '~':
        put_octet(document, ' ');
        break;
    case '_':
        put_octet(document, '-');
        break;
    case '\n':
    case '\r':
        put_octet(document, '\n');
        break;
    case '*':
        document->starred = true;
        break;
    default:
        break; /* a soft hyphen and the like */
    }
    return data;
}

/* A control word; data is at its first letter. */
static const guint8 *
control(struct document *document, const guint8 *data, const guint8 *end)
{
    char word[WORD_MAX + 1];
    gsize len = 0;
    bool negative = false, has_number = false;
    int number = 0;

    while (data < end && g_ascii_isalpha(*data)) {
        if (len < WORD_MAX)
            word[len++] = (char)*data;
        data++;
    }
    word[len] = '\0';
    if (data + 1 < end && *data == '-' && g_ascii_isdigit(data[1])) {
        negative = true;
        data++;
    }
    for (; data < end && g_ascii_isdigit(*data); data++) {
        number = MIN(number * 10 + (*data - '0'), 100000000);
        has_number = true;
    }
    if (data < end && *data == ' ')
        data++;
    if (strcmp(word, "bin") == 0)
        return data + MIN((gsize)(end - data), negative ? 0 : (gsize)number);
    control_word(document, word, has_number, negative ? -number : number);
    document->starred = false;
    return data;
}

static void
group_open(struct document *document)
{
    struct group *now = group_now(document);
    struct group *inner;

    document->depth++;
    inner = group_now(document);
    if (inner != now)
        *inner = *now;
}

static void
group_close(struct document *document)
{
    document->skip = 0;
    if (document->depth > 0)
        document->depth--;
}

void
rtf_text(const guint8 *data, gsize len, GString *to, guint *replaced)
{
    const guint8 *end = len > 0 ? data + len : data;
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autofree struct document *document = g_new0(struct document, 1);
    gsize room = to->len + RTF_MAX;

    document->to = to;
    document->replaced = replaced;
    document->octets = octets;
    document->ansi_page = 1252;
    document->groups[0] = (struct group){.fallback = 1, .code_page = 1252, .font = -1};
    while (data < end && to->len < room) {
        guint8 octet = *data++;

        if (octet == '{') {
            group_open(document);
        } else if (octet == '}') {
            group_close(document);
        } else if (octet == '\\' && data < end) {
            if (g_ascii_isalpha(*data))
                data = control(document, data, end);
            else
                data = control_symbol(document, *data, data + 1, end);
        } else if (octet != '\r' && octet != '\n' && octet != '\\') {
            put_octet(document, octet);
        }
    }
    flush_octets(document);
}
