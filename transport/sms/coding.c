/* SPDX-License-Identifier: ISC */
/*
 * Owns what a part can hold and its user data header: 140 octets (3GPP TS 23.040 9.2.3.16), the
 * concatenation of 9.2.3.24.1 and 9.2.3.24.8, the national tables of 9.2.3.24.15 and .16.
 */
#include "transport/sms/coding.h"

#define USER_DATA_OCTETS 140

#define IEI_CONCATENATION      0x00
#define IEI_CONCATENATION_WIDE 0x08
#define IEI_SINGLE_SHIFT       0x24
#define IEI_LOCKING_SHIFT      0x25

static const char *const names[] = {
    [SMS_GSM7] = "gsm7",
    [SMS_UCS2] = "ucs2",
    [SMS_8BIT] = "8bit",
};

const char *
sms_encoding_name(enum sms_encoding encoding)
{
    return names[encoding];
}

const char *
sms_language_name(guint language)
{
    static const char *const languages[SMS_LANGUAGES + 1] = {
        NULL,      "Turkish",   "Spanish", "Portuguese", "Bengali", "Gujarati", "Hindi",
        "Kannada", "Malayalam", "Oriya",   "Punjabi",    "Tamil",   "Telugu",   "Urdu",
    };

    return language <= SMS_LANGUAGES ? languages[language] : NULL;
}

guint
coding_units(const struct coding *coding, gunichar c)
{
    guint8 septets[2];

    if (coding->encoding == SMS_UCS2)
        return c > 0xFFFF ? 2 : 1;
    return gsm0338_encode(coding->alphabet, c, septets);
}

gssize
coding_length(const struct coding *coding, const char *text)
{
    gssize length = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        guint units = coding_units(coding, g_utf8_get_char(p));

        if (units == 0)
            return -1;
        length += units;
    }
    return length;
}

/* Octets of the header, its length octet included. */
static guint
header_octets(const struct coding *coding, bool concatenated)
{
    guint octets = 3 * ((coding->alphabet.shift != 0) + (coding->alphabet.lock != 0));

    if (concatenated)
        octets += coding->wide ? 6 : 5;
    return octets ? octets + 1 : 0;
}

static guint
capacity(const struct coding *coding, bool concatenated)
{
    guint octets = USER_DATA_OCTETS - header_octets(coding, concatenated);

    if (coding->encoding == SMS_GSM7)
        return octets * 8 / 7; /* text begins at a septet border behind the header */
    return coding->encoding == SMS_UCS2 ? octets / 2 : octets;
}

struct coding
coding_of(enum sms_encoding encoding, guint8 lock, guint8 shift, bool wide)
{
    struct coding coding = {.encoding = encoding, .alphabet = {lock, shift}, .wide = wide};

    coding.alone = capacity(&coding, false);
    coding.concatenated = capacity(&coding, true);
    return coding;
}

GBytes *
coding_header(const struct coding *coding, guint reference, guint total, guint seq)
{
    g_autoptr(GByteArray) header = g_byte_array_new();
    const guint8 concatenation[] = {IEI_CONCATENATION, 3, (guint8)reference, (guint8)total,
                                    (guint8)seq};
    const guint8 wide[] = {
        IEI_CONCATENATION_WIDE, 4,          (guint8)(reference >> 8), (guint8)reference,
        (guint8)total,          (guint8)seq};
    const guint8 shift[] = {IEI_SINGLE_SHIFT, 1, coding->alphabet.shift};
    const guint8 lock[] = {IEI_LOCKING_SHIFT, 1, coding->alphabet.lock};

    g_byte_array_append(header, (const guint8 *)"", 1);
    if (total > 1 && coding->wide)
        g_byte_array_append(header, wide, sizeof(wide));
    else if (total > 1)
        g_byte_array_append(header, concatenation, sizeof(concatenation));
    if (coding->alphabet.shift)
        g_byte_array_append(header, shift, sizeof(shift));
    if (coding->alphabet.lock)
        g_byte_array_append(header, lock, sizeof(lock));
    header->data[0] = (guint8)(header->len - 1);
    if (header->len == 1)
        g_byte_array_set_size(header, 0);
    return g_byte_array_free_to_bytes(g_steal_pointer(&header));
}

struct gsm0338_alphabet
coding_alphabet(const guint8 *udh, gsize len)
{
    struct gsm0338_alphabet alphabet = {0, 0};
    gsize at = 1;

    while (at + 2 <= len && at + 2 + udh[at + 1] <= len) {
        bool one = udh[at + 1] == 1;

        if (one && udh[at] == IEI_SINGLE_SHIFT && gsm0338_shift(udh[at + 2]))
            alphabet.shift = udh[at + 2];
        else if (one && udh[at] == IEI_LOCKING_SHIFT && gsm0338_lock(udh[at + 2]))
            alphabet.lock = udh[at + 2];
        at += 2 + udh[at + 1];
    }
    return alphabet;
}

const char *
coding_ellipsis(const struct coding *coding)
{
    return coding->encoding == SMS_UCS2 ? "\u2026" : "...";
}
