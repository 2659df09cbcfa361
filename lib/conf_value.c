/* SPDX-License-Identifier: ISC */
/*
 * Owns libconfuse: parsing, with the line of every value, and the reading of values with a fault
 * for each that is none. One load at a time, since libconfuse's callbacks have no context of their
 * own.
 */
#include "lib/conf_value.h"

#include <string.h>

/* What one load knows besides the values: libconfuse's callbacks have no context of their own. One
 * load at a time. */
static struct {
    const char *file;
    Faults *faults;
    GHashTable *calls;   /* cfg_opt_t * → how often on_value was called for it */
    GHashTable *places;  /* cfg_opt_t * → struct place of its value */
    GPtrArray *included; /* cfg_t * */
} load;

struct place {
    const char *file;
    int line;
    GArray *items; /* int: the lines of a list's values */
};

static void
place_free(gpointer data)
{
    struct place *place = data;

    g_array_unref(place->items);
    g_free(place);
}

static void
cfg_unref(gpointer data)
{
    cfg_free(data);
}

void
value_fault(int line, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_add(load.faults, load.file, line, "%s", text);
}

static struct place *
place_of(cfg_t *cfg, const char *key)
{
    return g_hash_table_lookup(load.places, cfg_getopt(cfg, key));
}

void
value_key_fault(cfg_t *cfg, const char *key, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_add(load.faults, value_file(cfg, key), value_line(cfg, key), "%s", text);
}

void
value_warn(int line, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_warn(load.faults, load.file, line, "%s", text);
}

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);

    value_fault(cfg->line, "%s", text);
}

/* Called after each value. libconfuse keeps the last of a repeated key without a word; here it is a
 * fault. A list calls once for each value and once more at its end. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    guint calls = GPOINTER_TO_UINT(g_hash_table_lookup(load.calls, opt)) + 1;
    struct place *place = g_hash_table_lookup(load.places, opt);
    bool list = opt->flags & CFGF_LIST;

    if (!place) {
        place = g_new0(struct place, 1);
        *place = (struct place){load.file, 0, g_array_new(FALSE, FALSE, sizeof(int))};
        g_hash_table_insert(load.places, opt, place);
    }
    place->line = cfg->line;
    g_array_append_val(place->items, place->line);
    g_hash_table_insert(load.calls, opt, GUINT_TO_POINTER(calls));
    if (!(opt->flags & CFGF_MULTI) && calls > (list ? cfg_opt_size(opt) + 1 : 1)) {
        value_fault(cfg->line, "\"%s\" is given twice", opt->name);
        return -1;
    }
    if ((opt->flags & KEY_LATER) && calls == 1)
        value_warn(cfg->line, "\"%s\" has no effect in this version", opt->name);
    return 0;
}

static void
watch_values(cfg_opt_t *table)
{
    for (cfg_opt_t *opt = table; opt->name; opt++) {
        opt->validcb = on_value;
        if (opt->subopts)
            watch_values(opt->subopts);
    }
}

/* Comments become blanks before libconfuse sees them: version 3.3 counts two lines too many for
 * each of them and cannot read one inside a list. Strings stay as they are. */
static void
blank_comments(char *text)
{
    bool fresh = true; /* a comment may begin here */

    for (char *at = text; *at; at++) {
        if (*at == '"' || *at == '\'') {
            char quote = *at;
            for (at++; *at && *at != quote; at++)
                if (*at == '\\' && at[1])
                    at++;
            if (!*at)
                return;
            fresh = true;
        } else if (*at == '#' || (fresh && at[0] == '/' && at[1] == '/')) {
            for (; *at && *at != '\n'; at++)
                *at = ' ';
            if (!*at)
                return;
            fresh = true;
        } else if (fresh && at[0] == '/' && at[1] == '*') {
            for (; *at && !(at[0] == '*' && at[1] == '/'); at++)
                if (*at != '\n')
                    *at = ' ';
            if (!*at)
                return;
            at[0] = at[1] = ' ';
        } else {
            fresh = g_ascii_isspace(*at) || strchr("{},=", *at);
        }
    }
}

cfg_t *
value_begin(const char *file, Faults *faults, cfg_opt_t *keys)
{
    cfg_t *cfg;

    load.file = file;
    load.faults = faults;
    load.calls = g_hash_table_new(NULL, NULL);
    load.places = g_hash_table_new_full(NULL, NULL, NULL, place_free);
    load.included = g_ptr_array_new_with_free_func(cfg_unref);
    watch_values(keys);
    cfg = cfg_init(keys, CFGF_NONE);
    cfg_set_error_function(cfg, on_error);
    return cfg;
}

bool
value_parse(cfg_t *cfg, char *text)
{
    blank_comments(text);
    return cfg_parse_buf(cfg, text) == CFG_SUCCESS;
}

void
value_end(cfg_t *cfg)
{
    cfg_free(cfg);
    g_clear_pointer(&load.calls, g_hash_table_unref);
    g_clear_pointer(&load.places, g_hash_table_unref);
    g_clear_pointer(&load.included, g_ptr_array_unref);
}

