/* SPDX-License-Identifier: ISC */
/* TPDUs that other programs made, read. */
#include "transport/sms/pdu.h"

#include "tests/unit/tsv.h"

#include <string.h>

static GByteArray *
unhex(const char *text)
{
    GByteArray *octets = g_byte_array_new();

    for (; g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1]); text += 2) {
        guint8 octet = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);

        g_byte_array_append(octets, &octet, 1);
    }
    return octets;
}

static void
add_hex(GString *to, const char *before, GBytes *bytes)
{
    gsize len;
    const guint8 *octets = g_bytes_get_data(bytes, &len);

    if (len)
        g_string_append(to, before);
    for (gsize i = 0; i < len; i++)
        g_string_append_printf(to, "%02X", octets[i]);
}

/* Everything but the text in one line. */
static char *
describe(const struct sms_pdu *pdu)
{
    GString *line = g_string_new(sms_pdu_type_name(pdu->type));

    g_string_append_printf(line, " %s%s mr=%u pid=%02X dcs=%02X %s %u", pdu->address,
                           pdu->alphanumeric ? " name" : "", pdu->reference, pdu->pid, pdu->dcs,
                           sms_encoding_name(pdu->encoding), pdu->units);
    if (*pdu->smsc)
        g_string_append_printf(line, " smsc=%s", pdu->smsc);
    if (pdu->report)
        g_string_append(line, " report");
    if (pdu->more)
        g_string_append(line, " more");
    if (pdu->reply_path)
        g_string_append(line, " reply-path");
    if (pdu->validity == SMS_VALIDITY_RELATIVE)
        g_string_append_printf(line, " valid=%u", pdu->validity_minutes);
    if (*pdu->timestamp)
        g_string_append_printf(line, " time=%s", pdu->timestamp);
    if (*pdu->discharge)
        g_string_append_printf(line, " discharge=%s", pdu->discharge);
    if (pdu->status >= 0)
        g_string_append_printf(line, " status=%02X", pdu->status);
    if (pdu->message_class >= 0)
        g_string_append_printf(line, " class=%d", pdu->message_class);
    if (pdu->compressed)
        g_string_append(line, " compressed");
    add_hex(line, " udh=", pdu->udh);
    if (pdu->parts)
        g_string_append_printf(line, " part=%u/%u ref=%u%s", pdu->part, pdu->parts,
                               pdu->concatenation, pdu->wide ? " wide" : "");
    if (pdu->port_to >= 0)
        g_string_append_printf(line, " ports=%d/%d", pdu->port_to, pdu->port_from);
    if (pdu->lock)
        g_string_append_printf(line, " lock=%u", pdu->lock);
    if (pdu->shift)
        g_string_append_printf(line, " shift=%u", pdu->shift);
    return g_string_free(line, FALSE);
}

static void
decode_row(char **fields, const char *where)
{
    g_autoptr(GByteArray) octets = unhex(fields[0]);
    g_autoptr(SmsPdu) pdu = NULL;
    g_autofree char *line = NULL;
    g_autoptr(GString) data = g_string_new(NULL);
    struct outcome why;

    ck_assert_msg(octets->len * 2 == strlen(fields[0]), "%s", where);
    if (sms_pdu_decode(octets->data, octets->len, true, &pdu, &why) < 0) {
        ck_assert_msg(strcmp(why.text, fields[1]) == 0, "%s: %s", where, why.text);
        ck_assert_int_eq(why.kind, OUT_DATA);
        return;
    }
    line = describe(pdu);
    ck_assert_msg(strcmp(line, fields[1]) == 0, "%s: %s", where, line);
    ck_assert(!pdu->text == (pdu->data != NULL));
    if (pdu->data)
        add_hex(data, "", pdu->data);
    ck_assert_msg(strcmp(pdu->text ? pdu->text : data->str, fields[2]) == 0, "%s: %s", where,
                  pdu->text);
}

START_TEST(decode)
{
    tsv_each("sms/decode.tsv", 3, decode_row);
}
END_TEST

/* Every TPDU cut at every octet is refused or read, and nothing is read behind its end. */
static void
cut_row(char **fields, const char *where)
{
    g_autoptr(GByteArray) octets = unhex(fields[0]);

    (void)where;
    for (guint len = 0; len <= octets->len; len++) {
        g_autofree guint8 *copy = g_memdup2(octets->data, len);
        struct sms_pdu *pdu = NULL;
        struct outcome why;

        if (sms_pdu_decode(copy, len, true, &pdu, &why) == 0)
            sms_pdu_free(pdu);
    }
}

START_TEST(cut_anywhere)
{
    tsv_each("sms/decode.tsv", 3, cut_row);
}
END_TEST

