/* SPDX-License-Identifier: ISC */
/*
 * Owns the way from octets in some charset to UTF-8, and back. Only names of the tables below reach
 * iconv: its modules have a history of faults in charsets nobody mails. Never //IGNORE: what cannot
 * be read becomes U+FFFD and is counted.
 */
#include "transport/reader/decode.h"

#include "transport/reader/encode.h"
#include <errno.h>
#include <iconv.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

enum form {
    FORM_UTF8,
    FORM_1252,
    FORM_UTF16, /* byte order to be found out; iconv's own guess is the machine's order */
    FORM_UTF32,
    FORM_SINGLE, /* iconv, one octet a character */
    FORM_MULTI   /* iconv, several */
};

/*
 * labels: lower case, blanks between. Where software says one charset and means its superset, the
 * superset stands here (as the WHATWG Encoding Standard has it): iso-8859-1 is windows-1252, gb2312
 * is gb18030, shift_jis is cp932, iso-2022-jp has half-width katakana.
 */
static const struct charset {
    const char *labels;
    const char *iconv_name;
    enum form form;
    gsize unit; /* octets to pass over at a fault */
} charsets[] = {
    {"utf-8 utf8 unicode-1-1-utf-8 us-ascii ascii ansi_x3.4-1968 iso646-us 646 utf-8-mac", NULL,
     FORM_UTF8, 1},
    {"windows-1252 cp1252 cp-1252 x-cp1252 iso-8859-1 iso8859-1 iso_8859-1 iso88591 latin1 latin-1 "
     "l1 "
     "cp819 ibm819 x-ansi ansi",
     NULL, FORM_1252, 1},
    {"utf-16 utf16 ucs-2 iso-10646-ucs-2 unicode csunicode", NULL, FORM_UTF16, 2},
    {"utf-16le utf16le", "UTF-16LE", FORM_MULTI, 2},
    {"utf-16be utf16be", "UTF-16BE", FORM_MULTI, 2},
    {"utf-32 utf32 ucs-4 iso-10646-ucs-4", NULL, FORM_UTF32, 4},
    {"utf-32le", "UTF-32LE", FORM_MULTI, 4},
    {"utf-32be", "UTF-32BE", FORM_MULTI, 4},
    {"utf-7 utf7 unicode-1-1-utf-7 x-unicode-2-0-utf-7", "UTF-7", FORM_MULTI, 1},
    {"windows-1250 cp1250 cp-1250 x-cp1250", "CP1250", FORM_SINGLE, 1},
    {"windows-1251 cp1251 cp-1251 x-cp1251", "CP1251", FORM_SINGLE, 1},
    {"windows-1253 cp1253", "CP1253", FORM_SINGLE, 1},
    {"windows-1254 cp1254 iso-8859-9 iso8859-9 latin5", "CP1254", FORM_SINGLE, 1},
    {"windows-1255 cp1255", "CP1255", FORM_SINGLE, 1},
    {"windows-1256 cp1256", "CP1256", FORM_SINGLE, 1},
    {"windows-1257 cp1257", "CP1257", FORM_SINGLE, 1},
    {"windows-1258 cp1258", "CP1258", FORM_SINGLE, 1},
    {"windows-874 cp874 tis-620 iso-8859-11", "CP874", FORM_SINGLE, 1},
    {"iso-8859-2 iso8859-2 iso_8859-2 latin2", "ISO-8859-2", FORM_SINGLE, 1},
    {"iso-8859-3 iso8859-3 latin3", "ISO-8859-3", FORM_SINGLE, 1},
    {"iso-8859-4 iso8859-4 latin4", "ISO-8859-4", FORM_SINGLE, 1},
    {"iso-8859-5 iso8859-5 cyrillic", "ISO-8859-5", FORM_SINGLE, 1},
    {"iso-8859-6 iso8859-6 iso-8859-6-i iso-8859-6-e arabic", "ISO-8859-6", FORM_SINGLE, 1},
    {"iso-8859-7 iso8859-7 greek", "ISO-8859-7", FORM_SINGLE, 1},
    {"iso-8859-8 iso8859-8 iso-8859-8-i iso-8859-8-e hebrew", "ISO-8859-8", FORM_SINGLE, 1},
    {"iso-8859-10 iso8859-10 latin6", "ISO-8859-10", FORM_SINGLE, 1},
    {"iso-8859-13 iso8859-13", "ISO-8859-13", FORM_SINGLE, 1},
    {"iso-8859-14 iso8859-14", "ISO-8859-14", FORM_SINGLE, 1},
    {"iso-8859-15 iso8859-15 latin9 latin-9", "ISO-8859-15", FORM_SINGLE, 1},
    {"iso-8859-16 iso8859-16", "ISO-8859-16", FORM_SINGLE, 1},
    {"koi8-r koi8r koi8", "KOI8-R", FORM_SINGLE, 1},
    {"koi8-u koi8u koi8-ru", "KOI8-U", FORM_SINGLE, 1},
    {"ibm437 cp437", "CP437", FORM_SINGLE, 1},
    {"ibm850 cp850", "CP850", FORM_SINGLE, 1},
    {"ibm852 cp852", "CP852", FORM_SINGLE, 1},
    {"ibm857 cp857", "CP857", FORM_SINGLE, 1},
    {"ibm858 cp858 ibm00858", "CP858", FORM_SINGLE, 1},
    {"ibm866 cp866", "CP866", FORM_SINGLE, 1},
    {"macintosh mac x-mac-roman", "MACINTOSH", FORM_SINGLE, 1},
    {"x-mac-cyrillic mac-cyrillic", "MAC-CYRILLIC", FORM_SINGLE, 1},
    {"shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932", "CP932", FORM_MULTI, 1},
    {"euc-jp x-euc-jp eucjp", "EUC-JP-MS", FORM_MULTI, 1},
    {"iso-2022-jp csiso2022jp iso-2022-jp-3", "ISO-2022-JP-3", FORM_MULTI, 1},
    {"gb18030 gbk gb2312 gb_2312-80 euc-cn x-gbk cp936 windows-936 chinese", "GB18030", FORM_MULTI,
     1},
    {"big5 big-5 cn-big5 x-x-big5 cp950", "CP950", FORM_MULTI, 1},
    {"big5-hkscs", "BIG5-HKSCS", FORM_MULTI, 1},
    {"euc-kr ks_c_5601-1987 ks_c_5601 ksc5601 cp949 windows-949 uhc", "UHC", FORM_MULTI, 1},
    {"iso-2022-kr", "ISO-2022-KR", FORM_MULTI, 1},
};

