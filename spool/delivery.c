/* SPDX-License-Identifier: ISC */
/* Owns a delivery and its parts in memory, and the words for their states. No SQL. */
#include "spool/spool.h"

static const char *const state_names[PART_STATES] = {
    [PART_PLANNED] = "planned",     [PART_SUBMITTING] = "submitting",
    [PART_ACCEPTED] = "accepted",   [PART_UNKNOWN] = "unknown",
    [PART_DELIVERED] = "delivered", [PART_UNDELIVERED] = "undelivered",
    [PART_EXPIRED] = "expired",     [PART_FAILED] = "failed",
    [PART_GAVE_UP] = "gave_up",     [PART_CANCELLED] = "cancelled",
};

const char *
part_state_name(enum part_state state)
{
    return state_names[state];
}

bool
part_state_accepted(enum part_state state)
{
    return state == PART_ACCEPTED || state == PART_DELIVERED || state == PART_UNDELIVERED ||
           state == PART_EXPIRED;
}

static void
part_free(gpointer data)
{
    struct spool_part *part = data;

    g_free(part->ref);
    g_free(part->gateway_ref);
    g_free(part->text);
    g_clear_pointer(&part->udh, g_bytes_unref);
    g_clear_pointer(&part->data, g_bytes_unref);
    g_free(part);
}

struct spool_delivery *
spool_delivery_new(void)
{
    struct spool_delivery *delivery = g_new0(struct spool_delivery, 1);

    delivery->parts = g_ptr_array_new_with_free_func(part_free);
    return delivery;
}

struct spool_part *
spool_delivery_add_part(struct spool_delivery *delivery)
{
    struct spool_part *part = g_new0(struct spool_part, 1);

    g_ptr_array_add(delivery->parts, part);
    part->seq = (int)delivery->parts->len;
    part->sms = 1;
    return part;
}

guint
spool_delivery_sms(const struct spool_delivery *delivery)
{
    guint sms = 0;

    for (guint i = 0; i < delivery->parts->len; i++)
        sms += ((const struct spool_part *)delivery->parts->pdata[i])->sms;
    return sms;
}

guint
spool_delivery_accepted(const struct spool_delivery *delivery)
{
    guint accepted = 0;

    for (guint i = 0; i < delivery->parts->len; i++) {
        const struct spool_part *part = delivery->parts->pdata[i];

        if (part_state_accepted(part->state))
            accepted += part->sms;
    }
    return accepted;
}

bool
spool_delivery_dropped(const struct spool_delivery *delivery)
{
    return delivery->parts->len == 0 && delivery->dsn && delivery->dsn[0] == '2';
}

void
spool_delivery_free(struct spool_delivery *delivery)
{
    if (!delivery)
        return;
    g_ptr_array_unref(delivery->parts);
    g_free(delivery->queue_id);
    g_free(delivery->state);
    g_free(delivery->sender);
    g_free(delivery->recipient);
    g_free(delivery->original);
    g_free(delivery->number);
    g_free(delivery->login);
    g_free(delivery->client);
    g_free(delivery->message_id);
    g_free(delivery->gateway);
    g_free(delivery->originator);
    g_free(delivery->encoding);
    g_free(delivery->phone);
    g_free(delivery->extra);
    g_free(delivery->class);
    g_free(delivery->declared);
    g_free(delivery->rule);
    g_free(delivery->dsn);
    g_free(delivery->reason);
    g_free(delivery);
}
