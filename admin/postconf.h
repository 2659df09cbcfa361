/* SPDX-License-Identifier: ISC */
/* What postconf(1) prints, taken apart: settings, lists, times, lines of master.cf. Pure, no I/O.
 */
#ifndef ADMIN_POSTCONF_H
#define ADMIN_POSTCONF_H

#include <glib.h>
#include <stdbool.h>

/* "name = value" lines, as postconf -x and -Px print them: name → value, for g_hash_table_unref. */
GHashTable *postconf_values(const char *text);

/* The elements of a list, which commas and blanks separate, except inside braces; for g_strfreev.
 */
char **postconf_list(const char *value);

/* Seconds of a time such as 5d; without a unit it is in unit (s m h d w). -1: not a time. */
gint64 postconf_seconds(const char *value, char unit);

/* One line of master.cf. */
struct postconf_service {
    char *name, *type;
    char *maxproc; /* as written, "-" for the default */
    char *command; /* smtpd, pipe, ... */
    char **args;   /* behind it, braces around an argument removed; NULL-ended */
};

/* Lines as postconf -M prints them: struct postconf_service *, owned by the array. */
GPtrArray *postconf_services(const char *text);

/* "value" of the first NAME=value among the arguments before argv=; NULL if there is none. */
const char *postconf_pipe_attribute(const struct postconf_service *service, const char *name);

/* What pipe(8) executes and its arguments, borrowed; NULL if the service is no pipe. */
char **postconf_pipe_argv(const struct postconf_service *service);

/* The value of an option behind argv[0]: "--name=value", "--name value", and for one letter "-n
 * value" and "-nvalue". NULL if it is not there. */
const char *postconf_option(char **argv, const char *name);

/* True if the element of a milter list is the milter that listens on socket, which is written as
 * libmilter takes it: unix:/PATH or inet:PORT@HOST. */
bool postconf_is_milter(const char *element, const char *socket, const char *queue_directory);

/* The value of an option in { unix:PATH, name=value, ... }, newly allocated; NULL without it. */
char *postconf_milter_option(const char *element, const char *name);

#endif
