/* SPDX-License-Identifier: ISC */
/*
 * A text to be split. First octets: parts allowed; reference; refuse or cut, its width,
 * transliteration; two octets that say which national tables may be used; how much of the end is
 * appended. The rest is made valid UTF-8.
 */
#include "transport/sms/sms.h"

#include "tests/unit/sms_national.h"

#include <stdint.h>

#define HEAD 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * With fewer tables to choose from, from the one at first on, the same text never costs less, and
 * is never in GSM 03.38 if it is in UCS-2 with all of them. What the fewer tables lead to
 * transliterate may cost less: it is not the same text, and tables are there to keep it.
 */
static void
check_cheapest(const char *text, const struct sms_limits *limits, const SmsMessage *message,
               gsize first, gsize count)
{
    struct sms_limits fewer = *limits;
    g_autoptr(SmsMessage) other = NULL;
    struct outcome why;

    fewer.languages = limits->languages + first;
    fewer.languages_count = count;
    fewer.maxmsgs = SMS_PARTS_MAX;
    if (sms_split(text, &fewer, &other, &why) < 0)
        return;
    g_assert(other->transliterated || message->parts_needed <= other->parts_needed);
    g_assert(message->encoding != SMS_UCS2 || other->encoding == SMS_UCS2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guint8 languages[SMS_LANGUAGES];
    g_autoptr(SmsMessage) message = NULL;
    g_autofree char *raw = NULL;
    g_autofree char *text = NULL;
    g_autofree char *append = NULL;
    struct sms_limits limits;
    struct outcome why;
    glong characters, appended;

    if (size < HEAD)
        return 0;
    limits = (struct sms_limits){.maxmsgs = 1 + data[0] % SMS_PARTS_MAX,
                                 .reference = (guint16)(data[1] * 0x0101),
                                 .reject = data[2] & 1,
                                 .wide = data[2] & 2,
                                 .translit = (enum sms_translit)((data[2] >> 2) % 3),
                                 .languages = languages};
    for (guint i = 0; i < SMS_LANGUAGES; i++)
        if ((data[3] << 8 | data[4]) >> i & 1)
            languages[limits.languages_count++] = (guint8)(i + 1);
    raw = g_strndup((const char *)data + HEAD, size - HEAD);
    text = g_utf8_make_valid(raw, -1);
    characters = g_utf8_strlen(text, -1);
    appended = MIN(data[5], characters);
    append = g_strdup(g_utf8_offset_to_pointer(text, characters - appended));
    text[strlen(text) - strlen(append)] = '\0';
    limits.append = append;
    if (sms_split(text, &limits, &message, &why) == 0) {
        national_check(text, &limits, message);
        if (!limits.languages_count && !limits.wide && !*append &&
            limits.translit == SMS_TRANSLIT_NONE)
            sms_check(text, &limits, message);
        check_cheapest(text, &limits, message, 0, 0);
        if (limits.languages_count)
            check_cheapest(text, &limits, message, data[1] % limits.languages_count, 1);
        return 0;
    }
    g_assert(why.kind == OUT_DATA && strcmp(why.dsn, "5.6.0") == 0);
    /* What is appended is never cut: it may be too long alone. */
    g_assert((!*text && !*append) || limits.reject || *append);
    return 0;
}