char *
value_read(const char *file, Faults *faults)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;

    if (!g_file_get_contents(file, &text, &len, &error)) {
        faults_add(faults, file, 0, "%s", error->message);
        return NULL;
    }
    if (strlen(text) != len || !g_utf8_validate(text, (gssize)len, NULL)) {
        faults_add(faults, file, 0, "is not UTF-8 text");
        return NULL;
    }
    return g_steal_pointer(&text);
}

cfg_t *
value_include(const char *path, cfg_opt_t *keys)
{
    g_autofree char *text = value_read(path, load.faults);
    const char *outer = load.file;
    cfg_t *cfg;
    bool parsed;

    if (!text)
        return NULL;
    watch_values(keys);
    cfg = cfg_init(keys, CFGF_NONE);
    g_ptr_array_add(load.included, cfg);
    cfg_set_error_function(cfg, on_error);
    load.file = path;
    parsed = value_parse(cfg, text);
    load.file = outer;
    return parsed ? cfg : NULL;
}

static void
copy_values(cfg_opt_t *to, cfg_opt_t *from)
{
    for (guint i = 0; i < cfg_opt_size(from); i++)
        if (from->type == CFGT_STR)
            cfg_opt_setnstr(to, cfg_opt_getnstr(from, i), i);
        else if (from->type == CFGT_INT)
            cfg_opt_setnint(to, cfg_opt_getnint(from, i), i);
        else
            cfg_opt_setnbool(to, cfg_opt_getnbool(from, i), i);
}

/* cfg_getopt complains where there is none. */
static cfg_opt_t *
find_option(cfg_t *cfg, const char *name)
{
    for (guint i = 0; i < cfg_num(cfg); i++)
        if (strcmp(cfg_getnopt(cfg, i)->name, name) == 0)
            return cfg_getnopt(cfg, i);
    return NULL;
}

void
value_adopt(cfg_t *cfg, cfg_t *from)
{
    for (guint i = 0; i < cfg_num(from); i++) {
        cfg_opt_t *theirs = cfg_getnopt(from, i);
        const struct place *place = g_hash_table_lookup(load.places, theirs);
        cfg_opt_t *ours = place ? find_option(cfg, theirs->name) : NULL;
        struct place *copy;

        if (!ours || g_hash_table_contains(load.places, ours))
            continue;
        copy_values(ours, theirs);
        copy = g_new0(struct place, 1);
        *copy = (struct place){place->file, place->line, g_array_ref(place->items)};
        g_hash_table_insert(load.places, ours, copy);
    }
}

int
value_line(cfg_t *cfg, const char *key)
{
    const struct place *place = place_of(cfg, key);

    return place ? place->line : 0;
}

const char *
value_file(cfg_t *cfg, const char *key)
{
    const struct place *place = place_of(cfg, key);

    return place ? place->file : load.file;
}

int
value_item_line(cfg_t *cfg, const char *key, guint n)
{
    const struct place *place = place_of(cfg, key);

    return place && n < place->items->len ? g_array_index(place->items, int, n)
                                          : value_line(cfg, key);
}

static bool
parse_time(const char *text, gint64 *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    double number = g_ascii_strtod(text, &end);

    if (end == text || !(number >= 0 && number < 1e9))
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(end, units[i].unit) == 0) {
            *ret_ms = (gint64)(number * units[i].ms);
            return true;
        }
    return false;
}

gint64
value_time(cfg_t *cfg, const char *key)
{
    gint64 ms = 0;

    if (!parse_time(cfg_getstr(cfg, key), &ms))
        value_key_fault(cfg, key, "%s: \"%s\" is not a time such as 30s, 4h or 6d", key,
                        cfg_getstr(cfg, key));
    return ms;
}

int
value_int(cfg_t *cfg, const char *key, int min, int max)
{
    long value = cfg_getint(cfg, key);

    if (value < min || value > max)
        value_key_fault(cfg, key, "%s: %ld is not within %d and %d", key, value, min, max);
    return (int)value;
}

bool
value_choice(cfg_t *cfg, const char *key, const char *yes, const char *no)
{
    const char *value = cfg_getstr(cfg, key);

    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        value_key_fault(cfg, key, "%s: \"%s\" is neither \"%s\" nor \"%s\"", key, value, yes, no);
    return strcmp(value, yes) == 0;
}

char *
value_path(cfg_t *cfg, const char *key)
{
    const char *value = cfg_getstr(cfg, key);

    if (!value || !g_path_is_absolute(value))
        value_key_fault(cfg, key, "%s: \"%s\" is not a path from the root", key,
                        value ? value : "");
    return g_strdup(value);
}

char *
value_path_if(cfg_t *cfg, const char *key)
{
    return value_line(cfg, key) ? value_path(cfg, key) : NULL;
}

char **
value_strings(cfg_t *cfg, const char *key)
{
    guint count = cfg_size(cfg, key);
    char **strings = g_new0(char *, count + 1);

    for (guint i = 0; i < count; i++)
        strings[i] = g_strdup(cfg_getnstr(cfg, key, i));
    return strings;
}

int
value_word(cfg_t *cfg, const char *key, const char *const words[3])
{
    const char *value = cfg_getstr(cfg, key);

    for (int i = 0; i < 3; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    value_key_fault(cfg, key, "%s: \"%s\" is neither \"%s\" nor \"%s\" nor \"%s\"", key, value,
                    words[0], words[1], words[2]);
    return 0;
}
