/* SPDX-License-Identifier: ISC */
/*
 * Owns the octets of an SMS-SUBMIT (3GPP TS 23.040 9.2.2.2). Takes parts as they were split or read
 * back from the ledger and never changes a text: what does not fit is a mistake of the caller and
 * gives no TPDU.
 */
#include "transport/sms/coding.h"
#include "transport/sms/sms.h"

#include <string.h>

#define USER_DATA_OCTETS 140
#define ADDRESS_DIGITS   20 /* TS 23.040 9.1.2.5 */

/* TP-MTI 01, no TP-VP, no TP-SRR (TS 23.040 9.2.3); bit 6 is TP-UDHI. */
#define SUBMIT      0x01
#define SUBMIT_UDHI 0x41

/* TS 23.040 9.1.2.5: digits counted, type international ISDN, swapped semi-octets, F at an odd end.
 */
static bool
add_address(GByteArray *tpdu, const char *number)
{
    const char *digits = number + (*number == '+');
    gsize count = strspn(digits, "0123456789");
    guint8 head[2] = {count, 0x91};

    if (digits == number || digits[count] || count == 0 || count > ADDRESS_DIGITS)
        return false;
    g_byte_array_append(tpdu, head, sizeof(head));
    for (gsize i = 0; i < count; i += 2) {
        guint8 high = i + 1 < count ? digits[i + 1] - '0' : 0xF;
        guint8 octet = high << 4 | (digits[i] - '0');

        g_byte_array_append(tpdu, &octet, 1);
    }
    return true;
}

/*
 * TS 23.038 6.1.2.1.1: septets fill the octets from the lowest bit up. Behind a header
 * (TS 23.040 9.2.3.24) the first one begins at the next septet border of the user data. Bits left
 * over are 0, as the text for SMS has it; the CR of 6.1.2.3 is for USSD.
 */
static bool
add_septets(GByteArray *data, const char *text, struct gsm0338_alphabet alphabet, guint *ret_length)
{
    guint position = (data->len * 8 + 6) / 7; /* in septets */

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        guint8 septets[2];
        guint count = gsm0338_encode(alphabet, g_utf8_get_char(p), septets);

        if (count == 0)
            return false;
        for (guint i = 0; i < count; i++, position++) {
            guint bit = position * 7;
            guint octets = (bit + 7 + 7) / 8;

            if (octets > USER_DATA_OCTETS)
                return false;
            while (data->len < octets)
                g_byte_array_append(data, (const guint8 *)"", 1);
            data->data[bit / 8] |= septets[i] << bit % 8;
            if (bit % 8 > 1)
                data->data[bit / 8 + 1] |= septets[i] >> (8 - bit % 8);
        }
    }
    *ret_length = position;
    return true;
}

/* UTF-16, high octet first: phones have long taken surrogate pairs for what they are. */
static void
add_utf16(GByteArray *data, const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        guint16 high = c > 0xFFFF ? 0xD800 + ((c - 0x10000) >> 10) : c;
        guint16 low = 0xDC00 + (c & 0x3FF);
        const guint8 octets[] = {high >> 8, high & 0xFF, low >> 8, low & 0xFF};

        g_byte_array_append(data, octets, c > 0xFFFF ? 4 : 2);
    }
}

static void
add_bytes(GByteArray *array, GBytes *bytes)
{
    gsize len = 0;
    const guint8 *octets = bytes ? g_bytes_get_data(bytes, &len) : NULL;

    if (len)
        g_byte_array_append(array, octets, len);
}

GBytes *
sms_tpdu(const struct sms_part *part, enum sms_encoding encoding, guint8 pid, guint8 dcs,
         const char *number)
{
    g_autoptr(GByteArray) tpdu = g_byte_array_new();
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint8 fixed[3] = {part->udh && g_bytes_get_size(part->udh) ? SUBMIT_UDHI : SUBMIT, 0x00, 0};
    guint length = 0;

    g_byte_array_append(tpdu, fixed, 2); /* with TP-MR 0: the modem sets its own */
    if (!add_address(tpdu, number))
        return NULL;
    add_bytes(data, part->udh);
    if (encoding == SMS_8BIT)
        add_bytes(data, part->data);
    else if (!part->text)
        return NULL;
    else if (encoding == SMS_UCS2)
        add_utf16(data, part->text);
    else if (!add_septets(data, part->text, coding_alphabet(data->data, data->len), &length))
        return NULL;
    if (data->len > USER_DATA_OCTETS)
        return NULL;
    fixed[0] = pid;
    fixed[1] = dcs;
    fixed[2] = encoding == SMS_GSM7 ? length : data->len;
    g_byte_array_append(tpdu, fixed, sizeof(fixed));
    g_byte_array_append(tpdu, data->data, data->len);
    return g_byte_array_free_to_bytes(g_steal_pointer(&tpdu));
}
