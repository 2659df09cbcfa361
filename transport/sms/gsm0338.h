/* SPDX-License-Identifier: ISC */
/* The GSM 7 bit alphabets (3GPP TS 23.038), for the files of this folder. */
#ifndef TRANSPORT_SMS_GSM0338_H
#define TRANSPORT_SMS_GSM0338_H

#include "transport/sms/sms.h"

#define GSM0338_ESCAPE 0x1B

struct gsm0338_row {
    guint16 codepoint;
    guint8 septet;
};

struct gsm0338_table {
    const struct gsm0338_row *rows;
    gsize count;
};

/* A.3, what replaces the default alphabet; language 0: the default alphabet itself. NULL if the
 * language has none (2, Spanish). */
const struct gsm0338_table *gsm0338_lock(guint language);

/* A.2, what replaces the extension table; language 0: the extension table itself. */
const struct gsm0338_table *gsm0338_shift(guint language);

/* The tables that one user data header names; 0 where it names none. */
struct gsm0338_alphabet {
    guint8 lock, shift;
};

/* The septets of one character: 1 or 2 of them, or 0 if it is in neither table. */
guint gsm0338_encode(struct gsm0338_alphabet alphabet, gunichar c, guint8 septets[2]);

/*
 * The character of a septet; escaped: it stands behind the escape. A septet without a row behind
 * the escape is that of the base table (TS 23.038 6.2.1.1), one without a row there either, or a
 * second escape, a blank.
 */
gunichar gsm0338_decode(struct gsm0338_alphabet alphabet, guint8 septet, gboolean escaped);

#endif
