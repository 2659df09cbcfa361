/* SPDX-License-Identifier: ISC */
/*
 * Owns where the parts of a text end: whole clusters, and the parts of one coding. Must never tear
 * a character, and a cluster only if no part can hold it.
 */
#include "transport/sms/split.h"

static bool
is_flag_letter(gunichar c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

bool
split_continues(gunichar before, gunichar c)
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
cluster_end(const char *p, const struct coding *coding, guint *ret_units)
{
    gunichar before;
    bool flag;
    guint units;

    /* Two ASCII characters never belong together, but CR and LF. */
    if ((guchar)p[0] < 0x80 && (guchar)p[1] < 0x80 && p[0] != '\r') {
        *ret_units = coding_units(coding, (guchar)*p);
        return p + 1;
    }
    before = g_utf8_get_char(p);
    flag = is_flag_letter(before);
    units = coding_units(coding, before);

    for (p = g_utf8_next_char(p); *p && units <= coding->alone; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (flag && is_flag_letter(c))
            flag = false; /* the second letter of two; a third one begins the next flag */
        else if (!split_continues(before, c))
            break;
        units += coding_units(coding, c);
        before = c;
    }
    *ret_units = units;
    return p;
}

const char *
split_fill(const char *p, guint room, const struct coding *coding, guint *ret_units)
{
    guint used = 0;

    while (*p) {
        guint units;
        const char *end = cluster_end(p, coding, &units);

        if (units > room) {
            for (; p < end; p = g_utf8_next_char(p)) {
                guint one = coding_units(coding, g_utf8_get_char(p));

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

guint
split_count(const char *text, const struct coding *coding)
{
    guint count = 0;
    guint units;

    if (!*split_fill(text, coding->alone, coding, &units))
        return 1;
    for (; *text; count++)
        text = split_fill(text, coding->concatenated, coding, &units);
    return count;
}
