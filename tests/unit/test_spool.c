/* SPDX-License-Identifier: ISC */
/* The ledger: what is kept, what is refused, what a failed group leaves behind. */
#include "spool/spool.h"
#include "tests/unit/check_all.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct box {
    char *dir, *path;
    struct spool *spool;
};

static struct box
box_new(void)
{
    struct box box = {unit_tmpdir(), NULL, NULL};
    struct outcome why;

    box.path = g_build_filename(box.dir, "spool.db", NULL);
    ck_assert_msg(spool_create(box.path, -1, -1, &why) == 0, "%s", why.text);
    ck_assert_msg(spool_open(box.path, true, &box.spool, &why) == 0, "%s", why.text);
    return box;
}

static void
box_free(struct box *box)
{
    spool_close(box->spool);
    unit_rmdir(box->dir);
    g_free(box->path);
    g_free(box->dir);
}

static struct spool_delivery *
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

static struct spool_delivery *
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

static void
commit(struct box *box)
{
    struct outcome why;

    ck_assert_msg(spool_commit(box->spool, &why) == 0, "%s", why.text);
}

START_TEST(kept_as_written)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 2);
    g_autoptr(SpoolDelivery) found = NULL;
    const struct spool_part *part;
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    found = find(&box, "Q1", 1, &by_k2);
    ck_assert(!by_k2);
    ck_assert_int_eq(found->id, delivery->id);
    ck_assert_int_eq(found->created, 1000);
    ck_assert_str_eq(found->number, "+41791234567");
    ck_assert_uint_eq(found->parts->len, 2);
    part = found->parts->pdata[0];
    ck_assert_str_eq(part->text, "Grüße");
    ck_assert_uint_eq(g_bytes_get_size(part->udh), 6);
    ck_assert_int_eq(part->state, PART_PLANNED);
    ck_assert_uint_eq(g_bytes_get_size(((struct spool_part *)found->parts->pdata[1])->udh), 0);
    box_free(&box);
}
END_TEST

START_TEST(known_by_content)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) refused = delivery_new("Q9", 7, 0);
    g_autoptr(SpoolDelivery) requeued = NULL;
    guint8 other[SPOOL_KEY];
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    spool_add(box.spool, refused, 1000);
    commit(&box);
    requeued = find(&box, "Q2", 1, &by_k2);
    ck_assert(by_k2);
    ck_assert_int_eq(requeued->id, delivery->id);
    memset(other, 9, SPOOL_KEY);
    spool_offered(box.spool, requeued, "Q2", other, 2000);
    commit(&box);
    /* One that was only refused is decided again, and one from before "since" is forgotten. */
    ck_assert_ptr_null(find(&box, "Q3", 7, &by_k2));
    g_autoptr(SpoolDelivery) old = delivery_new("Q5", 5, 1);
    spool_add(box.spool, old, 100);
    commit(&box);
    ck_assert_ptr_null(find(&box, "Q6", 5, &by_k2));
    box_free(&box);
}
END_TEST

START_TEST(states_go_forward_only)
{
    static const struct {
        enum part_state from, to;
        bool allowed;
    } rows[] = {
        {PART_PLANNED, PART_SUBMITTING, true},    {PART_SUBMITTING, PART_ACCEPTED, true},
        {PART_SUBMITTING, PART_PLANNED, true},    {PART_SUBMITTING, PART_UNKNOWN, true},
        {PART_UNKNOWN, PART_ACCEPTED, true},      {PART_ACCEPTED, PART_DELIVERED, true},
        {PART_ACCEPTED, PART_SUBMITTING, false},  {PART_ACCEPTED, PART_PLANNED, false},
        {PART_DELIVERED, PART_SUBMITTING, false}, {PART_FAILED, PART_PLANNED, false},
        {PART_CANCELLED, PART_SUBMITTING, false}, {PART_GAVE_UP, PART_SUBMITTING, false},
        {PART_GAVE_UP, PART_DELIVERED, true},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct box box = box_new();
        g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
        struct spool_part *part = delivery->parts->pdata[0];
        struct outcome why;

        part->state = rows[i].from;
        spool_add(box.spool, delivery, 1000);
        commit(&box);
        spool_part_to(box.spool, delivery, part, rows[i].to, NULL, "", 1001);
        ck_assert_msg((spool_commit(box.spool, &why) == 0) == rows[i].allowed, "%s to %s",
                      part_state_name(rows[i].from), part_state_name(rows[i].to));
        box_free(&box);
    }
}
END_TEST

START_TEST(failed_group_leaves_nothing)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) next = delivery_new("Q2", 2, 1);
    struct spool_part wrong = *(struct spool_part *)delivery->parts->pdata[0];
    struct outcome why;
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    spool_add(box.spool, next, 1001);
    wrong.state = PART_SUBMITTING; /* the ledger says planned */
    spool_part_to(box.spool, delivery, &wrong, PART_ACCEPTED, "x", "", 1002);
    ck_assert_int_eq(spool_commit(box.spool, &why), -1);
    ck_assert_int_eq(why.kind, OUT_BUG);
    ck_assert_ptr_null(find(&box, "Q2", 2, &by_k2));
    /* The next group is not touched by it. */
    spool_add(box.spool, next, 1003);
    commit(&box);
    g_autoptr(SpoolDelivery) found = find(&box, "Q2", 2, &by_k2);
    ck_assert_ptr_nonnull(found);
    box_free(&box);
}
END_TEST

