/* SPDX-License-Identifier: ISC */
/*
 * Owns the choice between encodings: what costs the fewest parts without losing a character. Pure
 * and deterministic: a retry, "explain" and the ledger's plan must come to the same. Must never
 * look at maxmsgs: the encoding is that of the whole text.
 */
#include "transport/sms/choose.h"

#include "transport/sms/dcs.h"
#include "transport/sms/split.h"
#include <string.h>

void
choice_clear(struct choice *choice)
{
    g_clear_pointer(&choice->forced_by, g_free);
}

bool
choose_writable(gunichar c, const guint8 *languages, gsize count)
{
    guint8 septets[2];

    if (gsm0338_encode((struct gsm0338_alphabet){0, 0}, c, septets))
        return true;
    for (gsize i = 0; i < count; i++) {
        guint8 lock = gsm0338_lock(languages[i]) ? languages[i] : 0;

        if (gsm0338_encode((struct gsm0338_alphabet){lock, languages[i]}, c, septets))
            return true;
    }
    return false;
}

/* Takes coding if it can write text in fewer parts than what is in *best. */
static void
consider(const char *text, struct coding coding, guint *parts, struct coding *best)
{
    guint count;

    /* Nothing is fewer than one. */
    if (*parts == 1 || coding_length(&coding, text) < 0)
        return;
    count = split_count(text, &coding);
    if (*parts == 0 || count < *parts) {
        *parts = count;
        *best = coding;
    }
}

/* The cheapest coding of this very text; the parts it takes. */
static guint
cheapest(const char *text, const struct sms_limits *limits, struct coding *ret)
{
    bool wide = limits->wide;
    bool compressed;
    int class;
    guint parts = 0;

    if (limits->has_dcs && dcs_encoding(limits->dcs, &compressed, &class) == SMS_UCS2) {
        *ret = coding_of(SMS_UCS2, 0, 0, wide);
        return split_count(text, ret);
    }
    consider(text, coding_of(SMS_GSM7, 0, 0, wide), &parts, ret);
    for (gsize i = 0; i < limits->languages_count; i++) {
        guint8 language = limits->languages[i];

        consider(text, coding_of(SMS_GSM7, 0, language, wide), &parts, ret);
        if (!gsm0338_lock(language))
            continue;
        consider(text, coding_of(SMS_GSM7, language, 0, wide), &parts, ret);
        consider(text, coding_of(SMS_GSM7, language, language, wide), &parts, ret);
    }
    consider(text, coding_of(SMS_UCS2, 0, 0, wide), &parts, ret);
    return parts;
}

/* The first character of text that GSM 03.38 alone cannot write. */
static char *
first_foreign(const char *text)
{
    while (choose_writable(g_utf8_get_char(text), NULL, 0))
        text = g_utf8_next_char(text);
    return g_strndup(text, g_utf8_next_char(text) - text);
}

/* What keeps text in UCS-2, and what it costs. */
static void
blame(struct choice *choice, const char *original, const struct sms_limits *limits)
{
    g_autofree char *text =
        transliterate(original, limits->translit, limits->languages, limits->languages_count);
    g_autoptr(GString) other = g_string_sized_new(strlen(text));
    struct coding coding;

    if (coding_length(&(struct coding){.encoding = SMS_GSM7}, original) >= 0)
        return; /* dcs asked for it */
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (choose_writable(c, limits->languages, limits->languages_count)) {
            g_string_append_unichar(other, c);
            continue;
        }
        if (!choice->forced_by)
            choice->forced_by = g_strndup(p, g_utf8_next_char(p) - p);
        g_string_append_c(other, '?');
    }
    if (!choice->forced_by) /* characters of two languages, or one that is dearer in septets */
        choice->forced_by = first_foreign(original);
    else /* respelled it may be dearer, and would not be respelled */
        choice->parts_unforced = MIN(cheapest(other->str, limits, &coding), choice->parts);
}

void
choose(const char *text, const struct sms_limits *limits, struct choice *ret)
{
    *ret = (struct choice){.level = SMS_TRANSLIT_NONE};
    ret->parts = cheapest(text, limits, &ret->coding);
    for (int level = SMS_TRANSLIT_PUNCTUATION;
         level <= (int)limits->translit && ret->coding.encoding == SMS_UCS2; level++) {
        g_autofree char *other = transliterate(text, (enum sms_translit)level, limits->languages,
                                               limits->languages_count);
        struct coding coding;
        guint parts;

        if (!*other)
            continue;
        parts = cheapest(other, limits, &coding);
        if (coding.encoding == SMS_UCS2 || parts > ret->parts)
            continue;
        ret->coding = coding;
        ret->parts = parts;
        ret->level = (enum sms_translit)level;
    }
    ret->parts_unforced = ret->parts;
    if (ret->coding.encoding == SMS_UCS2)
        blame(ret, text, limits);
}
