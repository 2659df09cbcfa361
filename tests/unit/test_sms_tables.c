/* SPDX-License-Identifier: ISC */
/* Every row of the published tables, both ways, and the texts whose cheapest form is a table. */
#include "transport/sms/coding.h"
#include "transport/sms/sms.h"

#include "tests/unit/sms_decode.h"
#include "tests/unit/tsv.h"

#include <stdlib.h>
#include <string.h>

static const char *const files[][2] = {
    [1] = {"turkish", "turkish"},
    [2] = {NULL, "spanish"},
    [3] = {"portuguese", "portuguese"},
    [4] = {"bengali", "bengali"},
    [5] = {"gujarati", "gujarati"},
    [6] = {"hindi", "hindi"},
    [7] = {"kannada", "kannada"},
    [8] = {"malayalam", "malayalam"},
    [9] = {"oriya", "oriya"},
    [10] = {"punjabi", "punjabi"},
    [11] = {"tamil", "tamil"},
    [12] = {"telugu", "telugu"},
    [13] = {"urdu", "urdu"},
};

/* The table that rows are compared with. */
static struct {
    struct gsm0338_alphabet alphabet;
    bool shift;
    guint rows;
    gunichar characters[128]; /* by septet; 0: none */
} now;

static void
one_row(char **fields, const char *where)
{
    guint8 septet = (guint8)strtoul(fields[0], NULL, 16);
    gunichar c = strtoul(fields[1] + 2, NULL, 16);

    ck_assert_msg(gsm0338_decode(now.alphabet, septet, now.shift) == c, "%s", where);
    ck_assert_msg(now.characters[septet] == 0, "%s: twice", where);
    now.characters[septet] = c;
    now.rows++;
}

/* The lowest septet of a character is the one that is written; a TPDU with the table in its header
 * carries it. */
static void
check_written(guint8 septet)
{
    gunichar c = now.characters[septet];
    char text[7] = {0};
    const guint8 udh[] = {3, now.shift ? 0x24 : 0x25, 1,
                          MAX(now.alphabet.lock, now.alphabet.shift)};
    struct sms_part part = {.text = text};
    g_autoptr(GBytes) header = NULL;
    g_autoptr(GBytes) tpdu = NULL;
    const guint8 *data;
    guint8 septets[2];
    guint8 lowest = 0;

    while (now.characters[lowest] != c)
        lowest++;
    if (now.shift && gsm0338_encode(now.alphabet, c, septets) == 1)
        return; /* the default alphabet has it: one septet is cheaper */
    ck_assert_uint_eq(gsm0338_encode(now.alphabet, c, septets), now.shift ? 2 : 1);
    ck_assert_uint_eq(septets[now.shift ? 1 : 0], lowest);
    g_unichar_to_utf8(c, text);
    header = g_bytes_new(udh, udh[3] ? sizeof(udh) : 0);
    part.udh = header;
    tpdu = sms_tpdu(&part, SMS_GSM7, 0, 0, "+1234567");
    ck_assert_ptr_nonnull(tpdu);
    data = (const guint8 *)g_bytes_get_data(tpdu, NULL) + 11;
    /* Behind a header of four octets text begins at septet 5. */
    ck_assert_uint_eq(sms_septet(data, 7 * ((udh[3] ? 5 : 0) + (now.shift ? 1 : 0))), lowest);
}

static guint
check_table(const char *path, guint8 lock, guint8 shift, bool is_shift)
{
    memset(&now, 0, sizeof(now));
    now.alphabet = (struct gsm0338_alphabet){lock, shift};
    now.shift = is_shift;
    tsv_each(path, 3, one_row);
    for (guint septet = 0; septet < 128; septet++)
        if (now.characters[septet])
            check_written((guint8)septet);
    return now.rows;
}

START_TEST(rows)
{
    guint count = check_table("sms/default.tsv", 0, 0, false);

    count += check_table("sms/extension.tsv", 0, 0, true);
    for (guint8 n = 1; n <= SMS_LANGUAGES; n++) {
        g_autofree char *lock = g_strdup_printf("sms/lock-%02u-%s.tsv", n, files[n][0]);
        g_autofree char *shift = g_strdup_printf("sms/shift-%02u-%s.tsv", n, files[n][1]);

        ck_assert_int_eq(g_ascii_strcasecmp(sms_language_name(n), files[n][1]), 0);
        count += files[n][0] ? check_table(lock, n, 0, false) : 0;
        count += check_table(shift, 0, n, true);
        ck_assert(!gsm0338_lock(n) == !files[n][0]);
    }
    ck_assert_uint_eq(count, 2430);
    ck_assert_ptr_null(gsm0338_lock(14));
    ck_assert_ptr_null(gsm0338_shift(14));
    ck_assert_ptr_null(sms_language_name(14));
    ck_assert_ptr_null(sms_language_name(0));
}
END_TEST

