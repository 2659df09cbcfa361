/* SPDX-License-Identifier: ISC */
/*
 * Owns OpenPGP armour in a text (RFC 9580 sections 6 and 7): of a signed text the text stays, an
 * encrypted block goes. Verifies and decrypts nothing.
 */
#include "lib/clean.h"
#include "transport/reader/decode.h"

#include <string.h>

#define SIGNED    "-----BEGIN PGP SIGNED MESSAGE-----"
#define SIGNATURE "-----BEGIN PGP SIGNATURE-----"
#define END_OF    "-----END PGP SIGNATURE-----"
#define MESSAGE   "-----BEGIN PGP MESSAGE-----"
#define END       "-----END PGP MESSAGE-----"

/* The line that begins with mark at or behind from; NULL if there is none. */
static const char *
find_line(const char *from, const char *start, const char *mark)
{
    for (const char *at = from; (at = strstr(at, mark)); at++)
        if (at == start || at[-1] == '\n')
            return at;
    return NULL;
}

static const char *
next_line(const char *at)
{
    const char *end = strchr(at, '\n');

    return end ? end + 1 : at + strlen(at);
}

/* Behind the armour's own header lines and the empty line that ends them. */
static const char *
skip_headers(const char *at)
{
    while (*at && *at != '\n')
        at = next_line(at);
    return next_line(at);
}

/* The text between, each line without the dash that protects it. */
static void
append_signed(GString *to, const char *from, const char *end)
{
    while (from < end) {
        const char *next = MIN(next_line(from), end);

        if (g_str_has_prefix(from, "- "))
            from += 2;
        g_string_append_len(to, from, next - from);
        from = next;
    }
}

bool
armour_strip(GString *text, bool *ret_encrypted)
{
    g_autoptr(GString) open = g_string_sized_new(text->len);
    const char *at = text->str;
    const char *clear = find_line(at, at, SIGNED);
    const char *block = find_line(at, at, MESSAGE);
    bool found = clear || block;
    bool encrypted = false;

    while (clear || block) {
        const char *begin = clear && (!block || clear < block) ? clear : block;
        const char *end;

        g_string_append_len(open, at, begin - at);
        if (begin == block) {
            encrypted = true;
            end = find_line(begin, text->str, END);
        } else {
            const char *body = skip_headers(next_line(begin));
            const char *signature = find_line(body, text->str, SIGNATURE);

            append_signed(open, body, signature ? signature : text->str + text->len);
            end = signature ? find_line(signature, text->str, END_OF) : NULL;
        }
        at = end ? next_line(end) : text->str + text->len;
        /* Each is looked for again only when it is behind us: the other may never come. */
        if (clear && clear < at)
            clear = find_line(at, text->str, SIGNED);
        if (block && block < at)
            block = find_line(at, text->str, MESSAGE);
    }
    if (!found)
        return false;
    g_string_append(open, at);
    g_string_assign(text, open->str);
    *ret_encrypted = encrypted;
    return true;
}
