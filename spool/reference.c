/* SPDX-License-Identifier: ISC */
/* Owns which concatenation references a number has been sent lately. */
#include "spool/private.h"

#define OCTETS 256
#define WIDE   65536 /* added to 16 bit references */

/* Those of a number since then, in a set. */
static GHashTable *
used_references(struct spool *spool, const char *number, gint64 since)
{
    static const char sql[] = "SELECT reference FROM reference WHERE number = ? AND at >= ?";
    GHashTable *used = g_hash_table_new(NULL, NULL);
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step = SQLITE_ERROR;

    if (stmt) {
        spool_bind_text(stmt, 1, number);
        sqlite3_bind_int64(stmt, 2, since);
        while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
            g_hash_table_add(used, GINT_TO_POINTER(sqlite3_column_int(stmt, 0)));
        sqlite3_reset(stmt);
    }
    if (step != SQLITE_DONE)
        g_clear_pointer(&used, g_hash_table_unref);
    return used;
}

int
spool_reference(struct spool *spool, const char *number, guint16 wanted, gint64 since,
                guint16 *ret_reference, bool *ret_wide, struct outcome *why)
{
    g_autoptr(GHashTable) used = used_references(spool, number, since);

    if (!used)
        return spool_unreadable(spool, why);
    *ret_wide = false;
    for (guint i = 0; i < OCTETS; i++) {
        *ret_reference = (guint8)(wanted + i);
        if (!g_hash_table_contains(used, GINT_TO_POINTER((int)*ret_reference)))
            return 0;
    }
    *ret_wide = true;
    for (guint i = 0; i < WIDE; i++) {
        *ret_reference = (guint16)(wanted + i);
        if (!g_hash_table_contains(used, GINT_TO_POINTER(WIDE + (int)*ret_reference)))
            break;
    }
    return 0;
}

void
spool_reference_used(struct spool *spool, const char *number, guint16 reference, bool wide,
                     gint64 now)
{
    static const char sql[] = "INSERT OR REPLACE INTO reference VALUES (?, ?, ?)";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    spool_bind_text(stmt, 1, number);
    sqlite3_bind_int(stmt, 2, wide ? WIDE + reference : (guint8)reference);
    sqlite3_bind_int64(stmt, 3, now);
    spool_run(spool, stmt);
}
