/* SPDX-License-Identifier: ISC */
/*
 * postsms.conf: tests/data/conf/NAME.conf with NAME.want, what the admin is told ("line: text" a
 * line, file name left out, then "ok" or "refused").
 */
#include "lib/conf.h"
#include "lib/net.h"
#include "tests/unit/check_all.h"

#include <string.h>

static char *
told(const char *file)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Conf) conf = conf_load(file, faults);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < faults->len; i++) {
        const struct fault *fault = faults->pdata[i];

        ck_assert_str_eq(fault->file, file);
        g_string_append_printf(text, "%d: %s%s\n", fault->line, fault->warning ? "warning: " : "",
                               fault->text);
    }
    g_string_append(text, conf ? "ok\n" : "refused\n");
    return g_string_free(text, FALSE);
}

START_TEST(conf_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/conf", 0, NULL);
    const char *name;
    guint cases = 0;

    while ((name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".conf")) {
            g_autofree char *file = g_build_filename("tests/data/conf", name, NULL);
            g_autofree char *want_name =
                g_strdup_printf("conf/%.*s.want", (int)strlen(name) - 5, name);
            g_autofree char *got = told(file);
            g_autofree char *want = unit_want(want_name, got);

            ck_assert_msg(strcmp(got, want) == 0, "%s:\n%s", file, got);
            cases++;
        }
    ck_assert_uint_gt(cases, 10);
}
END_TEST

START_TEST(conf_values)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Conf) conf = conf_load("tests/data/conf/full.conf", faults);
    const struct conf_gateway *gateway;
    g_autofree char *ledger = NULL;

    ck_assert_ptr_nonnull(conf);
    ck_assert_str_eq(conf->domains[0], "sms.example.com");
    ck_assert_str_eq(conf->domains[1], ".sms.example.com");
    ck_assert_str_eq(conf->user, "");
    ck_assert_int_eq(conf->remember_ms, 6 * 86400000LL);
    ck_assert_int_eq(conf->readers, 3);
    ck_assert(conf->log_numbers_full);
    ck_assert_str_eq(conf->milter_socket, "inet:8891@127.0.0.1");
    ck_assert_str_eq(conf->message, "%%Subject%%\n# not a comment // nor this");
    ck_assert(conf->too_long_reject);
    ck_assert(!conf->access_known);
    ck_assert(net_contains(conf->networks, "192.0.2.77"));
    ck_assert(!net_contains(conf->networks, "127.0.0.1"));
    ck_assert_str_eq(conf->prefixes[1], "+423");
    ck_assert_ptr_null(conf_gateway(conf, "none"));
    gateway = conf_gateway(conf, "demo");
    ck_assert_int_eq(gateway->delay_ms, 50);
    ck_assert_int_eq(gateway->concurrency, 4);
    ck_assert_int_eq(gateway->fail_every, 7);
    ck_assert_int_eq(gateway->unknown, CONF_UNKNOWN_GIVE_UP);
    ck_assert_int_eq(gateway->unknown_after_ms, 600000);
    ck_assert_str_eq(conf->submit, "smtp://127.0.0.1:2525");
    ck_assert_str_eq(conf->alarm_to, "postmaster");
    ck_assert_int_eq(conf->slots, 40);
    ck_assert_int_eq(conf->keep_ms, 30 * 86400000LL);
    ck_assert_int_eq(conf->keep_text_ms, 86400000LL);
    ck_assert_int_eq(conf->lifetime_ms, 7200000);
    ck_assert_int_eq(conf->warn_after_ms, 1800000);
    ck_assert(!conf_gateway(conf, "other")->active);
    ledger = conf_ledger(conf);
    ck_assert_str_eq(ledger, "/var/lib/postsms/spool.db");
}
END_TEST

/* How a text is read and written: what is set, and what holds if nothing is. */
START_TEST(conf_text_values)
{
    static const guint8 languages[] = {1, 2, 13};
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Conf) conf = conf_load("tests/data/conf/text.conf", faults);
    g_autoptr(Conf) plain = conf_load("tests/data/conf/minimal.conf", faults);

    ck_assert_ptr_nonnull(conf);
    ck_assert_int_eq(conf->translit, CONF_TRANSLIT_FULL);
    ck_assert_uint_eq(conf->n_languages, sizeof(languages)); /* each once */
    ck_assert_mem_eq(conf->languages, languages, sizeof(languages));
    ck_assert(!conf->strip_signature && !conf->strip_quotes && !conf->strip_sent_from);
    ck_assert_str_eq(conf->disclaimers[0], "This e-mail is confidential");
    ck_assert_ptr_null(conf->disclaimers[1]);
    ck_assert_int_eq(conf->blank_lines, 0);
    ck_assert(conf->encrypted_refuse);
    ck_assert_ptr_nonnull(plain);
    ck_assert_int_eq(plain->maxmsgs, 1);
    ck_assert(!plain->too_long_reject);
    ck_assert_int_eq(plain->translit, CONF_TRANSLIT_PUNCTUATION);
    ck_assert_uint_eq(plain->n_languages, 0);
    ck_assert(plain->strip_signature && plain->strip_quotes && plain->strip_sent_from);
    ck_assert_ptr_null(plain->disclaimers[0]);
    ck_assert_int_eq(plain->blank_lines, 1);
    ck_assert(!plain->encrypted_refuse);
}
END_TEST

START_TEST(conf_missing_file)
{
    g_autofree char *got = told("tests/data/conf/no-such-file");

    ck_assert_ptr_nonnull(strstr(got, "refused"));
    ck_assert_ptr_nonnull(strstr(got, "No such file"));
}
END_TEST

UNIT_SUITE("conf", tcase_add_test(unit, conf_cases); tcase_add_test(unit, conf_values);
           tcase_add_test(unit, conf_text_values); tcase_add_test(unit, conf_missing_file))
