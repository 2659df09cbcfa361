/* SPDX-License-Identifier: ISC */
/* Owns every statement that only reads. Must never begin a group: a look-up sees what the open one
 * wrote anyway. */
#include "spool/private.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "delivery.id, queue_id, k1, k2, state, created, updated, sender, recipient, original, "        \
    "number, login, client, "                                                                      \
    "message_id, gateway, originator, encoding, dcs, truncated, rule, dsn, reason, class, "        \
    "warned, "                                                                                     \
    "declared, pid, phone, extra"

static char *
column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return g_strdup(text ? text : "");
}

static bool
column_key(sqlite3_stmt *stmt, int column, guint8 *key)
{
    if (sqlite3_column_bytes(stmt, column) != SPOOL_KEY)
        return false;
    memcpy(key, sqlite3_column_blob(stmt, column), SPOOL_KEY);
    return true;
}

static struct spool_delivery *
delivery_from_row(sqlite3_stmt *stmt)
{
    struct spool_delivery *delivery = spool_delivery_new();
    int column = 0;

    delivery->id = sqlite3_column_int64(stmt, column++);
    delivery->queue_id = column_text(stmt, column++);
    column_key(stmt, column++, delivery->k1);
    delivery->has_k2 = column_key(stmt, column++, delivery->k2);
    delivery->state = column_text(stmt, column++);
    delivery->created = sqlite3_column_int64(stmt, column++);
    delivery->updated = sqlite3_column_int64(stmt, column++);
    delivery->sender = column_text(stmt, column++);
    delivery->recipient = column_text(stmt, column++);
    delivery->original = column_text(stmt, column++);
    delivery->number = column_text(stmt, column++);
    delivery->login = column_text(stmt, column++);
    delivery->client = column_text(stmt, column++);
    delivery->message_id = column_text(stmt, column++);
    delivery->gateway = column_text(stmt, column++);
    delivery->originator = column_text(stmt, column++);
    delivery->encoding = column_text(stmt, column++);
    delivery->dcs = sqlite3_column_int(stmt, column++);
    delivery->truncated = sqlite3_column_int(stmt, column++);
    delivery->rule = column_text(stmt, column++);
    delivery->dsn = column_text(stmt, column++);
    delivery->reason = column_text(stmt, column++);
    delivery->class = column_text(stmt, column++);
    delivery->warned = sqlite3_column_int(stmt, column++);
    delivery->declared = column_text(stmt, column++);
    delivery->pid = sqlite3_column_int(stmt, column++);
    delivery->phone = column_text(stmt, column++);
    delivery->extra = column_text(stmt, column++);
    return delivery;
}

static enum part_state
state_by_name(const char *name)
{
    for (int state = 0; state < PART_STATES; state++)
        if (g_strcmp0(name, part_state_name((enum part_state)state)) == 0)
            return (enum part_state)state;
    return PART_UNKNOWN; /* the schema's CHECK keeps this from happening */
}

static int
load_parts(struct spool *spool, struct spool_delivery *delivery, struct outcome *why)
{
    static const char sql[] =
        "SELECT state, ref, gateway_ref, text, units, udh, since, data, sms FROM part WHERE "
        "delivery = ? ORDER BY seq";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step = SQLITE_ERROR;

    if (!stmt)
        return spool_unreadable(spool, why);
    sqlite3_bind_int64(stmt, 1, delivery->id);
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct spool_part *part = spool_delivery_add_part(delivery);

        part->state = state_by_name((const char *)sqlite3_column_text(stmt, 0));
        part->ref = column_text(stmt, 1);
        part->gateway_ref = column_text(stmt, 2);
        part->text = column_text(stmt, 3);
        part->units = (guint)sqlite3_column_int(stmt, 4);
        part->udh = g_bytes_new(sqlite3_column_blob(stmt, 5), (gsize)sqlite3_column_bytes(stmt, 5));
        part->since = sqlite3_column_int64(stmt, 6);
        part->data =
            g_bytes_new(sqlite3_column_blob(stmt, 7), (gsize)sqlite3_column_bytes(stmt, 7));
        part->sms = (guint)sqlite3_column_int(stmt, 8);
    }
    sqlite3_reset(stmt);
    return step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}

/* The first row of a statement, with its parts. */
static int
load_one(struct spool *spool, sqlite3_stmt *stmt, struct spool_delivery **ret, struct outcome *why)
{
    g_autoptr(SpoolDelivery) delivery = NULL;
    int step = sqlite3_step(stmt);

    if (step == SQLITE_ROW)
        delivery = delivery_from_row(stmt);
    sqlite3_reset(stmt);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return spool_unreadable(spool, why);
    if (delivery && load_parts(spool, delivery, why) < 0)
        return -1;
    *ret = g_steal_pointer(&delivery);
    return 0;
}

int
spool_find(struct spool *spool, const char *queue_id, const guint8 *k1, const guint8 *k2,
           gint64 since, struct spool_delivery **ret, bool *ret_by_k2, struct outcome *why)
{
    static const char by_k1[] =
        "SELECT " COLUMNS " FROM delivery WHERE queue_id = ? AND k1 = ? ORDER BY id DESC LIMIT 1";
    static const char by_k2[] =
        "SELECT " COLUMNS " FROM delivery WHERE k2 = ? AND created >= ? AND parts > 0 "
        "ORDER BY id DESC LIMIT 1";
    sqlite3_stmt *stmt = spool_statement(spool, by_k1);

    *ret = NULL;
    *ret_by_k2 = false;
    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, queue_id);
    sqlite3_bind_blob(stmt, 2, k1, SPOOL_KEY, SQLITE_STATIC);
    if (load_one(spool, stmt, ret, why) < 0)
        return -1;
    if (*ret || !k2)
        return 0;
    if (!(stmt = spool_statement(spool, by_k2)))
        return spool_unreadable(spool, why);
    sqlite3_bind_blob(stmt, 1, k2, SPOOL_KEY, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, since);
    *ret_by_k2 = true;
    return load_one(spool, stmt, ret, why);
}

