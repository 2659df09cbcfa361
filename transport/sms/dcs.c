/* SPDX-License-Identifier: ISC */
/* Owns what TP-DCS means (3GPP TS 23.038 4), both ways. */
#include "transport/sms/dcs.h"

/* Bits 3 and 2 of the general groups. */
#define ALPHABET_MASK 0x0C

static const guint8 alphabets[] = {[SMS_GSM7] = 0x00, [SMS_UCS2] = 0x08, [SMS_8BIT] = 0x04};

enum sms_encoding
dcs_encoding(guint8 dcs, bool *ret_compressed, int *ret_class)
{
    guint8 group = dcs >> 4;
    bool general = group < 0x8;

    *ret_compressed = general && dcs & 0x20;
    *ret_class = (general && dcs & 0x10) || group == 0xF ? dcs & 0x3 : -1;
    if (general && (dcs & ALPHABET_MASK) == alphabets[SMS_8BIT])
        return SMS_8BIT;
    if (group == 0xF)
        return dcs & 0x04 ? SMS_8BIT : SMS_GSM7;
    return group == 0xE || (general && (dcs & ALPHABET_MASK) == alphabets[SMS_UCS2]) ? SMS_UCS2
                                                                                     : SMS_GSM7;
}

int
dcs_for(const struct sms_limits *limits, enum sms_encoding encoding, guint8 *ret,
        struct outcome *why)
{
    guint8 dcs = limits->has_dcs ? limits->dcs : 0;
    bool compressed;
    int class;

    if (dcs_encoding(dcs, &compressed, &class) == encoding && !compressed) {
        *ret = dcs;
        return 0;
    }
    if (compressed) {
        out_set(why, OUT_DATA, "5.6.0", "dcs=%u: compressed text cannot be sent", dcs);
        return -1;
    }
    if (dcs >= 0xF0) /* data coding and class: the general group says the same of all alphabets */
        dcs = 0x10 | (dcs & 0x3);
    else if (dcs >= 0xC0 && encoding == SMS_UCS2) /* waiting indications exist in 7 bit and UCS2 */
        dcs = 0xE0 | (dcs & 0x0F);
    else if (dcs >= 0xE0 && encoding == SMS_GSM7)
        dcs = 0xD0 | (dcs & 0x0F);
    else if (dcs >= 0x80) {
        out_set(why, OUT_DATA, "5.6.0", "dcs=%u: not for this kind of data", dcs);
        return -1;
    }
    if (dcs < 0x80)
        dcs = (dcs & ~ALPHABET_MASK) | alphabets[encoding];
    *ret = dcs;
    return 0;
}
