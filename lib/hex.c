/* SPDX-License-Identifier: ISC */
/* Owns the one way in which octets are written as hex. */
#include "lib/hex.h"

char *
hex_of(GBytes *octets)
{
    gsize len;
    const guint8 *data = g_bytes_get_data(octets, &len);
    GString *hex = g_string_sized_new(2 * len + 1);

    for (gsize i = 0; i < len; i++)
        g_string_append_printf(hex, "%02X", data[i]);
    return g_string_free(hex, FALSE);
}
