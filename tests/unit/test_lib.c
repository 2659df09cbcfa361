/* SPDX-License-Identifier: ISC */
/* outcome, log, clk, wire: the small things that everything else takes for granted. */
#include "lib/clk.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/outcome.h"
#include "lib/wire.h"
#include "tests/unit/check_all.h"

#include <string.h>

/* Design section 9, row by row. */
static const struct {
    enum out_kind kind;
    int exit;
    const char *smtp, *status;
    bool final;
} kinds[] = {
    {OUT_OK, 0, "250", "sent", true},          {OUT_DROPPED, 0, "250", "dropped", true},
    {OUT_RETRY, 75, "451", "deferred", false}, {OUT_CONFIG, 75, "451", "deferred", false},
    {OUT_BUG, 75, "451", "deferred", false},   {OUT_UNKNOWN, 75, "451", "unknown", false},
    {OUT_EXPIRED, 69, "550", "expired", true}, {OUT_NOUSER, 67, "550", "bounced", true},
    {OUT_DATA, 65, "554", "bounced", true},    {OUT_REFUSED, 77, "550", "bounced", true},
};

START_TEST(outcome_table)
{
    ck_assert_uint_eq(G_N_ELEMENTS(kinds), OUT_KINDS);
    ck_assert_int_eq(out_exit(kinds[_i].kind), kinds[_i].exit);
    ck_assert_str_eq(out_smtp_code(kinds[_i].kind), kinds[_i].smtp);
    ck_assert_str_eq(out_status(kinds[_i].kind), kinds[_i].status);
    ck_assert_int_eq(out_final(kinds[_i].kind), kinds[_i].final);
}
END_TEST

START_TEST(outcome_text)
{
    struct outcome why;
    g_autofree char *lengthy = g_strnfill(1000, 'x');

    out_set(&why, OUT_RETRY, "4.4.1", "a\nb\tc\x7f\xff%s", "\xc2\x85");
    ck_assert_str_eq(why.text, "a b c ?");
    ck_assert_str_eq(why.dsn, "4.4.1");
    out_prefix(&why, "%s: ", "demo");
    ck_assert_str_eq(why.text, "demo: a b c ?");
    ck_assert_str_eq(why.dsn, "4.4.1");
    /* Postfix would take another user's text if ours were empty. */
    out_set(&why, OUT_REFUSED, NULL, "%s", "");
    ck_assert_str_eq(why.dsn, "5.7.1");
    ck_assert_str_eq(why.text, "bounced");
    out_set(&why, OUT_DATA, "5.6.0", "%sé", lengthy);
    ck_assert_uint_lt(strlen(why.text), sizeof(why.text));
    ck_assert(g_utf8_validate(why.text, -1, NULL));
}
END_TEST

