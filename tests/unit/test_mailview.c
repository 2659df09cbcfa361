/* SPDX-License-Identifier: ISC */
/* Views across a socket: packing and unpacking is identity, and nothing a reader could make up gets
 * through. */
#include "lib/mailview.h"
#include "tests/unit/check_all.h"
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A good answer, in which a test replaces one value. */
static const char *const good[][2] = {
    {"digest", DIGEST},
    {"message-id", "<1@example.com>"},
    {"date", "Mon, 5 Oct 2026 10:00:00 +0200"},
    {"from", "Änna <anna@example.com>"},
    {"from-address", "anna@example.com"},
    {"from-name", "Änna"},
    {"subject", "Grüße = ja"},
    {"text", "eine Zeile\n\tzweite Zeile \n"},
    {"auto-submitted", "no"},
    {"precedence", ""},
    {"list", "0"},
    {"report", "0"},
    {"loop", "1"},
    {"text-cut", "0"},
    {"to", "+41791234567@sms.example.com\nbert@example.com"},
    {"declared", "copy-to"},
    {"rewritten", "1"},
    {"sealed", "0"},
    {"encrypted", "0"},
    {"reply", "0"},
    {"size", "12345678901"},
    {"replaced", "3"},
    {"verdict", "ok"},
    {"dsn", "2.0.0"},
    {"reason", "read"},
};

/* good with name set to value; value NULL: left out. */
static struct wire *
answer(const char *name, const char *value)
{
    g_autoptr(GString) list = g_string_new(NULL);
    struct wire *wire = NULL;
    struct outcome why;
    gsize used;
    bool known = false;

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        bool this = strcmp(good[i][0], name) == 0;

        known |= this;
        if (!this || value)
            wire_put(list, good[i][0], this ? value : good[i][1]);
    }
    if (!known)
        wire_put(list, name, value);
    wire_end(list);
    ck_assert_int_eq(wire_parse(list->str, list->len, WIRE_FRAME_MAX, &wire, &used, &why), 1);
    return wire;
}

static bool
accepted(const char *name, const char *value)
{
    g_autoptr(Wire) wire = answer(name, value);
    g_autoptr(MailView) view = NULL;
    struct outcome why;

    if (mail_view_unpack(wire, &view, &why) == 0)
        return true;
    ck_assert_ptr_null(view);
    ck_assert_int_eq(why.kind, OUT_RETRY);
    ck_assert_str_eq(why.dsn, "4.3.0");
    return false;
}

START_TEST(test_identity)
{
    g_autoptr(Wire) wire = answer("digest", DIGEST);
    g_autoptr(MailView) view = NULL;
    g_autoptr(GString) packed = g_string_new(NULL);
    g_autoptr(GString) again = g_string_new(NULL);
    g_autoptr(Wire) second = NULL;
    g_autoptr(MailView) copy = NULL;
    struct outcome why;
    gsize used;

    ck_assert_int_eq(mail_view_unpack(wire, &view, &why), 0);
    ck_assert_str_eq(view->digest, DIGEST);
    ck_assert_int_eq(view->size, 12345678901);
    ck_assert_str_eq(view->subject, "Grüße = ja");
    ck_assert_str_eq(view->text, "eine Zeile\n\tzweite Zeile \n");
    ck_assert(view->loop);
    ck_assert(!view->list);
    ck_assert_str_eq(view->to, "+41791234567@sms.example.com\nbert@example.com");
    ck_assert_str_eq(view->declared, "copy-to");
    ck_assert(view->rewritten);
    ck_assert(!view->sealed && !view->encrypted);
    ck_assert_uint_eq(view->replaced, 3);
    ck_assert_int_eq(view->verdict.kind, OUT_OK);
    ck_assert_str_eq(view->verdict.text, "read");
    mail_view_pack(view, packed);
    ck_assert_int_eq(wire_parse(packed->str, packed->len, WIRE_FRAME_MAX, &second, &used, &why), 1);
    ck_assert_uint_eq(used, packed->len);
    ck_assert_int_eq(mail_view_unpack(second, &copy, &why), 0);
    mail_view_pack(copy, again);
    ck_assert(g_string_equal(packed, again));
}
END_TEST

START_TEST(test_missing)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        ck_assert_msg(!accepted(good[i][0], NULL), "%s", good[i][0]);
}
END_TEST

