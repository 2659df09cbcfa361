/* SPDX-License-Identifier: ISC */
/* Rewrites across a socket: packing and unpacking is identity, and nothing a reader could make up
 * reaches a header or lies outside the body. */
#include "lib/rewrite.h"
#include "tests/unit/check_all.h"
#include <string.h>

#define BODY_LEN 100

/* A good answer, in which a test replaces one value. */
static const char *const good[][2] = {
    {"subject", "=?UTF-8?Q?T=C3=BCr?=\n =?UTF-8?Q?schlie=C3=9Ft?="},
    {"content-type", "text/plain; charset=utf-8;\n\tformat=flowed"},
    {"transfer-encoding", "quoted-printable"},
    {"mime-version", "1.0"},
    {"edit-1-from", "0"},
    {"edit-1-to", "10"},
    {"edit-1-octets", "Content-Type: text/plain\r\n\r\n"},
    {"edit-2-from", "10"},
    {"edit-2-to", "100"},
    {"edit-2-octets", "caf\xE9 \x1B$B\r\n"},
    {"verdict", "ok"},
    {"dsn", "2.0.0"},
    {"reason", "altered"},
};

/* good without the names that begin with skip, and with name set to value; value NULL: left out. */
static struct wire *
answer(const char *skip, const char *name, const char *value)
{
    g_autoptr(GString) list = g_string_new(NULL);
    struct wire *wire = NULL;
    struct outcome why;
    gsize used;
    bool known = false;

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        bool this = strcmp(good[i][0], name) == 0;

        known |= this;
        if (!(skip && g_str_has_prefix(good[i][0], skip)) && (!this || value))
            wire_put(list, good[i][0], this ? value : good[i][1]);
    }
    if (!known)
        wire_put(list, name, value);
    wire_end(list);
    ck_assert_int_eq(wire_parse(list->str, list->len, WIRE_FRAME_MAX, &wire, &used, &why), 1);
    return wire;
}

static struct rewrite *
unpacked(const char *skip, const char *name, const char *value, gsize body_len)
{
    g_autoptr(Wire) wire = answer(skip, name, value);
    struct rewrite *rewrite = NULL;
    struct outcome why;

    if (rewrite_unpack(wire, body_len, &rewrite, &why) == 0)
        return rewrite;
    ck_assert_ptr_null(rewrite);
    ck_assert_int_eq(why.kind, OUT_RETRY);
    ck_assert_str_eq(why.dsn, "4.3.0");
    return NULL;
}

static bool
accepted(const char *name, const char *value)
{
    g_autoptr(Rewrite) rewrite = unpacked(NULL, name, value, BODY_LEN);

    return rewrite != NULL;
}

START_TEST(test_rewrite_identity)
{
    g_autoptr(Rewrite) rewrite = unpacked(NULL, "verdict", "ok", BODY_LEN);
    g_autoptr(GString) packed = g_string_new(NULL);
    g_autoptr(GString) again = g_string_new(NULL);
    g_autoptr(Wire) wire = NULL;
    g_autoptr(Rewrite) copy = NULL;
    struct outcome why;
    gsize used;

    ck_assert_ptr_nonnull(rewrite);
    ck_assert_str_eq(rewrite->subject, good[0][1]);
    ck_assert_str_eq(rewrite->content_type, good[1][1]);
    ck_assert_str_eq(rewrite->transfer_encoding, "quoted-printable");
    ck_assert_str_eq(rewrite->mime_version, "1.0");
    ck_assert_uint_eq(rewrite->n_edits, 2);
    ck_assert_uint_eq(rewrite->edits[1].from, 10);
    ck_assert_uint_eq(rewrite->edits[1].to, 100);
    ck_assert_str_eq(rewrite->edits[1].octets, "caf\xE9 \x1B$B\r\n");
    ck_assert_int_eq(rewrite->verdict.kind, OUT_OK);
    rewrite_pack(rewrite, packed);
    ck_assert_int_eq(wire_parse(packed->str, packed->len, WIRE_FRAME_MAX, &wire, &used, &why), 1);
    ck_assert_uint_eq(used, packed->len);
    ck_assert_int_eq(rewrite_unpack(wire, BODY_LEN, &copy, &why), 0);
    rewrite_pack(copy, again);
    ck_assert(g_string_equal(packed, again));
}
END_TEST