START_TEST(crash_marks)
{
    struct box box = box_new();
    guint8 envelope[SPOOL_KEY] = {1};
    struct outcome why;
    int count = -1;

    ck_assert_int_eq(spool_crashes(box.spool, "Q1", envelope, &count, &why), 0);
    ck_assert_int_eq(count, 0);
    for (int i = 1; i <= 3; i++) {
        spool_crashed(box.spool, "Q1", envelope, 1000 + i);
        commit(&box);
        ck_assert_int_eq(spool_crashes(box.spool, "Q1", envelope, &count, &why), 0);
        ck_assert_int_eq(count, i);
    }
    ck_assert_int_eq(spool_crashes(box.spool, "Q2", envelope, &count, &why), 0);
    ck_assert_int_eq(count, 0);
    box_free(&box);
}
END_TEST

static bool
count_one(void *context, const struct spool_delivery *delivery)
{
    ck_assert_int_gt(delivery->id, 0);
    ++*(guint *)context;
    return true;
}

static void
count_event(void *context, const struct spool_event *event)
{
    ck_assert_ptr_nonnull(event->what);
    ++*(guint *)context;
}

START_TEST(open_ones_and_keys)
{
    static const struct {
        const char *key;
        guint found;
    } keys[] = {{"Q1", 1},
                {"Q2", 2},
                {"2", 1},
                {"+41791234567", 3},
                {"<a@example.com>", 3},
                {"a@example.com", 3},
                {"nothing", 0}};
    struct box box = box_new();
    g_autoptr(SpoolDelivery) first = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) second = delivery_new("Q2", 2, 1);
    g_autoptr(SpoolDelivery) third = delivery_new("Q3", 3, 1);
    struct outcome why;
    guint count = 0;

    spool_add(box.spool, first, 1000);
    spool_add(box.spool, second, 1001);
    spool_add(box.spool, third, 1002);
    spool_offered(box.spool, third, "Q2", second->k1, 1003);
    out_set(&why, OUT_OK, "2.0.0", "ref 1");
    spool_verdict(box.spool, first, "sent", &why, 1004);
    spool_low_water(box.spool);
    commit(&box);
    ck_assert_int_eq(spool_each_open(box.spool, count_one, &count, &why), 0);
    ck_assert_uint_eq(count, 2);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        count = 0;
        ck_assert_int_eq(spool_each_key(box.spool, keys[i].key, count_one, &count, &why), 0);
        ck_assert_msg(count == keys[i].found, "%s: %u", keys[i].key, count);
    }
    count = 0;
    ck_assert_int_eq(spool_each_event(box.spool, first->id, count_event, &count, &why), 0);
    ck_assert_uint_eq(count, 2); /* planned, sent */
    box_free(&box);
}
END_TEST

static void
sql(const char *path, const char *statement)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(what_cannot_be_opened)
{
    struct box box = box_new();
    g_autofree char *other = g_build_filename(box.dir, "other.db", NULL);
    struct spool *spool = NULL;
    struct outcome why;

    ck_assert_int_eq(spool_create(box.path, -1, -1, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "is there already"));
    ck_assert_int_eq(spool_open(other, true, &spool, &why), -1);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_ptr_nonnull(strstr(why.text, "postsms init"));
    ck_assert_int_ne(access(other, F_OK), 0);
    sql(other, "CREATE TABLE x (y)");
    ck_assert_int_eq(spool_open(other, true, &spool, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "not a ledger"));
    spool_close(box.spool);
    sql(box.path, "PRAGMA user_version = 999");
    ck_assert_int_eq(spool_open(box.path, true, &box.spool, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "install the newer postsms"));
    ck_assert_str_eq(why.dsn, "4.3.5");
    g_file_set_contents(other, "this is no database, however long it may be ......................",
                        -1, NULL);
    ck_assert_int_eq(spool_open(other, true, &spool, &why), -1);
    box.spool = NULL;
    box_free(&box);
}
END_TEST

START_TEST(events_stay)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
    sqlite3 *db;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    ck_assert_int_eq(sqlite3_open(box.path, &db), SQLITE_OK);
    ck_assert_int_ne(sqlite3_exec(db, "UPDATE event SET what = 'x'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    box_free(&box);
}
END_TEST

START_TEST(replaced_while_open)
{
    struct box box = box_new();
    struct outcome why;

    ck_assert_int_eq(spool_usable(box.spool, &why), 0);
    ck_assert_int_eq(unlink(box.path), 0);
    ck_assert_int_eq(spool_usable(box.spool, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "restart postsmsd"));
    ck_assert_int_eq(spool_create(box.path, -1, -1, &why), 0);
    ck_assert_int_eq(spool_usable(box.spool, &why), -1);
    box_free(&box);
}
END_TEST

UNIT_SUITE("spool", tcase_add_test(unit, kept_as_written); tcase_add_test(unit, known_by_content);
           tcase_add_test(unit, states_go_forward_only);
           tcase_add_test(unit, failed_group_leaves_nothing); tcase_add_test(unit, crash_marks);
           tcase_add_test(unit, open_ones_and_keys); tcase_add_test(unit, what_cannot_be_opened);
           tcase_add_test(unit, events_stay); tcase_add_test(unit, replaced_while_open))
