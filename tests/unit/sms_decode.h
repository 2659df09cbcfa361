/* SPDX-License-Identifier: ISC */
/*
 * Reads an SMS-SUBMIT back and checks what must hold for every split; for the unit tests and the
 * fuzz target. Written apart from transport/sms/, on the plain tables of TS 23.038, so a mistake
 * there does not repeat itself here.
 */
#ifndef TESTS_UNIT_SMS_DECODE_H
#define TESTS_UNIT_SMS_DECODE_H

#include "transport/sms/sms.h"

#include <string.h>

/* The 7 bits from bit on. */
static inline guint8
sms_septet(const guint8 *data, gsize bit)
{
    guint8 septet = 0;

    for (guint i = 0; i < 7; i++)
        septet |= (data[(bit + i) / 8] >> (bit + i) % 8 & 1) << i;
    return septet;
}

static inline gunichar
sms_septet_char(guint8 septet, bool escaped)
{
    static const char *const plain =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1b"
        "ÆæßÉ "
        "!\"#¤%&'()*+,-./"
        "0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    if (!escaped)
        return g_utf8_get_char(g_utf8_offset_to_pointer(plain, septet));
    switch (septet) {
    case 0x0A:
        return '\f';
    case 0x14:
        return '^';
    case 0x28:
        return '{';
    case 0x29:
        return '}';
    case 0x2F:
        return '\\';
    case 0x3C:
        return '[';
    case 0x3D:
        return '~';
    case 0x3E:
        return ']';
    case 0x40:
        return '|';
    case 0x65:
        return 0x20AC;
    default:
        g_assert_not_reached();
    }
}

/* The text in a TPDU that sms_tpdu made for number; asserts every field before it. */
static inline char *
sms_decode(GBytes *tpdu, enum sms_encoding encoding, guint8 dcs, const char *number)
{
    gsize len;
    const guint8 *p = g_bytes_get_data(tpdu, &len);
    const guint8 *end = p + len;
    gsize digits = strlen(number) - 1;
    GString *text = g_string_new(NULL);
    bool udhi = p[0] == 0x41;
    guint length;
    gsize header = 0;

    g_assert(udhi || p[0] == 0x01);
    g_assert(p[1] == 0x00 && p[2] == digits && p[3] == 0x91);
    p += 4;
    for (gsize i = 0; i < digits; i++)
        g_assert((p[i / 2] >> (i % 2 ? 4 : 0) & 0xF) == number[1 + i] - '0');
    g_assert(digits % 2 == 0 || p[digits / 2] >> 4 == 0xF);
    p += (digits + 1) / 2;
    g_assert(p[0] == 0x00 && p[1] == dcs);
    length = p[2];
    p += 3;
    g_assert(end - p <= 140);
    if (udhi)
        header = p[0] + 1;
    if (encoding == SMS_GSM7) {
        bool escaped = false;

        g_assert((gsize)(end - p) == (length * 7 + 7) / 8);
        for (guint i = (header * 8 + 6) / 7; i < length; i++) {
            guint8 septet = sms_septet(p, i * 7);

            if (septet == 0x1B && !escaped) {
                escaped = true;
                continue;
            }
            g_string_append_unichar(text, sms_septet_char(septet, escaped));
            escaped = false;
        }
        g_assert(!escaped);
    } else {
        g_autofree gunichar2 *units = g_new0(gunichar2, 70);
        g_autofree char *utf8 = NULL;
        guint count = 0;

        g_assert((gsize)(end - p) == length && (length - header) % 2 == 0);
        for (p += header; p < end; p += 2)
            units[count++] = p[0] << 8 | p[1];
        utf8 = g_utf16_to_utf8(units, count, NULL, NULL, NULL);
        g_assert(utf8); /* no half of a surrogate pair */
        g_string_append(text, utf8);
    }
    return g_string_free(text, FALSE);
}

/* Everything that must hold for a message made from text; aborts if it does not. */
static inline void
sms_check(const char *text, const struct sms_limits *limits, const struct sms_message *message)
{
    bool gsm7 = message->encoding == SMS_GSM7;
    guint count = message->parts->len;
    guint capacity = gsm7 ? count == 1 ? 160 : 153 : count == 1 ? 70 : 67;
    const char *ellipsis = gsm7 ? "..." : "…";
    g_autoptr(GString) joined = g_string_new(NULL);

    g_assert(count >= 1 && count <= limits->maxmsgs);
    g_assert(message->encoding == (sms_gsm7_length(text) < 0 ? SMS_UCS2 : SMS_GSM7));
    g_assert(message->dcs == (gsm7 ? 0x00 : 0x08));
    g_assert(gsm7 == !message->forced_by);
    g_assert(gsm7 || (strstr(text, message->forced_by) && sms_gsm7_length(message->forced_by) < 0));
    g_assert(message->truncated == (message->parts_needed > limits->maxmsgs));
    if (!message->truncated) {
        g_assert(count == message->parts_needed);
        g_assert(strcmp(message->text, text) == 0);
    } else {
        gsize kept = strlen(message->text) - strlen(ellipsis);

        g_assert(g_str_has_suffix(message->text, ellipsis));
        g_assert(strncmp(message->text, text, kept) == 0 && text[kept]);
    }
    for (guint i = 0; i < count; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        const guint8 header[] = {5, 0, 3, limits->reference, count, i + 1};
        g_autoptr(GBytes) tpdu = sms_tpdu(part, message->encoding, 0, message->dcs, "+41791234567");
        g_autofree char *decoded = NULL;

        g_assert(g_utf8_validate(part->text, -1, NULL));
        g_assert(part->units >= 1 && part->units <= capacity && !part->data);
        if (gsm7)
            g_assert(sms_gsm7_length(part->text) == (gssize)part->units);
        g_assert(g_bytes_get_size(part->udh) == (count == 1 ? 0 : sizeof(header)));
        if (count > 1)
            g_assert(memcmp(g_bytes_get_data(part->udh, NULL), header, sizeof(header)) == 0);
        g_assert(tpdu);
        decoded = sms_decode(tpdu, message->encoding, message->dcs, "+41791234567");
        g_assert(strcmp(decoded, part->text) == 0);
        g_string_append(joined, part->text);
    }
    g_assert(strcmp(joined->str, message->text) == 0);
}

#endif
