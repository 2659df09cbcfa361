/* SPDX-License-Identifier: ISC */
/* The ledger's rows about mail that SMTP rules disposed of, and deliveries that they dropped. */
#include "tests/unit/spool_box.h"

static void
add_filtered(struct box *box, const char *queue_id, const char *effect, const char *class,
             gint64 now)
{
    const struct spool_filtered filtered = {
        .queue_id = queue_id,
        .message_id = "<f@example.com>",
        .sender = "joe@example.com",
        .recipients = "+41791234567@sms.example.com\n079 765 43 21@sms.example.com",
        .numbers = "+41791234567\n+41797654321",
        .effect = effect,
        .class = class,
        .rule = "smtp.rules:7",
        .detail = "[SPAM-FILTER-RULES]",
    };

    spool_filtered_add(box->spool, &filtered, now);
}

static bool
list_filtered(void *context, const struct spool_filtered *filtered)
{
    g_string_append_printf(context, "%s %s %s %s %" G_GINT64_FORMAT ";", filtered->queue_id,
                           filtered->effect, filtered->class, filtered->rule, filtered->at);
    return true;
}

static bool
stop_at_once(void *context, const struct spool_filtered *filtered)
{
    ck_assert_str_eq(filtered->detail, "[SPAM-FILTER-RULES]");
    ++*(guint *)context;
    return false;
}

START_TEST(filtered_mail)
{
    static const char q1[] = "Q1 declare copy-to smtp.rules:7 1000;"
                             "Q1 declare list smtp.rules:7 1001;Q1 remove  smtp.rules:7 1002;";
    static const char all[] = "Q1 declare copy-to smtp.rules:7 1000;"
                              "Q1 declare list smtp.rules:7 1001;Q1 remove  smtp.rules:7 1002;"
                              "Q2 delete  smtp.rules:7 1003;";
    static const struct {
        const char *key, *number, *rows;
    } keys[] = {
        {"Q1", NULL, q1},
        {"<f@example.com>", NULL, all},
        {"f@example.com", NULL, all},
        {"0791234567", "+41791234567", all},
        {"0797654321", "+41797654321", all},
        {"+4179123456", "+4179123456", ""}, /* the beginning of a number is not the number */
        {"1", NULL, ""},
        {"", NULL, ""},
    };
    struct box box = box_new();
    const char *class = NULL;
    struct outcome why;
    guint count = 0;

    add_filtered(&box, "Q1", "declare", "copy-to", 1000);
    add_filtered(&box, "Q1", "declare", "list", 1001);
    add_filtered(&box, "Q1", "remove", "", 1002);
    add_filtered(&box, "Q2", "delete", "", 1003);
    commit(&box);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GString) rows = g_string_new(NULL);

        ck_assert_int_eq(
            spool_each_filtered(box.spool, keys[i].key, keys[i].number, list_filtered, rows, &why),
            0);
        ck_assert_str_eq(rows->str, keys[i].rows);
    }
    ck_assert_int_eq(spool_each_filtered(box.spool, "Q1", NULL, stop_at_once, &count, &why), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(spool_filtered_class(box.spool, "Q1", &class, &why), 0);
    ck_assert_str_eq(class, "list");
    ck_assert_int_eq(spool_filtered_class(box.spool, "Q2", &class, &why), 0);
    ck_assert_str_eq(class, "");
    /* An effect that is none: the group fails, and nothing of it stays. */
    add_filtered(&box, "Q3", "delete", "", 1004);
    add_filtered(&box, "Q3", "explode", "", 1004);
    ck_assert_int_eq(spool_commit(box.spool, &why), -1);
    ck_assert_int_eq(spool_filtered_class(box.spool, "Q3", &class, &why), 0);
    box_free(&box);
}
END_TEST

START_TEST(old_filtered_rows_go)
{
    struct box box = box_new();
    guint steps = 0;

    for (int i = 0; i < 500; i++)
        add_filtered(&box, "Q1", "delete", "", 1000);
    add_filtered(&box, "Q2", "delete", "", 5000);
    commit(&box);
    while (spool_purge(box.spool, 2000)) {
        commit(&box);
        ck_assert_uint_lt(++steps, 10);
    }
    commit(&box);
    ck_assert_int_eq(count_rows(box.path, "filtered"), 1);
    ck_assert_int_eq(count_rows(box.path, "filtered WHERE at = 5000"), 1);
    box_free(&box);
}
END_TEST

START_TEST(dropped_ones)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) refused = delivery_new("Q1", 1, 0);
    g_autoptr(SpoolDelivery) dropped = delivery_new("Q2", 2, 0);
    g_autoptr(SpoolDelivery) found = NULL;
    bool by_k2;

    refused->state = (g_free(refused->state), g_strdup("refused"));
    refused->dsn = g_strdup("5.7.1");
    dropped->state = (g_free(dropped->state), g_strdup("refused"));
    dropped->dsn = g_strdup("2.0.0");
    dropped->declared = g_strdup("copy-to");
    spool_add(box.spool, refused, 1000);
    spool_add(box.spool, dropped, 1000);
    commit(&box);
    ck_assert(!spool_delivery_dropped(refused));
    found = find(&box, "Q2", 2, &by_k2);
    ck_assert(spool_delivery_dropped(found));
    ck_assert_str_eq(found->declared, "copy-to");
    ck_assert_int_eq(count_rows(box.path, "event WHERE what = 'refused'"), 1);
    ck_assert_int_eq(count_rows(box.path, "event WHERE what = 'dropped'"), 1);
    box_free(&box);
}
END_TEST

UNIT_SUITE("spool_filtered", tcase_add_test(unit, filtered_mail);
           tcase_add_test(unit, old_filtered_rows_go); tcase_add_test(unit, dropped_ones))
