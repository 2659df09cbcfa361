/* SPDX-License-Identifier: ISC */
/*
 * Owns the comparison of client addresses with networks. Pure; no names are looked up. An
 * IPv4-mapped IPv6 address is the IPv4 address it maps, on both sides, so a client's rights do not
 * depend on the kind of socket it came through.
 */
#include "lib/net.h"

#include <arpa/inet.h>
#include <string.h>

struct net {
    int family; /* AF_INET or AF_INET6 */
    guint bits; /* length of the prefix */
    guint8 address[16];
};

/* RFC 4291 2.5.5.2 */
static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool
parse_address(const char *text, struct net *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    ret->bits = ret->family == AF_INET6 ? 128 : 32;
    return inet_pton(ret->family, text, ret->address) == 1;
}

/* To IPv4 if net is an IPv4-mapped one. */
static void
unmap(struct net *net)
{
    if (net->family != AF_INET6 || net->bits < 96 ||
        memcmp(net->address, mapped, sizeof(mapped)) != 0)
        return;
    net->family = AF_INET;
    net->bits -= 96;
    memmove(net->address, net->address + 12, 4);
    memset(net->address + 4, 0, 12);
}

static bool
bit_set(const struct net *net, guint bit)
{
    return net->address[bit / 8] >> (7 - bit % 8) & 1;
}

struct net *
net_parse(const char *text)
{
    g_autofree char *address = g_strndup(text, strcspn(text, "/"));
    const char *length = text + strlen(address);
    struct net net;
    guint width;

    if (!parse_address(address, &net))
        return NULL;
    width = net.bits;
    if (*length++ == '/') {
        guint64 bits;

        if (!g_ascii_string_to_unsigned(length, 10, 0, width, &bits, NULL))
            return NULL;
        net.bits = bits;
    }
    /* 192.0.2.1/24 may mean the host or the network; the admin has to say which. */
    for (guint bit = net.bits; bit < width; bit++)
        if (bit_set(&net, bit))
            return NULL;
    unmap(&net);
    return g_memdup2(&net, sizeof(net));
}

static bool
inside(const struct net *net, const struct net *host)
{
    if (net->family != host->family)
        return false;
    for (guint bit = 0; bit < net->bits; bit++)
        if (bit_set(net, bit) != bit_set(host, bit))
            return false;
    return true;
}

bool
net_contains(const GPtrArray *networks, const char *address)
{
    struct net host;

    if (g_ascii_strncasecmp(address, "IPv6:", 5) == 0)
        address += 5;
    if (!parse_address(address, &host))
        return false;
    unmap(&host);
    for (guint i = 0; i < networks->len; i++)
        if (inside(networks->pdata[i], &host))
            return true;
    return false;
}
