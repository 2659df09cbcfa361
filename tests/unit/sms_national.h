/* SPDX-License-Identifier: ISC */
/*
 * Reads an SMS-SUBMIT back by the published tables (tests/data/sms/ *.tsv), national ones as well,
 * and checks what must hold for every text and every limit. Written apart from transport/sms/; no
 * Check in it, as the fuzz targets use it too.
 */
#ifndef TESTS_UNIT_SMS_NATIONAL_H
#define TESTS_UNIT_SMS_NATIONAL_H

#include "tests/unit/sms_decode.h"

#include <stdlib.h>

#define NATIONAL_NUMBER "+41791234567"

/* [0]: the default alphabet and its extension; 0: nothing there. */
static gunichar national_lock[SMS_LANGUAGES + 1][128], national_shift[SMS_LANGUAGES + 1][128];

static inline bool
national_read(const char *name, gunichar table[128])
{
    g_autofree char *path = g_strdup_printf("tests/data/sms/%s.tsv", name);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *codepoint = strstr(line, "\tU+");

        if (*line != '#' && codepoint)
            table[strtoul(line, NULL, 16)] = (gunichar)strtoul(codepoint + 3, NULL, 16);
    }
    return true;
}

/* Once; the program runs where tests/data is. */
static inline void
national_prepare(void)
{
    static const char *const names[] = {"",         "turkish", "spanish", "portuguese", "bengali",
                                        "gujarati", "hindi",   "kannada", "malayalam",  "oriya",
                                        "punjabi",  "tamil",   "telugu",  "urdu"};

    if (national_lock[0]['a'])
        return;
    g_assert(national_read("default", national_lock[0]));
    g_assert(national_read("extension", national_shift[0]));
    for (guint i = 1; i <= SMS_LANGUAGES; i++) {
        g_autofree char *lock = g_strdup_printf("lock-%02u-%s", i, names[i]);
        g_autofree char *shift = g_strdup_printf("shift-%02u-%s", i, names[i]);

        g_assert(national_read(lock, national_lock[i]) == (i != 2));
        g_assert(national_read(shift, national_shift[i]));
    }
}

/* What a user data header says; 0 where it says nothing. */
struct national_header {
    guint lock, shift, parts, part, reference;
    bool wide;
};

static inline struct national_header
national_header(const guint8 *udh, gsize len)
{
    struct national_header header = {0};

    g_assert(len == 0 || udh[0] == len - 1);
    for (gsize at = 1; at < len; at += 2u + udh[at + 1]) {
        const guint8 *value = udh + at + 2;

        g_assert(at + 2 <= len && at + 2 + udh[at + 1] <= len);
        if (udh[at] == 0x24) {
            header.shift = value[0];
        } else if (udh[at] == 0x25) {
            header.lock = value[0];
        } else {
            g_assert(udh[at] == 0x00 || udh[at] == 0x08);
            header.wide = udh[at] == 0x08;
            header.reference = header.wide ? (guint)(value[0] << 8 | value[1]) : value[0];
            header.parts = value[header.wide ? 2 : 1];
            header.part = value[header.wide ? 3 : 2];
        }
    }
    return header;
}

static inline char *
national_septets(const guint8 *data, guint from, guint length, struct national_header header)
{
    GString *text = g_string_new(NULL);
    bool escaped = false;

    for (guint i = from; i < length; i++) {
        guint8 septet = sms_septet(data, i * 7);
        gunichar c =
            escaped ? national_shift[header.shift][septet] : national_lock[header.lock][septet];

        if (septet == 0x1B && !escaped) {
            escaped = true;
            continue;
        }
        g_assert(c); /* a septet that no phone has a character for */
        g_string_append_unichar(text, c);
        escaped = false;
    }
    g_assert(!escaped);
    return g_string_free(text, FALSE);
}

/* The text of a TPDU that sms_tpdu made for NATIONAL_NUMBER, and its header. */
static inline char *
national_decode(GBytes *tpdu, enum sms_encoding encoding, guint8 dcs,
                struct national_header *ret_header)
{
    static const guint8 number[] = {11, 0x91, 0x14, 0x97, 0x21, 0x43, 0x65, 0xF7};
    g_autofree gunichar2 *units = g_new0(gunichar2, 71);
    gsize len, header;
    const guint8 *p = g_bytes_get_data(tpdu, &len);
    const guint8 *data = p + 13;
    guint count = 0;
    char *text;

