/* SPDX-License-Identifier: ISC */
/* What is wrong in the files an admin wrote: collected while reading, printed as "file:line:
 * message". */
#ifndef LIB_FAULT_H
#define LIB_FAULT_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

struct fault {
    char *file;
    int line; /* 0: the file as a whole */
    bool warning;
    char *text;
};

/* A list of struct fault *, which it owns. */
typedef GPtrArray Faults;
Faults *faults_new(void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Faults, g_ptr_array_unref)

void faults_add(Faults *faults, const char *file, int line, const char *fmt, ...)
    G_GNUC_PRINTF(4, 5);
void faults_warn(Faults *faults, const char *file, int line, const char *fmt, ...)
    G_GNUC_PRINTF(4, 5);

/* How many are errors, warnings not counted. */
guint faults_errors(const Faults *faults);

/* "file:line: message" or "file:line: warning: message"; newly allocated, no line end. */
char *fault_string(const struct fault *fault);

/* One line a fault. */
void faults_print(const Faults *faults, FILE *to);

/* One log line a fault. */
void faults_log(const Faults *faults);

#endif
