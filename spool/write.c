/* SPDX-License-Identifier: ISC */
/* Owns every statement that changes the ledger. Each writes its event in the same group. */
#include "spool/private.h"

#include "lib/log.h"
#include <string.h>

static void
add_event(struct spool *spool, gint64 delivery, int part, const char *what, const char *detail,
          gint64 now)
{
    static const char sql[] =
        "INSERT INTO event VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM event WHERE "
        "delivery = ?1), ?2, ?3, ?4, ?5)";
    sqlite3_stmt *stmt = spool_statement(spool, sql);

    if (!stmt)
        return;
    sqlite3_bind_int64(stmt, 1, delivery);
    sqlite3_bind_int64(stmt, 2, now);
    sqlite3_bind_int(stmt, 3, part);
    spool_bind_text(stmt, 4, what);
    spool_bind_text(stmt, 5, detail);
    spool_run(spool, stmt);
}

/* bytes may be NULL: none. */
static void
bind_bytes(sqlite3_stmt *stmt, int index, GBytes *bytes)
{
    gsize len = 0;
    const void *octets = bytes ? g_bytes_get_data(bytes, &len) : NULL;

    sqlite3_bind_blob(stmt, index, len ? octets : "", (int)len, SQLITE_STATIC);
}

static void
add_part(struct spool *spool, gint64 delivery, struct spool_part *part, gint64 now)
{
    static const char sql[] = "INSERT INTO part VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?)";
    sqlite3_stmt *stmt = spool_statement(spool, sql);

    if (!stmt)
        return;
    sqlite3_bind_int64(stmt, 1, delivery);
    sqlite3_bind_int(stmt, 2, part->seq);
    spool_bind_text(stmt, 3, part_state_name(part->state));
    spool_bind_text(stmt, 4, part->ref);
    spool_bind_text(stmt, 5, part->text);
    sqlite3_bind_int(stmt, 6, (int)part->units);
    bind_bytes(stmt, 7, part->udh);
    sqlite3_bind_int64(stmt, 8, now);
    bind_bytes(stmt, 9, part->data);
    sqlite3_bind_int(stmt, 10, (int)part->sms);
    part->since = now;
    spool_run(spool, stmt);
}

void
spool_add(struct spool *spool, struct spool_delivery *delivery, gint64 now)
{
    static const char sql[] =
        "INSERT INTO delivery (queue_id, k1, k2, state, created, updated, sender, recipient, "
        "original, number, login, "
        "client, message_id, gateway, originator, encoding, dcs, truncated, parts, rule, dsn, "
        "reason, class, declared, pid, phone, extra) "
        "VALUES (?, ?, ?, ?, ?5, ?5, ?6, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?)";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    delivery->created = delivery->updated = now;
    spool_bind_text(stmt, 1, delivery->queue_id);
    sqlite3_bind_blob(stmt, 2, delivery->k1, SPOOL_KEY, SQLITE_STATIC);
    if (delivery->has_k2)
        sqlite3_bind_blob(stmt, 3, delivery->k2, SPOOL_KEY, SQLITE_STATIC);
    spool_bind_text(stmt, 4, delivery->state);
    sqlite3_bind_int64(stmt, 5, now);
    spool_bind_text(stmt, 6, delivery->sender);
    spool_bind_text(stmt, 7, delivery->recipient);
    spool_bind_text(stmt, 8, delivery->original);
    spool_bind_text(stmt, 9, delivery->number);
    spool_bind_text(stmt, 10, delivery->login);
    spool_bind_text(stmt, 11, delivery->client);
    spool_bind_text(stmt, 12, delivery->message_id);
    spool_bind_text(stmt, 13, delivery->gateway);
    spool_bind_text(stmt, 14, delivery->originator);
    spool_bind_text(stmt, 15, delivery->encoding);
    sqlite3_bind_int(stmt, 16, delivery->dcs);
    sqlite3_bind_int(stmt, 17, delivery->truncated);
    sqlite3_bind_int(stmt, 18, (int)delivery->parts->len);
    spool_bind_text(stmt, 19, delivery->rule);
    spool_bind_text(stmt, 20, delivery->dsn);
    spool_bind_text(stmt, 21, delivery->reason);
    spool_bind_text(stmt, 22, delivery->class ? delivery->class : "normal");
    spool_bind_text(stmt, 23, delivery->declared);
    sqlite3_bind_int(stmt, 24, delivery->pid);
    spool_bind_text(stmt, 25, delivery->phone);
    spool_bind_text(stmt, 26, delivery->extra);
    spool_run(spool, stmt);
    delivery->id = sqlite3_last_insert_rowid(spool->db);
    for (guint i = 0; i < delivery->parts->len; i++)
        add_part(spool, delivery->id, delivery->parts->pdata[i], now);
    add_event(spool, delivery->id, 0,
              delivery->parts->len               ? "planned"
              : spool_delivery_dropped(delivery) ? out_status(OUT_DROPPED)
                                                 : delivery->state,
              delivery->reason, now);
}

