/* SPDX-License-Identifier: ISC */
/*
 * Owns the reading of TPDUs (3GPP TS 23.040 9.2.2 and 9.2.3). Foreign octets: every length is
 * checked before it is believed, and nothing but too few octets refuses a message. Must never read
 * a text in another alphabet than TP-DCS and header name.
 */
#include "transport/sms/pdu.h"

#include "transport/sms/coding.h"
#include "transport/sms/dcs.h"
#include <string.h>

#define ADDRESS_DIGITS     20 /* TS 23.040 9.1.2.5; of an SMSC as well */
#define TYPE_INTERNATIONAL 0x10
#define TYPE_ALPHANUMERIC  0x50
#define TYPE_OF_NUMBER     0x70

struct cursor {
    const guint8 *at, *end;
    const char *missing; /* the field that was not there; NULL: none so far */
};

static const guint8 *
take(struct cursor *cursor, gsize len, const char *field)
{
    const guint8 *octets = cursor->at;

    if (cursor->missing || (gsize)(cursor->end - cursor->at) < len) {
        cursor->missing = cursor->missing ? cursor->missing : field;
        return NULL;
    }
    cursor->at += len;
    return octets;
}

static guint8
take_octet(struct cursor *cursor, const char *field)
{
    const guint8 *octet = take(cursor, 1, field);

    return octet ? *octet : 0;
}

const char *
sms_pdu_type_name(enum sms_pdu_type type)
{
    static const char *const names[] = {"deliver", "submit", "status-report"};

    return names[type];
}

void
sms_pdu_free(struct sms_pdu *pdu)
{
    if (!pdu)
        return;
    g_free(pdu->smsc);
    g_free(pdu->address);
    g_free(pdu->timestamp);
    g_free(pdu->discharge);
    g_free(pdu->text);
    g_clear_pointer(&pdu->data, g_bytes_unref);
    g_clear_pointer(&pdu->udh, g_bytes_unref);
    g_free(pdu);
}

/* count septets that begin at septet from (TS 23.038 6.1.2.1.1), in octets that hold them. */
static char *
septets_text(const guint8 *octets, guint from, guint count, struct gsm0338_alphabet alphabet)
{
    GString *text = g_string_sized_new(count);
    bool escaped = false;

    for (guint i = from; i < from + count; i++) {
        guint bit = i * 7;
        guint pair = octets[bit / 8] | (bit % 8 > 1 ? octets[bit / 8 + 1] << 8 : 0);
        guint8 septet = pair >> bit % 8 & 0x7F;

        if (septet == GSM0338_ESCAPE && !escaped) {
            escaped = true;
            continue;
        }
        g_string_append_unichar(text, gsm0338_decode(alphabet, septet, escaped));
        escaped = false;
    }
    if (escaped)
        g_string_append_c(text, ' ');
    return g_string_free(text, FALSE);
}

/* Swapped semi-octets; a filler ends them. */
static char *
digits_text(const guint8 *octets, guint digits, bool international)
{
    static const char characters[] = "0123456789*#abc";
    GString *text = g_string_new(international ? "+" : "");

    for (guint i = 0; i < digits; i++) {
        guint8 digit = octets[i / 2] >> (i % 2 ? 4 : 0) & 0xF;

        if (digit == 0xF)
            break;
        g_string_append_c(text, characters[digit]);
    }
    return g_string_free(text, FALSE);
}

/* TS 23.040 9.1.2.5: a length in useful semi-octets, a type, the digits or packed septets. */
static void
read_address(struct cursor *cursor, struct sms_pdu *pdu)
{
    guint digits = take_octet(cursor, "the address");
    guint8 type = take_octet(cursor, "the type of address");
    guint octets = (digits + 1) / 2;
    const guint8 *value;
    guint count = digits * 4 / 7;

    if (digits > ADDRESS_DIGITS + 2 && !cursor->missing)
        cursor->missing = "an address of at most 20 digits";
    value = take(cursor, octets, "the digits of the address");
    if (!value) {
        pdu->address = g_strdup("");
        return;
    }
    pdu->alphanumeric = (type & TYPE_OF_NUMBER) == TYPE_ALPHANUMERIC;
    if (!pdu->alphanumeric) {
        pdu->address = digits_text(value, digits, (type & TYPE_OF_NUMBER) == TYPE_INTERNATIONAL);
        return;
    }
    pdu->address = septets_text(value, 0, count, (struct gsm0338_alphabet){0, 0});
    /* Seven characters take as many semi-octets as eight: the last one is then the filler's. */
    if (digits == 14 && g_str_has_suffix(pdu->address, "@"))
        pdu->address[strlen(pdu->address) - 1] = '\0';
}

