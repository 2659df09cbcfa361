/* SPDX-License-Identifier: ISC */
/* A ledger of a test's own, and deliveries to put into it. */
#ifndef TESTS_UNIT_SPOOL_BOX_H
#define TESTS_UNIT_SPOOL_BOX_H

#include "spool/spool.h"
#include "tests/unit/check_all.h"

#include <sqlite3.h>
#include <string.h>

struct box {
    char *dir, *path;
    struct spool *spool;
};

static inline struct box
box_new(void)
{
    struct box box = {unit_tmpdir(), NULL, NULL};
    struct outcome why;

    box.path = g_build_filename(box.dir, "spool.db", NULL);
    ck_assert_msg(spool_create(box.path, -1, -1, &why) == 0, "%s", why.text);
    ck_assert_msg(spool_open(box.path, true, &box.spool, &why) == 0, "%s", why.text);
    return box;
}

static inline void
box_free(struct box *box)
{
    spool_close(box->spool);
    unit_rmdir(box->dir);
    g_free(box->path);
    g_free(box->dir);
}

static inline struct spool_delivery *
delivery_new(const char *queue_id, guint8 key, guint parts)
{
    struct spool_delivery *delivery = spool_delivery_new();

    delivery->queue_id = g_strdup(queue_id);
    memset(delivery->k1, key, SPOOL_KEY);
    memset(delivery->k2, key + 100, SPOOL_KEY);
    delivery->has_k2 = true;
    delivery->state = g_strdup("open");
    delivery->number = g_strdup("+41791234567");
    delivery->message_id = g_strdup("<a@example.com>");
    delivery->gateway = g_strdup("demo");
    for (guint i = 0; i < parts; i++) {
        struct spool_part *part = spool_delivery_add_part(delivery);

        part->ref = g_strdup_printf("ref%u", i);
        part->gateway_ref = g_strdup("");
        part->text = g_strdup("Grüße");
        part->units = 5;
        part->udh = g_bytes_new("\5\0\3\1\2\1", i == 0 ? 6 : 0);
    }
    return delivery;
}

static inline struct spool_delivery *
find(struct box *box, const char *queue_id, guint8 key, bool *ret_by_k2)
{
    struct spool_delivery *found = NULL;
    guint8 k1[SPOOL_KEY], k2[SPOOL_KEY];
    struct outcome why;

    memset(k1, key, SPOOL_KEY);
    memset(k2, key + 100, SPOOL_KEY);
    ck_assert_int_eq(spool_find(box->spool, queue_id, k1, k2, 500, &found, ret_by_k2, &why), 0);
    return found;
}

static inline void
commit(struct box *box)
{
    struct outcome why;

    ck_assert_msg(spool_commit(box->spool, &why) == 0, "%s", why.text);
}

static inline gint64
count_rows(const char *path, const char *table)
{
    g_autofree char *statement = g_strdup_printf("SELECT count(*) FROM %s", table);
    sqlite3_stmt *stmt;
    sqlite3 *db;
    gint64 count;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, statement, -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    count = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return count;
}

#endif