/* In place of libc's, by its name with and without _FORTIFY_SOURCE: keeps the line. */
static char syslog_line[200];
void syslog(int priority, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
void __syslog_chk(int priority, int flag, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

void
syslog(int priority, const char *fmt, ...)
{
    va_list ap;

    (void)priority;
    va_start(ap, fmt);
    g_vsnprintf(syslog_line, sizeof(syslog_line), fmt, ap);
    va_end(ap);
}

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
    va_list ap;

    (void)priority, (void)flag;
    va_start(ap, fmt);
    g_vsnprintf(syslog_line, sizeof(syslog_line), fmt, ap);
    va_end(ap);
}

/* A line has its word also where a file does not show the priority. */
START_TEST(log_words)
{
    log_open("check", false);
    log_started();
    log_info("%d %%", 1);
    ck_assert_str_eq(syslog_line, "1 %");
    log_warnx("two");
    ck_assert_str_eq(syslog_line, "warning: two");
    log_err("three");
    ck_assert_str_eq(syslog_line, "error: three");
}
END_TEST

START_TEST(log_numbers)
{
    static const char *const rows[][2] = {
        {"+41791234567", "+4179***4567"}, {"+4179123", "+41***23"},     {"112", "112"},
        {"0791234567", "079***67"},       {"postmaster", "postmaster"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *brief = log_number(rows[i][0], false);
        g_autofree char *full = log_number(rows[i][0], true);

        ck_assert_str_eq(brief, rows[i][1]);
        ck_assert_str_eq(full, rows[i][0]);
    }
}
END_TEST

START_TEST(clock_string)
{
    g_autofree char *text = clk_string(clk_system.wall());
    guint8 one[16] = {0}, other[16] = {0};

    ck_assert_uint_eq(strlen(text), strlen("2026-11-22T22:05:31+01:00"));
    clk_system.random(one, sizeof(one));
    clk_system.random(other, sizeof(other));
    ck_assert_mem_ne(one, other, sizeof(one));
}
END_TEST

START_TEST(wire_round_trip)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(Wire) wire = NULL;
    struct outcome why;
    gsize used;

    wire_put(list, "sender", "a=b@c");
    wire_put(list, "empty", "");
    wire_put_int(list, "size", -7);
    wire_end(list);
    g_string_append(list, "mail follows");
    for (gsize len = 0; len + strlen("mail follows") < list->len; len++)
        ck_assert_int_eq(wire_parse(list->str, len, 1000, &wire, &used, &why), 0);
    ck_assert_int_eq(wire_parse(list->str, list->len, 1000, &wire, &used, &why), 1);
    ck_assert_uint_eq(used, list->len - strlen("mail follows"));
    ck_assert_str_eq(wire_get(wire, "sender"), "a=b@c");
    ck_assert_str_eq(wire_get(wire, "empty"), "");
    ck_assert_ptr_null(wire_get(wire, "none"));
    ck_assert_int_eq(wire_get_int(wire, "size", -10, 0, 99), -7);
    ck_assert_int_eq(wire_get_int(wire, "size", 0, 10, 99), 99);
    ck_assert_int_eq(wire_get_int(wire, "empty", 0, 10, 99), 99);
}
END_TEST

START_TEST(wire_faults)
{
    static const struct {
        const char *data;
        gsize len;
        const char *text;
    } rows[] = {
        {"novalue\0", 9, "without name=value"}, {"=x\0", 4, "without name=value"},
        {"Upper=x\0", 9, "without name=value"}, {"a=1\0a=2\0", 9, "twice"},
        {"a=0123456789", 12, "longer than 10"}, {"a=01234567\0\0", 12, "longer than 10"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Wire) wire = NULL;
        struct outcome why;
        gsize used;

        ck_assert_int_eq(wire_parse(rows[i].data, rows[i].len, 10, &wire, &used, &why), -1);
        ck_assert_msg(strstr(why.text, rows[i].text), "%s", why.text);
    }
}
END_TEST

START_TEST(wire_frames)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GString) frame = g_string_new(NULL);
    g_autoptr(Wire) wire = NULL;
    struct outcome why;
    gsize used;

    wire_put(list, "text", "x");
    wire_end(list);
    wire_frame(frame, list);
    for (gsize len = 0; len < frame->len; len++)
        ck_assert_int_eq(wire_parse_frame(frame->str, len, &wire, &used, &why), 0);
    g_string_append_c(frame, 'n');
    ck_assert_int_eq(wire_parse_frame(frame->str, frame->len, &wire, &used, &why), 1);
    ck_assert_uint_eq(used, frame->len - 1);
    g_clear_pointer(&wire, wire_free);
    /* More in the frame than the list, and a list without its end. */
    ck_assert_int_eq(wire_parse_frame("\0\0\0\6a=1\0\0x", 10, &wire, &used, &why), -1);
    ck_assert_int_eq(wire_parse_frame("\0\0\0\3a=1", 7, &wire, &used, &why), -1);
    ck_assert_int_eq(wire_parse_frame("\xff\xff\xff\xff", 4, &wire, &used, &why), -1);
}
END_TEST

UNIT_SUITE("lib", tcase_add_loop_test(unit, outcome_table, 0, G_N_ELEMENTS(kinds));
           tcase_add_test(unit, outcome_text); tcase_add_test(unit, log_words);
           tcase_add_test(unit, log_numbers); tcase_add_test(unit, clock_string);
           tcase_add_test(unit, wire_round_trip); tcase_add_test(unit, wire_faults);
           tcase_add_test(unit, wire_frames))