/* TS 23.040 9.1.2.1: the length counts octets here, the type's included. */
static void
read_smsc(struct cursor *cursor, struct sms_pdu *pdu)
{
    guint len = take_octet(cursor, "the service centre's length");
    const guint8 *value = take(cursor, len, "the service centre");

    if (!value || len < 2)
        pdu->smsc = g_strdup("");
    else
        pdu->smsc = digits_text(value + 1, 2 * (len - 1),
                                (value[0] & TYPE_OF_NUMBER) == TYPE_INTERNATIONAL);
}

static guint
swapped(guint8 octet)
{
    return (octet & 0xF) * 10 + (octet >> 4);
}

/* TS 23.040 9.2.3.11; the zone counts quarters of an hour, its sign is bit 3. Filled with what is
 * no digit, as by a service centre without a clock, it is none. */
static char *
read_time(struct cursor *cursor, const char *field)
{
    const guint8 *t = take(cursor, 7, field);
    guint quarters;

    if (!t)
        return g_strdup("");
    for (int i = 0; i < 6; i++)
        if ((t[i] & 0xF) > 9 || t[i] >> 4 > 9)
            return g_strdup("");
    quarters = (t[6] & 0x7) * 10 + (t[6] >> 4);
    return g_strdup_printf("20%02u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", swapped(t[0]),
                           swapped(t[1]), swapped(t[2]), swapped(t[3]), swapped(t[4]),
                           swapped(t[5]), t[6] & 0x8 ? '-' : '+', quarters / 4, quarters % 4 * 15);
}

static void
read_dcs(struct sms_pdu *pdu)
{
    pdu->encoding = dcs_encoding(pdu->dcs, &pdu->compressed, &pdu->message_class);
}

/* One information element (TS 23.040 9.2.3.24); those of another length than theirs are none. */
static void
read_element(struct sms_pdu *pdu, guint8 name, const guint8 *value, guint8 len)
{
    bool wide = name == 0x08;

    if ((name == 0x00 && len == 3) || (wide && len == 4)) {
        guint total = value[wide + 1];
        guint part = value[wide + 2];

        if (part == 0 || part > total)
            return;
        pdu->wide = wide;
        pdu->concatenation = wide ? value[0] << 8 | value[1] : value[0];
        pdu->parts = total;
        pdu->part = part;
    } else if (name == 0x04 && len == 2) {
        pdu->port_to = value[0];
        pdu->port_from = value[1];
    } else if (name == 0x05 && len == 4) {
        pdu->port_to = value[0] << 8 | value[1];
        pdu->port_from = value[2] << 8 | value[3];
    }
}

/* The header's octets with its length, 0 if it runs over the user data: then there is none. */
static guint
read_header(struct sms_pdu *pdu, const guint8 *data, guint len)
{
    struct gsm0338_alphabet alphabet;
    guint header = len > 0 ? data[0] + 1u : 0;

    if (header == 0 || header > len)
        return 0;
    for (guint at = 1; at + 2 <= header && at + 2 + data[at + 1] <= header; at += 2 + data[at + 1])
        read_element(pdu, data[at], data + at + 2, data[at + 1]);
    alphabet = coding_alphabet(data, header);
    pdu->lock = alphabet.lock;
    pdu->shift = alphabet.shift;
    return header;
}

static char *
utf16_text(const guint8 *octets, guint units)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < units; i++) {
        gunichar c = octets[2 * i] << 8 | octets[2 * i + 1];
        gunichar low = i + 1 < units ? octets[2 * i + 2] << 8 | octets[2 * i + 3] : 0;

        if (c >= 0xD800 && c < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i++;
        }
        /* Half a pair is what a careless sender tore; NUL ends no text of ours. */
        if ((c >= 0xD800 && c < 0xE000) || c == 0)
            c = 0xFFFD;
        g_string_append_unichar(text, c);
    }
    return g_string_free(text, FALSE);
}

/* TP-UDL and TP-UD. Fewer octets than the length says: what there is. */
static void
read_user_data(struct cursor *cursor, struct sms_pdu *pdu, bool has_header)
{
    guint length = take_octet(cursor, "the user data's length");
    bool septets = pdu->encoding == SMS_GSM7 && !pdu->compressed;
    guint there = (guint)MIN(cursor->end - cursor->at, 140);
    guint octets = septets ? (length * 7 + 7) / 8 : length;
    const guint8 *data = cursor->at;
    guint header;
    guint from;

    if (octets > there) {
        octets = there;
        length = septets ? octets * 8 / 7 : octets;
    }
    header = has_header ? read_header(pdu, data, octets) : 0;
    pdu->udh = g_bytes_new(data, header);
    if (septets) {
        from = (header * 8 + 6) / 7;
        pdu->units = length > from ? length - from : 0;
        pdu->text =
            septets_text(data, from, pdu->units, (struct gsm0338_alphabet){pdu->lock, pdu->shift});
    } else if (pdu->encoding == SMS_UCS2 && !pdu->compressed) {
        pdu->units = (octets - header) / 2;
        pdu->text = utf16_text(data + header, pdu->units);
    } else {
        pdu->units = octets - header;
        pdu->data = g_bytes_new(data + header, pdu->units);
    }
}

