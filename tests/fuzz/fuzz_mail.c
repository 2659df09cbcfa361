/* SPDX-License-Identifier: ISC */
/* Any octets as a mail: the view is within its bounds, and it comes out of a socket as it went in.
 */
#include "transport/reader/mail.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(MailView) view = NULL;
    g_autoptr(MailView) copy = NULL;
    g_autoptr(Wire) wire = NULL;
    g_autoptr(GString) packed = g_string_new(NULL);
    g_autoptr(GString) frame = g_string_new(NULL);
    g_autoptr(GString) again = g_string_new(NULL);
    struct outcome why = {0};
    gsize used = 0;

    reader_parse(data, size, &view);
    g_assert_cmpint(view->size, ==, (gint64)size);
    g_assert_true(view->verdict.kind == OUT_OK || view->verdict.kind == OUT_DATA);
    g_assert_true(view->verdict.kind == OUT_OK || *view->text == '\0');
    g_assert_true(*view->to != '\n' && !strstr(view->to, "\n\n") &&
                  !g_str_has_suffix(view->to, "\n"));
    /* Unpacking checks every bound, UTF-8 and control characters. */
    mail_view_pack(view, packed);
    wire_frame(frame, packed);
    if (wire_parse_frame(frame->str, frame->len, &wire, &used, &why) != 1 || used != frame->len ||
        mail_view_unpack(wire, &copy, &why) < 0)
        g_error("%s", why.text);
    mail_view_pack(copy, again);
    g_assert_true(g_string_equal(packed, again));
    return 0;
}