enum { UTF8 = 0, WINDOWS_1252 = 1 }; /* places in the table */

/*
 * What is written under a label where that is less than what is read under it; all other labels are
 * written as their charset of the table above. NULL: not at all, since the octets of a line end
 * mean something else there.
 */
static const struct {
    const char *labels;
    const char *iconv_name;
} writers[] = {
    {"us-ascii ascii ansi_x3.4-1968 iso646-us 646", "US-ASCII"},
    {"iso-8859-1 iso8859-1 iso_8859-1 iso88591 latin1 latin-1 l1 cp819 ibm819", "ISO-8859-1"},
    {"windows-1252 cp1252 cp-1252 x-cp1252 x-ansi ansi", "CP1252"},
    {"iso-8859-9 iso8859-9 latin5", "ISO-8859-9"},
    {"tis-620", "TIS-620"},
    {"iso-8859-11", "ISO-8859-11"},
    {"shift_jis shift-jis sjis x-sjis ms_kanji", "SJIS"},
    {"euc-jp x-euc-jp eucjp", "EUC-JP"},
    {"gbk x-gbk cp936 windows-936", "GBK"},
    {"gb2312 gb_2312-80 euc-cn chinese", "EUC-CN"},
    {"big5 big-5 cn-big5 x-x-big5", "BIG5"},
    {"euc-kr ks_c_5601-1987 ks_c_5601 ksc5601", "EUC-KR"},
    {"iso-2022-jp csiso2022jp", "ISO-2022-JP"},
    {"utf-16 utf16 ucs-2 iso-10646-ucs-2 unicode csunicode utf-16le utf16le utf-16be utf16be",
     NULL},
    {"utf-32 utf32 ucs-4 iso-10646-ucs-4 utf-32le utf-32be", NULL},
    {"utf-7 utf7 unicode-1-1-utf-7 x-unicode-2-0-utf-7", NULL},
};

