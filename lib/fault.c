/* SPDX-License-Identifier: ISC */
/* Owns lists of faults in an admin's files. Must never decide what to do about them. */
#include "lib/fault.h"

#include "lib/log.h"

static void
fault_free(gpointer data)
{
    struct fault *fault = data;

    g_free(fault->file);
    g_free(fault->text);
    g_free(fault);
}

Faults *
faults_new(void)
{
    return g_ptr_array_new_with_free_func(fault_free);
}

static void G_GNUC_PRINTF(5, 0)
    add(Faults *faults, bool warning, const char *file, int line, const char *fmt, va_list ap)
{
    struct fault *fault = g_new0(struct fault, 1);
    g_autofree char *raw = g_strdup_vprintf(fmt, ap);

    fault->file = g_strdup(file);
    fault->line = line;
    fault->warning = warning;
    fault->text = log_clean(raw, 1000);
    g_ptr_array_add(faults, fault);
}

void
faults_add(Faults *faults, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(faults, false, file, line, fmt, ap);
    va_end(ap);
}

void
faults_warn(Faults *faults, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(faults, true, file, line, fmt, ap);
    va_end(ap);
}

guint
faults_errors(const Faults *faults)
{
    guint errors = 0;

    for (guint i = 0; i < faults->len; i++)
        errors += !((struct fault *)faults->pdata[i])->warning;
    return errors;
}

static char *
located(const struct fault *fault, const char *word)
{
    if (!fault->line)
        return g_strdup_printf("%s: %s%s", fault->file, word, fault->text);
    return g_strdup_printf("%s:%d: %s%s", fault->file, fault->line, word, fault->text);
}

char *
fault_string(const struct fault *fault)
{
    return located(fault, fault->warning ? "warning: " : "");
}

void
faults_print(const Faults *faults, FILE *to)
{
    for (guint i = 0; i < faults->len; i++) {
        g_autofree char *line = fault_string(faults->pdata[i]);
        fprintf(to, "%s\n", line);
    }
}

void
faults_log(const Faults *faults)
{
    for (guint i = 0; i < faults->len; i++) {
        const struct fault *fault = faults->pdata[i];
        g_autofree char *line = located(fault, ""); /* the log has a word of its own for warnings */

        if (fault->warning)
            log_warnx("%s", line);
        else
            log_err("%s", line);
    }
}