START_TEST(odd_septets)
{
    struct gsm0338_alphabet tamil = {11, 11};

    /* Two escapes in a row, and what no table has, are a blank; behind the escape the base table
     * speaks if the shift table does not. */
    ck_assert_uint_eq(gsm0338_decode((struct gsm0338_alphabet){0, 0}, 0x1B, true), ' ');
    ck_assert_uint_eq(gsm0338_decode((struct gsm0338_alphabet){0, 0}, 'a', true), 'a');
    ck_assert_uint_eq(gsm0338_decode(tamil, 0x09, false), ' ');
}
END_TEST

/* Header, octets: what fits into a part (TS 23.040 9.2.3.24). */
START_TEST(capacities)
{
    static const struct {
        enum sms_encoding encoding;
        guint8 lock, shift;
        bool wide;
        guint alone, concatenated;
    } cases[] = {
        {SMS_GSM7, 0, 0, false, 160, 153}, {SMS_GSM7, 0, 0, true, 160, 152},
        {SMS_GSM7, 0, 1, false, 155, 149}, {SMS_GSM7, 1, 0, false, 155, 149},
        {SMS_GSM7, 1, 1, false, 152, 146}, {SMS_GSM7, 0, 1, true, 155, 148},
        {SMS_GSM7, 1, 1, true, 152, 145},  {SMS_UCS2, 0, 0, false, 70, 67},
        {SMS_UCS2, 0, 0, true, 70, 66},    {SMS_8BIT, 0, 0, false, 140, 134},
        {SMS_8BIT, 0, 0, true, 140, 133},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct coding coding =
            coding_of(cases[i].encoding, cases[i].lock, cases[i].shift, cases[i].wide);

        ck_assert_uint_eq(coding.alone, cases[i].alone);
        ck_assert_uint_eq(coding.concatenated, cases[i].concatenated);
    }
}
END_TEST

/* Fields: text, languages, transliteration, maxmsgs, append, wanted, text as sent if another. */
static void
cheapest_row(char **fields, const char *where)
{
    static const char *const levels[] = {"none", "punctuation", "full"};
    g_auto(GStrv) numbers = g_strsplit(fields[1], " ", -1);
    guint8 languages[SMS_LANGUAGES];
    struct sms_limits limits = {.maxmsgs = (guint)atoi(fields[3]),
                                .reference = 0x1A7,
                                .languages = languages,
                                .append = fields[4]};
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    struct outcome why;

    for (char **number = numbers; *number && **number; number++)
        languages[limits.languages_count++] = (guint8)atoi(*number);
    while (strcmp(levels[limits.translit], fields[2]) != 0)
        limits.translit++;
    ck_assert_msg(sms_split(fields[0], &limits, &message, &why) == 0, "%s: %s", where, why.text);
    g_string_printf(got, "%s %u ", sms_encoding_name(message->encoding), message->language);
    for (guint i = 0; i < message->parts->len; i++) {
        struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu = sms_tpdu(part, message->encoding, 0, message->dcs, "+41791234567");
        gsize len;
        const guint8 *udh = g_bytes_get_data(part->udh, &len);

        ck_assert_msg(tpdu, "%s", where);
        g_string_append_printf(got, "%s%u", i ? "," : "", part->units);
        for (gsize at = 0; i == 0 && at < len; at++)
            g_string_append_printf(got, "%s%02X", at ? "" : "/", udh[at]);
    }
    g_string_append_printf(got, " %s %u %u %s", message->truncated ? "cut" : "whole",
                           message->parts_needed, message->parts_unforced,
                           message->forced_by ? message->forced_by : "-");
    ck_assert_msg(strcmp(got->str, fields[5]) == 0, "%s: %s", where, got->str);
    ck_assert_msg(strcmp(message->text, *fields[6] ? fields[6] : fields[0]) == 0, "%s: %s", where,
                  message->text);
}

START_TEST(cheapest)
{
    tsv_each("sms/cheapest.tsv", 7, cheapest_row);
}
END_TEST

static void
same_shape(char **fields, const char *where)
{
    char text[7] = {0};
    struct sms_limits limits = {.maxmsgs = 1, .translit = SMS_TRANSLIT_PUNCTUATION};
    g_autoptr(SmsMessage) message = NULL;
    struct outcome why;

    g_unichar_to_utf8(strtoul(fields[0] + 2, NULL, 16), text);
    ck_assert_int_eq(sms_split(text, &limits, &message, &why), 0);
    ck_assert_msg(message->encoding == SMS_GSM7 &&
                      message->text[0] == (char)strtoul(fields[1], NULL, 16) && !message->text[1],
                  "%s: %s", where, message->text);
}

START_TEST(greek_capitals)
{
    tsv_each("sms/fallback-greek.tsv", 3, same_shape);
}
END_TEST

UNIT_SUITE("sms tables", tcase_add_test(unit, rows); tcase_add_test(unit, odd_septets);
           tcase_add_test(unit, capacities); tcase_add_test(unit, cheapest);
           tcase_add_test(unit, greek_capitals))
