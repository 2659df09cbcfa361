/* SPDX-License-Identifier: ISC */
/*
 * Owns the search for many texts at once: an automaton (Aho and Corasick, 1975) behind filters that
 * fit the processor's cache. At most positions no text begins, which the filters say without
 * touching the automaton, whose states lie all over the memory. Texts of less than four octets,
 * which no filter would hold back, are looked up in a small table. Knows nothing of rules.
 */
#include "rules/many.h"

#include "rules/fold.h"
#include <stdbool.h>
#include <string.h>

#define SHORT       4     /* texts with fewer octets are not in the automaton */
#define LONG        8     /* texts with at least so many octets have a filter of their own, … */
#define LONGER      12    /* … in which so many of them count where there are that many */
#define FILTER_BITS 64    /* for each text */
#define BLOCK       32768 /* octets that are folded at a time */

/* Before the automaton is entered a second filter is asked, with as much of a text's beginning as
 * it has of these, so that it seldom works for nothing. */
static const guint8 beginnings[] = {4, 5, 6, 7, LONG, LONGER, 16};
#define BEGINNINGS      G_N_ELEMENTS(beginnings)
#define BEGINNINGS_LONG 4 /* the first of those for long texts */

/* About sixteen bits set for the hash of each text's first octets, all of them in one word. */
struct filter {
    guint64 *words; /* 2^(64 - shift) of them */
    guint shift;
};

/* Short texts: open addressing, at most a quarter full. */
struct slot {
    guint32 key; /* of length and octets; 0: empty */
    guint32 text;
};

struct state {
    guint32 children; /* the first one; the next state's first ends them */
    guint32 ends;
};

struct many {
    guint n;
    gsize longest;
    struct slot *slots;
    guint slot_bits;
    bool short_length[SHORT]; /* is there a text of that length? */
    struct filter some, longs, second;
    /*
     * The automaton: states are numbered breadth first, 0 is the root, so a state's children follow
     * one another and a number tells how deep a state lies. ends: the text (and one) that ends
     * there, or the longest one that is an ending of the state's; 0 if none. shorter: by text, the
     * next shorter one that it ends with.
     */
    guint32 states;
    guint32 level[SHORT + 1]; /* first state of that depth */
    struct state *state;
    guint8 *label;
    guint32 *fail;
    guint32 *shorter;
};

static inline guint64
first_octets(const char *octets, guint n)
{
    guint64 word = 0;

    memcpy(&word, octets, n);
    return word;
}

static inline guint64
hash_of(guint64 word)
{
    word *= 0x9e3779b97f4a7c15ull;
    return word ^ word >> 32;
}

/* The first len octets of a text, at least SHORT, in one word. */
static inline guint64
beginning(const char *octets, guint len)
{
    guint64 word = ~first_octets(octets, MIN(len, LONG)) + len;

    for (guint at = LONG; at < len; at += LONG)
        word = hash_of(word) + first_octets(octets + MIN(at, len - LONG), LONG);
    return word;
}

/* Which of the beginnings stands for a text of len octets. */
static guint
beginning_for(gsize len)
{
    guint n = BEGINNINGS - 1;

    while (len < beginnings[n])
        n--;
    return n;
}

static void
filter_new(struct filter *filter, guint texts)
{
    guint size = 6;

    while (size < 26 && 64ull << size < (guint64)texts * FILTER_BITS)
        size++;
    filter->words = g_new0(guint64, 1ul << size);
    filter->shift = 64 - size;
}

/* Every fourth bit by chance, without the shifts by a variable amount that single bits would take.
 */
static inline guint64
filter_mask(guint64 hash)
{
    return hash & (hash >> 13 | hash << 51);
}

/* place says in which word, bits (mostly the same) what is in it. */
static void
filter_add(struct filter *filter, guint64 place, guint64 bits)
{
    filter->words[place >> filter->shift] |= filter_mask(bits);
}

