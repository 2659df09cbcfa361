/* SPDX-License-Identifier: ISC */
/*
 * Owns the way from octets to the parts of a binary message (ICE-PAR-03, ICE-PAR-05, ICE-TEC-12).
 * Data are somebody's protocol: must never cut or change them.
 */
#include "transport/sms/dcs.h"
#include "transport/sms/sms.h"

#define USER_DATA_OCTETS     140
#define CONCATENATION_OCTETS 5
#define WIDE_OCTETS          6

static int
refuse(struct outcome *why, const char *text)
{
    out_set(why, OUT_DATA, "5.6.0", "%s", text);
    return -1;
}

/* TS 23.040 9.2.3.24: a length, then elements of name, length, value that fill it. */
static int
check_header(const guint8 *udh, gsize len, bool *ret_concatenated, struct outcome *why)
{
    *ret_concatenated = false;
    if (len == 0)
        return 0;
    if (udh[0] != len - 1)
        return refuse(why, "udh: the first octet is not the number of octets that follow");
    for (gsize at = 1; at < len; at += 2u + udh[at + 1]) {
        if (at + 2 > len || at + 2 + udh[at + 1] > len)
            return refuse(why, "udh: an information element runs over the header's end");
        if (udh[at] == 0x00 || udh[at] == 0x08)
            *ret_concatenated = true;
    }
    return 0;
}

/* The header of one part: what the sender gave, and its place among the parts. */
static GBytes *
part_header(const guint8 *udh, gsize len, const struct sms_limits *limits, guint total, guint seq)
{
    const guint8 reference[] = {0x00, 3, (guint8)limits->reference, (guint8)total, (guint8)seq};
    const guint8 wide[] = {
        0x08, 4, limits->reference >> 8, (guint8)limits->reference, (guint8)total, (guint8)seq};
    g_autoptr(GByteArray) header = g_byte_array_new();

    if (total == 1)
        return g_bytes_new(udh, len);
    g_byte_array_append(header, (const guint8 *)"", 1);
    if (limits->wide)
        g_byte_array_append(header, wide, sizeof(wide));
    else
        g_byte_array_append(header, reference, sizeof(reference));
    if (len > 1)
        g_byte_array_append(header, udh + 1, (guint)len - 1);
    header->data[0] = (guint8)(header->len - 1);
    return g_byte_array_free_to_bytes(g_steal_pointer(&header));
}

int
sms_split_binary(GBytes *data, GBytes *udh, const struct sms_limits *limits,
                 struct sms_message **ret, struct outcome *why)
{
    g_autoptr(SmsMessage) message = g_new0(struct sms_message, 1);
    gsize udh_len, len;
    const guint8 *header = g_bytes_get_data(udh, &udh_len);
    gsize own = MAX(udh_len, 1) + (limits->wide ? WIDE_OCTETS : CONCATENATION_OCTETS);
    gsize room;
    bool concatenated;

    (void)g_bytes_get_data(data, &len);
    message->encoding = SMS_8BIT;
    message->pid = limits->pid;
    message->parts = sms_parts_new();
    if (check_header(header, udh_len, &concatenated, why) < 0 ||
        dcs_for(limits, SMS_8BIT, &message->dcs, why) < 0)
        return -1;
    if (udh_len > USER_DATA_OCTETS || len + udh_len == 0)
        return refuse(why, len ? "udh: longer than an SMS" : "there is nothing to send");
    if (len > USER_DATA_OCTETS - udh_len && (concatenated || own >= USER_DATA_OCTETS))
        return refuse(why, "the data do not fit into one SMS with this udh");
    room = len <= USER_DATA_OCTETS - udh_len ? USER_DATA_OCTETS - udh_len : USER_DATA_OCTETS - own;
    message->parts_needed = message->parts_unforced = (guint)MAX((len + room - 1) / room, 1);
    if (message->parts_needed > CLAMP(limits->maxmsgs, 1, SMS_PARTS_MAX)) {
        out_set(why, OUT_DATA, "5.6.0", "the data need %u SMS, at most %u are allowed",
                message->parts_needed, CLAMP(limits->maxmsgs, 1, SMS_PARTS_MAX));
        return -1;
    }
    for (guint i = 0; i < message->parts_needed; i++) {
        struct sms_part *part = g_new0(struct sms_part, 1);
        gsize from = i * room;

        part->units = (guint)MIN(room, len - from);
        part->data = g_bytes_new_from_bytes(data, from, part->units);
        part->udh = part_header(header, udh_len, limits, message->parts_needed, i + 1);
        g_ptr_array_add(message->parts, part);
    }
    *ret = g_steal_pointer(&message);
    return 0;
}
