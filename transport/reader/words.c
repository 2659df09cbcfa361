/* SPDX-License-Identifier: ISC */
/*
 * Owns encoded words in header values (RFC 2047). GMime 3.2.13 is not used for them: of several
 * base64 words it loses all after the first padded one, which is every other German or Cyrillic
 * subject. Here words of one charset that follow each other are joined before conversion, as
 * mailers cut them within characters.
 */
#include "transport/reader/decode.h"

#include <string.h>

struct word {
    const char *charset; /* borrowed, not ended */
    gsize charset_len;
    bool base64;
    const char *text;
    gsize text_len;
    gsize len; /* of the whole word */
};

static const char *
find(const char *at, const char *end, char what)
{
    return at < end ? memchr(at, what, (gsize)(end - at)) : NULL;
}

/* Reads the word at "=?"; false if there is none. Blanks in its text are a common fault and let
 * through. */
static bool
word_read(const char *at, const char *end, struct word *ret)
{
    const char *charset = at + 2;
    const char *encoding = find(charset, end, '?');
    const char *text;
    const char *stop;

    if (!encoding || end - encoding < 3 || encoding[2] != '?' || !strchr("bBqQ", encoding[1]) ||
        encoding[1] == '\0')
        return false;
    for (const char *c = charset; c < encoding; c++)
        if (!g_ascii_isgraph(*c))
            return false;
    text = encoding + 3;
    stop = find(text, end, '?');
    while (stop && (stop + 1 == end || stop[1] != '='))
        stop = find(stop + 1, end, '?');
    if (!stop)
        return false;
    *ret = (struct word){.charset = charset,
                         .base64 = encoding[1] == 'b' || encoding[1] == 'B',
                         .text = text,
                         .text_len = (gsize)(stop - text),
                         .len = (gsize)(stop + 2 - at)};
    /* RFC 2231 lets a language follow: "utf-8*de". */
    while (charset + ret->charset_len < encoding && charset[ret->charset_len] != '*')
        ret->charset_len++;
    return true;
}

static void
word_octets(const struct word *word, GByteArray *to)
{
    if (word->base64) {
        decode_base64(word->text, word->text_len, to);
        return;
    }
    for (gsize i = 0; i < word->text_len; i++) {
        const char *c = word->text + i;
        guint8 octet = (guint8)*c;

        if (*c == '_') {
            octet = ' ';
        } else if (*c == '=' && i + 2 < word->text_len && g_ascii_isxdigit(c[1]) &&
                   g_ascii_isxdigit(c[2])) {
            octet = (guint8)(g_ascii_xdigit_value(c[1]) << 4 | g_ascii_xdigit_value(c[2]));
            i += 2;
        }
        g_byte_array_append(to, &octet, 1);
    }
}

/* Octets of words that wait for the next one, and the charset they share. */
struct pending {
    GByteArray *octets;
    const char *charset;
    gsize charset_len;
    bool any;
};

static void
pending_flush(struct pending *pending, GString *to, guint *replaced)
{
    if (pending->any) {
        g_autofree char *label = g_strndup(pending->charset, pending->charset_len);

        charset_decode(label, pending->octets->data, pending->octets->len, to, replaced);
    }
    g_byte_array_set_size(pending->octets, 0);
    pending->any = false;
}

static void
pending_add(struct pending *pending, const struct word *word, GString *to, guint *replaced)
{
    if (pending->any &&
        (pending->charset_len != word->charset_len ||
         g_ascii_strncasecmp(pending->charset, word->charset, word->charset_len) != 0))
        pending_flush(pending, to, replaced);
    pending->charset = word->charset;
    pending->charset_len = word->charset_len;
    pending->any = true;
    word_octets(word, pending->octets);
}

static bool
only_white(const char *at, const char *end)
{
    while (at < end && g_ascii_isspace(*at))
        at++;
    return at == end;
}

void
words_decode(const char *raw, gsize len, GString *to, guint *replaced)
{
    struct pending pending = {.octets = g_byte_array_new()};
    const char *end = raw + len;
    const char *plain = raw; /* what is not yet written and no word */
    const char *at = raw;
    struct word word;

    while ((at = find(at, end, '='))) {
        if (end - at < 2 || at[1] != '?' || !word_read(at, end, &word)) {
            at++;
            continue;
        }
        /* White space between two words is not part of the value. */
        if (!(pending.any && only_white(plain, at))) {
            pending_flush(&pending, to, replaced);
            charset_decode(NULL, (const guint8 *)plain, (gsize)(at - plain), to, replaced);
        }
        pending_add(&pending, &word, to, replaced);
        at += word.len;
        plain = at;
    }
    pending_flush(&pending, to, replaced);
    charset_decode(NULL, (const guint8 *)plain, (gsize)(end - plain), to, replaced);
    g_byte_array_unref(pending.octets);
}
