/* SPDX-License-Identifier: ISC */
/* The ledger: what is kept, what is refused, what a failed group leaves behind. */
#include "spool/spool.h"
#include "tests/unit/spool_box.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    g_autoptr(SpoolDelivery) third = delivery_new("Q3", 3, 1);
    struct spool_part wrong = *(struct spool_part *)delivery->parts->pdata[0];
    struct outcome why;
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    spool_add(box.spool, next, 1001);
    /* Another state in the ledger than in memory costs that change alone. */
    wrong.state = PART_SUBMITTING;
    ck_assert(!spool_part_to(box.spool, delivery, &wrong, PART_ACCEPTED, "x", "", 1002));
    ck_assert_int_eq(spool_commit(box.spool, &why), 0);
    ck_assert(spool_part_to(box.spool, delivery, delivery->parts->pdata[0], PART_SUBMITTING, NULL,
                            "", 1003));
    ck_assert(spool_part_to(box.spool, delivery, delivery->parts->pdata[0], PART_ACCEPTED, "x", "",
                            1004));
    spool_add(box.spool, third, 1005);
    spool_part_to(box.spool, delivery, delivery->parts->pdata[0], PART_PLANNED, NULL, "", 1006);
    ck_assert_int_eq(spool_commit(box.spool, &why), -1);
    ck_assert_ptr_null(find(&box, "Q3", 3, &by_k2));
    /* The next group is not touched by it. */
    spool_add(box.spool, third, 1007);
    commit(&box);
    g_autoptr(SpoolDelivery) found = find(&box, "Q3", 3, &by_k2);
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
        ck_assert_int_eq(
            spool_each_key(box.spool, keys[i].key, keys[i].key, count_one, &count, &why), 0);
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

/* A ledger as the first version made it, with a delivery in every state of interest. */
static void
make_first_schema(const char *path)
{
    g_autofree char *schema = NULL;
    g_autofree char *whole = NULL;

    ck_assert(g_file_get_contents("spool/migrate/0001.sql", &schema, NULL, NULL));
    whole = g_strconcat(
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x706f7374; BEGIN;", schema,
        "PRAGMA user_version = 1;"
        "INSERT INTO delivery VALUES (7, 'Q7', zeroblob(16), x'0102030405060708090a0b0c0d0e0f10', "
        "'open', "
        "1000, 2000, 's', 'r', 'o', '+41791234567', '', '', '<m>', 'demo', '', 'gsm7', 0, 0, 2, "
        "'', '', '');"
        "INSERT INTO part VALUES (7, 1, 'accepted', 'r1', 'g1', 'one', 3, x'050003010201');"
        "INSERT INTO part VALUES (7, 2, 'planned', 'r2', '', 'two', 3, x'050003010202');"
        "INSERT INTO event VALUES (7, 1, 1000, 0, 'planned', '');"
        "INSERT INTO crash VALUES ('Q8', zeroblob(16), 2, 1000); COMMIT;",
        NULL);
    sql(path, whole);
}

START_TEST(migration_keeps_rows)
{
    g_autofree char *dir = unit_tmpdir();
    g_autofree char *path = g_build_filename(dir, "spool.db", NULL);
    g_autoptr(SpoolDelivery) delivery = NULL;
    struct spool *spool = NULL;
    const char *class = NULL;
    struct outcome why;
    guint8 nobody[SPOOL_KEY] = {0};
    int crashes = 0;

    make_first_schema(path);
    ck_assert_int_eq(spool_open(path, false, &spool, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "postsmsd brings it to"));
    ck_assert_msg(spool_open(path, true, &spool, &why) == 0, "%s", why.text);
    ck_assert_int_eq(spool_get(spool, 7, &delivery, &why), 0);
    ck_assert_uint_eq(delivery->parts->len, 2);
    ck_assert_str_eq(delivery->class, "normal");
    ck_assert(!delivery->warned);
    ck_assert_str_eq(delivery->declared, "");
    ck_assert_int_eq(spool_filtered_class(spool, "Q7", &class, &why), 0);
    ck_assert_str_eq(class, "");
    ck_assert_int_eq(((struct spool_part *)delivery->parts->pdata[1])->state, PART_PLANNED);
    ck_assert_int_eq(((struct spool_part *)delivery->parts->pdata[1])->since, 2000);
    ck_assert_int_eq(spool_crashes(spool, "Q8", nobody, &crashes, &why), 0);
    ck_assert_int_eq(crashes, 2);
    spool_part_to(spool, delivery, delivery->parts->pdata[1], PART_SUBMITTING, NULL, "", 3000);
    ck_assert_msg(spool_commit(spool, &why) == 0, "%s", why.text);
    spool_close(spool);
    unit_rmdir(dir);
}
END_TEST

/* count deliveries of this age, every hundredth one still open. */
static void
add_many(struct box *box, guint count, gint64 now)
{
    struct outcome why;

    out_set(&why, OUT_OK, "2.0.0", "ref");
    for (guint i = 0; i < count; i++) {
        g_autofree char *queue_id = g_strdup_printf("%" G_GINT64_FORMAT "-%u", now, i);
        g_autoptr(SpoolDelivery) delivery = delivery_new(queue_id, (guint8)i, 2);

        spool_add(box->spool, delivery, now);
        if (i % 100 != 0)
            spool_verdict(box->spool, delivery, "sent", &why, now);
    }
    commit(box);
}