void
spool_replan(struct spool *spool, const struct spool_delivery *delivery, const char *detail,
             gint64 now)
{
    static const char change[] =
        "UPDATE delivery SET gateway = ?1, originator = ?2, encoding = ?3, dcs = ?4, pid = ?5, "
        "truncated = ?6, parts = ?7, phone = ?8, extra = ?9, updated = ?10 WHERE id = ?11";
    /* Any other part would be in the way of a new one, and the group fails. */
    static const char drop[] = "DELETE FROM part WHERE delivery = ? AND state = 'planned'";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, drop)))
        return;
    sqlite3_bind_int64(stmt, 1, delivery->id);
    spool_run(spool, stmt);
    if (!(stmt = spool_statement(spool, change)))
        return;
    spool_bind_text(stmt, 1, delivery->gateway);
    spool_bind_text(stmt, 2, delivery->originator);
    spool_bind_text(stmt, 3, delivery->encoding);
    sqlite3_bind_int(stmt, 4, delivery->dcs);
    sqlite3_bind_int(stmt, 5, delivery->pid);
    sqlite3_bind_int(stmt, 6, delivery->truncated);
    sqlite3_bind_int(stmt, 7, (int)delivery->parts->len);
    spool_bind_text(stmt, 8, delivery->phone);
    spool_bind_text(stmt, 9, delivery->extra);
    sqlite3_bind_int64(stmt, 10, now);
    sqlite3_bind_int64(stmt, 11, delivery->id);
    spool_run(spool, stmt);
    for (guint i = 0; i < delivery->parts->len; i++)
        add_part(spool, delivery->id, delivery->parts->pdata[i], now);
    add_event(spool, delivery->id, 0, "moved", detail, now);
}

void
spool_offered(struct spool *spool, const struct spool_delivery *delivery, const char *queue_id,
              const guint8 *k1, gint64 now)
{
    static const char offer[] = "INSERT OR IGNORE INTO offer VALUES (?, ?, ?)";
    static const char touch[] =
        "UPDATE delivery SET updated = ?, dsn = iif(state = 'open', '', dsn) WHERE id = ?";
    sqlite3_stmt *stmt;

    if (!spool_group(spool))
        return;
    if (memcmp(k1, delivery->k1, SPOOL_KEY) != 0 && (stmt = spool_statement(spool, offer))) {
        spool_bind_text(stmt, 1, queue_id);
        sqlite3_bind_blob(stmt, 2, k1, SPOOL_KEY, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 3, delivery->id);
        spool_run(spool, stmt);
    }
    if ((stmt = spool_statement(spool, touch))) {
        sqlite3_bind_int64(stmt, 1, now);
        sqlite3_bind_int64(stmt, 2, delivery->id);
        spool_run(spool, stmt);
    }
    add_event(spool, delivery->id, 0, "offered again", queue_id, now);
}

bool
spool_part_to(struct spool *spool, const struct spool_delivery *delivery, struct spool_part *part,
              enum part_state state, const char *gateway_ref, const char *detail, gint64 now)
{
    static const char sql[] =
        "UPDATE part SET state = ?1, gateway_ref = coalesce(?2, gateway_ref), "
        "since = ?6 WHERE delivery = ?3 AND seq = ?4 AND state = ?5";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return true;
    spool_bind_text(stmt, 1, part_state_name(state));
    if (gateway_ref)
        spool_bind_text(stmt, 2, gateway_ref);
    sqlite3_bind_int64(stmt, 3, delivery->id);
    sqlite3_bind_int(stmt, 4, part->seq);
    spool_bind_text(stmt, 5, part_state_name(part->state));
    sqlite3_bind_int64(stmt, 6, now);
    spool_run(spool, stmt);
    if (!spool->failed && sqlite3_changes(spool->db) != 1) {
        log_err("ledger: part %d of %" G_GINT64_FORMAT " is not %s", part->seq, delivery->id,
                part_state_name(part->state));
        return false;
    }
    add_event(spool, delivery->id, part->seq, part_state_name(state), detail, now);
    part->state = state;
    part->since = now;
    if (gateway_ref) {
        g_free(part->gateway_ref);
        part->gateway_ref = g_strdup(gateway_ref);
    }
    return true;
}

void
spool_verdict(struct spool *spool, struct spool_delivery *delivery, const char *state,
              const struct outcome *verdict, gint64 now)
{
    static const char sql[] = "UPDATE delivery SET state = coalesce(?1, state), dsn = ?2, reason = "
                              "?3, updated = ?4 WHERE id = ?5";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    if (state)
        spool_bind_text(stmt, 1, state);
    spool_bind_text(stmt, 2, verdict->dsn);
    spool_bind_text(stmt, 3, verdict->text);
    sqlite3_bind_int64(stmt, 4, now);
    sqlite3_bind_int64(stmt, 5, delivery->id);
    spool_run(spool, stmt);
    g_autofree char *detail = g_strdup_printf("%s %s", verdict->dsn, verdict->text);
    add_event(spool, delivery->id, 0, out_status(verdict->kind), detail, now);
    if (state) {
        g_free(delivery->state);
        delivery->state = g_strdup(state);
    }
}

void
spool_note(struct spool *spool, gint64 delivery, const char *what, const char *detail, gint64 now)
{
    if (spool_group(spool))
        add_event(spool, delivery, 0, what, detail, now);
}

void
spool_crashed(struct spool *spool, const char *queue_id, const guint8 *envelope, gint64 now)
{
    static const char sql[] = "INSERT INTO crash VALUES (?1, ?2, 1, ?3) "
                              "ON CONFLICT DO UPDATE SET count = count + 1, at = ?3";
    sqlite3_stmt *stmt;

    if (!spool_group(spool) || !(stmt = spool_statement(spool, sql)))
        return;
    spool_bind_text(stmt, 1, queue_id);
    sqlite3_bind_blob(stmt, 2, envelope, SPOOL_KEY, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, now);
    spool_run(spool, stmt);
}

void
spool_low_water(struct spool *spool)
{
    static const char sql[] = "UPDATE meta SET value = coalesce("
                              "(SELECT min(id) FROM delivery WHERE state = 'open' AND id >= "
                              "(SELECT value FROM meta WHERE name = 'low_water')),"
                              "(SELECT max(id) + 1 FROM delivery), 1) WHERE name = 'low_water'";
    sqlite3_stmt *stmt;

    if (spool_group(spool) && (stmt = spool_statement(spool, sql)))
        spool_run(spool, stmt);
}
