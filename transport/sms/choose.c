/* SPDX-License-Identifier: ISC */
/*
 * Owns the choice between encodings: what costs the fewest parts without losing a character. Pure
 * and deterministic: a retry, "explain" and the ledger's plan must come to the same. Must never
 * look at maxmsgs: the encoding is that of the whole text.
 */
#include "transport/sms/choose.h"

#include "transport/sms/dcs.h"
#include "transport/sms/split.h"
#include <string.h>

void
choice_clear(struct choice *choice)
{
    g_clear_pointer(&choice->forced_by, g_free);
}

bool
choose_writable(gunichar c, const guint8 *languages, gsize count)
{
    guint8 septets[2];

    if (gsm0338_encode((struct gsm0338_alphabet){0, 0}, c, septets))
        return true;
    for (gsize i = 0; i < count; i++) {
        guint8 lock = gsm0338_lock(languages[i]) ? languages[i] : 0;

        if (gsm0338_encode((struct gsm0338_alphabet){lock, languages[i]}, c, septets))
            return true;
    }
    return false;
}

bool
choose_has(const struct coding *coding, gunichar c)
{
    return choose_writable(c, NULL, 0) || coding_units(coding, c) > 0;
}

/* What may be used, the preferred ones first. */
static GArray *
allowed(const struct sms_limits *limits)
{
    GArray *codings = g_array_new(FALSE, FALSE, sizeof(struct coding));
    struct coding ucs2 = coding_of(SMS_UCS2, 0, 0, limits->wide);
    struct coding plain = coding_of(SMS_GSM7, 0, 0, limits->wide);
    bool compressed;
    int class;

    if (limits->has_dcs && dcs_encoding(limits->dcs, &compressed, &class) == SMS_UCS2)
        return g_array_append_val(codings, ucs2);
    g_array_append_val(codings, plain);
    for (gsize i = 0; i < limits->languages_count; i++) {
        guint8 language = limits->languages[i];
        struct coding national[] = {
            coding_of(SMS_GSM7, 0, language, limits->wide),
            coding_of(SMS_GSM7, language, 0, limits->wide),
            coding_of(SMS_GSM7, language, language, limits->wide),
        };

        g_array_append_vals(codings, national, gsm0338_lock(language) ? G_N_ELEMENTS(national) : 1);
    }
    return g_array_append_val(codings, ucs2);
}

/* The parts that text takes; 0 if it cannot be written. */
static guint
parts_in(const char *text, const struct coding *coding)
{
    return coding_length(coding, text) < 0 ? 0 : split_count(text, coding);
}

/* The cheapest coding of this very text; the parts it takes. */
static guint
cheapest(const char *text, const GArray *codings, struct coding *ret)
{
    guint parts = 0;

    /* Nothing is fewer than one. */
    for (guint i = 0; i < codings->len && parts != 1; i++) {
        const struct coding *coding = &g_array_index(codings, struct coding, i);
        guint count = parts_in(text, coding);

        if (count > 0 && (parts == 0 || count < parts)) {
            parts = count;
            *ret = *coding;
        }
    }
    return parts;
}

/* Is there a character that no table allowed has? */
static bool
has_foreign(const char *text, const struct sms_limits *limits)
{
    for (; *text; text = g_utf8_next_char(text))
        if (!choose_writable(g_utf8_get_char(text), limits->languages, limits->languages_count))
            return true;
    return false;
}

/* How often each character is in text. */
static GHashTable *
tally(const char *text)
{
    GHashTable *counts = g_hash_table_new(NULL, NULL);

    for (; *text; text = g_utf8_next_char(text)) {
        gpointer c = GUINT_TO_POINTER(g_utf8_get_char(text));
        gsize count = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, c));

        g_hash_table_insert(counts, c, GSIZE_TO_POINTER(count + 1));
    }
    return counts;
}

/* A coding that text may be respelled for: how many characters change, and the parts it takes at
 * least. */
struct candidate {
    struct coding coding;
    gsize changes;
    guint parts;
};

/* False: text with these characters cannot be respelled for this coding. */
static bool
estimate(GHashTable *counts, enum sms_translit level, const struct sms_limits *limits,
         struct candidate *candidate)
{
    const struct coding *coding = &candidate->coding;
    gsize units = 0;
    GHashTableIter iter;
    gpointer key, value;

    candidate->changes = 0;
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        char one[8] = "a"; /* for a mark to stand on, which may let it go */
        g_autofree char *other = NULL;
        gssize length;

        g_unichar_to_utf8(GPOINTER_TO_UINT(key), one + 1);
        other = transliterate(one, level, limits, coding);
        length = coding_length(coding, other + 1);
        if (length < 0)
            return false;
        units += (gsize)length * GPOINTER_TO_SIZE(value);
        if (!choose_has(coding, GPOINTER_TO_UINT(key)))
            candidate->changes += GPOINTER_TO_SIZE(value);
    }
    candidate->parts = units <= coding->alone
                           ? 1
                           : (guint)((units + coding->concatenated - 1) / coding->concatenated);
    return true;
}