/* windows-1252 from 0x80 to 0x9F; 0: not assigned. */
static const gunichar high_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

/* A conversion under way, and how well it goes. */
struct attempt {
    GString *to;
    guint faults; /* U+FFFD put in */
    guint good;   /* characters beyond ASCII that were read, roughly */
    guint nuls;   /* passed over */
};

static void
attempt_begin(struct attempt *attempt)
{
    g_string_truncate(attempt->to, 0);
    attempt->faults = attempt->good = attempt->nuls = 0;
}

static void
attempt_fault(struct attempt *attempt)
{
    g_string_append(attempt->to, REPLACEMENT);
    attempt->faults++;
}

static void
read_utf8(const guint8 *data, gsize len, struct attempt *attempt)
{
    const char *at = (const char *)data;
    const char *end = at + len;

    attempt_begin(attempt);
    while (at < end) {
        const char *stop;

        g_utf8_validate_len(at, (gsize)(end - at), &stop);
        for (const char *c = at; c < stop; c++)
            attempt->good += (guint8)*c >= 0xC0;
        g_string_append_len(attempt->to, at, stop - at);
        at = stop;
        if (at == end)
            break;
        if (*at == '\0') {
            /* Stops GLib, too; it goes with the other control characters, but no UTF-8 text has it.
             */
            attempt->nuls++;
        } else {
            attempt_fault(attempt);
            if (g_utf8_get_char_validated(at, end - at) == (gunichar)-2)
                break; /* a character that the end cuts off is one fault */
        }
        at++;
    }
}

static void
read_1252(const guint8 *data, gsize len, struct attempt *attempt)
{
    attempt_begin(attempt);
    for (gsize i = 0; i < len; i++) {
        gunichar c = data[i] >= 0x80 && data[i] < 0xA0 ? high_1252[data[i] - 0x80] : data[i];

        if (data[i] >= 0x80 && c == 0)
            attempt_fault(attempt);
        else if (c != 0)
            g_string_append_unichar(attempt->to, c);
        attempt->good += c >= 0x80;
    }
}

/* Opened at first use and kept; NULL: not tried yet. */
static iconv_t opened[G_N_ELEMENTS(charsets)];

static iconv_t
charset_open(const struct charset *charset)
{
    iconv_t *cd = &opened[charset - charsets];

    if (!*cd)
        *cd = charset->iconv_name ? iconv_open("UTF-8", charset->iconv_name) : (iconv_t)-1;
    return *cd;
}

/* The same for writing. */
static iconv_t to_charset[G_N_ELEMENTS(charsets)];
static iconv_t to_writer[G_N_ELEMENTS(writers)];

static iconv_t
writer_open(iconv_t *cd, const char *name)
{
    if (!*cd)
        *cd = name ? iconv_open(name, "UTF-8") : (iconv_t)-1;
    return *cd;
}

void
charset_prepare(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
        charset_open(&charsets[i]);
        writer_open(&to_charset[i], charsets[i].iconv_name);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(writers); i++)
        writer_open(&to_writer[i], writers[i].iconv_name);
}

static void
append_converted(struct attempt *attempt, const char *buffer, gsize len)
{
    for (gsize i = 0; i < len; i++)
        attempt->good += (guint8)buffer[i] >= 0xC0;
    g_string_append_len(attempt->to, buffer, (gssize)len);
}

