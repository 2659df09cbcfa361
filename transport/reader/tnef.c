/* SPDX-License-Identifier: ISC */
/*
 * Owns the reading of TNEF: attributes, MAPI properties, code pages. Works where the octets lie and
 * copies only the body. Never trusts a length: each is held against what is left.
 */
#include "transport/reader/tnef.h"
#include "lib/clean.h"
#include "transport/reader/decode.h"
#include "transport/reader/rtf.h"

#include <stdio.h>
#include <string.h>

#define SIGNATURE     0x223E9F78
#define LEVEL_MESSAGE 1

/* Attributes ([MS-OXTNEF] section 2.1.3.2). */
#define ATT_BODY          0x0002800C
#define ATT_OEM_CODE_PAGE 0x00069007
#define ATT_MSG_PROPS     0x00069003

/* Properties ([MS-OXPROPS]) and their types ([MS-OXCDATA] section 2.11.1). */
#define PR_BODY           0x1000
#define PR_RTF_COMPRESSED 0x1009
#define PR_HTML           0x1013
#define PR_INTERNET_CPID  0x3FDE
#define PR_MESSAGE_CPID   0x3FFD
#define PT_LONG           0x0003
#define PT_STRING8        0x001E
#define PT_UNICODE        0x001F
#define PT_BINARY         0x0102
#define PT_MULTIPLE       0x1000
#define CP_UTF16          1200
#define NAMED_FROM        0x8000 /* property ids from here on carry a name */

struct cursor {
    const guint8 *data;
    const guint8 *end;
};

struct piece {
    const guint8 *data; /* NULL: not there */
    gsize len;
};

struct message {
    struct piece unicode; /* PR_BODY */
    struct piece string8; /* PR_BODY */
    struct piece body;    /* attBody */
    struct piece rtf;
    struct piece html;
    bool html_unicode;
    guint32 oem_page;
    guint32 message_page;
    guint32 internet_page;
};

static gsize
left(const struct cursor *cursor)
{
    return (gsize)(cursor->end - cursor->data);
}

static bool
skip(struct cursor *cursor, gsize len)
{
    if (left(cursor) < len)
        return false;
    cursor->data += len;
    return true;
}

static bool
take_number(struct cursor *cursor, gsize octets, guint32 *ret)
{
    const guint8 *data = cursor->data;

    if (!skip(cursor, octets))
        return false;
    *ret = 0;
    while (octets-- > 0)
        *ret = *ret << 8 | data[octets];
    return true;
}

/* Octets of a value of that type as it lies here, padded; 0: its length comes before it. */
static gsize
fixed_length(guint32 type)
{
    switch (type) {
    case 0x0002: /* I2 */
    case PT_LONG:
    case 0x0004: /* R4 */
    case 0x000A: /* error */
    case 0x000B: /* boolean */
        return 4;
    case 0x0005: /* double */
    case 0x0006: /* currency */
    case 0x0007: /* application time */
    case 0x0014: /* I8 */
    case 0x0040: /* time */
        return 8;
    case 0x0048: /* GUID */
        return 16;
    default:
        return 0;
    }
}

/* A value with its length in front, padded to four octets; of one that was cut off, what is there,
 * and *whole is false. False if there is none. */
static bool
take_variable(struct cursor *cursor, struct piece *ret, bool *whole)
{
    guint32 len;

    if (!take_number(cursor, 4, &len))
        return false;
    ret->data = cursor->data;
    ret->len = MIN(len, left(cursor));
    *whole = ret->len == len;
    cursor->data += ret->len;
    return skip(cursor, MIN((4 - ret->len % 4) % 4, left(cursor)));
}

static bool
skip_name(struct cursor *cursor)
{
    guint32 kind, id;
    struct piece name;
    bool whole;

    if (!skip(cursor, 16) || !take_number(cursor, 4, &kind))
        return false;
    return kind == 0 ? take_number(cursor, 4, &id) : take_variable(cursor, &name, &whole);
}

static void
note_value(struct message *message, guint32 id, guint32 type, struct piece piece)
{
    if (id == PR_BODY && type == PT_UNICODE)
        message->unicode = piece;
    else if (id == PR_BODY && type == PT_STRING8)
        message->string8 = piece;
    else if (id == PR_RTF_COMPRESSED && type == PT_BINARY)
        message->rtf = piece;
    else if (id == PR_HTML) {
        message->html = piece;
        message->html_unicode = type == PT_UNICODE;
    }
}

/* The values of one property. False at the end of what can be read. */
static bool
take_values(struct cursor *cursor, struct message *message, guint32 id, guint32 type)
{
    gsize fixed = fixed_length(type & ~(guint32)PT_MULTIPLE);
    bool multiple = type & PT_MULTIPLE;
    guint32 count = 1;
    guint32 number;

    if ((multiple || fixed == 0) && !take_number(cursor, 4, &count))
        return false;
    if (fixed > 0 && (multiple || type != PT_LONG))
        return count <= left(cursor) / fixed && skip(cursor, count * fixed);
    if (fixed > 0) {
        if (!take_number(cursor, 4, &number))
            return false;
        if (id == PR_INTERNET_CPID)
            message->internet_page = number;
        else if (id == PR_MESSAGE_CPID)
            message->message_page = number;
        return true;
    }
    for (; count > 0; count--) {
        struct piece piece;
        bool whole;

        if (!take_variable(cursor, &piece, &whole))
            return false;
        if (!multiple)
            note_value(message, id, type, piece);
        if (!whole)
            return false;
    }
    return true;
}

