/* SPDX-License-Identifier: ISC */
/*
 * Owns the way from one text to the parts of one message: the encoding, where parts end, where a
 * text that is too long is cut. The encoding is decided by the whole text and stays, even if the
 * cut removes the character that forced it: what a sender sees in forced_by must not depend on
 * maxmsgs. Pure and deterministic: a retry, "explain" and the ledger's plan must come to the same
 * parts. Must never lose text without saying so in truncated.
 */
#include "transport/sms/gsm0338.h"
#include "transport/sms/sms.h"

#include <string.h>

/*
 * TS 23.040 9.2.3.16 and 9.2.3.24.1: 140 octets are 160 septets or 70 units; the concatenation
 * header of 6 octets takes 7 septets (one fill bit) or 3 units of them.
 */
static const struct alphabet {
    const char *name;
    guint8 dcs; /* TS 23.038 4, general data coding, no class */
    guint alone;
    guint concatenated;
    const char *ellipsis;
    guint ellipsis_units;
} alphabets[] = {
    [SMS_GSM7] = {"gsm7", 0x00, 160, 153, "...", 3},
    [SMS_UCS2] = {"ucs2", 0x08, 70, 67, "\u2026", 1},
    [SMS_8BIT] = {"8bit", 0x04, 140, 134, "", 0},
};

const char *
sms_encoding_name(enum sms_encoding encoding)
{
    return alphabets[encoding].name;
}

int
sms_encoding_by_name(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(alphabets); i++)
        if (strcmp(alphabets[i].name, name) == 0)
            return i;
    return -1;
}

static void
part_free(gpointer data)
{
    struct sms_part *part = data;

    g_free(part->text);
    g_clear_pointer(&part->udh, g_bytes_unref);
    g_clear_pointer(&part->data, g_bytes_unref);
    g_free(part);
}

void
sms_message_free(struct sms_message *message)
{
    if (!message)
        return;
    g_free(message->forced_by);
    g_free(message->text);
    g_clear_pointer(&message->parts, g_ptr_array_unref);
    g_free(message);
}

static guint
char_units(gunichar c, enum sms_encoding encoding)
{
    guint8 septets[2];

    return encoding == SMS_GSM7 ? gsm0338_encode(c, septets) : c > 0xFFFF ? 2 : 1;
}

static bool
is_flag_letter(gunichar c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

/* True if c belongs to the character before it, as seen by a reader (the part of UAX #29 that texts
 * on phones need). */
static bool
continues(gunichar before, gunichar c)
{
    if (before == 0x200D) /* zero width joiner: families, flags with a pattern, Indic half forms */
        return c > 0x7F && c != 0x2026 && !g_unichar_isspace(c);
    if (before == '\r')
        return c == '\n';
    if (c == 0x200D || c == 0x200C)
        return true;
    if (c >= 0x1F3FB && c <= 0x1F3FF) /* skin tones */
        return true;
    if (c >= 0xE0020 && c <= 0xE007F) /* tags: the flags of Scotland and Wales */
        return true;
    return g_unichar_ismark(c); /* combining marks, variation selectors, keycaps */
}

/*
 * The end of the cluster at p (a character with what continues it, or a flag) and the units it
 * takes. Looks no further than to what no part can hold: a megabyte of marks must not be walked
 * again for every part.
 */
static const char *
cluster_end(const char *p, enum sms_encoding encoding, guint *ret_units)
{
    gunichar before;
    bool flag;
    guint units;

    /* Two ASCII characters never belong together, but CR and LF. */
    if ((guchar)p[0] < 0x80 && (guchar)p[1] < 0x80 && p[0] != '\r') {
        *ret_units = char_units((guchar)*p, encoding);
        return p + 1;
    }
    before = g_utf8_get_char(p);
    flag = is_flag_letter(before);
    units = char_units(before, encoding);

    for (p = g_utf8_next_char(p); *p && units <= alphabets[encoding].alone;
         p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (flag && is_flag_letter(c))
            flag = false; /* the second letter of two; a third one begins the next flag */
        else if (!continues(before, c))
            break;
        units += char_units(c, encoding);
        before = c;
    }
    *ret_units = units;
    return p;
}

/*
 * As many whole clusters from p as fit into room. A cluster that no part of this size can hold
 * (text art, abuse) is torn between characters. A character is never torn: not a septet from its
 * escape, not a surrogate from its other.
 */
static const char *
fill(const char *p, guint room, enum sms_encoding encoding, guint *ret_units)
{
    guint used = 0;

    while (*p) {
        guint units;
        const char *end = cluster_end(p, encoding, &units);

        if (units > room) {
            for (; p < end; p = g_utf8_next_char(p)) {
                guint one = char_units(g_utf8_get_char(p), encoding);

                if (used + one > room)
                    goto full;
                used += one;
            }
        } else if (used + units > room) {
            break;
        } else {
            used += units;
            p = end;
        }
    }
full:
    *ret_units = used;
    return p;
}

static guint
count_parts(const char *text, enum sms_encoding encoding)
{
    const struct alphabet *alphabet = &alphabets[encoding];
    guint count = 0;
    guint units;

    if (!*fill(text, alphabet->alone, encoding, &units))
        return 1;
    for (; *text; count++)
        text = fill(text, alphabet->concatenated, encoding, &units);
    return count;
}

/* Scripts that set no blanks between words: every character may end a line. */
static bool
without_blanks(gunichar c)
{
    switch (g_unichar_break_type(c)) {
    case G_UNICODE_BREAK_IDEOGRAPHIC:
    case G_UNICODE_BREAK_COMPLEX_CONTEXT:
    case G_UNICODE_BREAK_CONDITIONAL_JAPANESE_STARTER:
    case G_UNICODE_BREAK_EMOJI_BASE:
        return true;
    default:
        return false;
    }
}

/*
 * Where to cut so that nothing behind end stays: the last end of a word. A word that would cost
 * more than half of what fits (a long address of a web page) is cut inside, at end: half a text
 * tells more than none.
 */
static const char *
word_end(const char *text, const char *end)
{
    const char *least = text + (end - text) / 2;

    for (const char *p = end; p > least; p = g_utf8_prev_char(p)) {
        gunichar before = g_utf8_get_char(g_utf8_prev_char(p));
        gunichar after = g_utf8_get_char(p); /* text goes on behind end */

        if (g_unichar_isspace(after) || g_unichar_isspace(before))
            return p;
        if ((without_blanks(before) || without_blanks(after)) && !continues(before, after))
            return p;
    }
    return end;
}

/* The text cut to maxmsgs parts at most, ellipsis counted in. text needs more than that. */
static char *
cut(const char *text, guint maxmsgs, enum sms_encoding encoding)
{
    const struct alphabet *alphabet = &alphabets[encoding];
    guint capacity = maxmsgs == 1 ? alphabet->alone : alphabet->concatenated;
    const char *end = text;
    guint units;

    for (guint i = 1; i < maxmsgs; i++)
        end = fill(end, capacity, encoding, &units);
    end = fill(end, capacity - alphabet->ellipsis_units, encoding, &units);
    end = word_end(text, end);
    for (;;) {
        const char *tail = end;
        g_autoptr(GString) shown = NULL;

        while (tail > text && g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(tail))))
            tail = g_utf8_prev_char(tail);
        shown = g_string_new_len(text, tail - text);
        g_string_append(shown, alphabet->ellipsis);
        /* A cluster too large for a part can shrink by the cut until it is kept whole, in a part of
         * its own. */
        if (end == text || count_parts(shown->str, encoding) <= maxmsgs)
            return g_string_free(g_steal_pointer(&shown), FALSE);
        end = g_utf8_prev_char(end);
    }
}

