/* SPDX-License-Identifier: ISC */
/*
 * From text to parts: GSM 03.38 or UCS-2 (3GPP TS 23.038), concatenation (TS 23.040 9.2.3.24.1),
 * SMS-SUBMIT (TS 23.040 9.2.2.2). Pure: no I/O, no clock, no chance.
 */
#ifndef TRANSPORT_SMS_SMS_H
#define TRANSPORT_SMS_SMS_H

#include "lib/outcome.h"

#define SMS_PARTS_MAX 128

enum sms_encoding { SMS_GSM7, SMS_UCS2, SMS_8BIT };
const char *sms_encoding_name(enum sms_encoding encoding); /* "gsm7", "ucs2", "8bit" */
int sms_encoding_by_name(const char *name);                /* or -1 */

struct sms_part {
    char *text;   /* UTF-8, what this part shows; NULL for 8bit */
    guint units;  /* septets (gsm7), UTF-16 units (ucs2) or octets (8bit), header not counted */
    GBytes *udh;  /* user data header with its length octet; of size 0 if there is none */
    GBytes *data; /* the octets of an 8bit part, else NULL */
};

struct sms_message {
    enum sms_encoding encoding;
    guint8 dcs;         /* TP-DCS: 0x00 gsm7, 0x08 ucs2, 0x04 8bit */
    bool truncated;     /* the text was cut to fit */
    guint parts_needed; /* for the whole text, before cutting */
    char *forced_by;    /* the first character that is not in GSM 03.38; NULL unless ucs2 */
    char *text;         /* what is sent, after cutting */
    GPtrArray *parts;   /* struct sms_part * */
};
void sms_message_free(struct sms_message *message);
typedef struct sms_message SmsMessage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmsMessage, sms_message_free)

struct sms_limits {
    guint maxmsgs;    /* parts, 1..SMS_PARTS_MAX */
    bool reject;      /* too long: refuse instead of cutting */
    guint8 reference; /* concatenation reference, 8 bit */
};

/*
 * text: valid UTF-8, not empty. GSM 03.38 with its extension table if every character is in them,
 * else UCS-2; the fewest parts: 160/153 septets, 70/67 units. No escape pair and no surrogate pair
 * is torn apart. Too long: cut at a word (or, without one in the second half of what fits, at a
 * character) with "..." in GSM 03.38 and U+2026 in UCS-2, or refused. Marks, skin tones, joined
 * emoji and flags stay with their base unless no part can hold them whole. The encoding is the
 * whole text's, even if cutting removes forced_by. -1: why is DATA 5.6.0: nothing to send, or too
 * long, naming the parts needed and allowed.
 */
int sms_split(const char *text, const struct sms_limits *limits, struct sms_message **ret,
              struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The SMS-SUBMIT TPDU of one part, without the SMSC field, message reference 00, relative validity
 * absent, no status report asked for. number: "+digits". Unused bits of the last octet are 0. NULL
 * if the part does not fit into one SMS in this encoding, which parts of sms_split never do, or if
 * number is none.
 */
GBytes *sms_tpdu(const struct sms_part *part, enum sms_encoding encoding, guint8 dcs,
                 const char *number);

/* Septets of text in GSM 03.38 with extension, or -1 if a character is not in it. */
gssize sms_gsm7_length(const char *text);

#endif
