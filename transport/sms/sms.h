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

/* What may be put in place of characters that would cost UCS-2. */
enum sms_translit { SMS_TRANSLIT_NONE, SMS_TRANSLIT_PUNCTUATION, SMS_TRANSLIT_FULL };

/* Numbers of national tables (TS 23.038 6.2.1.2.4): 1 Turkish … 13 Urdu. */
#define SMS_LANGUAGES 13
const char *sms_language_name(guint language); /* "Turkish"; NULL if there is none */

struct sms_part {
    char *text;   /* UTF-8, what this part shows; NULL for 8bit */
    guint units;  /* septets (gsm7), UTF-16 units (ucs2) or octets (8bit), header not counted */
    GBytes *udh;  /* user data header with its length octet; of size 0 if there is none */
    GBytes *data; /* the octets of an 8bit part, else NULL */
};

struct sms_message {
    enum sms_encoding encoding;
    guint8 dcs;      /* TP-DCS: 0x00 gsm7, 0x08 ucs2, 0x04 8bit, or as the limits ask */
    guint8 pid;      /* TP-PID */
    bool truncated;  /* the text was cut to fit */
    guint8 language; /* the national table that every part names; 0: none */
    bool transliterated;
    guint parts_needed; /* for the whole text, before cutting */
    /* ucs2: the first character that neither GSM 03.38 nor the allowed tables have, after
     * transliteration; else NULL. And the parts needed if all such were in GSM 03.38. */
    char *forced_by;
    guint parts_unforced;
    char *text;       /* what is sent, after cutting */
    GPtrArray *parts; /* struct sms_part * */
};
void sms_message_free(struct sms_message *message);
typedef struct sms_message SmsMessage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmsMessage, sms_message_free)

struct sms_limits {
    guint maxmsgs;     /* parts, 1..SMS_PARTS_MAX */
    bool reject;       /* too long: refuse instead of cutting */
    guint16 reference; /* concatenation reference, */
    bool wide;         /* 16 bit; else its lower octet */
    enum sms_translit translit;
    const guint8 *languages; /* national tables that may be used */
    gsize languages_count;
    const char *append; /* behind the text, and behind the ellipsis if it is cut; NULL: nothing */
    bool has_dcs;
    guint8 dcs; /* asked for (TS 23.038 4): UCS-2 is obeyed, 7 bit gives way where the text needs
                   more */
    guint8 pid;
};

/*
 * text: valid UTF-8; with append not empty. The encoding that takes the fewest parts without losing
 * a character: GSM 03.38 with its extension, with a national table allowed (single shift, locking
 * shift, both), UCS-2; among equals in this order. Transliteration only where it saves UCS-2. A
 * part alone holds 160 septets or 70 units, one of several 153 or 67, less with a 16 bit reference
 * or tables (TS 23.040 9.2.3.24). No escape pair and no surrogate pair is torn apart. Too long: cut
 * at a word (or, without one in the second half of what fits, at a character) with "..." in GSM
 * 03.38 and U+2026 in UCS-2, or refused. Marks, skin tones, joined emoji and flags stay with their
 * base unless no part can hold them whole. The encoding is the whole text's, even if cutting
 * removes forced_by. -1: why is DATA 5.6.0: nothing to send, or too long, naming the parts needed
 * and allowed.
 */
int sms_split(const char *text, const struct sms_limits *limits, struct sms_message **ret,
              struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * 8 bit data as it is, with udh (its length octet first; of size 0: none) in front of each part. Of
 * several parts each holds 134 octets less what udh takes: a concatenation element is added to it.
 * Nothing is cut. -1: why is DATA 5.6.0: udh is no user data header or leaves no room, or has a
 * concatenation of its own and the data do not fit into one part, dcs is none for 8 bit data, or
 * more parts are needed than allowed.
 */
int sms_split_binary(GBytes *data, GBytes *udh, const struct sms_limits *limits,
                     struct sms_message **ret, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The SMS-SUBMIT TPDU of one part, without the SMSC field, message reference 00, relative validity
 * absent, no status report asked for. Septets are those of the national tables that its udh names.
 * number: "+digits". Unused bits of the last octet are 0. NULL if the part does not fit into one
 * SMS in this encoding, which parts of sms_split never do, or if number is none.
 */
GBytes *sms_tpdu(const struct sms_part *part, enum sms_encoding encoding, guint8 pid, guint8 dcs,
                 const char *number);

/* Septets of text in GSM 03.38 with extension, or -1 if a character is not in it. */
gssize sms_gsm7_length(const char *text);

#endif