START_TEST(test_refused)
{
    static const char *const wrong[][2] = {
        {"digest", ""},
        {"digest", "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"},
        {"digest", DIGEST "0"},
        {"subject", "two\nlines"},
        {"subject", "\xFF"},
        {"from-address", "a\x1B@example.com"},
        {"text", "bell \x07"},
        {"text", "carriage\rreturn"},
        {"text", "C1 \xC2\x85"},
        {"text", "surrogate \xED\xA0\x80"},
        {"size", "-1"},
        {"size", "1x"},
        {"size", "9223372036854775808"},
        {"list", "2"},
        {"list", ""},
        {"loop", "true"},
        {"to", "a@example.com\rb@example.com"},
        {"declared", "delete"},
        {"declared", "List"},
        {"declared", "list\n"},
        {"rewritten", "yes"},
        {"sealed", "-1"},
        {"encrypted", "2"},
        {"reply", "x"},
        {"replaced", "4294967296"},
        {"verdict", "refused"},
        {"verdict", "retry"}, /* with status 2.0.0 */
        {"dsn", "2"},
        {"dsn", "2."},
        {"dsn", ""},
        {"dsn", "2.0"},
        {"dsn", "2.0.0 x"},
        {"dsn", "2.0000.0"},
        {"dsn", "5.6.0"},
        {"reason", ""},
        {"reason", "two\nlines"},
        {"surplus", "name"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
        ck_assert_msg(!accepted(wrong[i][0], wrong[i][1]), "%s=%s", wrong[i][0], wrong[i][1]);
    ck_assert(accepted("text", ""));
    ck_assert(accepted("size", "0"));
    ck_assert(accepted("to", ""));
    ck_assert(accepted("declared", ""));
    ck_assert(accepted("declared", "list"));
}
END_TEST

START_TEST(test_bounds)
{
    g_autofree char *header = g_strnfill(VIEW_HEADER_MAX + 1, 'x');
    g_autofree char *text = g_strnfill(VIEW_TEXT_MAX + 1, 'x');
    g_autofree char *to = g_strnfill(VIEW_TO_MAX + 1, 'x');

    ck_assert(!accepted("to", to));
    to[VIEW_TO_MAX] = '\0';
    ck_assert(accepted("to", to));
    ck_assert(!accepted("subject", header));
    ck_assert(!accepted("text", text));
    header[VIEW_HEADER_MAX] = '\0';
    text[VIEW_TEXT_MAX] = '\0';
    ck_assert(accepted("subject", header));
    ck_assert(accepted("text", text));
}
END_TEST

START_TEST(test_verdicts)
{
    static const struct {
        enum out_kind kind;
        const char *dsn;
        enum out_kind want;
    } cases[] = {
        {OUT_OK, "2.0.0", OUT_OK},
        {OUT_RETRY, "4.3.0", OUT_RETRY},
        {OUT_DATA, "5.6.0", OUT_DATA},
        {OUT_BUG, "4.3.0", OUT_RETRY},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Wire) wire = answer("digest", DIGEST);
        g_autoptr(Wire) second = NULL;
        g_autoptr(MailView) view = NULL;
        g_autoptr(MailView) copy = NULL;
        g_autoptr(GString) packed = g_string_new(NULL);
        struct outcome why;
        gsize used;

        ck_assert_int_eq(mail_view_unpack(wire, &view, &why), 0);
        out_set(&view->verdict, cases[i].kind, cases[i].dsn, "so it is");
        mail_view_pack(view, packed);
        ck_assert_int_eq(wire_parse(packed->str, packed->len, WIRE_FRAME_MAX, &second, &used, &why),
                         1);
        ck_assert_int_eq(mail_view_unpack(second, &copy, &why), 0);
        ck_assert_int_eq(copy->verdict.kind, cases[i].want);
        ck_assert_str_eq(copy->verdict.dsn, cases[i].dsn);
        ck_assert_str_eq(copy->verdict.text, "so it is");
    }
}
END_TEST

UNIT_SUITE("view", tcase_add_test(unit, test_identity); tcase_add_test(unit, test_missing);
           tcase_add_test(unit, test_refused); tcase_add_test(unit, test_bounds);
           tcase_add_test(unit, test_verdicts))
