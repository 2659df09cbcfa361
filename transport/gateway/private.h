/* SPDX-License-Identifier: ISC */
/* What a type of gateway provides. */
#ifndef TRANSPORT_GATEWAY_PRIVATE_H
#define TRANSPORT_GATEWAY_PRIVATE_H

#include "transport/gateway/gateway.h"

struct gateway_ops {
    const char *type;
    struct gateway *(*new)(void);
    void (*free)(struct gateway *gateway);
    void (*configure)(struct gateway *gateway, const struct conf_gateway *conf);
    guint (*slots)(const struct gateway *gateway);
    gint64 (*expected_ms)(const struct gateway *gateway);
    int (*probe)(struct gateway *gateway, struct outcome *why);
    void (*submit)(struct gateway *gateway, const struct gateway_part *part, gateway_done_fn *done,
                   void *context);
    enum gateway_trace (*find)(struct gateway *gateway, const char *ref);
};

/* The beginning of every type's own structure. */
struct gateway {
    const struct gateway_ops *ops;
    char *id;
    sd_event *loop;
    const struct clk *clk;
};

extern const struct gateway_ops gateway_file_ops;

#endif
