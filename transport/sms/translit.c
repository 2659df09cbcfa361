/* SPDX-License-Identifier: ISC */
/*
 * Owns what a character may become so that a text fits into GSM 03.38. Punctuation changes nothing
 * that is read: typographic signs become those of a keyboard, Greek capitals the Latin ones of the
 * same shape. Full changes letters, too. What has no likeness stays as it is.
 */
#include "transport/sms/choose.h"

#include <string.h>

/* Sorted by first. */
static const struct {
    gunichar first, last;
    const char *text;
} punctuation[] = {
    /* clang-format off */
    {0x0009, 0x0009, " "},  {0x0060, 0x0060, "'"},  {0x00A0, 0x00A0, " "},   {0x00AB, 0x00AB, "\""},
    {0x00AD, 0x00AD, ""},   {0x00B4, 0x00B4, "'"},  {0x00BB, 0x00BB, "\""},  {0x02B9, 0x02B9, "'"},
    {0x02BA, 0x02BA, "\""}, {0x02BC, 0x02BC, "'"},  {0x0391, 0x0391, "A"},   {0x0392, 0x0392, "B"},
    {0x0395, 0x0395, "E"},  {0x0396, 0x0396, "Z"},  {0x0397, 0x0397, "H"},   {0x0399, 0x0399, "I"},
    {0x039A, 0x039A, "K"},  {0x039C, 0x039C, "M"},  {0x039D, 0x039D, "N"},   {0x039F, 0x039F, "O"},
    {0x03A1, 0x03A1, "P"},  {0x03A4, 0x03A4, "T"},  {0x03A5, 0x03A5, "Y"},   {0x03A7, 0x03A7, "X"},
    {0x2000, 0x200A, " "},  {0x200B, 0x200B, ""},   {0x2010, 0x2015, "-"},   {0x2018, 0x201B, "'"},
    {0x201C, 0x201F, "\""}, {0x2022, 0x2023, "*"},  {0x2024, 0x2024, "."},   {0x2025, 0x2025, ".."},
    {0x2026, 0x2026, "..."}, {0x2028, 0x2029, "\n"}, {0x202F, 0x202F, " "},  {0x2032, 0x2032, "'"},
    {0x2033, 0x2033, "\""}, {0x2035, 0x2035, "'"},  {0x2036, 0x2036, "\""},  {0x2039, 0x203A, "'"},
    {0x2043, 0x2043, "-"},  {0x205F, 0x205F, " "},  {0x2060, 0x2060, ""},    {0x2212, 0x2212, "-"},
    {0x2219, 0x2219, "*"},  {0x25A0, 0x25A0, "*"},  {0x25AA, 0x25AA, "*"},   {0x25CB, 0x25CB, "*"},
    {0x25CF, 0x25CF, "*"},  {0x25E6, 0x25E6, "*"},  {0x3000, 0x3000, " "},   {0xFEFF, 0xFEFF, ""},
    /* clang-format on */
};

static const char *
of_punctuation(gunichar c)
{
    gsize low = 0;
    gsize high = G_N_ELEMENTS(punctuation);

    while (low < high) {
        gsize middle = (low + high) / 2;

        if (c < punctuation[middle].first)
            high = middle;
        else if (c > punctuation[middle].last)
            low = middle + 1;
        else
            return punctuation[middle].text;
    }
    return NULL;
}

/* True if every character of text is in GSM 03.38, and there is one. */
static bool
is_plain(const char *text)
{
    return sms_gsm7_length(text) > 0;
}

/* The letter without its marks, or what the C library would write for it. NULL: nothing that GSM
 * 03.38 has. */
static char *
of_letter(gunichar c)
{
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gsize count = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
    g_autoptr(GString) base = g_string_new(NULL);
    g_autofree char *ascii = NULL;
    char one[7] = {0};

    for (gsize i = 0; i < count; i++)
        if (!g_unichar_ismark(parts[i]))
            g_string_append_unichar(base, parts[i]);
    if (is_plain(base->str))
        return g_strdup(base->str);
    g_unichar_to_utf8(c, one);
    ascii = g_str_to_ascii(one, "C");
    return is_plain(ascii) && !strchr(ascii, '?') ? g_steal_pointer(&ascii) : NULL;
}

/* Joiners and variation selectors, which shape the letter of another script, or the emoji, that
 * they stand behind; behind a character of GSM 03.38 they do nothing. */
static bool
is_shaper(gunichar c)
{
    return c == 0x200C || c == 0x200D || c == 0xFE0E || c == 0xFE0F;
}

/* Is c to stay? */
static bool
stays(gunichar c, const struct sms_limits *limits, const struct coding *only)
{
    return only ? choose_has(only, c)
                : choose_writable(c, limits->languages, limits->languages_count);
}

char *
transliterate(const char *text, enum sms_translit level, const struct sms_limits *limits,
              const struct coding *only)
{
    GString *other = g_string_sized_new(strlen(text));
    bool written = false; /* the character before is in GSM 03.38 now: a mark on it can go */
    gunichar before = ' ';

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_autofree char *made = NULL;
        const char *sign = NULL;

        if (level != SMS_TRANSLIT_NONE && !stays(c, limits, only)) {
            sign = is_shaper(c) && choose_writable(before, NULL, 0) ? "" : of_punctuation(c);
            if (!sign && level == SMS_TRANSLIT_FULL)
                sign = g_unichar_ismark(c) && written ? "" : (made = of_letter(c));
            written = sign != NULL;
        } else {
            written = true;
        }
        if (sign)
            g_string_append(other, sign);
        else
            g_string_append_unichar(other, c);
        before = c;
    }
    return g_string_free(other, FALSE);
}