    g_assert(len >= 13 && len <= 13 + 140 && (p[0] & ~0x40) == 0x01 && p[1] == 0);
    g_assert(memcmp(p + 2, number, sizeof(number)) == 0 && p[11] == dcs);
    header = p[0] & 0x40 ? data[0] + 1u : 0;
    *ret_header = national_header(data, header);
    if (encoding == SMS_GSM7) {
        g_assert(len - 13 == (p[12] * 7u + 7) / 8);
        return national_septets(data, (guint)(header * 8 + 6) / 7, p[12], *ret_header);
    }
    g_assert(len - 13 == p[12] && (p[12] - header) % 2 == 0);
    for (gsize at = header; at < p[12]; at += 2)
        units[count++] = (gunichar2)(data[at] << 8 | data[at + 1]);
    text = g_utf16_to_utf8(units, count, NULL, NULL, NULL);
    g_assert(text); /* no half of a surrogate pair */
    return text;
}

/* Characters that a phone shows whatever the tables; what respells a text leaves them alone. */
static inline bool
national_plain(gunichar c)
{
    for (guint i = 0; i < 128; i++)
        if (c && (national_lock[0][i] == c || national_shift[0][i] == c))
            return true;
    return false;
}

/* Nothing that can be written is lost by respelling: it comes in the same order. */
static inline void
national_respelled(const char *text, const char *sent)
{
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (!national_plain(c))
            continue;
        while (*sent && g_utf8_get_char(sent) != c)
            sent = g_utf8_next_char(sent);
        g_assert(*sent);
        sent = g_utf8_next_char(sent);
    }
}

static inline void
national_check_text(const char *text, const struct sms_limits *limits,
                    const struct sms_message *message)
{
    const char *append = limits->append ? limits->append : "";
    g_autofree char *whole = g_strconcat(text, append, NULL);

    if (message->transliterated) {
        g_assert(message->encoding == SMS_GSM7 && limits->translit != SMS_TRANSLIT_NONE);
        if (!message->truncated)
            national_respelled(whole, message->text);
    } else if (!message->truncated) {
        g_assert(strcmp(message->text, whole) == 0);
    } else {
        g_autofree char *behind =
            g_strconcat(message->encoding == SMS_GSM7 ? "..." : "…", append, NULL);
        gsize kept = strlen(message->text) - strlen(behind);

        g_assert(g_str_has_suffix(message->text, behind));
        g_assert(strncmp(message->text, text, kept) == 0);
    }
}

/* Everything that must hold for a message made from text; aborts if it does not. */
static inline void
national_check(const char *text, const struct sms_limits *limits, const struct sms_message *message)
{
    g_autoptr(GString) joined = g_string_new(NULL);
    guint count = message->parts->len;

    national_prepare();
    g_assert(count >= 1 && count <= limits->maxmsgs);
    g_assert(message->truncated == (message->parts_needed > limits->maxmsgs));
    g_assert(message->truncated || count == message->parts_needed);
    g_assert(message->parts_unforced <= message->parts_needed);
    national_check_text(text, limits, message);
    for (guint i = 0; i < count; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu =
            sms_tpdu(part, message->encoding, message->pid, message->dcs, NATIONAL_NUMBER);
        g_autofree char *decoded = NULL;
        struct national_header header;

        g_assert(tpdu && part->units >= 1 && !part->data);
        decoded = national_decode(tpdu, message->encoding, message->dcs, &header);
        g_assert(strcmp(decoded, part->text) == 0);
        g_assert(MAX(header.lock, header.shift) == message->language);
        g_assert(message->encoding == SMS_GSM7 || message->language == 0);
        if (count == 1) {
            g_assert(header.parts == 0);
        } else {
            g_assert(header.parts == count && header.part == i + 1);
            g_assert(header.wide == limits->wide);
            g_assert(header.reference ==
                     (limits->wide ? limits->reference : (guint8)limits->reference));
        }
        g_string_append(joined, part->text);
    }
    g_assert(strcmp(joined->str, message->text) == 0);
}

#endif