/* TS 23.040 9.2.3.12.1, minutes. */
static guint
relative_minutes(guint8 value)
{
    if (value <= 143)
        return (value + 1) * 5;
    if (value <= 167)
        return 12 * 60 + (value - 143) * 30;
    if (value <= 196)
        return (value - 166) * 24 * 60;
    return (value - 192) * 7 * 24 * 60;
}

static void
read_validity(struct cursor *cursor, struct sms_pdu *pdu, guint8 first)
{
    switch (first >> 3 & 0x3) {
    case 1:
        pdu->validity = SMS_VALIDITY_ENHANCED;
        take(cursor, 7, "the validity");
        break;
    case 2:
        pdu->validity = SMS_VALIDITY_RELATIVE;
        pdu->validity_minutes = relative_minutes(take_octet(cursor, "the validity"));
        break;
    case 3:
        pdu->validity = SMS_VALIDITY_ABSOLUTE;
        g_free(pdu->timestamp);
        pdu->timestamp = read_time(cursor, "the validity");
        break;
    default:
        pdu->validity = SMS_VALIDITY_NONE;
    }
}

static void
read_submit(struct cursor *cursor, struct sms_pdu *pdu, guint8 first)
{
    pdu->type = SMS_PDU_SUBMIT;
    pdu->reference = take_octet(cursor, "the message reference");
    read_address(cursor, pdu);
    pdu->pid = take_octet(cursor, "the protocol identifier");
    pdu->dcs = take_octet(cursor, "the data coding scheme");
    read_dcs(pdu);
    read_validity(cursor, pdu, first);
    read_user_data(cursor, pdu, first & 0x40);
}

static void
read_deliver(struct cursor *cursor, struct sms_pdu *pdu, guint8 first)
{
    pdu->type = SMS_PDU_DELIVER;
    pdu->more = !(first & 0x04);
    read_address(cursor, pdu);
    pdu->pid = take_octet(cursor, "the protocol identifier");
    pdu->dcs = take_octet(cursor, "the data coding scheme");
    read_dcs(pdu);
    g_free(pdu->timestamp);
    pdu->timestamp = read_time(cursor, "the service centre's time");
    read_user_data(cursor, pdu, first & 0x40);
}

static void
read_status_report(struct cursor *cursor, struct sms_pdu *pdu, guint8 first)
{
    guint8 present;

    pdu->type = SMS_PDU_STATUS_REPORT;
    pdu->more = !(first & 0x04);
    pdu->reference = take_octet(cursor, "the message reference");
    read_address(cursor, pdu);
    g_free(pdu->timestamp);
    pdu->timestamp = read_time(cursor, "the service centre's time");
    g_free(pdu->discharge);
    pdu->discharge = read_time(cursor, "the discharge time");
    pdu->status = take_octet(cursor, "the status");
    if (cursor->missing || cursor->at == cursor->end)
        return;
    /* TS 23.040 9.2.3.27: what follows is told by the parameter indicator. */
    present = take_octet(cursor, "the parameter indicator");
    if (present & 0x01)
        pdu->pid = take_octet(cursor, "the protocol identifier");
    if (present & 0x02)
        pdu->dcs = take_octet(cursor, "the data coding scheme");
    read_dcs(pdu);
    if (present & 0x04)
        read_user_data(cursor, pdu, first & 0x40);
}

int
sms_pdu_decode(const guint8 *octets, gsize len, bool with_smsc, struct sms_pdu **ret,
               struct outcome *why)
{
    struct cursor cursor = {octets, octets + len, NULL};
    g_autoptr(SmsPdu) pdu = g_new0(struct sms_pdu, 1);
    guint8 first;

    pdu->timestamp = g_strdup("");
    pdu->discharge = g_strdup("");
    pdu->status = pdu->message_class = pdu->port_to = pdu->port_from = -1;
    if (with_smsc)
        read_smsc(&cursor, pdu);
    else
        pdu->smsc = g_strdup("");
    first = take_octet(&cursor, "the first octet");
    pdu->report = first & 0x20;
    pdu->reply_path = first & 0x80;
    if ((first & 0x3) == 0x1)
        read_submit(&cursor, pdu, first);
    else if ((first & 0x3) == 0x2)
        read_status_report(&cursor, pdu, first);
    else
        read_deliver(&cursor, pdu, first); /* 11 is reserved, and read as a DELIVER by all */
    if (cursor.missing) {
        out_set(why, OUT_DATA, "5.6.0", "not an SMS TPDU: %s is missing", cursor.missing);
        return -1;
    }
    if (!pdu->udh)
        pdu->udh = g_bytes_new(NULL, 0);
    if (!pdu->text && !pdu->data)
        pdu->text = g_strdup("");
    *ret = g_steal_pointer(&pdu);
    return 0;
}
