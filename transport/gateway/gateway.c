/* SPDX-License-Identifier: ISC */
/* Owns the list of gateway types and passes calls on. Must never know one type from another. */
#include "transport/gateway/http_loop.h"
#include "transport/gateway/private.h"

#include <string.h>

static const struct gateway_ops *const types[] = {&gateway_file_ops, &gateway_http_ops};

static const struct gateway_ops *
ops_of(const struct conf_gateway *conf)
{
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i]->type, conf->type) == 0)
            return types[i];
    g_assert_not_reached(); /* conf_load admits only known types */
}

struct gateway_host *
gateway_host_new(sd_event *loop, const struct clk *clk)
{
    struct gateway_host *host = g_new0(struct gateway_host, 1);

    host->loop = loop;
    host->clk = clk;
    return host;
}

void
gateway_host_free(struct gateway_host *host)
{
    http_loop_free(host->http);
    g_free(host);
}

void
gateway_check(const struct conf_gateway *conf, Faults *faults)
{
    if (ops_of(conf)->check)
        ops_of(conf)->check(conf, faults);
}

void
gateway_check_files(const struct conf_gateway *conf, Faults *faults)
{
    if (ops_of(conf)->check_files)
        ops_of(conf)->check_files(conf, faults);
}

struct gateway *
gateway_new(const struct conf_gateway *conf, struct gateway_host *host)
{
    const struct gateway_ops *ops = ops_of(conf);
    struct gateway *gateway = ops->new ();

    gateway->ops = ops;
    gateway->id = g_strdup(conf->id);
    gateway->host = host;
    ops->configure(gateway, conf);
    return gateway;
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

void
gateway_watch(struct gateway *gateway)
{
    gateway->watched = true;
}

int
gateway_show(struct gateway *gateway, const struct gateway_part *part, GString *out,
             struct outcome *why)
{
    return gateway->ops->show(gateway, part, out, why);
}

void
gateway_probe(struct gateway *gateway, gateway_probed_fn *done, void *context)
{
    gateway->ops->probe(gateway, done, context);
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