static void
take_properties(struct cursor cursor, struct message *message)
{
    guint32 count, type, id;

    if (!take_number(&cursor, 4, &count))
        return;
    while (count-- > 0) {
        if (!take_number(&cursor, 2, &type) || !take_number(&cursor, 2, &id) ||
            (id >= NAMED_FROM && !skip_name(&cursor)) || !take_values(&cursor, message, id, type))
            return;
    }
}

static void
take_attribute(struct message *message, guint32 id, struct cursor value)
{
    if (id == ATT_BODY)
        message->body = (struct piece){value.data, left(&value)};
    else if (id == ATT_OEM_CODE_PAGE)
        take_number(&value, 4, &message->oem_page);
    else if (id == ATT_MSG_PROPS)
        take_properties(value, message);
}

static bool
read_stream(const guint8 *data, gsize len, struct message *message)
{
    struct cursor cursor = {data, data + len};
    guint32 number, level, id;

    if (!take_number(&cursor, 4, &number) || number != SIGNATURE || !skip(&cursor, 2))
        return false;
    while (take_number(&cursor, 1, &level) && take_number(&cursor, 4, &id) &&
           take_number(&cursor, 4, &number)) {
        gsize use = MIN(number, left(&cursor));

        if (level == LEVEL_MESSAGE)
            take_attribute(message, id, (struct cursor){cursor.data, cursor.data + use});
        /* A checksum follows; a wrong one says less than the text itself. */
        if (!skip(&cursor, use) || !skip(&cursor, 2))
            break;
    }
    return true;
}

/* UTF-16 as MAPI has it, where there is nothing to guess: half a pair, as at a cut, is one fault.
 */
static void
decode_unicode(struct piece piece, GString *to, guint *replaced)
{
    gsize len = MIN(piece.len, TNEF_TEXT_MAX) & ~(gsize)1;

    for (gsize i = 0; i < len; i += 2) {
        gunichar unit = piece.data[i] | (gunichar)piece.data[i + 1] << 8;

        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < len && (piece.data[i + 3] & 0xFC) == 0xDC) {
            i += 2;
            unit = 0x10000 + ((unit - 0xD800) << 10) +
                   ((piece.data[i] | (gunichar)piece.data[i + 1] << 8) - 0xDC00);
        }
        if (unit >= 0xD800 && unit < 0xE000) {
            unit = 0xFFFD;
            (*replaced)++;
        }
        if (unit == 0)
            break; /* the string's end */
        g_string_append_unichar(to, unit);
    }
}

/* A string, which a NUL ends, by the name that the charset table has for its code page. */
static void
decode_page(guint32 page, struct piece piece, GString *to, guint *replaced)
{
    static const struct {
        guint32 page;
        const char *label;
    } labels[] = {{65001, "utf-8"},      {20127, "us-ascii"},    {28591, "iso-8859-1"},
                  {28592, "iso-8859-2"}, {28595, "iso-8859-5"},  {28597, "iso-8859-7"},
                  {28599, "iso-8859-9"}, {28605, "iso-8859-15"}, {20866, "koi8-r"},
                  {21866, "koi8-u"},     {50220, "iso-2022-jp"}, {51932, "euc-jp"},
                  {54936, "gb18030"},    {51949, "euc-kr"}};
    char label[16];
    const char *use = label;

    if (page == CP_UTF16) {
        decode_unicode(piece, to, replaced);
        return;
    }
    snprintf(label, sizeof(label), "cp%u", page ? page : 1252);
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++)
        if (labels[i].page == page)
            use = labels[i].label;
    charset_decode(use, piece.data,
                   strnlen((const char *)piece.data, MIN(piece.len, TNEF_TEXT_MAX)), to, replaced);
}

/* Moves made to to if it has more than white space. Strings end with a NUL that is no text. */
static bool
take_made(GString *made, GString *to)
{
    const char *c;

    clean_text(made);
    for (c = made->str; *c && g_unichar_isspace(g_utf8_get_char(c)); c = g_utf8_next_char(c))
        ;
    if (*c)
        g_string_append_len(to, made->str, (gssize)made->len);
    return *c != '\0';
}

static bool
take_string(struct piece piece, guint32 page, GString *to, guint *replaced)
{
    g_autoptr(GString) made = g_string_new(NULL);
    guint faults = 0;

    if (!piece.data)
        return false;
    decode_page(page, piece, made, &faults);
    if (!take_made(made, to))
        return false;
    *replaced += faults;
    return true;
}

static bool
take_rtf(struct piece piece, GString *to, guint *replaced)
{
    g_autoptr(GByteArray) rtf = g_byte_array_new();
    g_autoptr(GString) made = g_string_new(NULL);
    guint faults = 0;

    if (!piece.data || !rtf_unpack(piece.data, piece.len, rtf))
        return false;
    rtf_text(rtf->data, rtf->len, made, &faults);
    if (!take_made(made, to))
        return false;
    *replaced += faults;
    return true;
}

bool
tnef_text(const guint8 *data, gsize len, GString *to, bool *html, guint *replaced)
{
    struct message message = {0};
    guint32 page;

    *html = false;
    if (len == 0 || !read_stream(data, len, &message))
        return false;
    page = message.oem_page ? message.oem_page : message.message_page;
    if (take_string(message.unicode, CP_UTF16, to, replaced) ||
        take_string(message.body, page, to, replaced) ||
        take_string(message.string8, page, to, replaced) || take_rtf(message.rtf, to, replaced))
        return true;
    page = message.internet_page ? message.internet_page : page;
    *html = take_string(message.html, message.html_unicode ? CP_UTF16 : page, to, replaced);
    return *html;
}
