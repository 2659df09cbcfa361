/* SPDX-License-Identifier: ISC */
/* Owns the envelope once it is off the wire. Its addresses are hostile: they are kept, never
 * believed. */
#include "transport/dispatch/request.h"

#include <string.h>

static const struct {
    const char *name;
    bool required;
} names[ENVELOPE_COUNT] = {
#define NAME_ROW(identifier, name, required, macro) {name, required},
    ENVELOPE_NAMES (NAME_ROW)
#undef NAME_ROW
};

void
request_clear(struct request *request)
{
    for (int i = 0; i < ENVELOPE_COUNT; i++) {
        /* An address may hold a password. */
        if (request->value[i])
            explicit_bzero(request->value[i], strlen(request->value[i]));
        g_clear_pointer(&request->value[i], g_free);
    }
}

int
request_from_wire(const struct wire *wire, struct request *ret, struct outcome *why)
{
    gint64 seconds = wire_get_int(wire, "deadline", 1, 86400, -1);

    memset(ret, 0, sizeof(*ret));
    for (int i = 0; i < ENVELOPE_COUNT; i++) {
        const char *value = wire_get(wire, names[i].name);

        if (!value && names[i].required) {
            out_set(why, OUT_CONFIG, "4.3.5",
                    "the envelope has no %s; postsms-pipe and postsmsd do not match",
                    names[i].name);
            request_clear(ret);
            return -1;
        }
        /* addr_parse wants to see a recipient's broken octets, nobody else does. */
        ret->value[i] =
            i == ENVELOPE_RECIPIENT ? g_strdup(value) : g_utf8_make_valid(value ? value : "", -1);
    }
    if (seconds < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "the envelope's deadline is not a number of seconds");
        request_clear(ret);
        return -1;
    }
    ret->deadline_ms = seconds * 1000;
    return 0;
}
