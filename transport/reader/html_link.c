/* SPDX-License-Identifier: ISC */
/*
 * Owns what links and images have to say: the address without what only tracks, whether the text
 * tells it already, whether an image's text is one.
 */
#include "transport/reader/html_inside.h"

#include <string.h>

/* Parameters that tell the sender who opened a link and where from; "*" stands for any rest. */
static const char *const tracking[] = {
    "utm_*",
    "mtm_*",
    "pk_*",
    "_hs*",
    "hsa_*",
    "vero_*",
    "trk_*",
    "oly_*",
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_ke",
    "_kx",
    "wickedid",
    "ck_subscriber_id",
    "elqTrack",
    "elqTrackId",
    "hsCtaTracking",
    "ml_subscriber",
    "ml_subscriber_hash",
    "wt_mc",
    "wt.mc_id",
};

static bool
is_tracking(const char *name, gsize len)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tracking); i++) {
        gsize known = strlen(tracking[i]);

        if (tracking[i][known - 1] == '*'
                ? len >= known - 1 && strncmp(tracking[i], name, known - 1) == 0
                : len == known && strncmp(tracking[i], name, known) == 0)
            return true;
    }
    return false;
}

static const char *
behind(const char *text, const char *prefix)
{
    gsize len = strlen(prefix);

    return g_ascii_strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The host and what follows it; NULL if it is no address of the web. */
static const char *
web_host(const char *address)
{
    const char *host = behind(address, "https://");

    return host ? host : behind(address, "http://");
}

/* Copies the query of an address without tracking. */
static void
append_query(GString *to, const char *query, gsize len)
{
    const char *end = query + len;
    char sign = '?';

    while (query < end) {
        const char *stop = memchr(query, '&', (gsize)(end - query));
        gsize pair = (gsize)((stop ? stop : end) - query);
        const char *equals = memchr(query, '=', pair);

        if (pair > 0 && !is_tracking(query, equals ? (gsize)(equals - query) : pair)) {
            g_string_append_c(to, sign);
            g_string_append_len(to, query, (gssize)pair);
            sign = '&';
        }
        query += pair + 1;
    }
}

/* What Outlook's filter made of an address, undone; NULL if it did not. */
static char *
unwrapped(const char *address)
{
    const char *host = web_host(address);
    gsize len = host ? strcspn(host, "/?#:") : 0;
    g_autofree char *name = g_ascii_strdown(host ? host : "", (gssize)len);
    const char *value = strstr(address, "?url=");
    char *inner;

    if (!g_str_has_suffix(name, ".safelinks.protection.outlook.com") || !value)
        return NULL;
    value += strlen("?url=");
    inner = g_uri_unescape_segment(value, value + strcspn(value, "&#"), NULL);
    if (!inner || !web_host(inner) || !g_utf8_validate(inner, -1, NULL))
        g_clear_pointer(&inner, g_free);
    return inner;
}

/* Without line ends and with nothing that would end "<address>" early. */
static char *
tidy(const char *href)
{
    GString *to = g_string_new(NULL);

    while (g_ascii_isspace(*href))
        href++;
    if (href[0] == '/' && href[1] == '/')
        g_string_append(to, "https:");
    for (; *href; href++) {
        if (*href == ' ' || *href == '<' || *href == '>' || *href == '"')
            g_string_append_printf(to, "%%%02X", (guint)*href);
        else if ((guint8)*href > ' ' && *href != 0x7F)
            g_string_append_c(to, *href);
    }
    while (g_str_has_suffix(to->str, "%20"))
        g_string_truncate(to, to->len - strlen("%20"));
    return g_string_free(to, FALSE);
}

char *
html_link_address(const char *href)
{
    g_autofree char *written = tidy(href);
    g_autofree char *inner = unwrapped(written);
    g_autofree char *whole = inner ? tidy(inner) : NULL;
    const char *from = whole ? whole : written;
    const char *host = web_host(from);
    gsize path = strcspn(from, "?#");
    GString *to;

    if (!host || !(g_ascii_isalnum(*host) || *host == '[' || (guint8)*host >= 0x80))
        return NULL;
    to = g_string_new_len(from, (gssize)path);
    from += path;
    if (*from == '?') {
        gsize query = strcspn(from + 1, "#");

        append_query(to, from + 1, query);
        from += 1 + query;
    }
    g_string_append(to, from);
    return g_string_free(to, FALSE);
}

/* What of an address people write: without scheme, "www." and a slash at the end. */
static const char *
core(const char *address, gsize *len)
{
    const char *host = web_host(address);
    const char *start = host ? host : address;
    const char *bare = behind(start, "www.");

    start = bare ? bare : start;
    *len -= (gsize)(start - address);
    while (*len > 0 && start[*len - 1] == '/')
        --*len;
    return start;
}

static bool
same_core(const char *word, gsize len, const char *address)
{
    gsize address_len = strlen(address);
    const char *of_word;
    const char *of_address = core(address, &address_len);
    g_autofree char *copy = g_strndup(word, len);

    of_word = core(copy, &len);
    return len == address_len && len > 0 && g_ascii_strncasecmp(of_word, of_address, len) == 0;
}

bool
html_link_told(const char *text, gsize len, const char *href, const char *address)
{
    const char *end = text + MIN(len, HTML_ATTRIBUTE_MAX);
    g_autofree char *written = tidy(href);

    while (text < end) {
        const char *word = text;

        while (text < end && !g_ascii_isspace(*text))
            text++;
        gsize word_len = (gsize)(text - word);
        while (word_len > 0 && strchr("<([\"'", *word))
            word++, word_len--;
        while (word_len > 0 && strchr(">)]\"'.,;:!?", word[word_len - 1]))
            word_len--;
        if (same_core(word, word_len, address) || same_core(word, word_len, written))
            return true;
        while (text < end && g_ascii_isspace(*text))
            text++;
    }
    return false;
}

char *
html_link_contact(const char *href)
{
    g_autofree char *written = tidy(href);
    const char *contact = behind(written, "mailto:");
    char *plain;

    if (!contact)
        contact = behind(written, "tel:");
    if (!contact || strcspn(contact, "?") == 0)
        return NULL;
    plain = g_uri_unescape_segment(contact, contact + strcspn(contact, "?"), NULL);
    if (plain && !g_utf8_validate(plain, -1, NULL))
        g_clear_pointer(&plain, g_free);
    return plain;
}

/* "image001", "IMG_2041", "logo": what programs call pictures. */
static bool
is_picture_name(const char *word)
{
    static const char *const names[] = {"image", "img", "logo", "spacer", "pixel", "picture"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *rest = behind(word, names[i]);

        if (rest && rest[strspn(rest, "0123456789_-")] == '\0')
            return true;
    }
    return false;
}

bool
html_alt_speaks(const char *alt)
{
    static const char *const ends[] = {".png",  ".jpg", ".jpeg", ".gif",  ".svg",
                                       ".webp", ".bmp", ".tif",  ".tiff", ".ico"};
    g_autofree char *word = g_ascii_strdown(alt, -1);

    g_strstrip(word);
    if (*word == '\0' || is_picture_name(word))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(word, ends[i]))
            return false;
    return true;
}
