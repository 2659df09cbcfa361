/* SPDX-License-Identifier: ISC */
/* Owns the rows about mail that SMTP rules disposed of or declared while its sender was there. Must
 * never keep anything of a mail's contents. */
#include "spool/private.h"

void
spool_filtered_add(struct spool *spool, const struct spool_filtered *filtered, gint64 now)
{
    static const char sql[] =
        "INSERT INTO filtered (at, queue_id, message_id, sender, recipients, numbers, effect, "
        "class, rule, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    sqlite3_bind_int64(stmt, 1, now);
    spool_bind_text(stmt, 2, filtered->queue_id);
    spool_bind_text(stmt, 3, filtered->message_id);
    spool_bind_text(stmt, 4, filtered->sender);
    spool_bind_text(stmt, 5, filtered->recipients);
    spool_bind_text(stmt, 6, filtered->numbers);
    spool_bind_text(stmt, 7, filtered->effect);
    spool_bind_text(stmt, 8, filtered->class);
    spool_bind_text(stmt, 9, filtered->rule);
    spool_bind_text(stmt, 10, filtered->detail);
    spool_run(spool, stmt);
}

int
spool_filtered_class(struct spool *spool, const char *queue_id, const char **ret,
                     struct outcome *why)
{
    static const char sql[] = "SELECT class FROM filtered WHERE queue_id = ? AND class <> '' "
                              "ORDER BY id DESC LIMIT 1";
    static const char *const classes[] = {"copy-to", "list"};
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, queue_id);
    step = sqlite3_step(stmt);
    *ret = "";
    for (guint i = 0; step == SQLITE_ROW && i < G_N_ELEMENTS(classes); i++)
        if (g_strcmp0((const char *)sqlite3_column_text(stmt, 0), classes[i]) == 0)
            *ret = classes[i];
    sqlite3_reset(stmt);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}

int
spool_each_filtered(struct spool *spool, const char *key, const char *number,
                    bool (*each)(void *context, const struct spool_filtered *filtered),
                    void *context, struct outcome *why)
{
    static const char sql[] =
        "SELECT id, at, queue_id, message_id, sender, recipients, numbers, effect, class, rule, "
        "detail FROM filtered WHERE queue_id = ?1 OR message_id = ?1 OR message_id = '<' || ?1 || "
        "'>' OR instr(char(10) || numbers || char(10), char(10) || ?2 || char(10)) ORDER BY id";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    bool more = true;
    int step = SQLITE_DONE;

    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, key);
    if (number)
        spool_bind_text(stmt, 2, number);
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct spool_filtered filtered = {
            .id = sqlite3_column_int64(stmt, 0),
            .at = sqlite3_column_int64(stmt, 1),
            .queue_id = (const char *)sqlite3_column_text(stmt, 2),
            .message_id = (const char *)sqlite3_column_text(stmt, 3),
            .sender = (const char *)sqlite3_column_text(stmt, 4),
            .recipients = (const char *)sqlite3_column_text(stmt, 5),
            .numbers = (const char *)sqlite3_column_text(stmt, 6),
            .effect = (const char *)sqlite3_column_text(stmt, 7),
            .class = (const char *)sqlite3_column_text(stmt, 8),
            .rule = (const char *)sqlite3_column_text(stmt, 9),
            .detail = (const char *)sqlite3_column_text(stmt, 10),
        };
        more = each(context, &filtered);
    }
    sqlite3_reset(stmt);
    return !more || step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}