int
spool_find_open(struct spool *spool, const char *queue_id, const char *sender,
                const char *recipient, struct spool_delivery **ret, struct outcome *why)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM delivery WHERE queue_id = ? AND sender = ? AND recipient = ? "
        "AND state = 'open' ORDER BY id DESC LIMIT 1";
    sqlite3_stmt *stmt = spool_statement(spool, sql);

    *ret = NULL;
    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, queue_id);
    spool_bind_text(stmt, 2, sender);
    spool_bind_text(stmt, 3, recipient);
    return load_one(spool, stmt, ret, why);
}

int
spool_get(struct spool *spool, gint64 id, struct spool_delivery **ret, struct outcome *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM delivery WHERE id = ?";
    sqlite3_stmt *stmt = spool_statement(spool, sql);

    if (!stmt)
        return spool_unreadable(spool, why);
    sqlite3_bind_int64(stmt, 1, id);
    return load_one(spool, stmt, ret, why);
}

/* The one number of a query about a delivery and one of its parts; otherwise if there is none. */
static gint64
number_about(struct spool *spool, const char *sql, gint64 delivery, int part, gint64 otherwise)
{
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    gint64 number = otherwise;

    if (!stmt)
        return otherwise;
    sqlite3_bind_int64(stmt, 1, delivery);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int(stmt, 2, part);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return number;
}

bool
spool_doubted(struct spool *spool, gint64 delivery)
{
    static const char sql[] =
        "SELECT count(*) FROM event WHERE delivery = ? AND part > 0 AND what = 'unknown'";

    return number_about(spool, sql, delivery, 0, 1) > 0;
}

gint64
spool_first_submitted(struct spool *spool, gint64 delivery, int part)
{
    static const char sql[] =
        "SELECT min(at) FROM event WHERE delivery = ? AND part = ? AND what = 'submitting'";

    return number_about(spool, sql, delivery, part, 0);
}

int
spool_crashes(struct spool *spool, const char *queue_id, const guint8 *envelope, int *ret,
              struct outcome *why)
{
    static const char sql[] = "SELECT count FROM crash WHERE queue_id = ? AND envelope = ?";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, queue_id);
    sqlite3_bind_blob(stmt, 2, envelope, SPOOL_KEY, SQLITE_STATIC);
    step = sqlite3_step(stmt);
    *ret = step == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}

/* Ids first, rows after: what each does to the ledger must not disturb the walk. */
static int
each_id(struct spool *spool, sqlite3_stmt *stmt, spool_each_fn *each, void *context,
        struct outcome *why)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    int step;

    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        gint64 id = sqlite3_column_int64(stmt, 0);
        g_array_append_val(ids, id);
    }
    sqlite3_reset(stmt);
    if (step != SQLITE_DONE)
        return spool_unreadable(spool, why);
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(SpoolDelivery) delivery = NULL;

        if (spool_get(spool, g_array_index(ids, gint64, i), &delivery, why) < 0)
            return -1;
        if (delivery && !each(context, delivery))
            break;
    }
    return 0;
}

int
spool_each_open(struct spool *spool, spool_each_fn *each, void *context, struct outcome *why)
{
    static const char sql[] =
        "SELECT id FROM delivery WHERE id >= (SELECT value FROM meta WHERE name = 'low_water') "
        "AND state = 'open' ORDER BY id";
    sqlite3_stmt *stmt = spool_statement(spool, sql);

    return stmt ? each_id(spool, stmt, each, context, why) : spool_unreadable(spool, why);
}

int
spool_each_key(struct spool *spool, const char *key, const char *number, spool_each_fn *each,
               void *context, struct outcome *why)
{
    static const char sql[] =
        "SELECT id FROM delivery WHERE id = ?2 OR queue_id = ?1 OR number = ?3 OR message_id = ?1 "
        "OR message_id = '<' || ?1 || '>' "
        "UNION SELECT delivery FROM offer WHERE queue_id = ?1 ORDER BY 1";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    gint64 id;

    if (!stmt)
        return spool_unreadable(spool, why);
    spool_bind_text(stmt, 1, key);
    if (g_ascii_string_to_signed(key, 10, 1, G_MAXINT64, &id, NULL))
        sqlite3_bind_int64(stmt, 2, id);
    if (number)
        spool_bind_text(stmt, 3, number);
    return each_id(spool, stmt, each, context, why);
}

int
spool_each_event(struct spool *spool, gint64 delivery,
                 void (*each)(void *context, const struct spool_event *event), void *context,
                 struct outcome *why)
{
    static const char sql[] =
        "SELECT at, part, what, detail FROM event WHERE delivery = ? ORDER BY n";
    sqlite3_stmt *stmt = spool_statement(spool, sql);
    int step;

    if (!stmt)
        return spool_unreadable(spool, why);
    sqlite3_bind_int64(stmt, 1, delivery);
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct spool_event event = {
            .at = sqlite3_column_int64(stmt, 0),
            .part = sqlite3_column_int(stmt, 1),
            .what = (const char *)sqlite3_column_text(stmt, 2),
            .detail = (const char *)sqlite3_column_text(stmt, 3),
        };
        each(context, &event);
    }
    sqlite3_reset(stmt);
    return step == SQLITE_DONE ? 0 : spool_unreadable(spool, why);
}
