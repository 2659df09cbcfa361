/* SPDX-License-Identifier: ISC */
/* What postconf prints: lists, times, lines of master.cf, milters. */
#include "admin/postconf.h"
#include "tests/unit/check_all.h"

#include <string.h>

START_TEST(postconf_lists)
{
    static const struct {
        const char *value, *want;
    } table[] = {
        {"", ""},
        {" a, b\tc,,d ", "a|b|c|d"},
        {"{ unix:x, default_action=accept } inet:h:1",
         "{ unix:x, default_action=accept }|inet:h:1"},
        {"inline:{ {a = b}, c=d },hash:/x", "inline:{ {a = b}, c=d }|hash:/x"},
        {"a } b {c d", "a|}|b|{c d"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        g_auto(GStrv) elements = postconf_list(table[i].value);
        g_autofree char *joined = g_strjoinv("|", elements);

        ck_assert_str_eq(joined, table[i].want);
    }
}
END_TEST

START_TEST(postconf_times)
{
    static const struct {
        const char *value;
        char unit;
        gint64 want;
    } table[] = {
        {"3600s", 's', 3600}, {"5", 'd', 432000}, {"2h", 'd', 7200}, {"1w", 's', 604800},
        {"10m", 's', 600},    {"0", 's', 0},      {"", 's', -1},     {"-5", 's', -1},
        {"5x", 's', -1},      {"5ss", 's', -1},   {"five", 's', -1}, {"99999999999", 's', -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        ck_assert_msg(postconf_seconds(table[i].value, table[i].unit) == table[i].want, "%s",
                      table[i].value);
}
END_TEST

START_TEST(postconf_settings)
{
    g_autoptr(GHashTable) values =
        postconf_values("a = b = c\nempty =\n\nno setting\n x/y/z =  1 \n");

    ck_assert_uint_eq(g_hash_table_size(values), 3);
    ck_assert_str_eq(g_hash_table_lookup(values, "a"), "b = c");
    ck_assert_str_eq(g_hash_table_lookup(values, "empty"), "");
    ck_assert_str_eq(g_hash_table_lookup(values, "x/y/z"), "1");
}
END_TEST

START_TEST(postconf_master)
{
    g_autoptr(GPtrArray) services =
        postconf_services("smtp inet n - y - - smtpd\n"
                          "sms unix - n n - 20 pipe flags=DOR user=nobody null_sender= { "
                          "directory=/a b } argv=/x/p -s "
                          "/run/s --deadline=30 --queue-id ${queue_id} --flags=no\nbroken line\n");
    const struct postconf_service *smtp = services->pdata[0];
    const struct postconf_service *sms = services->pdata[1];
    char **argv = postconf_pipe_argv(sms);

    ck_assert_uint_eq(services->len, 2);
    ck_assert_str_eq(smtp->command, "smtpd");
    ck_assert_ptr_null(postconf_pipe_argv(smtp));
    ck_assert_str_eq(sms->name, "sms");
    ck_assert_str_eq(sms->type, "unix");
    ck_assert_str_eq(sms->maxproc, "20");
    ck_assert_str_eq(postconf_pipe_attribute(sms, "flags"), "DOR");
    ck_assert_str_eq(postconf_pipe_attribute(sms, "null_sender"), "");
    ck_assert_str_eq(postconf_pipe_attribute(sms, "directory"), "/a b");
    ck_assert_ptr_null(postconf_pipe_attribute(sms, "--deadline"));
    ck_assert_str_eq(argv[0], "argv=/x/p");
    ck_assert_str_eq(postconf_option(argv, "s"), "/run/s");
    ck_assert_str_eq(postconf_option(argv, "deadline"), "30");
    ck_assert_str_eq(postconf_option(argv, "queue-id"), "${queue_id}");
    ck_assert_ptr_null(postconf_option(argv, "queue"));
    ck_assert_ptr_null(postconf_option(argv, "recipient"));
}
END_TEST

START_TEST(postconf_milters)
{
    static const struct {
        const char *element, *socket;
        bool same;
    } table[] = {
        {"unix:postsms/m.sock", "unix:/q/postsms/m.sock", true},
        {"unix:/postsms/m.sock", "unix:/q/postsms/m.sock", true},
        {"{ unix:/q/postsms/m.sock, connect_timeout=5s }", "unix:/q/postsms/m.sock", true},
        {"{unix:postsms/m.sock}", "unix:/q/postsms/m.sock", true},
        {"unix:other/m.sock", "unix:/q/postsms/m.sock", false},
        {"inet:127.0.0.1:8891", "inet:8891@127.0.0.1", true},
        {"inet:localhost:8891", "inet:8891@127.0.0.1", true},
        {"{ inet:192.0.2.1:8891 }", "inet:8891", true},
        {"inet:127.0.0.1:8893", "inet:8891@127.0.0.1", false},
        {"inet:192.0.2.1:8891", "inet:8891@127.0.0.1", false},
        {"inet:8891", "inet:8891@127.0.0.1", false},
        {"unix:postsms/m.sock", "inet:8891@127.0.0.1", false},
        {"{}", "unix:/q/postsms/m.sock", false},
    };
    g_autofree char *action =
        postconf_milter_option("{ unix:x, default_action=accept, other=1 }", "default_action");

    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        ck_assert_msg(postconf_is_milter(table[i].element, table[i].socket, "/q") == table[i].same,
                      "%s %s", table[i].element, table[i].socket);
    ck_assert_str_eq(action, "accept");
    ck_assert_ptr_null(postconf_milter_option("{ unix:x }", "default_action"));
    ck_assert_ptr_null(postconf_milter_option("unix:x", "default_action"));
}
END_TEST

UNIT_SUITE("postconf", tcase_add_test(unit, postconf_lists); tcase_add_test(unit, postconf_times);
           tcase_add_test(unit, postconf_settings); tcase_add_test(unit, postconf_master);
           tcase_add_test(unit, postconf_milters))
