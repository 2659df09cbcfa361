/* SPDX-License-Identifier: ISC */
/* What a type of gateway provides. */
#ifndef TRANSPORT_GATEWAY_PRIVATE_H
#define TRANSPORT_GATEWAY_PRIVATE_H

#include "transport/gateway/gateway.h"

struct gateway_ops {
    const char *type;
    struct gateway *(*new)(void);
    void (*free)(struct gateway *gateway);
    void (*check)(const struct conf_gateway *conf, Faults *faults);       /* NULL: always good */
    void (*check_files)(const struct conf_gateway *conf, Faults *faults); /* NULL: the same */
    void (*configure)(struct gateway *gateway, const struct conf_gateway *conf);
    guint (*slots)(const struct gateway *gateway);
    gint64 (*expected_ms)(const struct gateway *gateway);
    void (*probe)(struct gateway *gateway, gateway_probed_fn *done, void *context);
    void (*submit)(struct gateway *gateway, const struct gateway_part *part, gateway_done_fn *done,
                   void *context);
    enum gateway_trace (*find)(struct gateway *gateway, const char *ref);
    int (*show)(struct gateway *gateway, const struct gateway_part *part, GString *out,
                struct outcome *why);
};

/* The beginning of every type's own structure. */
struct gateway {
    const struct gateway_ops *ops;
    char *id;
    struct gateway_host *host;
    bool watched;
};

struct gateway_host {
    sd_event *loop;
    const struct clk *clk;
    struct http_loop *http; /* NULL until the first HTTP gateway */
};

extern const struct gateway_ops gateway_file_ops, gateway_http_ops;

#endif
