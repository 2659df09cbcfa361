/* SPDX-License-Identifier: ISC */
/* Owns the queries that sum up or list the ledger for an admin. Reads only. */
#include "spool/private.h"

int
spool_outbox_first(struct spool *spool, struct spool_mail *ret, struct outcome *why)
{
    static const char sql[] =
        "SELECT id, created, recipient, message FROM outbox ORDER BY id LIMIT 1";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    *ret = (struct spool_mail){0};
    if (!stmt)
        return spool_unreadable(spool, why);
    step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        ret->id = sqlite3_column_int64(stmt, 0);
        ret->created = sqlite3_column_int64(stmt, 1);
        ret->recipient = g_strdup((const char *)sqlite3_column_text(stmt, 2));
        ret->message = g_strdup((const char *)sqlite3_column_text(stmt, 3));
    }
    sqlite3_reset(stmt);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}

int
spool_each_usage(struct spool *spool, gint64 since, gint64 until,
                 void (*each)(void *context, const struct spool_usage *usage), void *context,
                 struct outcome *why)
{
    static const char sql[] =
        "SELECT sender, gateway, count(*), sum(accepted) FROM (SELECT sender, gateway, (SELECT "
        "sum(sms) FROM part WHERE "
        "delivery = d.id AND state IN ('accepted', 'delivered', 'undelivered', 'expired')) AS "
        "accepted "
        "FROM delivery AS d WHERE created >= ? AND created < ? AND parts > 0) WHERE accepted > 0 "
        "GROUP BY sender, gateway ORDER BY 4 DESC, sender, gateway";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    if (!stmt)
        return spool_unreadable(spool, why);
    sqlite3_bind_int64(stmt, 1, since);
    sqlite3_bind_int64(stmt, 2, until);
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct spool_usage usage = {
            .sender = (const char *)sqlite3_column_text(stmt, 0),
            .gateway = (const char *)sqlite3_column_text(stmt, 1),
            .messages = sqlite3_column_int64(stmt, 2),
            .parts = sqlite3_column_int64(stmt, 3),
        };
        each(context, &usage);
    }
    sqlite3_reset(stmt);
    return step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}

int
spool_each_log(struct spool *spool, int count,
               void (*each)(void *context, const struct spool_log *log), void *context,
               struct outcome *why)
{
    static const char sql[] =
        "SELECT * FROM (SELECT at, queue_id, sender, number, gateway, what, detail FROM event "
        "JOIN delivery ON delivery.id = event.delivery WHERE part = 0 "
        "ORDER BY event.delivery DESC, n DESC LIMIT ?) ORDER BY at";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    if (!stmt)
        return spool_unreadable(spool, why);
    sqlite3_bind_int(stmt, 1, count);
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct spool_log log = {
            .at = sqlite3_column_int64(stmt, 0),
            .queue_id = (const char *)sqlite3_column_text(stmt, 1),
            .sender = (const char *)sqlite3_column_text(stmt, 2),
            .number = (const char *)sqlite3_column_text(stmt, 3),
            .gateway = (const char *)sqlite3_column_text(stmt, 4),
            .what = (const char *)sqlite3_column_text(stmt, 5),
            .detail = (const char *)sqlite3_column_text(stmt, 6),
        };
        each(context, &log);
    }
    sqlite3_reset(stmt);
    return step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}