/* What we send is read back as it was meant, in every encoding and with every table. */
START_TEST(round_trip)
{
    static const char *const texts[] = {
        "Hello [you] €",         "Привет 😀", "ışığı ÇĞ", "ação áéíóú", "नमस्ते दुनिया", "ہیلو دنیا",
        "<b>&\r\n\"quoted\"</b>"};
    static const guint8 languages[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        for (guint repeat = 1; repeat < 60; repeat += 7) {
            g_autoptr(GString) text = g_string_new(NULL);
            struct sms_limits limits = {.maxmsgs = 128,
                                        .reference = 0xFFA7,
                                        .wide = repeat % 2,
                                        .languages = languages,
                                        .languages_count = G_N_ELEMENTS(languages)};
            g_autoptr(SmsMessage) message = NULL;
            g_autoptr(GString) joined = g_string_new(NULL);
            struct outcome why;

            for (guint n = 0; n < repeat; n++)
                g_string_append(text, texts[i]);
            ck_assert_int_eq(sms_split(text->str, &limits, &message, &why), 0);
            for (guint n = 0; n < message->parts->len; n++) {
                const struct sms_part *part = message->parts->pdata[n];
                g_autoptr(GBytes) tpdu =
                    sms_tpdu(part, message->encoding, 0, message->dcs, "+41791234567");
                g_autoptr(SmsPdu) pdu = NULL;
                gsize len;
                const guint8 *octets = g_bytes_get_data(tpdu, &len);

                ck_assert_int_eq(sms_pdu_decode(octets, len, false, &pdu, &why), 0);
                ck_assert_str_eq(pdu->address, "+41791234567");
                ck_assert_str_eq(pdu->text, part->text);
                ck_assert_uint_eq(pdu->units, part->units);
                ck_assert(g_bytes_equal(pdu->udh, part->udh));
                ck_assert_uint_eq(MAX(pdu->lock, pdu->shift), message->language);
                if (message->parts->len > 1) {
                    ck_assert_uint_eq(pdu->parts, message->parts->len);
                    ck_assert_uint_eq(pdu->part, n + 1);
                    ck_assert_uint_eq(pdu->concatenation, repeat % 2 ? 0xFFA7 : 0xA7);
                }
                g_string_append(joined, pdu->text);
            }
            ck_assert_str_eq(joined->str, text->str);
        }
}
END_TEST

static void
binary_row(char **fields, const char *where)
{
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(unhex(fields[0]));
    g_autoptr(GBytes) udh = g_byte_array_free_to_bytes(unhex(fields[1]));
    struct sms_limits limits = {.maxmsgs = (guint)g_ascii_strtoull(fields[4], NULL, 10),
                                .reference = 0x01A7,
                                .wide = strcmp(fields[3], "yes") == 0,
                                .has_dcs = strcmp(fields[2], "-") != 0,
                                .dcs = (guint8)g_ascii_strtoull(fields[2], NULL, 10),
                                .pid = 0x41};
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(GByteArray) joined = g_byte_array_new();
    struct outcome why;
    gsize len;

    if (sms_split_binary(data, udh, &limits, &message, &why) < 0) {
        ck_assert_msg(strcmp(why.text, fields[5]) == 0, "%s: %s", where, why.text);
        return;
    }
    g_string_printf(got, "%02X", message->dcs);
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu =
            sms_tpdu(part, SMS_8BIT, message->pid, message->dcs, "+41791234567");
        g_autoptr(SmsPdu) pdu = NULL;
        const guint8 *octets = g_bytes_get_data(tpdu, &len);

        add_hex(got, " ", part->udh);
        g_string_append_printf(got, "%s/%u", g_bytes_get_size(part->udh) ? "" : " ", part->units);
        ck_assert_int_eq(sms_pdu_decode(octets, len, false, &pdu, &why), 0);
        ck_assert_uint_eq(pdu->pid, 0x41);
        ck_assert(g_bytes_equal(pdu->udh, part->udh) && g_bytes_equal(pdu->data, part->data));
        octets = g_bytes_get_data(part->data, &len);
        g_byte_array_append(joined, octets, (guint)len);
    }
    ck_assert_msg(strcmp(got->str, fields[5]) == 0, "%s: %s", where, got->str);
    ck_assert(joined->len == g_bytes_get_size(data));
}

START_TEST(binary)
{
    tsv_each("sms/binary.tsv", 6, binary_row);
}
END_TEST

UNIT_SUITE("pdu", tcase_add_test(unit, decode); tcase_add_test(unit, cut_anywhere);
           tcase_add_test(unit, round_trip); tcase_add_test(unit, binary))
