/* SPDX-License-Identifier: ISC */
/* Owns the schema: spool/migrate/NNNN.sql, one file a version, applied in order. Must never change
 * a released file. */
#include "spool/private.h"

#include "lib/killpoint.h"

static const char *const migrations[] = {
#include "migrations.inc"
};

int
spool_schema_version(void)
{
    return G_N_ELEMENTS(migrations);
}

int
spool_migrate(sqlite3 *db, int from, struct outcome *why)
{
    for (int known = from; known < spool_schema_version(); known++) {
        g_autofree char *sql = g_strdup_printf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d;",
                                               migrations[known], known + 1);
        int result = sqlite3_exec(db, sql, NULL, NULL, NULL);

        KILL_POINT("migrating");
        if (result != SQLITE_OK || sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
            out_set(why, OUT_CONFIG, "4.3.5", "ledger: schema %d: %s", known + 1,
                    sqlite3_errmsg(db));
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return -1;
        }
    }
    return 0;
}
