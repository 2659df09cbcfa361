/* SPDX-License-Identifier: ISC */
/*
 * A mail to be altered: the first octet says whether subject (1) and text (2) are to be others,
 * then these two, a NUL behind each, made valid UTF-8; the rest is the mail. Whatever it is: it
 * stays, for a reason, or it reads as it was asked for and is otherwise what it was.
 */
#include "tests/unit/alter_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets up to the next NUL as a value within its bounds. */
static char *
value(const uint8_t **at, const uint8_t *end, gsize max)
{
    const uint8_t *nul = memchr(*at, '\0', (size_t)(end - *at));
    const uint8_t *stop = nul ? nul : end;
    g_autofree char *raw = g_strndup((const char *)*at, (gsize)(stop - *at));
    g_autoptr(GString) valid = g_string_new(NULL);
    g_autofree char *made = g_utf8_make_valid(raw, -1);

    *at = nul ? nul + 1 : end;
    g_string_append(valid, made);
    clean_cut(valid, max);
    return g_strdup(valid->str);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *at = data + 1;
    const uint8_t *end = data + size;
    g_autofree char *subject = NULL;
    g_autofree char *text = NULL;
    struct outcome verdict = {0};
    GString *altered;

    if (size == 0)
        return 0;
    subject = value(&at, end, VIEW_HEADER_MAX);
    text = value(&at, end, VIEW_TEXT_MAX);
    altered = alter_check((const char *)at, (gsize)(end - at), data[0] & 1 ? subject : NULL,
                          data[0] & 2 ? text : NULL, &verdict);
    if (altered)
        g_string_free(altered, TRUE);
    return 0;
}
