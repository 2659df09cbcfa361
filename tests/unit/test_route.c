/* SPDX-License-Identifier: ISC */
/* Which gateway sends: candidates, turns, rates, what may be a sender. Without a daemon. */
#include "tests/unit/check_all.h"
#include "transport/dispatch/originator.h"
#include "transport/dispatch/pace.h"
#include "transport/dispatch/route.h"

#include <string.h>

static struct conf *
conf_of(const char *text)
{
    g_autofree char *dir = unit_tmpdir();
    g_autofree char *path = g_build_filename(dir, "postsms.conf", NULL);
    g_autofree char *whole = g_strconcat("domains = { \"d\" }\n", text, NULL);
    g_autoptr(Faults) faults = faults_new();
    struct conf *conf;

    ck_assert(g_file_set_contents(path, whole, -1, NULL));
    conf = conf_load(path, faults);
    if (!conf)
        faults_print(faults, stderr);
    ck_assert_ptr_nonnull(conf);
    unit_rmdir(dir);
    return conf;
}

#define FILE_GATEWAY(name, more) "gateway \"" name "\" { type = \"file\" path = \"/x\" " more " }\n"

static const char several[] =
    FILE_GATEWAY("a", "") FILE_GATEWAY("off", "active = no") FILE_GATEWAY("b", "")
        FILE_GATEWAY("c", "") "route \"+1\" { gateways = { \"c\", \"off\", \"a\" } }\n"
                              "route \"+1242\" { gateways = { \"b\" } }\n"
                              "route \"+7\" { gateways = { \"off\" } }\n";

static const struct {
    const char *pinned, *number, *want; /* ids, or status and the whole reason */
} routes[] = {
    {NULL, "+41791234567", "a b c"},
    {NULL, "+15551234567", "c a"},
    {NULL, "+12421234567", "b"},
    {NULL, "+12431234567", "c a"},
    {NULL, "+74951234567", "4.3.2 route +7: none of its gateways is active"},
    {"b", "+15551234567", "b"},
    {"off", "+41791234567", "4.3.2 off: not active"},
    {"none", "+41791234567", "5.7.1 the gateway that the address names is not known"},
};

START_TEST(candidates)
{
    g_autoptr(Conf) conf = conf_of(several);
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    struct outcome why;

    if (route_candidates(conf, routes[_i].pinned, routes[_i].number, &found, &why) < 0)
        g_string_printf(got, "%s %s", why.dsn, why.text);
    for (guint i = 0; found && i < found->len; i++)
        g_string_append_printf(got, "%s%s", i ? " " : "",
                               ((const struct conf_gateway *)found->pdata[i])->id);
    ck_assert_str_eq(got->str, routes[_i].want);
}
END_TEST

START_TEST(no_candidate)
{
    g_autoptr(Conf) conf = conf_of(FILE_GATEWAY("off", "active = no"));
    g_autoptr(GPtrArray) found = NULL;
    struct outcome why;

    ck_assert_int_eq(route_candidates(conf, NULL, "+41791234567", &found, &why), -1);
    ck_assert_int_eq(why.kind, OUT_CONFIG);
    ck_assert_str_eq(why.text, "no gateway is configured and active");
}
END_TEST

/* Upper case: idle; lower case: busy, its wait is its place in the alphabet; '-': not healthy. The
 * weights stand behind the letters. Worked out by hand: each round adds the weights, the greatest
 * sum goes and pays all of them. */
static const struct {
    const char *gateways, *want;
} turns[] = {
    {"A1", "AAAA"},
    {"A1 B1", "ABABAB"},
    {"A1 B1 C1", "ABCABC"},
    {"A3 B1", "AABAAABA"},
    {"A5 B1 C1", "AABACAAAABACAA"},
    {"A1 B2", "BABBABBAB"},
    {"a9 B1", "BBB"},
    {"b1 a1 c1", "aaa"},
    {"-1 B1 C1", "BCBC"},
    {"-1 c1 b1", "bb"},
    {"-1 -1", "11"}, /* the first, whatever its weight */
    {"-1 -9", "11"},
};

START_TEST(in_turn)
{
    g_auto(GStrv) words = g_strsplit(turns[_i].gateways, " ", -1);
    struct conf_gateway gateways[4] = {0};
    struct route_choice choices[4];
    gint64 owed[4] = {0};
    guint count = g_strv_length(words);

    for (guint i = 0; i < count; i++) {
        gateways[i].weight = words[i][1] - '0';
        choices[i] = (struct route_choice){&gateways[i], words[i][0] != '-',
                                           g_ascii_isupper(words[i][0]), words[i][0], &owed[i]};
    }
    for (const char *want = turns[_i].want; *want; want++) {
        guint chosen = route_choose(choices, count);

        if (*want == '1')
            ck_assert_uint_eq(chosen, 0);
        else
            ck_assert_msg(words[chosen][0] == *want, "%s: %s at %s", turns[_i].gateways,
                          words[chosen], want);
    }
}
END_TEST

