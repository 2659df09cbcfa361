/* SPDX-License-Identifier: ISC */
/* Owns the reading of what postconf(1) prints. Pure: everything that runs or opens something is in
 * postfix.c. */
#include "admin/postconf.h"

#include <string.h>

#define BLANKS "\t\n\r "

/* Words between separators, except inside braces. */
static char **
split(const char *text, const char *separators)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autoptr(GString) word = g_string_new(NULL);
    int depth = 0;

    for (const char *at = text;; at++) {
        if (!*at || (depth == 0 && strchr(separators, *at))) {
            if (word->len > 0)
                g_ptr_array_add(words, g_strdup(word->str));
            g_string_truncate(word, 0);
            if (!*at)
                break;
            continue;
        }
        depth += *at == '{' ? 1 : *at == '}' && depth > 0 ? -1 : 0;
        g_string_append_c(word, *at);
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* "{ text }" → "text", in place. */
static char *
without_braces(char *text)
{
    gsize len = strlen(text);

    if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
        text[0] = ' ';
        text[len - 1] = '\0';
    }
    return g_strstrip(text);
}

GHashTable *
postconf_values(const char *text)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        char *equals = strchr(*line, '=');

        if (equals)
            g_hash_table_insert(values, g_strstrip(g_strndup(*line, (gsize)(equals - *line))),
                                g_strstrip(g_strdup(equals + 1)));
    }
    return values;
}

char **
postconf_list(const char *value)
{
    return split(value, BLANKS ",");
}

gint64
postconf_seconds(const char *value, char unit)
{
    static const struct {
        char unit;
        gint64 seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    gint64 number = g_ascii_strtoll(value, &end, 10);

    if (end == value || number < 0 || number > G_MAXINT || (*end && end[1]))
        return -1;
    if (*end)
        unit = *end;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (units[i].unit == unit)
            return number * units[i].seconds;
    return -1;
}

static void
service_free(gpointer data)
{
    struct postconf_service *service = data;

    g_free(service->name);
    g_free(service->type);
    g_free(service->maxproc);
    g_free(service->command);
    g_strfreev(service->args);
    g_free(service);
}

GPtrArray *
postconf_services(const char *text)
{
    enum { NAME, TYPE, MAXPROC = 6, COMMAND, ARGS };
    GPtrArray *services = g_ptr_array_new_with_free_func(service_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = split(*line, BLANKS);
        struct postconf_service *service;

        if (g_strv_length(words) < ARGS)
            continue;
        service = g_new0(struct postconf_service, 1);
        service->name = g_strdup(words[NAME]);
        service->type = g_strdup(words[TYPE]);
        service->maxproc = g_strdup(words[MAXPROC]);
        service->command = g_strdup(words[COMMAND]);
        service->args = g_strdupv(words + ARGS);
        for (char **arg = service->args; *arg; arg++)
            without_braces(*arg);
        g_ptr_array_add(services, service);
    }
    return services;
}

char **
postconf_pipe_argv(const struct postconf_service *service)
{
    if (strcmp(service->command, "pipe") != 0)
        return NULL;
    for (char **arg = service->args; *arg; arg++)
        if (g_str_has_prefix(*arg, "argv="))
            return arg;
    return NULL;
}

const char *
postconf_pipe_attribute(const struct postconf_service *service, const char *name)
{
    gsize len = strlen(name);

    for (char **arg = service->args; *arg && !g_str_has_prefix(*arg, "argv="); arg++)
        if (strncmp(*arg, name, len) == 0 && (*arg)[len] == '=')
            return *arg + len + 1;
    return NULL;
}

const char *
postconf_option(char **argv, const char *name)
{
    bool letter = !name[1];
    g_autofree char *dashed = g_strconcat(letter ? "-" : "--", name, NULL);
    gsize len = strlen(dashed);

    for (char **arg = argv + 1; argv[0] && *arg; arg++) {
        if (strncmp(*arg, dashed, len) != 0)
            continue;
        if (!(*arg)[len])
            return arg[1] ? arg[1] : NULL;
        if (letter)
            return *arg + len;
        if ((*arg)[len] == '=')
            return *arg + len + 1;
    }
    return NULL;
}

/* unix:PATH or inet:HOST:PORT of { unix:PATH, option, ... }. */
static char *
endpoint(const char *element)
{
    g_autofree char *text = g_strdup(element);
    g_auto(GStrv) words = postconf_list(without_braces(text));

    return g_strdup(words[0] ? words[0] : "");
}

/* Our side writes inet:PORT@HOST, Postfix inet:HOST:PORT. */
static bool
same_inet(const char *theirs, const char *ours)
{
    const char *colon = strrchr(theirs, ':');
    const char *at = strchr(ours, '@');
    gsize port = at ? (gsize)(at - ours) : strlen(ours);
    g_autofree char *host = colon ? g_strndup(theirs, (gsize)(colon - theirs)) : NULL;

    if (!colon || strlen(colon + 1) != port || strncmp(colon + 1, ours, port) != 0)
        return false;
    if (!at || strcmp(at + 1, "0.0.0.0") == 0)
        return true;
    return g_ascii_strcasecmp(host, at + 1) == 0 ||
           (strcmp(host, "localhost") == 0 && strcmp(at + 1, "127.0.0.1") == 0) ||
           (strcmp(host, "127.0.0.1") == 0 && strcmp(at + 1, "localhost") == 0);
}

bool
postconf_is_milter(const char *element, const char *socket, const char *queue_directory)
{
    g_autofree char *theirs = endpoint(element);
    g_autofree char *below = NULL;

    if (g_str_has_prefix(theirs, "inet:") && g_str_has_prefix(socket, "inet:"))
        return same_inet(theirs + strlen("inet:"), socket + strlen("inet:"));
    if (!g_str_has_prefix(theirs, "unix:") || !g_str_has_prefix(socket, "unix:"))
        return false;
    if (strcmp(theirs, socket) == 0)
        return true;
    /* Relative to the queue directory, in which a chrooted smtpd lives. */
    below = g_build_filename(queue_directory, theirs + strlen("unix:"), NULL);
    return strcmp(below, socket + strlen("unix:")) == 0;
}

char *
postconf_milter_option(const char *element, const char *name)
{
    g_autofree char *text = g_strdup(element);
    g_auto(GStrv) words = NULL;

    if (element[0] != '{')
        return NULL;
    words = postconf_list(without_braces(text));
    for (char **word = words; *word; word++)
        if (g_str_has_prefix(*word, name) && (*word)[strlen(name)] == '=')
            return g_strdup(*word + strlen(name) + 1);
    return NULL;
}
