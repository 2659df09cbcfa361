/* SPDX-License-Identifier: ISC */
/*
 * Owns the connection to the ledger: how it is made, opened, checked, and when a group becomes
 * durable. Used by one thread. Must never make a ledger that spool_create was not asked for, and
 * never act on a setting SQLite did not keep.
 */
#include "spool/private.h"

#include "lib/killpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char connection_settings[] = "PRAGMA busy_timeout = 10000;"
                                          "PRAGMA foreign_keys = ON;"
                                          "PRAGMA trusted_schema = OFF;"
                                          "PRAGMA cell_size_check = ON;"
                                          "PRAGMA mmap_size = 0;"
                                          "PRAGMA temp_store = MEMORY;"
                                          "PRAGMA synchronous = FULL;";

void
spool_why(sqlite3 *db, const char *path, const char *what, struct outcome *why)
{
    int code = sqlite3_errcode(db);
    const char *cure = "";

    if (code == SQLITE_FULL)
        cure = "; make room on its disk";
    else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN)
        cure = "; postsmsd's user must be able to write it and its folder";
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        cure = "; restore a backup";
    out_set(why, OUT_RETRY, "4.3.0", "ledger %s: %s: %s%s", path, what, sqlite3_errmsg(db), cure);
}

void
spool_fail(struct spool *spool, const char *what)
{
    if (spool->failed)
        return;
    spool->failed = true;
    spool_why(spool->db, spool->path, what, &spool->why_failed);
}

static int
pragma_int(sqlite3 *db, const char *name)
{
    g_autofree char *sql = g_strdup_printf("PRAGMA %s", name);
    sqlite3_stmt *stmt;
    int value = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static bool
journal_is_wal(sqlite3 *db)
{
    sqlite3_stmt *stmt;
    bool wal = false;

    if (sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        wal = g_strcmp0((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    sqlite3_finalize(stmt);
    return wal;
}

int
spool_create(const char *path, int uid, int gid, struct outcome *why)
{
    sqlite3 *db = NULL;
    int result = -1;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0) {
        if (errno == EEXIST)
            out_set(why, OUT_CONFIG, "4.3.5", "%s is there already; nothing was changed", path);
        else
            out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, g_strerror(errno));
        return -1;
    }
    /* SQLite gives -wal and -shm the owner of the file when root opens it. */
    if (uid >= 0 && fchown(fd, (uid_t)uid, (gid_t)gid) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "%s: owner: %s", path, g_strerror(errno));
        close(fd);
        unlink(path);
        return -1;
    }
    close(fd);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x706f7374;", NULL,
                     NULL, NULL) != SQLITE_OK)
        spool_why(db, path, "cannot be made", why);
    else
        result = spool_migrate(db, 0, why);
    sqlite3_close(db);
    if (result < 0)
        unlink(path);
    return result;
}

static int
check_settings(sqlite3 *db, const char *path, bool writable, struct outcome *why)
{
    int version = pragma_int(db, "user_version");

    if (pragma_int(db, "application_id") != SPOOL_APPLICATION) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "%s is not a ledger of postsms; restore it or run \"postsms init\" elsewhere",
                path);
        return -1;
    }
    if (version > spool_schema_version()) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "ledger %s has schema %d, this program knows %d; install the newer postsms", path,
                version, spool_schema_version());
        return -1;
    }
    if (version < spool_schema_version() && !writable) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "ledger %s has schema %d; postsmsd brings it to %d when it starts", path, version,
                spool_schema_version());
        return -1;
    }
    if (version < spool_schema_version() && spool_migrate(db, version, why) < 0)
        return -1;
    if (!journal_is_wal(db) || pragma_int(db, "synchronous") != 2 ||
        pragma_int(db, "foreign_keys") != 1) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "ledger %s: journal_mode WAL, synchronous FULL or foreign_keys did not hold", path);
        return -1;
    }
    return 0;
}

static void
statement_free(gpointer data)
{
    sqlite3_finalize(data);
}

