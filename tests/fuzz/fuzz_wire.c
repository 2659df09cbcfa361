/* SPDX-License-Identifier: ISC */
/* Envelopes as deliver.sock gets them and frames as a reader sends them; the first octet chooses
 * which. */
#include "lib/mailview.h"
#include "lib/rewrite.h"
#include "lib/wire.h"
#include "transport/dispatch/request.h"

#include <stdint.h>
#include <string.h>

#define BODY_LEN 100 /* octets of the mail that a rewrite is for */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
append_pair(void *context, const char *name, const char *value)
{
    wire_put(context, name, value);
}

static void
envelope(const char *data, size_t size)
{
    g_autoptr(Wire) wire = NULL;
    g_autoptr(GString) again = g_string_new(NULL);
    struct request request;
    struct outcome why;
    gsize used;

    if (wire_parse(data, size, WIRE_ENVELOPE_MAX, &wire, &used, &why) != 1)
        return;
    /* What was read and is written again is the same octets. */
    g_assert(used <= size && used <= WIRE_ENVELOPE_MAX);
    wire_each(wire, append_pair, again);
    wire_end(again);
    g_assert(again->len == used && memcmp(again->str, data, used) == 0);
    if (request_from_wire(wire, &request, &why) == 0) {
        g_assert(request.deadline_ms > 0 &&
                 g_utf8_validate(request_get(&request, SENDER), -1, NULL));
        request_clear(&request);
    }
}

static void
frame(const char *data, size_t size)
{
    g_autoptr(Wire) wire = NULL;
    g_autoptr(MailView) view = NULL;
    g_autoptr(Rewrite) rewrite = NULL;
    struct outcome why;
    gsize used;

    if (wire_parse_frame(data, size, &wire, &used, &why) != 1)
        return;
    g_assert(used <= size);
    if (mail_view_unpack(wire, &view, &why) == 0)
        g_assert(g_utf8_validate(view->text, -1, NULL) && g_utf8_validate(view->subject, -1, NULL));
    if (rewrite_unpack(wire, BODY_LEN, &rewrite, &why) == 0)
        for (guint i = 0; i < rewrite->n_edits; i++)
            g_assert((i == 0 || rewrite->edits[i].from >= rewrite->edits[i - 1].to) &&
                     rewrite->edits[i].from <= rewrite->edits[i].to &&
                     rewrite->edits[i].to <= BODY_LEN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'e')
        envelope((const char *)data + 1, size - 1);
    else
        frame((const char *)data + 1, size - 1);
    return 0;
}