static void
add_parts(struct sms_message *message, guint8 reference)
{
    const struct alphabet *alphabet = &alphabets[message->encoding];
    guint total = count_parts(message->text, message->encoding);
    guint capacity = total == 1 ? alphabet->alone : alphabet->concatenated;
    const char *p = message->text;

    g_assert(total <= SMS_PARTS_MAX);
    message->parts = g_ptr_array_new_with_free_func(part_free);
    for (guint i = 1; i <= total; i++) {
        /* TS 23.040 9.2.3.24.1: length of the header, IEI 00, its length, reference, parts, this
         * part */
        const guint8 header[] = {0x05, 0x00, 0x03, reference, total, i};
        struct sms_part *part = g_new0(struct sms_part, 1);
        const char *end = fill(p, capacity, message->encoding, &part->units);

        part->text = g_strndup(p, end - p);
        part->udh = g_bytes_new(header, total == 1 ? 0 : sizeof(header));
        g_ptr_array_add(message->parts, part);
        p = end;
    }
}

/* The first character that keeps text from GSM 03.38, newly allocated; NULL if there is none. */
static char *
find_forcing(const char *text)
{
    guint8 septets[2];

    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (gsm0338_encode(g_utf8_get_char(p), septets) == 0)
            return g_strndup(p, g_utf8_next_char(p) - p);
    return NULL;
}

int
sms_split(const char *text, const struct sms_limits *limits, struct sms_message **ret,
          struct outcome *why)
{
    guint maxmsgs = CLAMP(limits->maxmsgs, 1, SMS_PARTS_MAX);
    g_autoptr(SmsMessage) message = NULL;

    if (!*text) {
        out_set(why, OUT_DATA, "5.6.0", "there is no text to send");
        return -1;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        out_set(why, OUT_BUG, "4.3.0", "a text for sending is not UTF-8");
        return -1;
    }
    message = g_new0(struct sms_message, 1);
    message->forced_by = find_forcing(text);
    message->encoding = message->forced_by ? SMS_UCS2 : SMS_GSM7;
    message->dcs = alphabets[message->encoding].dcs;
    message->parts_needed = count_parts(text, message->encoding);
    message->truncated = message->parts_needed > maxmsgs;
    if (message->truncated && limits->reject) {
        out_set(why, OUT_DATA, "5.6.0", "the text needs %u SMS, at most %u %s allowed",
                message->parts_needed, maxmsgs, maxmsgs == 1 ? "is" : "are");
        return -1;
    }
    message->text = message->truncated ? cut(text, maxmsgs, message->encoding) : g_strdup(text);
    add_parts(message, limits->reference);
    *ret = g_steal_pointer(&message);
    return 0;
}
