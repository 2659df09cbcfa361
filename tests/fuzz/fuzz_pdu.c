/* SPDX-License-Identifier: ISC */
/* Octets that claim to be a PDU. First octet: with or without the SMSC field. */
#include "transport/sms/pdu.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(SmsPdu) pdu = NULL;
    struct outcome why;

    if (size == 0 || sms_pdu_decode(data + 1, size - 1, data[0] & 1, &pdu, &why) < 0)
        return 0;
    g_assert(pdu->smsc && pdu->address && pdu->timestamp && pdu->discharge && pdu->udh);
    g_assert(!pdu->text == (pdu->data != NULL));
    g_assert(!pdu->text || g_utf8_validate(pdu->text, -1, NULL));
    g_assert(g_utf8_validate(pdu->address, -1, NULL) && pdu->units <= 160);
    g_assert(pdu->parts == 0 || (pdu->part >= 1 && pdu->part <= pdu->parts));
    return 0;
}