static inline bool
filter_has(const struct filter *filter, guint64 hash)
{
    guint64 mask = filter_mask(hash);

    return (filter->words[hash >> filter->shift] & mask) == mask;
}

/* What begins a text of at least LONGER octets, hash being that of its first LONG. */
static inline guint64
longer_hash(guint64 hash, const char *octets)
{
    return hash_of(hash + first_octets(octets + LONGER - LONG, LONG));
}

static inline bool
longs_have(const struct many *many, const char *octets)
{
    guint64 hash = hash_of(first_octets(octets, LONG));
    guint64 word = many->longs.words[hash >> many->longs.shift];
    guint64 mask = filter_mask(hash);
    guint64 longer = filter_mask(longer_hash(hash, octets));

    return ((word & mask) == mask) | ((word & longer) == longer);
}

static inline guint32
short_key(const char *octets, guint len)
{
    guint32 key = len;

    for (guint i = 0; i < len; i++)
        key = key << 8 | (guint8)octets[i];
    return key;
}

/* Where key is or would be. */
static inline struct slot *
slot_of(const struct many *many, guint32 key)
{
    guint32 mask = (1u << many->slot_bits) - 1;
    guint32 at = (key * 2654435769u) >> (32 - many->slot_bits);

    while (many->slots[at].key && many->slots[at].key != key)
        at = (at + 1) & mask;
    return &many->slots[at];
}

/* The state below state by way of octet, or 0. */
static inline guint32
child_of(const struct many *many, guint32 state, char octet)
{
    guint32 from = many->state[state].children;
    guint32 n = many->state[state + 1].children - from;
    const guint8 *label;

    if (n <= 1) /* as nearly all */
        return n && many->label[from] == (guint8)octet ? from : 0;
    label = memchr(many->label + from, (guint8)octet, n);
    return label ? (guint32)(label - many->label) : 0;
}

/* Texts [from, to) begin with what leads to a state. */
struct range {
    guint32 from, to;
};

static GArray *
grow_level(struct many *many, const char *const *texts, gsize depth, guint32 first,
           const GArray *level)
{
    GArray *next = g_array_new(FALSE, FALSE, sizeof(struct range));
    guint32 child = first + level->len;

    for (guint i = 0; i < level->len; i++) {
        struct range range = g_array_index(level, struct range, i);

        many->state[first + i].children = child;
        if (!texts[range.from][depth]) {
            if (depth >= SHORT)
                many->state[first + i].ends = range.from + 1;
            range.from++;
        }
        while (range.from < range.to) {
            struct range same = range;
            char octet = texts[range.from][depth];

            while (range.from < range.to && texts[range.from][depth] == octet)
                range.from++;
            same.to = range.from;
            g_array_append_val(next, same);
            many->label[child++] = (guint8)octet;
        }
    }
    return next;
}

static void
grow_states(struct many *many, const char *const *texts, guint n)
{
    g_autoptr(GArray) level = g_array_new(FALSE, FALSE, sizeof(struct range));
    struct range all = {0, n};
    guint32 first = 0;

    for (guint depth = 0; depth <= SHORT; depth++)
        many->level[depth] = many->states;
    g_array_append_val(level, all);
    for (gsize depth = 0; level->len > 0; depth++) {
        GArray *next = grow_level(many, texts, depth, first, level);

        if (depth <= SHORT)
            many->level[depth] = first;
        first += level->len;
        g_array_unref(level);
        level = next;
    }
    many->state[many->states].children = many->states;
}

static void
link_states(struct many *many)
{
    for (guint32 state = 0; state < many->states; state++)
        for (guint32 child = many->state[state].children; child < many->state[state + 1].children;
             child++) {
            guint32 at = state;
            guint32 fail = 0;

            while (at && !fail) {
                at = many->fail[at];
                fail = child_of(many, at, (char)many->label[child]);
            }
            many->fail[child] = fail;
            if (many->state[child].ends)
                many->shorter[many->state[child].ends - 1] = many->state[fail].ends;
            else
                many->state[child].ends = many->state[fail].ends;
        }
}