/* What a mail that needs less has. */
START_TEST(test_rewrite_less)
{
    g_autoptr(Rewrite) none = unpacked("edit", "verdict", "ok", 0);
    g_autoptr(Rewrite) one = unpacked("edit-2", "subject", NULL, 10);

    ck_assert_ptr_nonnull(none);
    ck_assert_uint_eq(none->n_edits, 0);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_null(one->subject);
    ck_assert_uint_eq(one->n_edits, 1);
    ck_assert(accepted("mime-version", NULL));
    ck_assert(accepted("edit-2-octets", ""));
}
END_TEST

START_TEST(test_rewrite_missing)
{
    static const char *const names[] = {
        "edit-1-from",   "edit-1-to", "edit-1-octets", "edit-2-from", "edit-2-to",
        "edit-2-octets", "verdict",   "dsn",           "reason",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(!accepted(names[i], NULL), "%s", names[i]);
}
END_TEST

START_TEST(test_rewrite_refused)
{
    static const char *const wrong[][2] = {
        {"subject", ""},
        {"subject", "a\nBcc: b@example.com"},
        {"subject", "a\r\n b"},
        {"subject", "a\n"},
        {"subject", "a\n "},
        {"subject", "a\n \n b"},
        {"subject", "\n a"},
        {"subject", "bell\x07"},
        {"subject", "del\x7F"},
        {"content-type", "text/plain\n\nHallo"},
        {"transfer-encoding", "base64\rX: y"},
        {"mime-version", "1.0\x1B"},
        {"edit-1-from", "-1"},
        {"edit-1-from", "11"}, /* behind its end */
        {"edit-1-from", "0x0"},
        {"edit-1-to", "11"}, /* into the second one */
        {"edit-2-from", "9"},
        {"edit-2-to", "101"},
        {"edit-2-to", "18446744073709551615"},
        {"edit-2-to", ""},
        {"verdict", "data"}, /* with status 2.0.0 */
        {"verdict", "refused"},
        {"dsn", "5.6.0"},
        {"reason", ""},
        {"edit-3-from", "100"},
        {"from", "x"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
        ck_assert_msg(!accepted(wrong[i][0], wrong[i][1]), "%s=%s", wrong[i][0], wrong[i][1]);
}
END_TEST

START_TEST(test_rewrite_bounds)
{
    g_autofree char *value = g_strnfill(REWRITE_HEADER_MAX + 1, 'x');

    ck_assert(!accepted("subject", value));
    value[REWRITE_HEADER_MAX] = '\0';
    ck_assert(accepted("subject", value));
    ck_assert_ptr_null(unpacked(NULL, "verdict", "ok", BODY_LEN - 1));
}
END_TEST

/* A mail that is not altered: a verdict and nothing else. */
START_TEST(test_rewrite_verdicts)
{
    static const struct {
        enum out_kind kind;
        const char *dsn;
        enum out_kind want;
    } cases[] = {
        {OUT_RETRY, "4.3.0", OUT_RETRY},
        {OUT_DATA, "5.6.0", OUT_DATA},
        {OUT_CONFIG, "4.3.5", OUT_RETRY},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rewrite rewrite = {0};
        g_autoptr(GString) packed = g_string_new(NULL);
        g_autoptr(Wire) wire = NULL;
        g_autoptr(Rewrite) copy = NULL;
        struct outcome why;
        gsize used;

        out_set(&rewrite.verdict, cases[i].kind, cases[i].dsn, "so it is");
        rewrite_pack(&rewrite, packed);
        ck_assert_int_eq(wire_parse(packed->str, packed->len, WIRE_FRAME_MAX, &wire, &used, &why),
                         1);
        ck_assert_int_eq(rewrite_unpack(wire, BODY_LEN, &copy, &why), 0);
        ck_assert_int_eq(copy->verdict.kind, cases[i].want);
        ck_assert_str_eq(copy->verdict.text, "so it is");
        /* The same with something to be done. */
        rewrite.subject = (char *)(guintptr) "x";
        g_string_truncate(packed, 0);
        g_clear_pointer(&wire, wire_free);
        rewrite_pack(&rewrite, packed);
        ck_assert_int_eq(wire_parse(packed->str, packed->len, WIRE_FRAME_MAX, &wire, &used, &why),
                         1);
        g_clear_pointer(&copy, rewrite_free);
        ck_assert_int_eq(rewrite_unpack(wire, BODY_LEN, &copy, &why), -1);
    }
}
END_TEST

UNIT_SUITE("rewrite", tcase_add_test(unit, test_rewrite_identity);
           tcase_add_test(unit, test_rewrite_less); tcase_add_test(unit, test_rewrite_missing);
           tcase_add_test(unit, test_rewrite_refused); tcase_add_test(unit, test_rewrite_bounds);
           tcase_add_test(unit, test_rewrite_verdicts))
