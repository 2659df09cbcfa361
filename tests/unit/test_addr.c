/* SPDX-License-Identifier: ISC */
#include "lib/addr.h"

#include "tests/unit/tsv.h"

#include <stdlib.h>
#include <string.h>

static void
check_refused(const struct outcome *why, const char *want, const char *where)
{
    g_auto(GStrv) pair = g_strsplit(want, " ", 2);

    ck_assert_msg(why->kind == OUT_NOUSER, "%s: kind %d", where, why->kind);
    ck_assert_msg(strcmp(why->dsn, pair[0]) == 0 && strstr(why->text, pair[1]), "%s: %s %s", where,
                  why->dsn, why->text);
}

static void
number_row(char **fields, const char *where)
{
    g_autofree char *number = NULL;
    struct outcome why;

    if (addr_number(fields[0], fields[1], &number, &why) < 0)
        check_refused(&why, fields[2], where);
    else
        ck_assert_msg(strcmp(number, fields[2]) == 0, "%s: %s", where, number);
}

START_TEST(numbers)
{
    tsv_each("addr/numbers.tsv", 3, number_row);
}
END_TEST

/* All of an address but its number, as the tables have it. */
static char *
describe(const struct addr *addr)
{
    GString *text = g_string_new(addr->domain);

    if (addr->user)
        g_string_append_printf(text, " user=%s", addr->user);
    if (addr->pass)
        g_string_append_printf(text, " pass=%s", addr->pass);
    if (addr->gateway)
        g_string_append_printf(text, " id=%s", addr->gateway);
    if (addr->originator)
        g_string_append_printf(text, " sender=%s", addr->originator);
    if (addr->maxmsgs)
        g_string_append_printf(text, " maxmsgs=%u", addr->maxmsgs);
    if (addr->binary)
        g_string_append(text, " binary");
    if (addr->udh)
        g_string_append_printf(text, " udh=%s", addr->udh);
    if (addr->values)
        g_string_append_printf(text, " value=%s", addr->values);
    if (addr->pid >= 0)
        g_string_append_printf(text, " pid=%d", addr->pid);
    if (addr->dcs >= 0)
        g_string_append_printf(text, " dcs=%d", addr->dcs);
    for (guint i = 0; i < addr->ignored->len; i++)
        g_string_append_printf(text, "%s%s",
                               i ? "," : " ignored=", (const char *)addr->ignored->pdata[i]);
    return g_string_free(text, FALSE);
}

static void
recipient_row(char **fields, const char *where)
{
    g_autoptr(Addr) addr = NULL;
    g_autofree char *rest = NULL;
    struct outcome why;

    if (addr_parse(fields[0], fields[1], &addr, &why) < 0) {
        check_refused(&why, fields[2], where);
        ck_assert_msg(!strstr(why.text, "geheim"), "%s: %s", where, why.text);
        return;
    }
    rest = describe(addr);
    ck_assert_msg(strcmp(addr->number, fields[2]) == 0, "%s: %s", where, addr->number);
    ck_assert_msg(strcmp(rest, fields[3]) == 0, "%s: %s", where, rest);
}

START_TEST(plain_recipients)
{
    tsv_each("addr/recipients.tsv", 4, recipient_row);
}
END_TEST

START_TEST(sms_recipients)
{
    tsv_each("addr/sms.tsv", 4, recipient_row);
}
END_TEST

START_TEST(sms_parameters)
{
    tsv_each("addr/parameters.tsv", 4, recipient_row);
}
END_TEST

START_TEST(quoted_recipients)
{
    tsv_each("addr/quoted.tsv", 4, recipient_row);
}
END_TEST

static void
loggable_row(char **fields, const char *where)
{
    g_autofree char *text = addr_loggable(fields[0], strcmp(fields[1], "full") == 0);

    ck_assert_msg(strcmp(text, fields[2]) == 0, "%s: %s", where, text);
}

START_TEST(loggable)
{
    tsv_each("addr/loggable.tsv", 3, loggable_row);
}
END_TEST

START_TEST(domains)
{
    static const char *const ours[] = {"sms.example.com", ".SMS.example.org", NULL};
    static const char *const none[] = {NULL};

    ck_assert(addr_in_domains("+41791234567@sms.example.com", ours));
    ck_assert(addr_in_domains("x@SMS.Example.COM", ours));
    ck_assert(addr_in_domains("\"a@b\"@sms.example.com", ours));
    ck_assert(addr_in_domains("x@sms.example.com.", ours));
    ck_assert(addr_in_domains("x@a.sms.example.org", ours));
    ck_assert(addr_in_domains("x@a.b.Sms.example.org", ours));
    ck_assert(!addr_in_domains("x@sms.example.org", ours));
    ck_assert(!addr_in_domains("x@.sms.example.org", ours));
    ck_assert(!addr_in_domains("x@asms.example.org", ours));
    ck_assert(!addr_in_domains("x@a.sms.example.com", ours));
    ck_assert(!addr_in_domains("x@example.com", ours));
    ck_assert(!addr_in_domains("sms.example.com", ours));
    ck_assert(!addr_in_domains("\"x@sms.example.com\"", ours));
    ck_assert(!addr_in_domains("x@sms.example.com@evil.example", ours));
    ck_assert(!addr_in_domains("x@", ours));
    ck_assert(!addr_in_domains("", ours));
    ck_assert(!addr_in_domains("x@sms.example.com", none));
}
END_TEST

UNIT_SUITE("addr", tcase_add_test(unit, numbers); tcase_add_test(unit, plain_recipients);
           tcase_add_test(unit, sms_recipients); tcase_add_test(unit, sms_parameters);
           tcase_add_test(unit, quoted_recipients); tcase_add_test(unit, loggable);
           tcase_add_test(unit, domains))
