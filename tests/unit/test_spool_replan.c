/* SPDX-License-Identifier: ISC */
/* The ledger's fifth schema: parts of several SMS, deliveries that move to another gateway. */
#include "spool/spool.h"
#include "tests/unit/spool_box.h"

#include <string.h>

static struct spool_part *
part_of(struct spool_delivery *delivery, guint index)
{
    return delivery->parts->pdata[index];
}

START_TEST(sms_are_counted)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 2);
    g_autoptr(SpoolDelivery) found = NULL;
    bool by_k2;

    part_of(delivery, 0)->sms = 3;
    delivery->phone = g_strdup("+41790000000");
    delivery->extra = g_strdup("&a=1");
    ck_assert_uint_eq(spool_delivery_sms(delivery), 4);
    ck_assert_uint_eq(spool_delivery_accepted(delivery), 0);
    spool_add(box.spool, delivery, 1000);
    ck_assert(
        spool_part_to(box.spool, delivery, part_of(delivery, 0), PART_SUBMITTING, NULL, "", 2000));
    ck_assert(
        spool_part_to(box.spool, delivery, part_of(delivery, 0), PART_ACCEPTED, "g", "", 3000));
    commit(&box);
    found = find(&box, "Q1", 1, &by_k2);
    ck_assert_uint_eq(spool_delivery_sms(found), 4);
    ck_assert_uint_eq(spool_delivery_accepted(found), 3);
    ck_assert_str_eq(found->phone, "+41790000000");
    ck_assert_str_eq(found->extra, "&a=1");
    ck_assert(!spool_doubted(box.spool, found->id));
    ck_assert_int_eq(spool_first_submitted(box.spool, found->id, 1), 2000);
    ck_assert_int_eq(spool_first_submitted(box.spool, found->id, 2), 0);
    box_free(&box);
}
END_TEST

/* Two parts at one gateway become one at another. */
START_TEST(moved)
{
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 2);
    g_autoptr(SpoolDelivery) other = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) found = NULL;
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    commit(&box);
    ck_assert(
        spool_part_to(box.spool, delivery, part_of(delivery, 0), PART_SUBMITTING, NULL, "", 2000));
    ck_assert(
        spool_part_to(box.spool, delivery, part_of(delivery, 0), PART_PLANNED, NULL, "busy", 3000));
    other->id = delivery->id;
    g_free(other->gateway);
    other->gateway = g_strdup("second");
    other->originator = g_strdup("Example");
    g_free(part_of(other, 0)->ref);
    part_of(other, 0)->ref = g_strdup("new");
    spool_replan(box.spool, other, "to second: busy", 4000);
    commit(&box);
    found = find(&box, "Q1", 1, &by_k2);
    ck_assert_int_eq(found->id, delivery->id);
    ck_assert_str_eq(found->gateway, "second");
    ck_assert_str_eq(found->originator, "Example");
    ck_assert_uint_eq(found->parts->len, 1);
    ck_assert_str_eq(part_of(found, 0)->ref, "new");
    ck_assert_int_eq(part_of(found, 0)->state, PART_PLANNED);
    ck_assert_int_eq(part_of(found, 0)->since, 4000);
    box_free(&box);
}
END_TEST

/* What a gateway may have is never planned away: the whole group fails. */
START_TEST(not_moved)
{
    static const enum part_state states[] = {PART_SUBMITTING, PART_ACCEPTED, PART_UNKNOWN};
    struct box box = box_new();
    g_autoptr(SpoolDelivery) delivery = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) other = delivery_new("Q1", 1, 1);
    g_autoptr(SpoolDelivery) found = NULL;
    struct outcome why;
    bool by_k2;

    spool_add(box.spool, delivery, 1000);
    if (states[_i] != PART_SUBMITTING)
        spool_part_to(box.spool, delivery, part_of(delivery, 0), PART_SUBMITTING, NULL, "", 2000);
    spool_part_to(box.spool, delivery, part_of(delivery, 0), states[_i], NULL, "", 2000);
    commit(&box);
    ck_assert_int_eq(spool_doubted(box.spool, delivery->id), states[_i] == PART_UNKNOWN);
    other->id = delivery->id;
    g_free(other->gateway);
    other->gateway = g_strdup("second");
    spool_replan(box.spool, other, "to second", 4000);
    ck_assert_int_eq(spool_commit(box.spool, &why), -1);
    found = find(&box, "Q1", 1, &by_k2);
    ck_assert_str_eq(found->gateway, "demo");
    ck_assert_int_eq(part_of(found, 0)->state, states[_i]);
    box_free(&box);
}
END_TEST

UNIT_SUITE("replan", tcase_add_test(unit, sms_are_counted); tcase_add_test(unit, moved);
           tcase_add_loop_test(unit, not_moved, 0, 3))
