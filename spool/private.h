/* SPDX-License-Identifier: ISC */
/* What the files of this folder share: the connection, its prepared statements, the open group. */
#ifndef SPOOL_PRIVATE_H
#define SPOOL_PRIVATE_H

#include "spool/spool.h"
#include <sqlite3.h>
#include <sys/types.h>

#define SPOOL_APPLICATION 0x706f7374 /* "post" */

struct spool {
    sqlite3 *db;
    char *path;
    dev_t device; /* of the file that was opened */
    ino_t inode;
    GHashTable *statements; /* const char *sql → sqlite3_stmt * */
    bool in_group;
    bool failed; /* something in this group went wrong: why_failed says what */
    struct outcome why_failed;
};

/* schema.c: how many migrations this program knows; applies those above from, each in its own
 * transaction. */
int spool_schema_version(void);
int spool_migrate(sqlite3 *db, int from, struct outcome *why);

/* A prepared statement, kept for the connection's life, reset and without bindings. sql must be a
 * literal. NULL: the group has failed (spool_fail was called). */
sqlite3_stmt *spool_statement(struct spool *spool, const char *sql);

/* Steps a statement that returns no row; spool_fail if it does not end well. Resets it. */
void spool_run(struct spool *spool, sqlite3_stmt *stmt);

/* Begins a group if none is open. False if the group has failed already. */
bool spool_group(struct spool *spool);

/* The group has failed with what SQLite says. */
void spool_fail(struct spool *spool, const char *what);

/* What SQLite says, as an outcome. */
void spool_why(sqlite3 *db, const char *path, const char *what, struct outcome *why);

/* -1, and what SQLite says: the ledger cannot be read. */
int spool_unreadable(struct spool *spool, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

void spool_bind_text(sqlite3_stmt *stmt, int index, const char *text);

#endif
