/* SPDX-License-Identifier: ISC */
/*
 * Mails made to cost: each goes to a reader process of its own, with the limits that hold in
 * service, and comes back with a clear outcome; how long it took and how much memory is asked of
 * the kernel. What the parts of its text then cost is the daemon's own time.
 */
#include "tests/unit/check_all.h"
#include "transport/reader/client.h"
#include "transport/reader/sandbox.h"
#include "transport/sms/sms.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB 1048576

/* AddressSanitizer's strstr looks at the whole text each time, and it has its own memory. */
enum { MEASURED = !SANITIZED, SLOWER = SANITIZED ? 10 : 1, SHORTER = SANITIZED ? 32 : 1 };

struct cost {
    double cpu;   /* seconds */
    glong memory; /* octets, at most */
};

/* mail as a reader of its own reads it. */
static struct mail_view *
read_mail(const GString *mail, struct cost *ret)
{
    struct mail_view *view = NULL;
    struct rusage before, after;
    struct outcome why = {0};
    int fd = memfd_create("mail", MFD_CLOEXEC);

    for (gsize at = 0; at < mail->len;) {
        gssize count = write(fd, mail->str + at, mail->len - at);

        ck_assert_int_gt(count, 0);
        at += (gsize)count;
    }
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    getrusage(RUSAGE_CHILDREN, &before);
    ck_assert_msg(reader_once(fd, &view, &why) == 0, "%s", why.text);
    getrusage(RUSAGE_CHILDREN, &after);
    close(fd);
    ret->cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
               (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
               (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
               (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
    ret->memory = after.ru_maxrss * 1024;
    return view;
}

static GString *
repeated(const char *head, const char *piece, gsize len)
{
    GString *mail = g_string_new(head);

    while (mail->len < len)
        g_string_append(mail, piece);
    return mail;
}

/* The attachment lies in memory once, as it came, and nothing is made of it. */
START_TEST(large_attachment)
{
    static const char head[] =
        "Subject: plans\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
        "text/plain\n\nSee attached.\n--b\nContent-Type: application/octet-stream; name=plan.bin\n"
        "Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n";
    g_autoptr(GString) small = g_string_new(head);
    g_autoptr(GString) large = repeated(head,
                                        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"
                                        "wMTIzNDU2Nzg5QUJDREVGR0hJSktMTU5PUF\n",
                                        20 * MB);
    struct cost idle, cost;
    g_autoptr(MailView) without = read_mail(small, &idle);
    g_autoptr(MailView) view = read_mail(large, &cost);

    ck_assert_int_eq(view->verdict.kind, OUT_OK);
    ck_assert_str_eq(view->text, "See attached.");
    ck_assert_int_eq(view->size, (gint64)large->len);
    if (MEASURED)
        ck_assert_msg(cost.memory < idle.memory + (glong)large->len + 4 * MB, "%ld and %ld octets",
                      idle.memory, cost.memory);
}
END_TEST

static GString *
addresses(void)
{
    GString *mail = g_string_new("From: a@example.com\n");

    for (int field = 0; field < 4; field++) {
        g_string_append(mail, field % 2 ? "To: x@example.com" : "Cc: x@example.com");
        for (int i = 0; i < 1800; i++)
            g_string_append_printf(mail, ",%s \"Somebody %d\" <n%d@example.com>",
                                   i % 10 ? "" : "\n", i, i);
        g_string_append_c(mail, '\n');
    }
    g_string_append(mail, "Subject: s\n\ntext");
    return mail;
}

static GString *
many_parts(void)
{
    return repeated("Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", 10000 * 7 + 43);
}

static GString *
nested_parts(void)
{
    GString *mail = g_string_new(NULL);

    for (int i = 0; i < 100000; i++)
        g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
                               i);
    return mail;
}

#define HTML  "Content-Type: text/html; charset=utf-8\n\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\n\n"
#define CODED "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"

static const struct {
    const char *name, *head, *piece;
    gsize len;
    GString *(*make)(void);
    const char *refused; /* a piece of the reason, or NULL: it is read */
} mails[] = {
    {"10,000 parts", NULL, NULL, 0, many_parts, "too many parts"},
    {"100,000 header fields", "Subject: s\n", "X: y\n", 100000 * 5, NULL, "too many header lines"},
    {"100,000 lines of one field", "Subject: s\n", " y\n", 100000 * 3, NULL,
     "too many header lines"},
    {"nested parts", NULL, NULL, 0, nested_parts, "nested too deep"},
    {"messages in messages", "", "Content-Type: message/rfc822\n\n", MB, NULL, "nested too deep"},
    {"address lists", NULL, NULL, 0, addresses, NULL},
    {"one long subject", "Subject: ", "=?utf-8?Q?=C3=B6?= ", 20 * MB, NULL, NULL},
    {"one long line", PLAIN, "x", 20 * MB, NULL, NULL},
    {"HTML text", HTML, "<p>A line of <b>text</b> &amp; more</p>\n", 8 * MB, NULL, NULL},
    {"HTML nested", HTML, "<div><b><ul><li>", 8 * MB, NULL, NULL},
    {"HTML tables", HTML, "<table><tr><td>x", 8 * MB, NULL, NULL},
    {"HTML quotes", HTML, "<blockquote>x", 8 * MB, NULL, NULL},
    {"HTML hidden", HTML, "<div style=\"display:none\">x</div>", 8 * MB, NULL, NULL},
    {"HTML styles", HTML "<style>", ".a{display:none}", 8 * MB, NULL, NULL},
    {"HTML of one class each", HTML "<style>.a{color:red}</style>", "<p class='b c d e f'>x",
     8 * MB, NULL, NULL},
    {"HTML links", HTML, "<a href=\"https://a.example/?u=1&utm_source=x\">x</a> ", 8 * MB, NULL,
     NULL},
    {"HTML attributes", HTML "<p ", "a=b ", 8 * MB, NULL, NULL},
    {"HTML entities", HTML, "&#x301;&nbsp;&lt", 8 * MB, NULL, NULL},
    {"HTML comments", HTML, "<!--<!--", 8 * MB, NULL, NULL},
    {"HTML of marks", HTML "<p>a", "\u0301", 4 * MB, NULL, NULL},
    {"marks", PLAIN "a", "\u0301", MB, NULL, NULL},
    {"words of marks", PLAIN, "a\u0301\u0316 ", 8 * MB, NULL, NULL},
    {"base64", CODED, "QUFB", 40 * MB, NULL, NULL},
    {"base64 of nothing", CODED, "=", 20 * MB, NULL, NULL},
    {"base64 of base64 words", "Subject: ", "=?utf-8?B?PT91dGYtOD9CP1FRPT0/PQ==?=", 60000, NULL,
     NULL},
    {"quoted", "Content-Transfer-Encoding: quoted-printable\n\n", "=\n", 8 * MB, NULL, NULL},
    {"flowed", "Content-Type: text/plain; format=flowed; delsp=yes\n\n", "> x \n", 8 * MB, NULL,
     NULL},
    {"flowed levels", "Content-Type: text/plain; format=flowed\n\n", ">", 8 * MB, NULL, NULL},
    {"calendar", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n",
     "BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261123T100000\nEND:VEVENT\n", 8 * MB, NULL, NULL},
    {"calendar unended", "Content-Type: text/calendar\n\n", "BEGIN:VEVENT\n", 8 * MB, NULL, NULL},
    {"calendar folds", "Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:", "x\n ", 8 * MB,
     NULL, NULL},
    {"PGP", PLAIN "begin\n", "-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n", 8 * MB,
     NULL, NULL},
    {"yEnc", PLAIN "begin\n", "=ybegin x\n", 8 * MB, NULL, NULL},
    {"uuencode", PLAIN, "begin 644 x\n#0V%T\n", 8 * MB, NULL, NULL},
    {"UTF-7", "Content-Type: text/plain; charset=utf-7\n\n", "+AGE-", 8 * MB, NULL, NULL},
    {"ISO-2022-JP", "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\033$B$\"\033(B", 8 * MB,
     NULL, NULL},
    {"UTF-16 as UTF-8", "Content-Type: text/plain; charset=utf-16\n\n", "a\377b", 8 * MB, NULL,
     NULL},
};

/* Far less than a reader may take, of time and of memory. */
START_TEST(tedious)
{
    g_autoptr(GString) mail =
        mails[_i].make ? mails[_i].make()
                       : repeated(mails[_i].head, mails[_i].piece, mails[_i].len / SHORTER);
    struct cost cost;
    g_autoptr(MailView) view = read_mail(mail, &cost);

    ck_assert_int_eq(view->verdict.kind, mails[_i].refused ? OUT_DATA : OUT_OK);
    if (mails[_i].refused)
        ck_assert_msg(strstr(view->verdict.text, mails[_i].refused), "%s", view->verdict.text);
    ck_assert_int_eq(view->size, (gint64)mail->len);
    ck_assert_uint_le(strlen(view->text), VIEW_TEXT_MAX);
    ck_assert_uint_le(strlen(view->to), VIEW_TO_MAX);
    ck_assert_msg(cost.cpu < SLOWER * READER_CPU_SECONDS / 2.0, "%s: %.1f s", mails[_i].name,
                  cost.cpu);
    if (MEASURED)
        ck_assert_msg(cost.memory < READER_MEMORY * 3L / 4, "%s: %ld octets", mails[_i].name,
                      cost.memory);
}
END_TEST

/* The largest text of a view, with everything allowed that makes the search for the cheapest
 * encoding long. */
static const char *const texts[] = {"a",         "ж",         "\u0301", "a\u0301 ",  "“x” – ",
                                    "👩\u200D🚒",  "🇨🇭",        "Işık ",  "नमस्ते ",     "€",
                                    "ação жук ", "x x x x\n", "\u200D", "ﬃ Ǆ Łódź ", "ا"};

START_TEST(largest_text)
{
    static const guint8 languages[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    struct sms_limits limits = {.maxmsgs = SMS_PARTS_MAX,
                                .translit = SMS_TRANSLIT_FULL,
                                .languages = languages,
                                .languages_count = G_N_ELEMENTS(languages)};
    g_autoptr(GString) text = repeated("", texts[_i], VIEW_TEXT_MAX - 32);
    g_autoptr(SmsMessage) message = NULL;
    struct rusage before, after;
    struct outcome why;

    getrusage(RUSAGE_SELF, &before);
    ck_assert_msg(sms_split(text->str, &limits, &message, &why) == 0, "%s", why.text);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_uint_eq(message->parts->len, SMS_PARTS_MAX);
    ck_assert_msg(after.ru_utime.tv_sec - before.ru_utime.tv_sec <= 4 * SLOWER, "\"%s\": %ld s",
                  texts[_i], (long)(after.ru_utime.tv_sec - before.ru_utime.tv_sec));
}
END_TEST

UNIT_SUITE("limits", tcase_add_test(unit, large_attachment);
           tcase_add_loop_test(unit, tedious, 0, G_N_ELEMENTS(mails));
           tcase_add_loop_test(unit, largest_text, 0, G_N_ELEMENTS(texts)))
