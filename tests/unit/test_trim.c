/* SPDX-License-Identifier: ISC */
/*
 * tests/data/trim/ *.txt: what people get of a mail as clients write it. OPTIONS turn settings off
 * (no-quotes, no-signature, no-sent-from), add one (forwarded) or set blank lines (blank=0); NOTES
 * are what was dropped.
 */
#include "tests/unit/cases.h"
#include "transport/reader/trim.h"
#include "transport/reader/trim_lines.h"
#include "transport/reader/trim_phrases.h"
#include <stdlib.h>

static const char *const disclaimers[] = {"This e-mail and any attachments are confidential",
                                          "Diese E-Mail enthält  vertrauliche", "Straße", "", NULL};

static GString *faults; /* of all cases, so that a change shows all it does */

static void
check_case(const struct unit_case *unit_case)
{
    const char *blank = strstr(unit_case->options, "blank=");
    struct trim_settings settings = {.signature = !strstr(unit_case->options, "no-signature"),
                                     .quotes = !strstr(unit_case->options, "no-quotes"),
                                     .sent_from = !strstr(unit_case->options, "no-sent-from"),
                                     .forwarded = strstr(unit_case->options, "forwarded"),
                                     .reply = !strstr(unit_case->options, "no-reply"),
                                     .disclaimers = disclaimers,
                                     .blank_lines = blank ? atoi(blank + strlen("blank=")) : 1};
    g_autoptr(GString) notes = g_string_new(NULL);
    g_autofree char *got = trim_text(unit_case->input, &settings, notes);

    if (strcmp(got, unit_case->want) != 0)
        g_string_append_printf(faults, "%s: got\n%s\n---- want\n%s\n", unit_case->where, got,
                               unit_case->want);
    if (strcmp(notes->str, unit_case->notes) != 0)
        g_string_append_printf(faults, "%s: notes \"%s\", want \"%s\"\n", unit_case->where,
                               notes->str, unit_case->notes);
}

START_TEST(trimming_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/trim", 0, NULL);
    const char *name;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    faults = g_string_new(NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename("trim", name, NULL);
        count += cases_each(path, check_case);
    }
    ck_assert_msg(faults->len == 0, "%s", faults->str);
    g_string_free(faults, TRUE);
    ck_assert_uint_gt(count, 300);
}
END_TEST

/* Everything off: white space is all that goes. */
START_TEST(trimming_nothing)
{
    const struct trim_settings off = {.blank_lines = -1};
    g_autoptr(GString) notes = g_string_new("kept");
    g_autofree char *got =
        trim_text(" \n\n a \t\n  b\n\n\n\nOn Mon, 3 Nov 2025 10:11, Anna "
                  "<a@example.org> wrote:\n> c\n-- \nAnna\nSent from my iPhone\n",
                  &off, notes);

    ck_assert_str_eq(got, "a\n  b\n\n\n\nOn Mon, 3 Nov 2025 10:11, Anna <a@example.org> wrote:\n"
                          "> c\n--\nAnna\nSent from my iPhone");
    ck_assert_str_eq(notes->str, "kept");
}
END_TEST

/* Lines made to be looked at again and again: many of each. */
START_TEST(trimming_is_linear)
{
    static const char *const pieces[] = {
        "On Mon, 3 Nov 2025 at 10:11, Anna <a@example.org> wrote:\n",
        "wrote:\n",
        ":\n",
        "a:\n\n",
        "On 3 Nov 2025,\n",
        "Anna wrote:\n> a\nb\n",
        "> On 3 Nov 2025 Anna wrote:\n\n",
        "From: a\nSent: b\n",
        "From: a\nTo: b\nSubject: c\n",
        "To: a\n",
        "-----Original Message\n",
        "____________________\n",
        "____________________\n\n",
        "Sent from my iPhone\n",
        "--\n",
        "--\n\n",
        "-- \n> a\n",
        "a\n\n-- \n",
        "This e-mail and any attachments are confidentia\n",
        "this e-mail and ",
        "\n",
        " > > > > >",
        "1.1.1.1:",
        "a@a.a ",
        "\xE5\x86\x99",
        "a@ "};
    const struct trim_settings on = {true, true, true, false, disclaimers, 1, true};

    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++)
        for (int above = 0; above < 2; above++) {
            g_autoptr(GString) text = g_string_new(above ? "Yes.\n" : "");
            g_autoptr(GString) notes = g_string_new(NULL);
            g_autofree char *got = NULL;
            gint64 begin = g_get_monotonic_time();

            while (text->len < 262144)
                g_string_append(text, pieces[i]);
            got = trim_text(text->str, &on, notes);
            ck_assert(g_utf8_validate(got, -1, NULL));
            /* It takes 0.1 s; quadratic would be a minute. */
            ck_assert_msg(g_get_monotonic_time() - begin < 10 * G_USEC_PER_SEC, "\"%s\" takes long",
                          pieces[i]);
        }
}
END_TEST

START_TEST(forward_subjects)
{
    static const char *const yes[] = {"Fwd: Plan", "FW: Plan",   "WG: Plan",  "TR : Plan",
                                      "Rv: Plan",  "転送：計画", "İLT: Plan", "fwd: Re: Plan"};
    static const char *const no[] = {"Plan", "Re: Fwd: Plan", "AW: Plan",     "",
                                     "Fwd",  ": Plan",        "Forward: now", "Invite: FW: x"};

    for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
        ck_assert_msg(trim_is_forward(yes[i]), "%s", yes[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(no); i++)
        ck_assert_msg(!trim_is_forward(no[i]), "%s", no[i]);
}
END_TEST

static const char *const *const tables[] = {
    phrases_wrote,         phrases_wrote_inside, phrases_opener,
    phrases_original,      phrases_forwarded,    phrases_forward_begins,
    phrases_from,          phrases_sent,         phrases_to,
    phrases_subject,       phrases_cc,           phrases_subject_forward,
    phrases_subject_reply, phrases_sent_from,    phrases_device,
    phrases_promotion};

/* A phrase that is not as line_folded makes it would never be found. */
START_TEST(phrases_are_folded)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const char *const *row = tables[i]; *row; row++) {
            g_auto(GStrv) phrases = g_strsplit(*row, "|", -1);

            for (char **phrase = phrases; *phrase; phrase++) {
                g_autofree char *folded = line_folded(*phrase, strlen(*phrase));

                ck_assert_str_eq(*phrase, folded);
                ck_assert_str_ne(*phrase, "");
                if (tables[i] == phrases_sent_from)
                    ck_assert_msg(strchr(*phrase, '*') && strlen(*phrase) > 1, "%s", *phrase);
            }
        }
}
END_TEST

UNIT_SUITE("trim", tcase_add_test(unit, trimming_cases); tcase_add_test(unit, trimming_nothing);
           tcase_add_test(unit, trimming_is_linear); tcase_add_test(unit, forward_subjects);
           tcase_add_test(unit, phrases_are_folded))
