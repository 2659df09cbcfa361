/* SPDX-License-Identifier: ISC */
/*
 * Owns the way from one text to the parts of one message: the coding chosen, the cut of a text that
 * is too long, what is appended behind it. The encoding is decided by the whole text and stays,
 * even if the cut removes the character that forced it: what a sender sees in forced_by must not
 * depend on maxmsgs. Must never lose text without saying so in truncated.
 */
#include "transport/sms/choose.h"
#include "transport/sms/dcs.h"
#include "transport/sms/split.h"

#include <string.h>

static void
part_free(gpointer data)
{
    struct sms_part *part = data;

    g_free(part->text);
    g_clear_pointer(&part->udh, g_bytes_unref);
    g_clear_pointer(&part->data, g_bytes_unref);
    g_free(part);
}

GPtrArray *
sms_parts_new(void)
{
    return g_ptr_array_new_with_free_func(part_free);
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
        if ((without_blanks(before) || without_blanks(after)) && !split_continues(before, after))
            return p;
    }
    return end;
}

/* text cut so that it takes maxmsgs parts at most, with the ellipsis and append behind it. text
 * needs more than that. NULL: not even these two fit. */
static char *
cut(const char *text, const char *append, guint maxmsgs, const struct coding *coding)
{
    g_autofree char *behind = g_strconcat(coding_ellipsis(coding), append, NULL);
    guint capacity = maxmsgs == 1 ? coding->alone : coding->concatenated;
    const char *end = text;
    guint reserved = (guint)coding_length(coding, behind);
    guint whole = reserved / capacity; /* parts that hold nothing else */
    guint units;

    for (guint i = 1 + whole; i < maxmsgs; i++)
        end = split_fill(end, capacity, coding, &units);
    if (whole < maxmsgs)
        end = split_fill(end, capacity - reserved % capacity, coding, &units);
    end = word_end(text, end);
    for (;;) {
        const char *tail = end;
        g_autoptr(GString) shown = NULL;

        while (tail > text && g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(tail))))
            tail = g_utf8_prev_char(tail);
        shown = g_string_new_len(text, tail - text);
        g_string_append(shown, behind);
        /* A cluster too large for a part can shrink by the cut until it is kept whole, in a part of
         * its own. */
        if (split_count(shown->str, coding) <= maxmsgs)
            return g_string_free(g_steal_pointer(&shown), FALSE);
        if (end == text)
            return NULL;
        end = g_utf8_prev_char(end);
    }
}

static void
add_parts(struct sms_message *message, const struct coding *coding, guint reference)
{
    guint total = split_count(message->text, coding);
    guint capacity = total == 1 ? coding->alone : coding->concatenated;
    const char *p = message->text;

    g_assert(total <= SMS_PARTS_MAX);
    message->parts = sms_parts_new();
    for (guint i = 1; i <= total; i++) {
        struct sms_part *part = g_new0(struct sms_part, 1);
        const char *end = split_fill(p, capacity, coding, &part->units);

        part->text = g_strndup(p, end - p);
        part->udh = coding_header(coding, reference, total, i);
        g_ptr_array_add(message->parts, part);
        p = end;
    }
}

static int
too_long(const struct sms_message *message, guint maxmsgs, struct outcome *why)
{
    out_set(why, OUT_DATA, "5.6.0", "the text needs %u SMS, at most %u %s allowed",
            message->parts_needed, maxmsgs, maxmsgs == 1 ? "is" : "are");
    return -1;
}

/* Text and append (whole is both) in the characters of the choice. */
static int
write_text(struct sms_message *message, const char *text, const char *whole,
           const struct sms_limits *limits, const struct choice *choice, struct outcome *why)
{
    guint maxmsgs = CLAMP(limits->maxmsgs, 1, SMS_PARTS_MAX);
    const struct coding *only = choice->apart ? &choice->coding : NULL;
    g_autofree char *shown = transliterate(text, choice->level, limits, only);
    g_autofree char *both = transliterate(whole, choice->level, limits, only);
    /* What a mark in front of it becomes depends on the text's last character. */
    const char *append = both + strlen(shown);

    message->truncated = choice->parts > maxmsgs;
    if (!message->truncated)
        message->text = g_strconcat(shown, append, NULL);
    else if (!limits->reject)
        message->text = cut(shown, append, maxmsgs, &choice->coding);
    return message->text ? 0 : too_long(message, maxmsgs, why);
}

int
sms_split(const char *text, const struct sms_limits *limits, struct sms_message **ret,
          struct outcome *why)
{
    g_autofree char *whole = g_strconcat(text, limits->append ? limits->append : "", NULL);
    g_autoptr(SmsMessage) message = NULL;
    g_auto(Choice) choice = {0};
    bool compressed;
    int class;

    if (!*whole) {
        out_set(why, OUT_DATA, "5.6.0", "there is no text to send");
        return -1;
    }
    if (!g_utf8_validate(whole, -1, NULL)) {
        out_set(why, OUT_BUG, "4.3.0", "a text for sending is not UTF-8");
        return -1;
    }
    if (limits->has_dcs && dcs_encoding(limits->dcs, &compressed, &class) == SMS_8BIT) {
        out_set(why, OUT_DATA, "5.6.0", "dcs=%u is for 8 bit data, with binary=1", limits->dcs);
        return -1;
    }
    choose(whole, limits, &choice);
    message = g_new0(struct sms_message, 1);
    message->encoding = choice.coding.encoding;
    message->pid = limits->pid;
    if (dcs_for(limits, message->encoding, &message->dcs, why) < 0)
        return -1;
    message->language = MAX(choice.coding.alphabet.lock, choice.coding.alphabet.shift);
    message->transliterated = choice.level != SMS_TRANSLIT_NONE;
    message->forced_by = g_steal_pointer(&choice.forced_by);
    message->parts_needed = choice.parts;
    message->parts_unforced = choice.parts_unforced;
    if (write_text(message, text, whole, limits, &choice, why) < 0)
        return -1;
    add_parts(message, &choice.coding, limits->reference);
    *ret = g_steal_pointer(&message);
    return 0;
}