/* Whoever was away is not owed for it: no burst when it is back. */
START_TEST(nothing_is_owed_for_absence)
{
    struct conf_gateway gateways[2] = {{.weight = 1}, {.weight = 1}};
    gint64 owed[2] = {0};
    struct route_choice choices[] = {{&gateways[0], true, true, 0, &owed[0]},
                                     {&gateways[1], false, false, 0, &owed[1]}};
    guint others = 0;

    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(route_choose(choices, 2), 0);
    choices[1].healthy = choices[1].idle = true;
    for (int i = 0; i < 4; i++)
        others += route_choose(choices, 2);
    ck_assert_uint_eq(others, 2);
}
END_TEST

START_TEST(rates)
{
    struct pace pace = {0};

    pace_set(&pace, 0, 1, 0);
    pace_take(&pace, 1000, 0);
    ck_assert_int_eq(pace_wait(&pace, 1000, 0), 0); /* no limit */

    pace_set(&pace, 2, 3, 1000); /* three at once, then one each half second */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pace_wait(&pace, 0, 1000), 0);
        pace_take(&pace, 1, 1000);
    }
    ck_assert_int_eq(pace_wait(&pace, 0, 1000), 500);
    ck_assert_int_eq(pace_wait(&pace, 4, 1000), 2500); /* behind four others */
    ck_assert_int_eq(pace_wait(&pace, 0, 1499), 1);
    ck_assert_int_eq(pace_wait(&pace, 0, 1500), 0);
    pace_take(&pace, 1, 1500);
    ck_assert_int_eq(pace_wait(&pace, 0, 1500), 500);
    /* What is not used is kept up to the burst, and no further. */
    ck_assert_int_eq(pace_wait(&pace, 2, 60000), 0);
    ck_assert_int_eq(pace_wait(&pace, 3, 60000), 500);
    /* A part of seven SMS goes with three there, and the next one waits for the other four. */
    pace_take(&pace, 7, 60000);
    ck_assert_int_eq(pace_wait(&pace, 0, 60000), 2500);
    /* New settings are no gift: the debt is still there. */
    pace_set(&pace, 1, 1, 60000);
    ck_assert_int_eq(pace_wait(&pace, 0, 60000), 5000);
    pace_set(&pace, 0, 1, 60000);
    ck_assert_int_eq(pace_wait(&pace, 0, 60000), 0);
    pace_set(&pace, 30.0 / 60, 1, 60000);
    ck_assert_int_eq(pace_wait(&pace, 0, 60000), 0);
    pace_take(&pace, 1, 60000);
    ck_assert_int_eq(pace_wait(&pace, 0, 60000), 2000);
}
END_TEST

static const struct {
    const char *originator;
    int max;
    const char *want; /* a piece of the refusal, or NULL */
    bool number;
} originators[] = {
    {"+41791234567", 11, NULL, true},
    {"+1", 0, NULL, true},
    {"+123456789012345", 0, NULL, true},
    {"+1234567890123456", 11, "has 16 digits; up to 15 are allowed", false},
    {"+", 11, "", false},
    {"12345678", 0, NULL, true},
    {"123456789", 11, NULL, false}, /* goes as letters */
    {"123456789", 0, "must be a number here: + and up to 15 digits, or up to 8", false},
    {"491701234567", 11, "has 12 characters; a number with + or up to 11", false},
    {"Example", 11, NULL, false},
    {"Example Ltd", 11, NULL, false},
    {"Example Ltd.", 11, "has 12 characters", false},
    {"Example", 6, "has 7 characters; a number with + or up to 6", false},
    {"Example", 0, "must be a number here", false},
    {"Grüße", 11, NULL, false},
    {"Пожар", 11, "characters that the sender of an SMS cannot have", false},
    {"€uro", 4, "has 5 characters", false}, /* an escape and a character */
    {"+41x", 11, NULL, false},
};

START_TEST(senders)
{
    const char *originator = originators[_i].originator;
    struct outcome why;
    int result = originator_check(originator, originators[_i].max, &why);

    ck_assert_int_eq(originator_is_number(originator), originators[_i].number);
    if (!originators[_i].want) {
        ck_assert_msg(result == 0, "%s: %s", originator, why.text);
    } else {
        ck_assert_msg(result == -1, "%s is allowed", originator);
        ck_assert_int_eq(why.kind, OUT_NOUSER);
        ck_assert_str_eq(why.dsn, "5.1.3");
        ck_assert_ptr_nonnull(strstr(why.text, "the parameter sender"));
        ck_assert_msg(strstr(why.text, originators[_i].want), "%s", why.text);
    }
}
END_TEST

UNIT_SUITE("route", tcase_add_loop_test(unit, candidates, 0, G_N_ELEMENTS(routes));
           tcase_add_test(unit, no_candidate);
           tcase_add_loop_test(unit, in_turn, 0, G_N_ELEMENTS(turns));
           tcase_add_test(unit, nothing_is_owed_for_absence); tcase_add_test(unit, rates);
           tcase_add_loop_test(unit, senders, 0, G_N_ELEMENTS(originators)))
