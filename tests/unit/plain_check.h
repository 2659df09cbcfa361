/* SPDX-License-Identifier: ISC */
/* What plain_view says of a mail, held against a reader; for unit tests and fuzzing. */
#ifndef TESTS_UNIT_PLAIN_CHECK_H
#define TESTS_UNIT_PLAIN_CHECK_H

#include "milter/plain.h"
#include "transport/reader/mail.h"

#include <string.h>

/* Where the header ends, as a mail server sees it: before the first empty line. *ret_body: behind
 * it. */
static inline gsize
plain_split(const char *mail, gsize len, gsize *ret_body)
{
    for (gsize i = 0; i + 1 < len; i++) {
        if (mail[i] == '\n' && mail[i + 1] == '\n') {
            *ret_body = i + 2;
            return i + 1;
        }
        if (mail[i] == '\n' && i + 2 < len && mail[i + 1] == '\r' && mail[i + 2] == '\n') {
            *ret_body = i + 3;
            return i + 1;
        }
    }
    *ret_body = len;
    return len;
}

/* True if it is plain; aborts if a reader reads something else then. */
static inline bool
plain_check(const char *mail, gsize len)
{
    gsize body;
    gsize header = plain_split(mail, len, &body);
    g_autoptr(MailView) plain = plain_view(mail, header, mail + body, len - body);
    g_autoptr(MailView) read = NULL;

    if (!plain)
        return false;
    reader_parse((const guint8 *)mail, len, &read);
    g_assert_cmpint(read->verdict.kind, ==, OUT_OK);
    g_assert_cmpstr(plain->subject, ==, read->subject);
    g_assert_cmpstr(plain->text, ==, read->text);
    g_assert_true(!read->sealed && !read->text_cut);
    return true;
}

#endif
