/* SPDX-License-Identifier: ISC */
/* Owns the list of gateway types and passes calls on. Must never know one type from another. */
#include "transport/gateway/private.h"

#include <string.h>

static const struct gateway_ops *const types[] = {&gateway_file_ops};

struct gateway *
gateway_new(const struct conf_gateway *conf, sd_event *loop, const struct clk *clk)
{
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i]->type, conf->type) == 0) {
            struct gateway *gateway = types[i]->new ();

            gateway->ops = types[i];
            gateway->id = g_strdup(conf->id);
            gateway->loop = loop;
            gateway->clk = clk;
            gateway->ops->configure(gateway, conf);
            return gateway;
        }
    g_assert_not_reached(); /* conf_load admits only known types */
}

void
gateway_free(struct gateway *gateway)
{
    g_free(gateway->id);
    gateway->ops->free(gateway);
}

void
gateway_configure(struct gateway *gateway, const struct conf_gateway *conf)
{
    gateway->ops->configure(gateway, conf);
}

guint
gateway_slots(const struct gateway *gateway)
{
    return gateway->ops->slots(gateway);
}

gint64
gateway_expected_ms(const struct gateway *gateway)
{
    return gateway->ops->expected_ms(gateway);
}

int
gateway_probe(struct gateway *gateway, struct outcome *why)
{
    return gateway->ops->probe(gateway, why);
}

void
gateway_submit(struct gateway *gateway, const struct gateway_part *part, gateway_done_fn *done,
               void *context)
{
    gateway->ops->submit(gateway, part, done, context);
}

enum gateway_trace
gateway_find(struct gateway *gateway, const char *ref)
{
    return gateway->ops->find(gateway, ref);
}
