/* SPDX-License-Identifier: ISC */
/* The GSM 7 bit alphabet, for the files of this folder. */
#ifndef TRANSPORT_SMS_GSM0338_H
#define TRANSPORT_SMS_GSM0338_H

#include <glib.h>

#define GSM0338_ESCAPE 0x1B

/* The septets of one character: 1 or 2 of them, or 0 if it is in neither table. */
guint gsm0338_encode(gunichar c, guint8 septets[2]);

#endif
