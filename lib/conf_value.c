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
    GHashTable *calls; /* cfg_opt_t * → how often on_value was called for it */
    GHashTable *lines; /* cfg_opt_t * → line of its value */
} load;

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
    bool list = opt->flags & CFGF_LIST;

    g_hash_table_insert(load.calls, opt, GUINT_TO_POINTER(calls));
    g_hash_table_insert(load.lines, opt, GINT_TO_POINTER(cfg->line));
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
    load.lines = g_hash_table_new(NULL, NULL);
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
    g_clear_pointer(&load.lines, g_hash_table_unref);
}

int
value_line(cfg_t *cfg, const char *key)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(load.lines, cfg_getopt(cfg, key)));
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
        value_fault(value_line(cfg, key), "%s: \"%s\" is not a time such as 30s, 4h or 6d", key,
                    cfg_getstr(cfg, key));
    return ms;
}

int
value_int(cfg_t *cfg, const char *key, int min, int max)
{
    long value = cfg_getint(cfg, key);

    if (value < min || value > max)
        value_fault(value_line(cfg, key), "%s: %ld is not within %d and %d", key, value, min, max);
    return (int)value;
}

bool
value_choice(cfg_t *cfg, const char *key, const char *yes, const char *no)
{
    const char *value = cfg_getstr(cfg, key);

    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        value_fault(value_line(cfg, key), "%s: \"%s\" is neither \"%s\" nor \"%s\"", key, value,
                    yes, no);
    return strcmp(value, yes) == 0;
}

char *
value_path(cfg_t *cfg, const char *key)
{
    const char *value = cfg_getstr(cfg, key);

    if (!value || !g_path_is_absolute(value))
        value_fault(value_line(cfg, key), "%s: \"%s\" is not a path from the root", key,
                    value ? value : "");
    return g_strdup(value);
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
    value_fault(value_line(cfg, key), "%s: \"%s\" is neither \"%s\" nor \"%s\" nor \"%s\"", key,
                value, words[0], words[1], words[2]);
    return 0;
}
