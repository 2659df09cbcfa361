/* SPDX-License-Identifier: ISC */
/*
 * Owns base64 and quoted-printable. Both take any octets and never fail: what is not of the
 * encoding is passed over or taken as it stands. GMime's base64 stops at the first padding; lists
 * and gateways that join texts put it mid-way.
 */
#include "transport/reader/decode.h"

static int
base64_value(guint8 octet)
{
    if (octet >= 'A' && octet <= 'Z')
        return octet - 'A';
    if (octet >= 'a' && octet <= 'z')
        return octet - 'a' + 26;
    if (octet >= '0' && octet <= '9')
        return octet - '0' + 52;
    return octet == '+' ? 62 : octet == '/' ? 63 : -1;
}

/* What a group of fewer than four digits still holds. */
static void
base64_flush(guint32 bits, guint digits, GByteArray *to)
{
    guint8 octets[2] = {(guint8)(bits >> (digits == 2 ? 4 : 10)), (guint8)(bits >> 2)};

    if (digits >= 2)
        g_byte_array_append(to, octets, digits - 1);
}

void
decode_base64(const char *text, gsize len, GByteArray *to)
{
    guint32 bits = 0;
    guint digits = 0;

    for (gsize i = 0; i < len; i++) {
        int value = base64_value((guint8)text[i]);

        if (text[i] == '=') {
            base64_flush(bits, digits, to);
            bits = digits = 0;
        } else if (value >= 0) {
            bits = bits << 6 | (guint32)value;
            if (++digits == 4) {
                guint8 octets[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};

                g_byte_array_append(to, octets, 3);
                bits = digits = 0;
            }
        }
    }
    base64_flush(bits, digits, to);
}

/* The octets at text up to and with a line end, if there are only blanks before it (or before the
 * end); else 0. */
static gsize
line_end(const char *text, gsize len)
{
    gsize at = 0;

    while (at < len && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (at == len)
        return at;
    if (text[at] == '\n')
        return at + 1;
    return text[at] == '\r' && at + 1 < len && text[at + 1] == '\n' ? at + 2 : 0;
}

void
decode_quoted(const char *text, gsize len, GByteArray *to)
{
    gsize blanks_end = 0; /* blanks before here are known not to end a line */

    for (gsize i = 0; i < len;) {
        const char *here = text + i;
        gsize rest = len - i;
        gsize end;
        guint8 octet;

        if (*here == '=' && rest >= 3 && g_ascii_isxdigit(here[1]) && g_ascii_isxdigit(here[2])) {
            octet = (guint8)(g_ascii_xdigit_value(here[1]) << 4 | g_ascii_xdigit_value(here[2]));
            g_byte_array_append(to, &octet, 1);
            i += 3;
        } else if (*here == '=' && (rest == 1 || (end = line_end(here + 1, rest - 1)) > 0)) {
            i += rest == 1 ? 1 : 1 + end;
        } else if ((*here == ' ' || *here == '\t') && i >= blanks_end && line_end(here, rest) > 0) {
            while (i < len && (text[i] == ' ' || text[i] == '\t'))
                i++;
        } else {
            /* Look once at a run of blanks, not at each of them. */
            for (blanks_end = MAX(blanks_end, i);
                 blanks_end < len && (text[blanks_end] == ' ' || text[blanks_end] == '\t');)
                blanks_end++;
            octet = (guint8)*here;
            g_byte_array_append(to, &octet, 1);
            i++;
        }
    }
}
