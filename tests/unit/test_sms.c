/* SPDX-License-Identifier: ISC */
#include "transport/sms/sms.h"

#include "tests/unit/sms_decode.h"
#include "tests/unit/tsv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of its own making, for tables that sms_split has no say in. */
static struct sms_part
part_of(const char *text, const guint8 *udh, gsize udh_len)
{
    return (struct sms_part){.text = (char *)text, .udh = g_bytes_new(udh, udh_len)};
}

static char *
hex(GBytes *bytes)
{
    GString *text = g_string_new(NULL);
    gsize len;
    const guint8 *octets = g_bytes_get_data(bytes, &len);

    for (gsize i = 0; i < len; i++)
        g_string_append_printf(text, "%02X", octets[i]);
    return g_string_free(text, FALSE);
}

static bool seen_septets[2][128];

static void
alphabet_row(char **fields, bool extension, const char *where)
{
    guint septet = strtoul(fields[0], NULL, 16);
    char text[7] = {0};
    struct sms_part part;
    g_autoptr(GBytes) udh = NULL;
    g_autoptr(GBytes) tpdu = NULL;
    const guint8 *data;

    g_unichar_to_utf8(strtoul(fields[1] + 2, NULL, 16), text);
    part = part_of(text, NULL, 0);
    udh = part.udh;
    ck_assert_msg(sms_gsm7_length(text) == (extension ? 2 : 1), "%s", where);
    tpdu = sms_tpdu(&part, SMS_GSM7, 0, 0, "+1234567");
    data = g_bytes_get_data(tpdu, NULL);
    data += 2 + 2 + 4 + 2; /* up to TP-UDL */
    ck_assert_msg(*data == (extension ? 2 : 1), "%s", where);
    if (extension)
        ck_assert_msg(sms_septet(data + 1, 0) == 0x1B, "%s", where);
    ck_assert_msg(sms_septet(data + 1, extension ? 7 : 0) == septet, "%s", where);
    seen_septets[extension][septet] = true;
}

static void
default_row(char **fields, const char *where)
{
    alphabet_row(fields, false, where);
}

static void
extension_row(char **fields, const char *where)
{
    alphabet_row(fields, true, where);
}

START_TEST(alphabet)
{
    guint plain = 0, extended = 0, encodable = 0;

    tsv_each("sms/default.tsv", 3, default_row);
    tsv_each("sms/extension.tsv", 3, extension_row);
    for (guint i = 0; i < 128; i++) {
        plain += seen_septets[0][i];
        extended += seen_septets[1][i];
    }
    ck_assert_uint_eq(plain, 127);
    ck_assert_uint_eq(extended, 10);
    /* And nothing else is in it. */
    for (gunichar c = 1; c <= 0x10FFFF; c++) {
        char text[7] = {0};

        if (!g_unichar_validate(c))
            continue;
        g_unichar_to_utf8(c, text);
        encodable += sms_gsm7_length(text) >= 0;
    }
    ck_assert_uint_eq(encodable, plain + extended);
}
END_TEST

START_TEST(lengths)
{
    ck_assert_int_eq(sms_gsm7_length(""), 0);
    ck_assert_int_eq(sms_gsm7_length("hellohello"), 10);
    ck_assert_int_eq(sms_gsm7_length("5€ [a|b]\\{~}^"), 22);
    ck_assert_int_eq(sms_gsm7_length("@\n\r\f"), 5);
    ck_assert_int_eq(sms_gsm7_length("ç"), -1);
    ck_assert_int_eq(sms_gsm7_length("\t"), -1);
    ck_assert_int_eq(sms_gsm7_length("`"), -1);
    ck_assert_int_eq(sms_gsm7_length("\033"), -1);
    ck_assert_int_eq(sms_gsm7_length("aaa“"), -1);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(sms_encoding_name(SMS_GSM7), "gsm7");
    ck_assert_str_eq(sms_encoding_name(SMS_UCS2), "ucs2");
    ck_assert_str_eq(sms_encoding_name(SMS_8BIT), "8bit");
}
END_TEST

static void
split_row(char **fields, const char *where)
{
    struct sms_limits limits = {
        .maxmsgs = atoi(fields[1]), .reject = strcmp(fields[2], "reject") == 0, .reference = 0xA7};
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) units = g_string_new(NULL);
    g_autofree char *got = NULL;
    struct outcome why;

    if (sms_split(fields[0], &limits, &message, &why) < 0) {
        ck_assert_msg(why.kind == OUT_DATA && strcmp(why.dsn, "5.6.0") == 0, "%s", where);
        ck_assert_msg(strcmp(why.text, fields[3]) == 0, "%s: %s", where, why.text);
        return;
    }
    for (guint i = 0; i < message->parts->len; i++) {
        struct sms_part *part = message->parts->pdata[i];

        g_string_append_printf(units, "%s%u", i ? "," : "", part->units);
    }
    got = g_strdup_printf("%s %s %s %u %s", sms_encoding_name(message->encoding), units->str,
                          message->truncated ? "cut" : "whole", message->parts_needed,
                          message->forced_by ? message->forced_by : "-");
    ck_assert_msg(strcmp(got, fields[3]) == 0, "%s: %s", where, got);
    ck_assert_msg(strcmp(message->text, *fields[4] ? fields[4] : fields[0]) == 0, "%s: %s", where,
                  message->text);
    sms_check(fields[0], &limits, message);
}

