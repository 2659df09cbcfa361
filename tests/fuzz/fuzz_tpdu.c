/* SPDX-License-Identifier: ISC */
/*
 * What we write, read back. First octets: text or data; pid; dcs; parts allowed; octets of user
 * data header that follow, then the text or the data.
 */
#include "transport/sms/pdu.h"
#include "transport/sms/sms.h"

#include <stdint.h>
#include <string.h>

#define HEAD   5
#define NUMBER "+41791234567"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sms_pdu *
read_back(const struct sms_message *message, guint index)
{
    const struct sms_part *part = message->parts->pdata[index];
    g_autoptr(GBytes) tpdu = sms_tpdu(part, message->encoding, message->pid, message->dcs, NUMBER);
    struct sms_pdu *pdu = NULL;
    const guint8 *octets;
    struct outcome why;
    gsize len;

    g_assert(tpdu);
    octets = g_bytes_get_data(tpdu, &len);
    if (sms_pdu_decode(octets, len, false, &pdu, &why) < 0)
        g_error("%s", why.text);
    g_assert(pdu->type == SMS_PDU_SUBMIT && strcmp(pdu->address, NUMBER) == 0);
    g_assert(pdu->pid == message->pid && pdu->dcs == message->dcs);
    g_assert(pdu->encoding == message->encoding && !pdu->compressed);
    g_assert(pdu->units == part->units && g_bytes_equal(pdu->udh, part->udh));
    return pdu;
}

static void
check_text(const char *text, struct sms_limits *limits)
{
    static const guint8 languages[] = {1, 2, 3, 6, 13};
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) joined = g_string_new(NULL);
    struct outcome why;

    limits->languages = languages;
    limits->languages_count = G_N_ELEMENTS(languages);
    if (sms_split(text, limits, &message, &why) < 0) {
        g_assert(why.kind == OUT_DATA);
        return;
    }
    for (guint i = 0; i < message->parts->len; i++) {
        g_autoptr(SmsPdu) pdu = read_back(message, i);

        g_assert(pdu->text && !pdu->data);
        g_assert(pdu->part == (message->parts->len == 1 ? 0 : i + 1));
        g_string_append(joined, pdu->text);
    }
    g_assert(strcmp(joined->str, message->text) == 0);
}

/* Has the header, behind its length octet, what the sender gave? Splitting puts more in front. */
static void
check_header(const struct sms_pdu *pdu, GBytes *udh)
{
    gsize given, len;
    const guint8 *want = g_bytes_get_data(udh, &given);
    const guint8 *got = g_bytes_get_data(pdu->udh, &len);

    if (given > 1)
        g_assert(len >= given && memcmp(got + len - (given - 1), want + 1, given - 1) == 0);
}

static void
check_binary(GBytes *data, GBytes *udh, const struct sms_limits *limits)
{
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GByteArray) joined = g_byte_array_new();
    struct outcome why;

    if (sms_split_binary(data, udh, limits, &message, &why) < 0) {
        g_assert(why.kind == OUT_DATA && strcmp(why.dsn, "5.6.0") == 0);
        return;
    }
    g_assert(message->parts->len <= limits->maxmsgs && !message->truncated);
    for (guint i = 0; i < message->parts->len; i++) {
        g_autoptr(SmsPdu) pdu = read_back(message, i);
        const guint8 *octets;
        gsize len;

        g_assert(pdu->data && !pdu->text);
        check_header(pdu, udh);
        if (message->parts->len > 1)
            g_assert(pdu->parts == message->parts->len && pdu->part == i + 1);
        octets = g_bytes_get_data(pdu->data, &len);
        g_byte_array_append(joined, octets, (guint)len);
    }
    g_assert(joined->len == g_bytes_get_size(data));
    g_assert(joined->len == 0 ||
             memcmp(joined->data, g_bytes_get_data(data, NULL), joined->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sms_limits limits;
    gsize header;

    if (size < HEAD)
        return 0;
    limits = (struct sms_limits){.maxmsgs = 1 + data[3] % SMS_PARTS_MAX,
                                 .reference = 0x01A7,
                                 .wide = data[0] & 2,
                                 .pid = data[1],
                                 .has_dcs = data[0] & 4,
                                 .dcs = data[2]};
    header = MIN(data[4], size - HEAD);
    if (data[0] & 1) {
        g_autoptr(GBytes) udh = g_bytes_new(data + HEAD, header);
        g_autoptr(GBytes) rest = g_bytes_new(data + HEAD + header, size - HEAD - header);

        check_binary(rest, udh, &limits);
    } else {
        g_autofree char *raw = g_strndup((const char *)data + HEAD, size - HEAD);
        g_autofree char *text = g_utf8_make_valid(raw, -1);

        check_text(text, &limits);
    }
    return 0;
}