int
spool_open(const char *path, bool writable, struct spool **ret, struct outcome *why)
{
    g_autoptr(Spool) spool = g_new0(struct spool, 1);
    int flags = writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    struct stat info;

    spool->path = g_strdup(path);
    spool->statements = g_hash_table_new_full(NULL, NULL, NULL, statement_free);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        out_set(why, OUT_CONFIG, "4.3.5", "ledger %s is missing; \"postsms init\" makes a new one",
                path);
        return -1;
    }
    /* Before SQLite looks: it would leave -shm and -wal files behind that nobody can write. */
    if (writable && access(path, R_OK | W_OK) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "ledger %s cannot be written by this user; it, -wal and -shm must belong to "
                "postsmsd's user",
                path);
        return -1;
    }
    if (sqlite3_open_v2(path, &spool->db, flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(spool->db, connection_settings, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(spool->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) !=
            SQLITE_OK) {
        spool_why(spool->db, path, "cannot be opened", why);
        why->kind = OUT_CONFIG;
        g_strlcpy(why->dsn, "4.3.5", sizeof(why->dsn));
        return -1;
    }
    sqlite3_db_config(spool->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (check_settings(spool->db, path, writable, why) < 0)
        return -1;
    if (writable && sqlite3_db_readonly(spool->db, "main") != 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "ledger %s cannot be written by this user", path);
        return -1;
    }
    if (stat(path, &info) < 0) {
        out_set(why, OUT_CONFIG, "4.3.5", "ledger %s: %s", path, g_strerror(errno));
        return -1;
    }
    spool->device = info.st_dev;
    spool->inode = info.st_ino;
    *ret = g_steal_pointer(&spool);
    return 0;
}

void
spool_close(struct spool *spool)
{
    if (!spool)
        return;
    g_hash_table_unref(spool->statements);
    sqlite3_close(spool->db);
    g_free(spool->path);
    g_free(spool);
}

int
spool_usable(struct spool *spool, struct outcome *why)
{
    struct statvfs info;
    struct stat now;

    /* SQLite would go on writing to a file that no name leads to any more. */
    if (stat(spool->path, &now) < 0 || now.st_dev != spool->device || now.st_ino != spool->inode) {
        out_set(why, OUT_CONFIG, "4.3.5",
                "ledger %s was removed or replaced; put it back or restart postsmsd", spool->path);
        return -1;
    }
    if (statvfs(spool->path, &info) < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "ledger %s: %s", spool->path, g_strerror(errno));
        return -1;
    }
    if ((guint64)info.f_bavail * info.f_frsize < SPOOL_SPACE_MIN) {
        out_set(why, OUT_RETRY, "4.3.0", "ledger %s: less than %d MB free on its disk; make room",
                spool->path, SPOOL_SPACE_MIN / 1048576);
        return -1;
    }
    return 0;
}

bool
spool_group(struct spool *spool)
{
    if (spool->failed)
        return false;
    if (!spool->in_group) {
        spool->in_group = true;
        if (sqlite3_exec(spool->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
            spool_fail(spool, "cannot be written");
    }
    return !spool->failed;
}

int
spool_commit(struct spool *spool, struct outcome *why)
{
    if (!spool->in_group && !spool->failed)
        return 0;
    KILL_POINT("commit-before");
    if (!spool->failed && sqlite3_exec(spool->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        spool_fail(spool, "cannot be written");
    spool->in_group = false;
    KILL_POINT("commit-after");
    if (!spool->failed)
        return 0;
    if (!sqlite3_get_autocommit(spool->db))
        sqlite3_exec(spool->db, "ROLLBACK", NULL, NULL, NULL);
    *why = spool->why_failed;
    spool->failed = false;
    return -1;
}

sqlite3_stmt *
spool_statement(struct spool *spool, const char *sql)
{
    sqlite3_stmt *stmt = g_hash_table_lookup(spool->statements, sql);

    if (!stmt) {
        if (sqlite3_prepare_v3(spool->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
            SQLITE_OK) {
            spool_fail(spool, "statement");
            return NULL;
        }
        g_hash_table_insert(spool->statements, (gpointer)(guintptr)sql, stmt);
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return stmt;
}

void
spool_run(struct spool *spool, sqlite3_stmt *stmt)
{
    /* SQLite may have ended a failed group by itself: nothing more may be written outside of one.
     */
    if (!spool->failed && sqlite3_step(stmt) != SQLITE_DONE)
        spool_fail(spool, "cannot be written");
    sqlite3_reset(stmt);
}

int
spool_unreadable(struct spool *spool, struct outcome *why)
{
    spool_why(spool->db, spool->path, "cannot be read", why);
    return -1;
}

void
spool_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    sqlite3_bind_text(stmt, index, text ? text : "", -1, SQLITE_STATIC);
}