START_TEST(split)
{
    tsv_each("sms/split.tsv", 5, split_row);
}
END_TEST

START_TEST(cutting)
{
    tsv_each("sms/cut.tsv", 5, split_row);
}
END_TEST

static void
clusters_row(char **fields, const char *where)
{
    struct sms_limits limits = {.maxmsgs = 128, .reference = 1};
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    struct outcome why;

    /* At every place of a part once, behind a text that is UCS-2 itself. */
    for (guint before = 1; before <= 140; before++) {
        const char *begin;

        g_string_truncate(text, 0);
        for (guint i = 0; i < before; i++)
            g_string_append(text, "ж");
        g_string_append(text, fields[0]);
        g_string_append_printf(text, "%0140d", 0);
        g_clear_pointer(&message, sms_message_free);
        ck_assert_int_eq(sms_split(text->str, &limits, &message, &why), 0);
        sms_check(text->str, &limits, message);
        begin = NULL;
        for (guint i = 0; i < message->parts->len && !begin; i++)
            begin = strstr(((struct sms_part *)message->parts->pdata[i])->text, fields[0]);
        ck_assert_msg(begin, "%s: torn behind %u", where, before);
    }
}

START_TEST(clusters)
{
    tsv_each("sms/clusters.tsv", 2, clusters_row);
}
END_TEST

static void
pdu_row(char **fields, const char *where)
{
    struct sms_limits limits = {.maxmsgs = 128, .reference = strtoul(fields[1], NULL, 16)};
    g_autoptr(SmsMessage) message = NULL;
    g_auto(GStrv) wanted = g_strsplit(fields[3], " ", -1);
    struct outcome why;

    ck_assert_msg(sms_split(fields[2], &limits, &message, &why) == 0, "%s", where);
    ck_assert_msg(message->parts->len == g_strv_length(wanted), "%s: %u parts", where,
                  message->parts->len);
    for (guint i = 0; i < message->parts->len; i++) {
        g_autoptr(GBytes) tpdu =
            sms_tpdu(message->parts->pdata[i], message->encoding, 0, message->dcs, fields[0]);
        g_autofree char *got = hex(tpdu);

        ck_assert_msg(strcmp(got, wanted[i]) == 0, "%s part %u: %s", where, i + 1, got);
    }
}

START_TEST(pdus)
{
    tsv_each("sms/pdus.tsv", 4, pdu_row);
}
END_TEST

START_TEST(pdus_of_odd_parts)
{
    static const guint8 ports[] = {6, 5, 4, 0x0B, 0x84, 0x23, 0xF0};
    static const guint8 data[] = {0xDE, 0xAD, 0xBE, 0xEF};
    static const guint8 concat[] = {5, 0, 3, 0xA7, 2, 1};
    static const guint8 wide[] = {6, 8, 4, 0x12, 0x34, 3, 3};
    struct sms_part binary = {.udh = g_bytes_new(ports, sizeof(ports)),
                              .data = g_bytes_new(data, sizeof(data))};
    /* E9, E6 and E8 of modem.md: 8-bit with ports; headers of 6 octets (a fill bit) and 7 (none) */
    struct sms_part first = part_of("Part one, ", concat, sizeof(concat));
    struct sms_part tail = part_of("tail@", wide, sizeof(wide));
    g_autoptr(GBytes) pdu = sms_tpdu(&binary, SMS_8BIT, 0, 0xF5, "+44123456789");
    g_autoptr(GBytes) pdu6 = sms_tpdu(&first, SMS_GSM7, 0, 0, "+44123456789");
    g_autoptr(GBytes) pdu7 = sms_tpdu(&tail, SMS_GSM7, 0, 0, "+44123456789");
    g_autofree char *text = hex(pdu);
    g_autofree char *text6 = hex(pdu6);
    g_autofree char *text7 = hex(pdu7);

    ck_assert_str_eq(text, "41000B914421436587F900F50B0605040B8423F0DEADBEEF");
    ck_assert_str_eq(text6, "41000B914421436587F9000011050003A70201A061391DF476975920");
    ck_assert_str_eq(text7, "41000B914421436587F900000D06080412340303F4709A0D00");
    g_bytes_unref(binary.udh);
    g_bytes_unref(binary.data);
    g_bytes_unref(first.udh);
    g_bytes_unref(tail.udh);
}
END_TEST

