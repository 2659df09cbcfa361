/* SPDX-License-Identifier: ISC */
/* Owns what a sender of an SMS may look like (TS 23.040 9.1.2.5: letters are of GSM 03.38). */
#include "transport/dispatch/originator.h"

#include "transport/sms/sms.h"
#include <string.h>

#define INTERNATIONAL_MAX 15 /* E.164 */
#define SHORT_CODE_MAX    8

bool
originator_is_number(const char *originator)
{
    bool plus = *originator == '+';
    gsize digits = strspn(originator + plus, "0123456789");

    return digits > 0 && !originator[plus + digits] &&
           digits <= (plus ? INTERNATIONAL_MAX : SHORT_CODE_MAX);
}

int
originator_check(const char *originator, int max, struct outcome *why)
{
    gssize septets = sms_gsm7_length(originator);
    glong length = g_utf8_strlen(originator, -1);
    bool printable = septets >= 0;

    if (originator_is_number(originator))
        return 0;
    for (const char *p = originator; *p; p = g_utf8_next_char(p))
        printable = printable && g_unichar_isprint(g_utf8_get_char(p));
    if (max == 0)
        out_set(why, OUT_NOUSER, "5.1.3",
                "the parameter sender must be a number here: + and up to %d digits, or up to %d "
                "digits",
                INTERNATIONAL_MAX, SHORT_CODE_MAX);
    else if (*originator == '+' && !originator[1 + strspn(originator + 1, "0123456789")])
        out_set(why, OUT_NOUSER, "5.1.3",
                "the parameter sender has %ld digits; up to %d are allowed", length - 1,
                INTERNATIONAL_MAX);
    else if (!printable)
        out_set(why, OUT_NOUSER, "5.1.3",
                "the parameter sender has characters that the sender of an SMS cannot have");
    else if (MAX(septets, length) > max)
        out_set(why, OUT_NOUSER, "5.1.3",
                "the parameter sender has %ld characters; a number with + or up to %d characters "
                "are allowed",
                (long)MAX(septets, length), max);
    else
        return 0;
    return -1;
}