static gint
by_changes(gconstpointer a, gconstpointer b)
{
    const struct candidate *one = a;
    const struct candidate *other = b;

    return (one->changes > other->changes) - (one->changes < other->changes);
}

/* The codings that text may be respelled for, those with the fewest changes first. */
static GArray *
candidates_for(const char *text, enum sms_translit level, const struct sms_limits *limits,
               const GArray *codings)
{
    g_autoptr(GHashTable) counts = tally(text);
    GArray *candidates = g_array_new(FALSE, FALSE, sizeof(struct candidate));

    for (guint i = 0; i < codings->len; i++) {
        struct candidate candidate = {.coding = g_array_index(codings, struct coding, i)};

        if (candidate.coding.encoding == SMS_GSM7 && estimate(counts, level, limits, &candidate))
            g_array_append_val(candidates, candidate);
    }
    g_array_sort(candidates, by_changes); /* is stable */
    return candidates;
}

/*
 * Tables shut each other out, since a part names those of one language: what each of them alone
 * would have kept is in no coding together. So text is respelled for every coding by itself. The
 * fewest changes win, then the fewest parts. A megabyte must not be written dozens of times: only
 * what can still win is.
 */
static void
respell_apart(const char *text, enum sms_translit level, const struct sms_limits *limits,
              const GArray *codings, struct choice *choice)
{
    g_autoptr(GArray) candidates = candidates_for(text, level, limits, codings);
    guint most = choice->parts; /* what UCS-2 takes */
    gsize changes = 0;

    for (guint i = 0; i < candidates->len; i++) {
        const struct candidate *candidate = &g_array_index(candidates, struct candidate, i);
        g_autofree char *other = NULL;
        guint parts;

        if (choice->apart && candidate->changes > changes)
            break;
        if (candidate->parts > most)
            continue;
        other = transliterate(text, level, limits, &candidate->coding);
        parts = *other ? parts_in(other, &candidate->coding) : 0;
        if (parts == 0 || parts > most)
            continue;
        most = parts - 1;
        changes = candidate->changes;
        choice->coding = candidate->coding;
        choice->parts = parts;
        choice->level = level;
        choice->apart = true;
    }
}

/* Takes what level allows if that leads out of UCS-2 and costs no part more. */
static void
respell(const char *text, enum sms_translit level, const struct sms_limits *limits,
        const GArray *codings, struct choice *choice)
{
    g_autofree char *other = transliterate(text, level, limits, NULL);
    struct coding coding;
    guint parts;

    if (!*other || has_foreign(other, limits))
        return;
    parts = cheapest(other, codings, &coding);
    if (coding.encoding == SMS_UCS2 || parts > choice->parts) {
        respell_apart(text, level, limits, codings, choice);
        return;
    }
    choice->coding = coding;
    choice->parts = parts;
    choice->level = level;
}

/* All of *ret but who is to blame. */
static void
settle(const char *text, const struct sms_limits *limits, const GArray *codings, struct choice *ret)
{
    *ret = (struct choice){.level = SMS_TRANSLIT_NONE};
    ret->parts = cheapest(text, codings, &ret->coding);
    for (int level = SMS_TRANSLIT_PUNCTUATION;
         level <= (int)limits->translit && ret->coding.encoding == SMS_UCS2; level++)
        respell(text, (enum sms_translit)level, limits, codings, ret);
    ret->parts_unforced = ret->parts;
}

/* The first character of text that GSM 03.38 alone cannot write. */
static char *
first_foreign(const char *text)
{
    while (choose_writable(g_utf8_get_char(text), NULL, 0))
        text = g_utf8_next_char(text);
    return g_strndup(text, g_utf8_next_char(text) - text);
}

/* What keeps text in UCS-2, and what it costs. */
static void
blame(struct choice *choice, const char *original, const struct sms_limits *limits,
      const GArray *codings)
{
    g_autofree char *text = transliterate(original, limits->translit, limits, NULL);
    g_autoptr(GString) other = g_string_sized_new(strlen(text));
    struct choice unforced;

    if (coding_length(&(struct coding){.encoding = SMS_GSM7}, original) >= 0)
        return; /* dcs asked for it */
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (choose_writable(c, limits->languages, limits->languages_count)) {
            g_string_append_unichar(other, c);
            continue;
        }
        if (!choice->forced_by)
            choice->forced_by = g_strndup(p, g_utf8_next_char(p) - p);
        g_string_append_c(other, '?');
    }
    if (!choice->forced_by) { /* characters of two languages, or one that is dearer in septets */
        choice->forced_by = first_foreign(original);
        return;
    }
    settle(other->str, limits, codings, &unforced);
    /* respelled it may be dearer, and would not be respelled */
    choice->parts_unforced = MIN(unforced.parts, choice->parts);
}

void
choose(const char *text, const struct sms_limits *limits, struct choice *ret)
{
    g_autoptr(GArray) codings = allowed(limits);

    settle(text, limits, codings, ret);
    if (ret->coding.encoding == SMS_UCS2)
        blame(ret, text, limits, codings);
}