START_TEST(no_pdu)
{
    g_autofree char *long7 = g_strnfill(161, 'a');
    g_autofree char *full7 = g_strnfill(160, 'a');
    g_autofree char *long16 = g_strnfill(71, 'a');
    struct sms_part part = {.text = full7};
    g_autoptr(GBytes) fits = sms_tpdu(&part, SMS_GSM7, 0, 0, "+41791234567");
    static const char *const numbers[] = {"", "+", "41791234567", "+4179123x",
                                          "+123456789012345678901"};

    ck_assert_ptr_nonnull(fits);
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        ck_assert_ptr_null(sms_tpdu(&part, SMS_GSM7, 0, 0, numbers[i]));
    part.text = long7;
    ck_assert_ptr_null(sms_tpdu(&part, SMS_GSM7, 0, 0, "+41791234567"));
    part.text = (char *)"ж";
    ck_assert_ptr_null(sms_tpdu(&part, SMS_GSM7, 0, 0, "+41791234567"));
    part.text = long16;
    ck_assert_ptr_null(sms_tpdu(&part, SMS_UCS2, 0, 8, "+41791234567"));
    part.text = NULL;
    ck_assert_ptr_null(sms_tpdu(&part, SMS_UCS2, 0, 8, "+41791234567"));
}
END_TEST

START_TEST(not_text)
{
    struct sms_limits limits = {.maxmsgs = 1};
    struct sms_message *message = NULL;
    struct outcome why;

    ck_assert_int_eq(sms_split("a\377", &limits, &message, &why), -1);
    ck_assert_int_eq(why.kind, OUT_BUG);
    ck_assert_ptr_null(message);
}
END_TEST

/* The number of parts is right where an 8 bit counter would have wrapped, and huge texts take no
 * time. */
START_TEST(huge)
{
    struct sms_limits limits = {.maxmsgs = 128, .reference = 255};
    g_autofree char *plain = g_strnfill(4000000, 'a');
    g_autoptr(GString) marks = g_string_new("a");
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(SmsMessage) zalgo = NULL;
    struct outcome why;

    ck_assert_int_eq(sms_split(plain, &limits, &message, &why), 0);
    ck_assert_uint_eq(message->parts_needed, 26144);
    ck_assert_uint_eq(message->parts->len, 128);
    sms_check(plain, &limits, message);
    while (marks->len < 4000000)
        g_string_append(marks, "\u0301");
    ck_assert_int_eq(sms_split(marks->str, &limits, &zalgo, &why), 0);
    ck_assert_uint_eq(zalgo->parts->len, 128);
    sms_check(marks->str, &limits, zalgo);
}
END_TEST

/* Cut to any number of parts, a text keeps the contract, fills what it has and only loses its end.
 */
START_TEST(every_limit)
{
    static const char *const pieces[] = {"word ",
                                         "two words, ",
                                         "€uro [x] ",
                                         "жизнь ",
                                         "\n",
                                         "😀😀",
                                         "👩‍👩‍👧 ",
                                         "長い文章です。",
                                         "long-long-long-word-",
                                         "e\u0301"};
    GRand *rand = g_rand_new_with_seed(42);

    for (guint round = 0; round < 400; round++) {
        g_autoptr(GString) text = g_string_new("x");
        guint kinds = round % 4 ? G_N_ELEMENTS(pieces) : 3;
        guint count = g_rand_int_range(rand, 1, 200);

        while (count--)
            g_string_append(text, pieces[g_rand_int_range(rand, 0, kinds)]);
        for (guint maxmsgs = 1; maxmsgs <= 9; maxmsgs++) {
            struct sms_limits limits = {.maxmsgs = maxmsgs, .reference = round};
            g_autoptr(SmsMessage) message = NULL;
            struct outcome why;

            ck_assert_int_eq(sms_split(text->str, &limits, &message, &why), 0);
            sms_check(text->str, &limits, message);
            if (message->truncated)
                ck_assert_uint_ge(message->parts->len + 1, maxmsgs);
        }
    }
    g_rand_free(rand);
}
END_TEST

UNIT_SUITE("sms", tcase_add_test(unit, alphabet); tcase_add_test(unit, lengths);
           tcase_add_test(unit, names); tcase_add_test(unit, split); tcase_add_test(unit, cutting);
           tcase_add_test(unit, clusters); tcase_add_test(unit, pdus);
           tcase_add_test(unit, pdus_of_odd_parts); tcase_add_test(unit, no_pdu);
           tcase_add_test(unit, not_text); tcase_add_test(unit, huge);
           tcase_add_test(unit, every_limit))
