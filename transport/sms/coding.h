/* SPDX-License-Identifier: ISC */
/* One way to write a text as user data, for the files of this folder: encoding, national tables,
 * what fits into a part. */
#ifndef TRANSPORT_SMS_CODING_H
#define TRANSPORT_SMS_CODING_H

#include "transport/sms/gsm0338.h"
#include "transport/sms/sms.h"

struct coding {
    enum sms_encoding encoding;
    struct gsm0338_alphabet alphabet; /* of gsm7 */
    bool wide;                        /* 16 bit concatenation reference */
    guint alone, concatenated;        /* units that fit into a part: alone, or one of several */
};

/* wide: concatenated parts get a 16 bit reference. */
struct coding coding_of(enum sms_encoding encoding, guint8 lock, guint8 shift, bool wide);

/* Units of one character: septets or UTF-16 units; 0 if it cannot be written. */
guint coding_units(const struct coding *coding, gunichar c);

/* Units of text; -1 if a character of it cannot be written. */
gssize coding_length(const struct coding *coding, const char *text);

/* The user data header of part seq of total, with its length octet; of size 0 if there is nothing
 * to say. Concatenation comes first, then the tables, in every part. */
GBytes *coding_header(const struct coding *coding, guint reference, guint total, guint seq);

/* The tables that a user data header (with its length octet) names. */
struct gsm0338_alphabet coding_alphabet(const guint8 *udh, gsize len);

/* What stands where a text was cut: U+2026 in UCS-2, three dots in GSM 03.38. */
const char *coding_ellipsis(const struct coding *coding);

#endif
