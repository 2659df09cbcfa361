/* SPDX-License-Identifier: ISC */
/*
 * Owns syslog and stderr of a daemon, and the cleaning of foreign text. Safe to call from any
 * thread after log_open. Must never be handed message text, passwords or PINs.
 */
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1800 /* syslog daemons cut at 2048 */

static const char *log_ident = "postsms";
static bool log_stderr = true;
static bool log_terminal; /* also there, while starting */

static void
emit(int priority, const char *line)
{
    g_autofree char *clean = log_clean(line, LINE_MAX_OCTETS);
    g_autofree char *whole = NULL;
    const char *word = priority == LOG_ERR ? "error: " : priority == LOG_WARNING ? "warning: " : "";
    gssize written;

    /* The word also there, as Postfix has it: most files that syslog writes have no priority. */
    if (!log_stderr)
        syslog(priority, "%s%s", word, clean);
    if (!log_stderr && (!log_terminal || priority == LOG_INFO))
        return;
    /* One write a line: several processes share the descriptor. */
    whole = g_strdup_printf("%s[%d]: %s%s\n", log_ident, (int)getpid(), word, clean);
    written = write(STDERR_FILENO, whole, strlen(whole));
    (void)written;
}

static GLogWriterOutput
from_glib(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    (void)data;
    for (gsize i = 0; i < count; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0 && (level & G_LOG_LEVEL_MASK) < G_LOG_LEVEL_INFO)
            log_warnx("library: %s", (const char *)fields[i].value);
    return G_LOG_WRITER_HANDLED;
}

void
log_open(const char *ident, bool to_stderr)
{
    log_ident = ident;
    log_stderr = to_stderr;
    if (!to_stderr)
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
    log_terminal = isatty(STDERR_FILENO);
    g_log_set_writer_func(from_glib, NULL, NULL);
}

void
log_started(void)
{
    log_terminal = false;
}

void
log_info(const char *fmt, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    emit(LOG_INFO, line);
}

void
log_warn(const char *fmt, ...)
{
    int error = errno;
    g_autofree char *line = NULL;
    g_autofree char *whole = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    whole = g_strdup_printf("%s: %s", line, g_strerror(error));
    emit(LOG_WARNING, whole);
}

void
log_warnx(const char *fmt, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    emit(LOG_WARNING, line);
}

void
log_err(const char *fmt, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    emit(LOG_ERR, line);
}

char *
log_clean(const char *text, gsize max)
{
    GString *clean = g_string_new(NULL);

    while (*text) {
        gunichar c = g_utf8_get_char_validated(text, -1);
        gsize before = clean->len;

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_c(clean, '?');
            text++;
        } else {
            if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029)
                g_string_append_c(clean, ' ');
            else
                g_string_append_unichar(clean, c);
            text = g_utf8_next_char(text);
        }
        if (clean->len > max) {
            g_string_truncate(clean, before);
            break;
        }
    }
    return g_string_free(clean, FALSE);
}

char *
log_number(const char *number, bool full)
{
    gsize len = strlen(number);
    const char *digits = number + (*number == '+');

    if (full || strlen(digits) < 7 || digits[strspn(digits, "0123456789")])
        return g_strdup(number);
    /* Five characters and the last four tell an operator which number it is, and nobody else. */
    if (len < 11)
        return g_strdup_printf("%.3s***%s", number, number + len - 2);
    return g_strdup_printf("%.5s***%s", number, number + len - 4);
}