START_TEST(old_rows_go)
{
    struct box box = box_new();
    guint steps = 0;

    add_many(&box, 3000, 1000);
    add_many(&box, 50, 5000);
    while (spool_blank(box.spool, 2000)) {
        commit(&box);
        ck_assert_uint_lt(++steps, 100);
    }
    steps = 0;
    while (spool_purge(box.spool, 2000)) {
        commit(&box);
        ck_assert_uint_lt(++steps, 100);
    }
    commit(&box);
    /* The first step of a walk meets open ones: they stay, whatever their age. */
    ck_assert_int_eq(count_rows(box.path, "delivery WHERE state = 'open' AND created = 1000"), 30);
    ck_assert_int_eq(count_rows(box.path, "delivery WHERE created = 5000"), 50);
    ck_assert_int_eq(count_rows(box.path, "delivery WHERE state <> 'open' AND created = 1000"), 0);
    ck_assert_int_eq(count_rows(box.path, "part"), 2 * 80);
    ck_assert_int_eq(count_rows(box.path, "part WHERE text = ''"), 0);
    box_free(&box);
}
END_TEST

START_TEST(texts_go_before_rows)
{
    struct box box = box_new();

    for (int i = 0; i < 3; i++) {
        g_autoptr(SpoolDelivery) delivery = delivery_new("Q", (guint8)i, 1);
        struct outcome why;

        spool_add(box.spool, delivery, 1000 + i * 1000);
        out_set(&why, OUT_OK, "2.0.0", "ref");
        spool_verdict(box.spool, delivery, "sent", &why, 1000 + i * 1000);
    }
    commit(&box);
    ck_assert(spool_blank(box.spool, 2500));
    ck_assert(!spool_blank(box.spool, 2500));
    commit(&box);
    ck_assert_int_eq(count_rows(box.path, "part WHERE text = ''"), 2);
    ck_assert_int_eq(count_rows(box.path, "delivery"), 3);
    box_free(&box);
}
END_TEST

START_TEST(clock_jumps)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) open = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) sent = delivery_new("Q2", 2, 1);
    g_autoptr(SpoolDelivery) found = NULL;
    struct outcome why;

    spool_add(box.spool, open, 100000);
    spool_add(box.spool, sent, 100000);
    out_set(&why, OUT_OK, "2.0.0", "ref");
    spool_verdict(box.spool, sent, "sent", &why, 100000);
    spool_clock_jumped(box.spool, 86400000);
    commit(&box);
    ck_assert_int_eq(spool_get(box.spool, open->id, &found, &why), 0);
    ck_assert_int_eq(found->created, 86500000);
    ck_assert_int_eq(((struct spool_part *)found->parts->pdata[0])->since, 86500000);
    g_clear_pointer(&found, spool_delivery_free);
    ck_assert_int_eq(spool_get(box.spool, sent->id, &found, &why), 0);
    ck_assert_int_eq(found->created, 100000);
    spool_clock_jumped(box.spool, -86400000);
    commit(&box);
    g_clear_pointer(&found, spool_delivery_free);
    ck_assert_int_eq(spool_get(box.spool, open->id, &found, &why), 0);
    ck_assert_int_eq(found->created, 100000);
    box_free(&box);
}
END_TEST

START_TEST(outbox)
{
    struct box box = box_new();
    struct spool_mail mail;
    struct outcome why;

    ck_assert_int_eq(spool_outbox_first(box.spool, &mail, &why), 0);
    ck_assert_int_eq(mail.id, 0);
    spool_outbox_add(box.spool, "a@example.com", "Subject: one\n\n", 1000);
    spool_outbox_add(box.spool, "b@example.com", "Subject: two\n\n", 1001);
    commit(&box);
    ck_assert_int_eq(spool_outbox_first(box.spool, &mail, &why), 0);
    ck_assert_str_eq(mail.recipient, "a@example.com");
    ck_assert_str_eq(mail.message, "Subject: one\n\n");
    spool_outbox_done(box.spool, mail.id);
    commit(&box);
    g_free(mail.recipient);
    g_free(mail.message);
    ck_assert_int_eq(spool_outbox_first(box.spool, &mail, &why), 0);
    ck_assert_str_eq(mail.recipient, "b@example.com");
    g_free(mail.recipient);
    g_free(mail.message);
    box_free(&box);
}
END_TEST

START_TEST(backup_is_a_ledger)
{
    struct box box = box_new();
    g_autofree char *copy = g_build_filename(box.dir, "copy.db", NULL);
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
    struct spool *spool = NULL;
    struct outcome why;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    ck_assert_msg(spool_backup(box.spool, copy, &why) == 0, "%s", why.text);
    ck_assert_int_eq(spool_backup(box.spool, copy, &why), -1);
    ck_assert_msg(spool_open(copy, true, &spool, &why) == 0, "%s", why.text);
    spool_close(spool);
    ck_assert_int_eq(count_rows(copy, "delivery"), 1);
    box_free(&box);
}
END_TEST

UNIT_SUITE("spool", tcase_add_test(unit, migration_keeps_rows); tcase_add_test(unit, old_rows_go);
           tcase_add_test(unit, texts_go_before_rows); tcase_add_test(unit, clock_jumps);
           tcase_add_test(unit, outbox); tcase_add_test(unit, backup_is_a_ledger);
           tcase_add_test(unit, kept_as_written); tcase_add_test(unit, known_by_content);
           tcase_add_test(unit, states_go_forward_only);
           tcase_add_test(unit, failed_group_leaves_nothing); tcase_add_test(unit, crash_marks);
           tcase_add_test(unit, open_ones_and_keys); tcase_add_test(unit, what_cannot_be_opened);
           tcase_add_test(unit, events_stay); tcase_add_test(unit, replaced_while_open))