/* False: this system's iconv does not know the charset. */
static bool
read_iconv(const struct charset *charset, const guint8 *data, gsize len, struct attempt *attempt)
{
    iconv_t cd = charset_open(charset);
    char *in = (char *)(guintptr)data; /* iconv's prototype; it does not write there */
    gsize left = len;
    char buffer[4096];
    char *out = buffer;
    gsize room = sizeof(buffer);

    if (cd == (iconv_t)-1)
        return false;
    attempt_begin(attempt);
    iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0) {
        gsize before = left;
        int fault;

        out = buffer;
        room = sizeof(buffer);
        fault = iconv(cd, &in, &left, &out, &room) == (gsize)-1 ? errno : 0;
        append_converted(attempt, buffer, sizeof(buffer) - room);
        /* The buffer being full is no fault, unless nothing moved: this loop must end whatever
         * iconv does. */
        if (fault && (fault != E2BIG || (left == before && room == sizeof(buffer)))) {
            gsize skip = fault == EINVAL ? left : MIN(left, charset->unit);

            attempt_fault(attempt);
            in += skip;
            left -= skip;
        }
    }
    /* A character may wait inside for an accent that did not come. */
    out = buffer;
    room = sizeof(buffer);
    iconv(cd, NULL, NULL, &out, &room);
    append_converted(attempt, buffer, sizeof(buffer) - room);
    return true;
}

/* Is name one of labels? */
static bool
has_label(const char *labels, const char *name, gsize len)
{
    while (*labels) {
        gsize label_len = strcspn(labels, " ");

        if (label_len == len && g_ascii_strncasecmp(labels, name, len) == 0)
            return true;
        labels += label_len + strspn(labels + label_len, " ");
    }
    return false;
}

static const struct charset *
charset_named(const char *name, gsize len)
{
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++)
        if (has_label(charsets[i].labels, name, len))
            return &charsets[i];
    return NULL;
}

/* Labels come with quotes, comments, a language, or the next parameter stuck to them. Returns the
 * name in it; *ret_len is 0 if there is none. */
static const char *
label_name(const char *label, gsize *ret_len)
{
    label = label ? label + strspn(label, " \t\"'") : "";
    *ret_len = strcspn(label, " \t\"'*;,(");
    return label;
}

static const struct charset *
charset_find(const char *label)
{
    gsize len;

    label = label_name(label, &len);
    return len > 0 ? charset_named(label, len) : &charsets[UTF8];
}

/* UTF-16 and UTF-32 say their byte order in a mark, or show it by where the zeros of Latin letters
 * and blanks are. */
static const struct charset *
byte_order(const struct charset *charset, const guint8 *data, gsize len)
{
    gsize unit = charset->unit;
    gsize zeros_front = 0;
    gsize zeros_back = 0;
    bool little;

    if (len >= unit && data[0] == 0xFF && data[1] == 0xFE) {
        little = true;
    } else {
        for (gsize i = 0; i + unit <= len; i += unit) {
            zeros_front += data[i] == 0;
            zeros_back += data[i + unit - 1] == 0;
        }
        if (zeros_front == 0 && zeros_back == 0 &&
            (len < 2 || data[0] != 0xFE || data[1] != 0xFF) &&
            g_utf8_validate_len((const char *)data, len, NULL))
            return &charsets[UTF8];
        little = zeros_back > zeros_front;
    }
    if (unit == 2)
        return charset_named(little ? "utf-16le" : "utf-16be", strlen("utf-16le"));
    return charset_named(little ? "utf-32le" : "utf-32be", strlen("utf-32le"));
}

static bool
read_as(const struct charset *charset, const guint8 *data, gsize len, struct attempt *attempt)
{
    if (charset->form == FORM_UTF16 || charset->form == FORM_UTF32)
        charset = byte_order(charset, data, len);
    if (charset->form == FORM_UTF8)
        read_utf8(data, len, attempt);
    else if (charset->form == FORM_1252)
        read_1252(data, len, attempt);
    else
        return read_iconv(charset, data, len, attempt);
    return true;
}

/*
 * One broken character must not turn a Japanese text into accented gibberish, but a claim that fits
 * nowhere is wrong. Faults are rare in a text that is what it claims to be; chance makes many
 * octets look right in a multi-octet charset.
 */
static bool
mostly_fits(const struct charset *charset, const struct attempt *attempt)
{
    bool strong = charset->form == FORM_UTF8 || charset->form == FORM_SINGLE;

    return attempt->faults <= (strong ? attempt->good : attempt->good / 4);
}

