/* SPDX-License-Identifier: ISC */
/*
 * Owns the way between characters and septets (3GPP TS 23.038). No transliteration here: a
 * character is in an alphabet or it is not.
 */
#include "transport/sms/gsm0338.h"

/* The lowest septet of c, or -1. */
static int
find(const struct gsm0338_table *table, gunichar c)
{
    gsize low = 0;
    gsize high = table->count;

    while (low < high) {
        gsize middle = (low + high) / 2;

        if (table->rows[middle].codepoint < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->rows[low].codepoint == c ? table->rows[low].septet : -1;
}

guint
gsm0338_encode(struct gsm0338_alphabet alphabet, gunichar c, guint8 septets[2])
{
    int septet;

    /* Small letters stand where ASCII has them, in every table but some of India's. */
    if (c >= 'a' && c <= 'z' && alphabet.lock == 0) {
        septets[0] = (guint8)c;
        return 1;
    }
    septet = find(gsm0338_lock(alphabet.lock), c);
    if (septet >= 0) {
        septets[0] = (guint8)septet;
        return 1;
    }
    septet = find(gsm0338_shift(alphabet.shift), c);
    if (septet < 0)
        return 0;
    septets[0] = GSM0338_ESCAPE;
    septets[1] = (guint8)septet;
    return 2;
}

static gunichar
character(const struct gsm0338_table *table, guint8 septet)
{
    for (gsize i = 0; i < table->count; i++)
        if (table->rows[i].septet == septet)
            return table->rows[i].codepoint;
    return 0;
}

gunichar
gsm0338_decode(struct gsm0338_alphabet alphabet, guint8 septet, gboolean escaped)
{
    gunichar c = escaped ? character(gsm0338_shift(alphabet.shift), septet) : 0;

    if (!c)
        c = character(gsm0338_lock(alphabet.lock), septet);
    return c ? c : ' ';
}

gssize
sms_gsm7_length(const char *text)
{
    const struct gsm0338_alphabet plain = {0, 0};
    guint8 septets[2];
    gssize length = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        guint count = gsm0338_encode(plain, g_utf8_get_char(p), septets);

        if (count == 0)
            return -1;
        length += count;
    }
    return length;
}
