/* SPDX-License-Identifier: ISC */
/* Values of postsms.conf as libconfuse read them, for lib/conf.c. A value that is none is a fault
 * with its line; what is returned then is fit to go on with. */
#ifndef LIB_CONF_VALUE_H
#define LIB_CONF_VALUE_H

#include "lib/fault.h"
#include <confuse.h>

/* Marks keys of the published format that this version reads and checks for spelling only; setting
 * one is a warning. */
#define KEY_LATER (1 << 24) /* libconfuse uses the low bits */

/* Between these two faults and lines are remembered; one at a time. */
cfg_t *value_begin(const char *file, Faults *faults, cfg_opt_t *keys);
void value_end(cfg_t *cfg);

/* The whole file, UTF-8; NULL: faults say why not. The caller's. */
char *value_read(const char *file, Faults *faults);

/* text (changed) into cfg; false: faults say why not. */
bool value_parse(cfg_t *cfg, char *text);

/* Another file of the same load, until value_end; path must last as long as what is read. NULL:
 * faults say why not. */
cfg_t *value_include(const char *path, cfg_opt_t *keys);

/* What from sets and cfg does not is cfg's from now on, with file and line. Keys
 * that cfg has not are left out. */
void value_adopt(cfg_t *cfg, cfg_t *from);

/* A fault or warning of this file; line 0: none. */
void value_fault(int line, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
void value_warn(int line, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* A fault where key was set. */
void value_key_fault(cfg_t *cfg, const char *key, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* Where the key was set; 0 if it was not. And in which file; that of the load if it was not. */
int value_line(cfg_t *cfg, const char *key);
const char *value_file(cfg_t *cfg, const char *key);

/* The line of a list's n-th value. */
int value_item_line(cfg_t *cfg, const char *key, guint n);

gint64 value_time(cfg_t *cfg, const char *key); /* milliseconds */
int value_int(cfg_t *cfg, const char *key, int min, int max);
/* True if the value is yes, false if it is no. */
bool value_choice(cfg_t *cfg, const char *key, const char *yes, const char *no);
/* Which of the three words the value is. */
int value_word(cfg_t *cfg, const char *key, const char *const words[3]);
/* Newly allocated: a path from the root (if: NULL if it is not set), a NULL-ended list. */
char *value_path(cfg_t *cfg, const char *key);
char *value_path_if(cfg_t *cfg, const char *key);
char **value_strings(cfg_t *cfg, const char *key);

#endif