static void
attempt_take(const struct attempt *attempt, GString *to, guint *replaced)
{
    /* iconv is not ours: believe its UTF-8 only when GLib does. NUL, which GLib refuses, is a
     * control character. */
    for (gsize i = 0; i < attempt->to->len; i++)
        if (attempt->to->str[i] == '\0')
            attempt->to->str[i] = '\x01';
    if (g_utf8_validate_len(attempt->to->str, attempt->to->len, NULL)) {
        g_string_append_len(to, attempt->to->str, (gssize)attempt->to->len);
    } else {
        g_autofree char *valid = g_utf8_make_valid(attempt->to->str, (gssize)attempt->to->len);
        g_string_append(to, valid);
    }
    *replaced += attempt->faults;
}

/*
 * Is text that claims one octet a character UTF-8 after all? What is valid from end to end, with
 * enough characters of several octets, has never come about by chance.
 */
static bool
is_mislabelled(const struct charset *claimed, const guint8 *data, gsize len)
{
    gsize wanted = claimed->form == FORM_1252 ? 1 : 2;
    gsize several = 0;

    if (claimed->form != FORM_1252 && claimed->form != FORM_SINGLE)
        return false;
    for (gsize i = 0; i < len; i++)
        several += data[i] >= 0xC2;
    return several >= wanted && g_utf8_validate((const char *)data, (gssize)len, NULL);
}

void
charset_decode(const char *label, const guint8 *data, gsize len, GString *to, guint *replaced)
{
    const struct charset *claimed = charset_find(label);
    const struct charset *first =
        claimed && !is_mislabelled(claimed, data, len) ? claimed : &charsets[UTF8];
    struct attempt attempt = {0};
    bool known;

    if (len == 0)
        return;
    attempt.to = g_string_sized_new(len);
    known = read_as(first, data, len, &attempt);
    if (!known || attempt.faults > 0) {
        bool fits = known && mostly_fits(first, &attempt);

        if (first->form != FORM_UTF8)
            read_utf8(data, len, &attempt);
        if (first->form == FORM_UTF8 || attempt.faults > 0 || attempt.nuls > 0) {
            if (fits)
                read_as(first, data, len, &attempt);
            else
                read_1252(data, len, &attempt);
        }
    }
    attempt_take(&attempt, to, replaced);
    g_string_free(attempt.to, TRUE);
}

/* The descriptor that writes what the label names; (iconv_t)-1 if nothing can. */
static iconv_t
writer_find(const char *name, gsize len)
{
    const struct charset *charset = charset_named(name, len);

    for (gsize i = 0; i < G_N_ELEMENTS(writers); i++)
        if (has_label(writers[i].labels, name, len))
            return writer_open(&to_writer[i], writers[i].iconv_name);
    if (!charset)
        return (iconv_t)-1;
    return writer_open(&to_charset[charset - charsets], charset->iconv_name);
}

bool
charset_encode(const char *label, const char *text, gsize len, GByteArray *to)
{
    gsize name_len;
    const char *name = label_name(label, &name_len);
    char *in = (char *)(guintptr)text; /* iconv's prototype; it does not write there */
    bool done = false;
    iconv_t cd;

    if (name_len == 0) {
        name = "us-ascii";
        name_len = strlen(name);
    }
    cd = writer_find(name, name_len);
    if (cd == (iconv_t)-1) {
        bool utf8 = charset_named(name, name_len) == &charsets[UTF8];

        if (utf8)
            g_byte_array_append(to, (const guint8 *)text, (guint)len);
        return utf8;
    }
    iconv(cd, NULL, NULL, NULL, NULL);
    while (!done) {
        char buffer[4096];
        char *out = buffer;
        gsize room = sizeof(buffer);
        gsize before = len;
        gsize result;

        /* At the end, what leads back to ASCII (ISO 2022). */
        done = len == 0;
        result = iconv(cd, done ? NULL : &in, &len, &out, &room);
        if (result != 0 &&
            !(result == (gsize)-1 && errno == E2BIG && (len < before || room < sizeof(buffer))))
            return false;
        g_byte_array_append(to, (const guint8 *)buffer, (guint)(sizeof(buffer) - room));
    }
    return true;
}