/* How many octets both begin with. */
static gsize
common(const char *a, const char *b)
{
    gsize n = 0;

    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

/* How many texts each filter has. */
struct counts {
    guint shorts, some, longs;
};

static void
count(struct many *many, const char *const *texts, struct counts *ret)
{
    many->states = 1;
    for (guint i = 0; i < many->n; i++) {
        gsize len = strlen(texts[i]);

        many->states += (guint32)(len - (i > 0 ? common(texts[i - 1], texts[i]) : 0));
        many->longest = MAX(many->longest, len);
        if (len < SHORT)
            many->short_length[len] = true;
        ret->shorts += len < SHORT;
        ret->some += len >= SHORT && len < LONG;
        ret->longs += len >= LONG;
    }
}

static void
fill_filters(struct many *many, const char *const *texts)
{
    for (guint i = 0; i < many->n; i++) {
        gsize len = strlen(texts[i]);

        if (len < SHORT) {
            guint32 key = short_key(texts[i], (guint)len);

            *slot_of(many, key) = (struct slot){key, i};
        } else {
            guint64 hash = hash_of(first_octets(texts[i], len < LONG ? SHORT : LONG));
            guint64 second = hash_of(beginning(texts[i], beginnings[beginning_for(len)]));

            filter_add(len < LONG ? &many->some : &many->longs, hash,
                       len < LONGER ? hash : longer_hash(hash, texts[i]));
            filter_add(&many->second, second, second);
        }
    }
}

struct many *
many_new(const char *const *texts, guint n)
{
    struct many *many = g_new0(struct many, 1);
    struct counts counts = {0};

    many->n = n;
    count(many, texts, &counts);
    many->slot_bits = 3;
    while (1u << many->slot_bits < 4 * counts.shorts)
        many->slot_bits++;
    many->slots = g_new0(struct slot, 1u << many->slot_bits);
    filter_new(&many->some, counts.some);
    filter_new(&many->longs, counts.longs);
    filter_new(&many->second, counts.some + counts.longs);
    fill_filters(many, texts);
    many->state = g_new0(struct state, many->states + 1);
    many->fail = g_new0(guint32, many->states);
    many->label = g_new0(guint8, many->states);
    many->shorter = g_new0(guint32, n);
    if (n > 0)
        grow_states(many, texts, n);
    link_states(many);
    return many;
}

void
many_free(struct many *many)
{
    if (!many)
        return;
    g_free(many->slots);
    g_free(many->some.words);
    g_free(many->longs.words);
    g_free(many->second.words);
    g_free(many->state);
    g_free(many->fail);
    g_free(many->label);
    g_free(many->shorter);
    g_free(many);
}

gsize
many_longest(const struct many *many)
{
    return many->longest;
}

struct many_found *
many_found_new(const struct many *many)
{
    struct many_found *found = g_new0(struct many_found, 1);

    found->texts = g_array_new(FALSE, FALSE, sizeof(guint32));
    found->seen = g_malloc0(many->n / 8 + 1);
    return found;
}

void
many_found_reset(struct many_found *found)
{
    for (guint i = 0; i < found->texts->len; i++)
        found->seen[g_array_index(found->texts, guint32, i) / 8] = 0;
    g_array_set_size(found->texts, 0);
}

void
many_found_free(struct many_found *found)
{
    if (!found)
        return;
    g_array_unref(found->texts);
    g_free(found->seen);
    g_free(found);
}

/* False if it was found before. */
static bool
note(struct many_found *found, guint32 text)
{
    if (found->seen[text / 8] & 1u << text % 8)
        return false;
    found->seen[text / 8] |= (guint8)(1u << text % 8);
    g_array_append_val(found->texts, text);
    return true;
}

static inline __attribute__((always_inline)) void
search_short(const struct many *many, guint length, const char *octets, gsize len,
             struct many_found *found)
{
    for (gsize at = 0; at + length <= len; at++) {
        const struct slot *slot = slot_of(many, short_key(octets + at, length));

        if (slot->key)
            note(found, slot->text);
    }
}

/*
 * Through the automaton, from a place where a text may begin, for as long as what was read may be
 * the beginning of one. Returns where that ended: no text begins between at and there that has not
 * been found. That is beyond at, and at most as much is read again as the filters look at.
 */
static gsize
walk(const struct many *many, const char *octets, gsize len, gsize at, struct many_found *found)
{
    guint32 state = 0;

    while (at < len) {
        guint32 next = child_of(many, state, octets[at]);

        if (next) {
            state = next;
            at++;
            /* Whatever one that was seen before ends with was seen then, too. */
            for (guint32 end = many->state[state].ends; end && note(found, end - 1);)
                end = many->shorter[end - 1];
        } else if (state == 0) {
            return at + 1;
        } else {
            guint32 depth = 0;

            state = many->fail[state];
            if (state >= many->level[SHORT])
                continue;
            while (state >= many->level[depth + 1])
                depth++;
            return at - depth;
        }
    }
    return len;
}

/* Asked of few places only: does a text really begin here, as far as a filter can say? Beginnings
 * [from, to) are asked for. */
static inline bool
may_begin(const struct many *many, guint from, guint to, const char *octets, gsize len)
{
    for (guint n = from; n < to && beginnings[n] <= len; n++)
        if (filter_has(&many->second, hash_of(beginning(octets, beginnings[n]))))
            return true;
    return false;
}

/* The first place from at on where a text may begin, or len. */
static gsize
skip(const struct many *many, const char *octets, gsize len, gsize at)
{
    for (; at + LONGER <= len; at++) {
        bool is_some = filter_has(&many->some, hash_of(first_octets(octets + at, SHORT)));
        bool is_long = longs_have(many, octets + at);

        /* One branch, seldom taken, instead of two. */
        if (G_LIKELY(!(is_some | is_long)))
            continue;
        if ((is_some && may_begin(many, 0, BEGINNINGS_LONG, octets + at, len - at)) ||
            (is_long && may_begin(many, BEGINNINGS_LONG, BEGINNINGS, octets + at, len - at)))
            return at;
    }
    for (; at + SHORT <= len; at++)
        if (may_begin(many, 0, BEGINNINGS, octets + at, len - at))
            return at;
    return len;
}

/* Texts of one octet: few, and each of them in nearly every text that is searched. */
static void
search_octets(const struct many *many, const char *octets, gsize len, struct many_found *found)
{
    guint8 there[256] = {0};

    for (gsize at = 0; at < len; at++)
        there[(guint8)octets[at]] = 1;
    for (guint octet = 1; octet < 256; octet++) {
        char c = (char)octet;

        if (there[octet])
            search_short(many, 1, &c, 1, found);
    }
}

void
many_search(const struct many *many, const char *octets, gsize len, struct many_found *found)
{
    if (many->short_length[1])
        search_octets(many, octets, len, found);
    if (many->short_length[2])
        search_short(many, 2, octets, len, found);
    if (many->short_length[3])
        search_short(many, 3, octets, len, found);
    if (many->longest < SHORT)
        return;
    for (gsize at = skip(many, octets, len, 0); at < len; at = skip(many, octets, len, at))
        at = walk(many, octets, len, at, found);
}

void
many_search_folded(const struct many *many, const char *octets, gsize len, struct many_found *found)
{
    g_autoptr(GString) folded = g_string_sized_new(MIN(len, BLOCK) + many->longest);

    for (gsize at = 0; at < len;) {
        gsize step = MIN(len - at, BLOCK);
        gsize overlap;

        at += fold_octets(octets + at, step, at + step < len, folded);
        many_search(many, folded->str, folded->len, found);
        overlap = MIN(folded->len, many->longest - 1);
        g_string_erase(folded, 0, (gssize)(folded->len - overlap));
    }
}
