/* SPDX-License-Identifier: ISC */
/* A text to be split. First octets: parts allowed, reference, refuse or cut; the rest is made valid
 * UTF-8. */
#include "transport/sms/sms.h"

#include "tests/unit/sms_decode.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(SmsMessage) message = NULL;
    g_autofree char *raw = NULL;
    g_autofree char *text = NULL;
    struct sms_limits limits;
    struct outcome why;

    if (size < 3)
        return 0;
    limits = (struct sms_limits){
        .maxmsgs = 1 + data[0] % SMS_PARTS_MAX, .reference = data[1], .reject = data[2] & 1};
    raw = g_strndup((const char *)data + 3, size - 3);
    text = g_utf8_make_valid(raw, -1);
    if (sms_split(text, &limits, &message, &why) == 0) {
        sms_check(text, &limits, message);
        return 0;
    }
    g_assert(why.kind == OUT_DATA && strcmp(why.dsn, "5.6.0") == 0);
    g_assert(!*text || limits.reject);
    return 0;
}
