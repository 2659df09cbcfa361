/* SPDX-License-Identifier: ISC */
/* The cheapest way to write a text, for the files of this folder. */
#ifndef TRANSPORT_SMS_CHOOSE_H
#define TRANSPORT_SMS_CHOOSE_H

#include "transport/sms/coding.h"

struct choice {
    struct coding coding;
    enum sms_translit level; /* what it is to be transliterated by first, */
    bool apart;              /* for coding alone, not for all that is allowed */
    char *forced_by;      /* the first character that leaves nothing but UCS-2; NULL unless ucs2 */
    guint parts;          /* of the text then */
    guint parts_unforced; /* if every such character were one of GSM 03.38; as parts unless ucs2 */
};
void choice_clear(struct choice *choice);
typedef struct choice Choice;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choice, choice_clear)

/*
 * The fewest parts; among equals GSM 03.38, then national tables in the order allowed (single
 * shift, locking shift, both), then UCS-2. Transliteration is used only if it leads out of UCS-2
 * and costs no part more, and only as much of it as that takes: a character of any table allowed
 * stays, unless no coding has all such characters of the text, or only in more parts than UCS-2.
 * More tables allowed never lead into UCS-2.
 */
void choose(const char *text, const struct sms_limits *limits, struct choice *ret);

/*
 * text with what level allows put in place of characters that neither GSM 03.38 nor a table allowed
 * has; with only, not NULL, of those that neither GSM 03.38 nor that coding has. The beginning of a
 * text becomes the beginning of what the whole becomes. Newly allocated; may be empty.
 */
char *transliterate(const char *text, enum sms_translit level, const struct sms_limits *limits,
                    const struct coding *only);

/* True if c is in GSM 03.38, its extension, or a table of languages. */
bool choose_writable(gunichar c, const guint8 *languages, gsize count);

/* True if c is in GSM 03.38, its extension, or coding, and is not respelled for that. */
bool choose_has(const struct coding *coding, gunichar c);

#endif
