/* SPDX-License-Identifier: ISC */
/* The ledger's fourth schema: concatenation references that a number has seen, octets of binary
 * parts, protocol identifiers. */
#include "tests/unit/spool_box.h"

#include <sqlite3.h>

#define NUMBER "+41791234567"
#define DAY    SPOOL_REFERENCE_MS

static void
expect(struct box *box, const char *number, guint16 wanted, gint64 now, guint reference, bool wide)
{
    struct outcome why;
    guint16 got = 1;
    bool got_wide = !wide;

    ck_assert_int_eq(spool_reference(box->spool, number, wanted, now - DAY, &got, &got_wide, &why),
                     0);
    ck_assert_uint_eq(got, reference);
    ck_assert(got_wide == wide);
}

static void
use(struct box *box, guint16 reference, bool wide, gint64 now)
{
    spool_reference_used(box->spool, NUMBER, reference, wide, now);
}

/* The lower octet of what the mail's own identity gives, unless that is taken. */
START_TEST(octets)
{
    struct box box = box_new();
    gint64 now = 10 * DAY;

    expect(&box, NUMBER, 0x01A7, now, 0xA7, false);
    use(&box, 0xA7, false, now);
    expect(&box, NUMBER, 0x01A7, now, 0xA8, false); /* in the same group already */
    commit(&box);
    expect(&box, NUMBER, 0x02A7, now, 0xA8, false);
    expect(&box, NUMBER, 0x02A8, now, 0xA8, false);
    expect(&box, "+41791234568", 0x01A7, now, 0xA7, false);
    /* Behind the last octet comes the first. */
    use(&box, 0xFF, false, now);
    commit(&box);
    expect(&box, NUMBER, 0xFF, now, 0x00, false);
    box_free(&box);
}
END_TEST

/* What is older than a day may come again, to the millisecond. */
START_TEST(a_day)
{
    struct box box = box_new();
    gint64 now = 10 * DAY;

    use(&box, 7, false, now);
    commit(&box);
    expect(&box, NUMBER, 7, now + DAY, 8, false);
    expect(&box, NUMBER, 7, now + DAY + 1, 7, false);
    use(&box, 7, false, now + DAY + 1); /* its day begins anew */
    commit(&box);
    expect(&box, NUMBER, 7, now + 2 * DAY, 8, false);
    ck_assert_int_eq(count_rows(box.path, "reference"), 1);
    box_free(&box);
}
END_TEST

/* All 256 taken: 16 bits, and those are not repeated either; they take no octet away. */
START_TEST(sixteen_bits)
{
    struct box box = box_new();
    gint64 now = 10 * DAY;

    use(&box, 0x1234, true, now);
    commit(&box);
    expect(&box, NUMBER, 0x1234, now, 0x34, false);
    for (guint i = 0; i < 256; i++)
        if (i != 0x33)
            use(&box, (guint16)i, false, now + i);
    commit(&box);
    expect(&box, NUMBER, 0x1234, now, 0x33, false); /* the one that is left */
    use(&box, 0x33, false, now + 300);
    commit(&box);
    expect(&box, NUMBER, 0x1234, now, 0x1235, true);
    expect(&box, NUMBER, 0xFFFF, now, 0xFFFF, true);
    use(&box, 0xFFFF, true, now);
    commit(&box);
    expect(&box, NUMBER, 0xFFFF, now, 0x0000, true);
    /* The first octet is free again a day later. */
    expect(&box, NUMBER, 0x1234, now + DAY + 1, 0x00, false);
    box_free(&box);
}
END_TEST

/* Every reference of both kinds taken: still an answer. */
START_TEST(all_taken)
{
    struct box box = box_new();
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(box.path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
                                  "WHERE i < 131071) INSERT INTO reference SELECT '" NUMBER
                                  "', i, 864000000 FROM n WHERE i < 256 OR i >= 65536",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    expect(&box, NUMBER, 0x1234, 10 * DAY, 0x1233, true);
    box_free(&box);
}
END_TEST

START_TEST(forgotten_with_the_rows)
{
    struct box box = box_new();

    use(&box, 1, false, 1000);
    use(&box, 2, true, 2000);
    commit(&box);
    while (spool_purge(box.spool, 1500))
        commit(&box);
    commit(&box);
    ck_assert_int_eq(count_rows(box.path, "reference"), 1);
    ck_assert_int_eq(count_rows(box.path, "reference WHERE reference = 65538"), 1);
    box_free(&box);
}
END_TEST

/* A delivery of one binary part and one text. */
static struct spool_delivery *
binary_delivery(void)
{
    struct spool_delivery *delivery = delivery_new("Q1", 1, 2);
    struct spool_part *part = delivery->parts->pdata[0];

    delivery->pid = 0x7D;
    delivery->dcs = 0xF5;
    delivery->encoding = g_strdup("8bit");
    g_free(part->text);
    part->text = g_strdup("");
    part->data = g_bytes_new("\0\xDE\xAD\0", 4);
    part->units = 4;
    return delivery;
}

static void
check_data(struct box *box, gint64 id, bool there)
{
    g_autoptr(SpoolDelivery) found = NULL;
    const struct spool_part *part;
    struct outcome why;

    ck_assert_int_eq(spool_get(box->spool, id, &found, &why), 0);
    ck_assert_int_eq(found->pid, 0x7D);
    ck_assert_int_eq(found->dcs, 0xF5);
    ck_assert_str_eq(found->encoding, "8bit");
    part = found->parts->pdata[0];
    ck_assert_uint_eq(g_bytes_get_size(part->data), there ? 4 : 0);
    if (there)
        ck_assert_mem_eq(g_bytes_get_data(part->data, NULL), "\0\xDE\xAD\0", 4);
    ck_assert_str_eq(part->text, "");
    ck_assert_uint_eq(g_bytes_get_size(part->udh), 6);
    part = found->parts->pdata[1];
    ck_assert_uint_eq(g_bytes_get_size(part->data), 0);
    ck_assert_str_eq(part->text, there ? "Grüße" : "");
}

/* Octets are kept as they are, are contents like a text, and go with it. */
START_TEST(octets_of_parts)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = binary_delivery();
    struct outcome why;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    check_data(&box, delivery->id, true);
    ck_assert(!spool_blank(box.spool, 2000)); /* open ones keep theirs */
    commit(&box);
    check_data(&box, delivery->id, true);
    out_set(&why, OUT_OK, "2.0.0", "ref");
    spool_verdict(box.spool, delivery, "sent", &why, 1000);
    commit(&box);
    ck_assert(spool_blank(box.spool, 2000));
    commit(&box);
    check_data(&box, delivery->id, false);
    while (spool_purge(box.spool, 2000))
        commit(&box);
    commit(&box);
    ck_assert_int_eq(count_rows(box.path, "part"), 0);
    ck_assert_int_eq(count_rows(box.path, "delivery"), 0);
    box_free(&box);
}
END_TEST

