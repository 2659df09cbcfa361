/* SPDX-License-Identifier: ISC */
#include "lib/net.h"

#include "tests/unit/check_all.h"

START_TEST(parse)
{
    static const char *const good[] = {
        "192.0.2.0/24", "192.0.2.1",     "0.0.0.0/0", "127.0.0.0/8",    "::1",
        "::1/128",      "2001:db8::/32", "::/0",      "192.0.2.128/25", "::ffff:192.0.2.0/120"};
    static const char *const bad[] = {"",
                                      "/",
                                      "192.0.2.1/24",
                                      "192.0.2.0/33",
                                      "192.0.2.0/",
                                      "192.0.2",
                                      "192.0.2.0/x",
                                      "192.0.2.0/-1",
                                      "192.0.2.0/24/",
                                      "2001:db8::1/32",
                                      "::1/129",
                                      "localhost",
                                      " ::1",
                                      "192.0.2.0/ 24",
                                      "unknown",
                                      "010.0.0.0/8",
                                      "[::1]"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree struct net *net = net_parse(good[i]);

        ck_assert_msg(net != NULL, "%s", good[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree struct net *net = net_parse(bad[i]);

        ck_assert_msg(net == NULL, "%s", bad[i]);
    }
}
END_TEST

START_TEST(contains)
{
    static const struct {
        const char *net;
        const char *address;
        bool want;
    } cases[] = {
        {"127.0.0.0/8", "127.0.0.1", true},
        {"127.0.0.0/8", "127.255.255.255", true},
        {"127.0.0.0/8", "128.0.0.0", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "203.0.113.9", false},
        {"::/0", "2001:db8::1", true},
        {"::1", "::1", true},
        {"::1", "0:0:0:0:0:0:0:1", true},
        {"::1", "IPv6:::1", true},
        {"::1", "ipv6:::1", true},
        {"2001:db8::/32", "IPv6:2001:DB8:1::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"127.0.0.0/8", "::ffff:127.0.0.1", true},
        {"127.0.0.0/8", "IPv6:::ffff:7f00:1", true},
        {"::ffff:192.0.2.0/120", "192.0.2.7", true},
        {"::ffff:192.0.2.0/120", "::ffff:192.0.3.7", false},
        {"127.0.0.0/8", "unknown", false},
        {"127.0.0.0/8", "", false},
        {"127.0.0.0/8", "127.0.0.1 ", false},
        {"127.0.0.0/8", "127.1", false},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) nets = g_ptr_array_new_with_free_func(g_free);

        ck_assert(!net_contains(nets, cases[i].address));
        g_ptr_array_add(nets, net_parse("198.51.100.0/24"));
        g_ptr_array_add(nets, net_parse(cases[i].net));
        ck_assert_msg(net_contains(nets, cases[i].address) == cases[i].want, "%s in %s",
                      cases[i].address, cases[i].net);
    }
}
END_TEST

UNIT_SUITE("net", tcase_add_test(unit, parse); tcase_add_test(unit, contains))
