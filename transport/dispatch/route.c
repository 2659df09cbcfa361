/* SPDX-License-Identifier: ISC */
/*
 * Owns who is asked to send a message, and in which turn. Turns are the smooth weighted round robin
 * of nginx: each candidate is owed its weight more, who is owed most goes and owes the sum; so with
 * weights 3 and 1 it is a a b a, not a a a b. Who is left out for a while is owed nothing for it.
 */
#include "transport/dispatch/route.h"

static void
add_active(GPtrArray *candidates, const GPtrArray *gateways)
{
    for (guint i = 0; i < gateways->len; i++) {
        const struct conf_gateway *gateway = gateways->pdata[i];

        if (gateway->active)
            g_ptr_array_add(candidates, (gpointer)gateway);
    }
}

static int
pinned_candidate(const struct conf *conf, const char *pinned, GPtrArray *candidates,
                 struct outcome *why)
{
    const struct conf_gateway *gateway = conf_gateway(conf, pinned);

    if (!gateway)
        out_set(why, OUT_REFUSED, "5.7.1", "the gateway that the address names is not known");
    else if (!gateway->active)
        out_set(why, OUT_RETRY, "4.3.2", "%s: not active", gateway->id);
    else
        g_ptr_array_add(candidates, (gpointer)gateway);
    return candidates->len > 0 ? 0 : -1;
}

int
route_candidates(const struct conf *conf, const char *pinned, const char *number, GPtrArray **ret,
                 struct outcome *why)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    const struct conf_route *route = conf_route(conf, number);

    if (pinned) {
        if (pinned_candidate(conf, pinned, candidates, why) < 0)
            return -1;
    } else {
        add_active(candidates, route ? route->gateways : conf->gateways);
    }
    if (candidates->len == 0) {
        if (route)
            out_set(why, OUT_RETRY, "4.3.2", "route %s: none of its gateways is active",
                    route->prefix);
        else
            out_set(why, OUT_CONFIG, "4.3.5", "no gateway is configured and active");
        return -1;
    }
    *ret = g_steal_pointer(&candidates);
    return 0;
}

static bool
in_turn(const struct route_choice *choice)
{
    return choice->healthy && choice->idle;
}

guint
route_choose(const struct route_choice *choices, guint count)
{
    gint64 sum = 0;
    guint chosen = count;

    for (guint i = 0; i < count; i++)
        if (in_turn(&choices[i])) {
            *choices[i].turn += choices[i].gateway->weight;
            sum += choices[i].gateway->weight;
            if (chosen == count || *choices[i].turn > *choices[chosen].turn)
                chosen = i;
        }
    if (chosen < count) {
        *choices[chosen].turn -= sum;
        return chosen;
    }
    for (guint i = 0; i < count; i++)
        if (choices[i].healthy && (chosen == count || choices[i].wait_ms < choices[chosen].wait_ms))
            chosen = i;
    return chosen < count ? chosen : 0;
}

static const struct conf_gateway *
same(void *context, const GPtrArray *candidates, const char *class)
{
    (void)candidates;
    (void)class;
    return context;
}

const struct router *
route_same(const struct conf_gateway *gateway, struct router *ret)
{
    *ret = (struct router){same, (void *)(guintptr)gateway};
    return ret;
}
