/* SPDX-License-Identifier: ISC */
/* Any octets, made UTF-8, as HTML: the text is UTF-8, bounded, has no control characters but LF and
 * TAB and no blanks at line ends. Any octets may claim a charset. */
#include "lib/mailview.h"
#include "transport/reader/html.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *charset = html_charset(data, size);
    g_autofree char *html = g_utf8_make_valid((const char *)data, (gssize)size);
    g_autoptr(GString) text = g_string_new("x");
    gsize len = strlen(html);

    g_assert_true(!charset || *charset);
    /* NUL is valid, but GLib takes it for a fault. */
    for (gsize i = 0; i < len; i++)
        if (html[i] == '\x01')
            html[i] = '\0';
    html_text(html, len, text);
    g_assert_true(text->str[0] == 'x' && text->len <= VIEW_TEXT_MAX + 1);
    g_assert_true(g_utf8_validate_len(text->str, text->len, NULL));
    for (gsize i = 1; i < text->len; i++) {
        g_assert_true((guint8)text->str[i] >= ' ' || text->str[i] == '\n' || text->str[i] == '\t');
        g_assert_false(text->str[i] == '\n' && text->str[i - 1] == ' ');
    }
    return 0;
}