static void
exec(sqlite3 *db, const char *statements)
{
    char *error = NULL;

    ck_assert_msg(sqlite3_exec(db, statements, NULL, NULL, &error) == SQLITE_OK, "%s", error);
}

/* A ledger of the third schema, with one open and one finished delivery. */
static void
make_third_schema(const char *path)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    exec(db, "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x706f7374;");
    for (int version = 1; version <= 3; version++) {
        g_autofree char *file = g_strdup_printf("spool/migrate/%04d.sql", version);
        g_autofree char *schema = NULL;

        ck_assert(g_file_get_contents(file, &schema, NULL, NULL));
        exec(db, schema);
    }
    exec(db, "PRAGMA user_version = 3;"
             "INSERT INTO delivery VALUES (7, 'Q7', zeroblob(16), NULL, 'open', 1000, 2000, 's', "
             "'r', 'o', '" NUMBER "', '', '', '<m>', 'demo', '', 'gsm7', 16, 0, 2, '', '', '', "
             "'alarm', 1, 'copy-to');"
             "INSERT INTO delivery VALUES (8, 'Q8', zeroblob(16), NULL, 'sent', 1000, 2000, 's', "
             "'r', 'o', '" NUMBER "', '', '', '<m>', 'demo', '', 'ucs2', 8, 0, 1, '', '', '', "
             "'normal', 0, '');"
             "INSERT INTO part VALUES (7, 1, 'accepted', 'r1', 'g', 'one', 3, x'050003010201', 5);"
             "INSERT INTO part VALUES (7, 2, 'planned', 'r2', '', 'two', 3, x'050003010202', 6);"
             "INSERT INTO part VALUES (8, 1, 'accepted', 'r3', 'g', 'жук', 3, x'', 7);");
    sqlite3_close(db);
}

START_TEST(from_the_third_schema)
{
    g_autofree char *dir = unit_tmpdir();
    g_autofree char *path = g_build_filename(dir, "spool.db", NULL);
    g_autoptr(SpoolDelivery) open = NULL;
    g_autoptr(SpoolDelivery) sent = NULL;
    struct box box = {dir, path, NULL};
    const struct spool_part *part;
    struct outcome why;

    make_third_schema(path);
    ck_assert_msg(spool_open(path, true, &box.spool, &why) == 0, "%s", why.text);
    ck_assert_int_eq(spool_get(box.spool, 7, &open, &why), 0);
    ck_assert_int_eq(open->pid, 0);
    ck_assert_int_eq(open->dcs, 16);
    ck_assert_str_eq(open->class, "alarm");
    ck_assert_str_eq(open->declared, "copy-to");
    ck_assert(open->warned);
    ck_assert_uint_eq(open->parts->len, 2);
    part = open->parts->pdata[1];
    ck_assert_str_eq(part->text, "two");
    ck_assert_int_eq(part->since, 6);
    ck_assert_uint_eq(g_bytes_get_size(part->udh), 6);
    ck_assert_uint_eq(g_bytes_get_size(part->data), 0);
    ck_assert_int_eq(spool_get(box.spool, 8, &sent, &why), 0);
    ck_assert_str_eq(((struct spool_part *)sent->parts->pdata[0])->text, "жук");
    /* What is new works on it. */
    ck_assert(spool_part_to(box.spool, open, open->parts->pdata[1], PART_SUBMITTING, NULL, "", 9));
    use(&box, 7, false, DAY);
    commit(&box);
    expect(&box, NUMBER, 7, DAY, 8, false);
    spool_close(box.spool);
    /* Once more: nothing is left to do. */
    ck_assert_msg(spool_open(path, true, &box.spool, &why) == 0, "%s", why.text);
    expect(&box, NUMBER, 7, DAY, 8, false);
    spool_close(box.spool);
    unit_rmdir(dir);
}
END_TEST

UNIT_SUITE("reference", tcase_add_test(unit, octets); tcase_add_test(unit, a_day);
           tcase_add_test(unit, sixteen_bits); tcase_add_test(unit, all_taken);
           tcase_add_test(unit, forgotten_with_the_rows); tcase_add_test(unit, octets_of_parts);
           tcase_add_test(unit, from_the_third_schema))
