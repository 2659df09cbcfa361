/* SPDX-License-Identifier: ISC */
/*
 * Owns what happens to the ledger over time: old texts and rows go in small steps, ages survive a
 * clock that jumps, mail that we make waits here, copies are made. Must never remove an open
 * delivery, nor one that Postfix may still offer again: the caller's "before" is older than that.
 */
#include "spool/private.h"

#include "lib/killpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 200 /* deliveries a step: a few milliseconds in which nothing else is written */

static void
run_with(struct spool *spool, const char *sql, gint64 first, gint64 second)
{
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    sqlite3_bind_int64(stmt, 1, first);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, second);
    spool_run(spool, stmt);
}

/* The one number a query gives; 0 if it gives none. */
static gint64
number_of(struct spool *spool, const char *sql, gint64 first, gint64 second)
{
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    gint64 number = 0;

    if (!stmt)
        return 0;
    sqlite3_bind_int64(stmt, 1, first);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, second);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return number;
}

void
spool_warned(struct spool *spool, gint64 delivery, gint64 now)
{
    static const char sql[] = "UPDATE delivery SET warned = 1 WHERE id = ?";

    run_with(spool, sql, delivery, 0);
    spool_note(spool, delivery, "warned", "the sender was told that it is late", now);
}

void
spool_clock_jumped(struct spool *spool, gint64 by_ms)
{
    static const char deliveries[] =
        "UPDATE delivery SET created = created + ?1, updated = updated + ?1 "
        "WHERE id >= (SELECT value FROM meta WHERE name = 'low_water') AND state = 'open'";
    static const char parts[] =
        "UPDATE part SET since = since + ?1 WHERE delivery IN (SELECT id FROM delivery WHERE "
        "id >= (SELECT value FROM meta WHERE name = 'low_water') AND state = 'open')";

    run_with(spool, deliveries, by_ms, 0);
    run_with(spool, parts, by_ms, 0);
}

/* Ids grow with time, so the walk stops at the first delivery that is too young. */
bool
spool_blank(struct spool *spool, gint64 before)
{
    static const char upto[] =
        "SELECT max(id) FROM (SELECT id, updated, state FROM delivery WHERE id > "
        "(SELECT value FROM meta WHERE name = 'blanked') ORDER BY id LIMIT ?2) "
        "WHERE updated < ?1 AND id < coalesce((SELECT min(id) FROM delivery WHERE id > "
        "(SELECT value FROM meta WHERE name = 'blanked') AND (state = 'open' OR updated >= ?1)),"
        " 9223372036854775807)";
    static const char blank[] =
        "UPDATE part SET text = '', data = x'' WHERE delivery <= ?1 AND delivery > "
        "(SELECT value FROM meta WHERE name = 'blanked')";
    static const char mark[] = "UPDATE meta SET value = ?1 WHERE name = 'blanked'";
    gint64 last = number_of(spool, upto, before, STEP);

    if (last == 0)
        return false;
    run_with(spool, blank, last, 0);
    run_with(spool, mark, last, 0);
    return true;
}

bool
spool_purge(struct spool *spool, gint64 before)
{
    static const char *const steps[] = {
        "DELETE FROM event WHERE delivery IN (SELECT id FROM (SELECT id, updated, state FROM "
        "delivery ORDER BY id LIMIT ?2) "
        "WHERE updated < ?1 AND state <> 'open')",
        "DELETE FROM part WHERE delivery IN (SELECT id FROM (SELECT id, updated, state FROM "
        "delivery ORDER BY id LIMIT ?2) "
        "WHERE updated < ?1 AND state <> 'open')",
        "DELETE FROM offer WHERE delivery IN (SELECT id FROM (SELECT id, updated, state FROM "
        "delivery ORDER BY id LIMIT "
        "?2) WHERE updated < ?1 AND state <> 'open')",
        "DELETE FROM delivery WHERE id IN (SELECT id FROM (SELECT id, updated, state FROM delivery "
        "ORDER BY id LIMIT ?2) "
        "WHERE updated < ?1 AND state <> 'open')",
    };
    static const char filtered[] = "DELETE FROM filtered WHERE at < ?1 AND id IN (SELECT id FROM "
                                   "filtered ORDER BY id LIMIT ?2)";
    static const char crashes[] = "DELETE FROM crash WHERE at < ?1";
    static const char references[] = "DELETE FROM reference WHERE at < ?1";
    int gone;

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        run_with(spool, steps[i], before, STEP);
        KILL_POINT("purging");
    }
    gone = sqlite3_changes(spool->db);
    run_with(spool, filtered, before, STEP);
    gone += sqlite3_changes(spool->db);
    run_with(spool, crashes, before, 0);
    run_with(spool, references, before, 0);
    return !spool->failed && gone > 0;
}

void
spool_outbox_add(struct spool *spool, const char *recipient, const char *message, gint64 now)
{
    static const char sql[] = "INSERT INTO outbox (created, recipient, message) VALUES (?, ?, ?)";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    sqlite3_bind_int64(stmt, 1, now);
    spool_bind_text(stmt, 2, recipient);
    spool_bind_text(stmt, 3, message);
    spool_run(spool, stmt);
}

void
spool_outbox_done(struct spool *spool, gint64 id)
{
    static const char sql[] = "DELETE FROM outbox WHERE id = ?";

    run_with(spool, sql, id, 0);
}

void
spool_outbox_last(struct spool *spool, gint64 id)
{
    static const char sql[] =
        "UPDATE outbox SET id = (SELECT max(id) + 1 FROM outbox) WHERE id = ?";

    run_with(spool, sql, id, 0);
}

int
spool_backup(struct spool *spool, const char *path, struct outcome *why)
{
    sqlite3 *copy = NULL;
    sqlite3_backup *backup;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int done = SQLITE_ERROR;

    if (fd < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, g_strerror(errno));
        return -1;
    }
    close(fd);
    if (sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        (backup = sqlite3_backup_init(copy, "main", spool->db, "main"))) {
        while ((done = sqlite3_backup_step(backup, 1000)) == SQLITE_OK || done == SQLITE_BUSY) {
            KILL_POINT("backup");
            if (done == SQLITE_BUSY)
                sqlite3_sleep(20);
        }
        if (sqlite3_backup_finish(backup) != SQLITE_OK)
            done = SQLITE_ERROR;
    }
    if (done != SQLITE_DONE)
        spool_why(copy, path, "backup", why);
    sqlite3_close(copy);
    if (done == SQLITE_DONE)
        return 0;
    unlink(path);
    return -1;
}
