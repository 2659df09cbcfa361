/* SPDX-License-Identifier: ISC */
/*
 * What a mail's way to parts costs: reader_parse and compose in this process, no other and no
 * socket. Each mail in a child of its own, so that its peak of memory is its own. Not a test:
 * nothing here passes or fails by a figure.
 */
#include "transport/dispatch/compose.h"
#include "transport/reader/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPETITIONS 5
#define SECONDS     0.3 /* a repetition takes at least */

#define HEAD                                                                                       \
    "From: Anna <anna@example.com>\nTo: +41791234567@sms.example.com\nSubject: =?utf-8?Q?Gr=C3="   \
    "BC=C3=9Fe?=\nMessage-ID: <1@example.com>\nDate: Mon, 23 Nov 2026 10:00:00 "                   \
    "+0100\nMIME-Version: 1.0\n"

static void
fill(GString *mail, const char *piece, gsize len)
{
    while (mail->len < len)
        g_string_append(mail, piece);
}

/* 4 KB with what people write and clients add. */
static GString *
text_mail(void)
{
    GString *mail = g_string_new(HEAD "Content-Type: text/plain; charset=utf-8; format=flowed\n"
                                      "Content-Transfer-Encoding: quoted-printable\n\n");

    fill(mail,
         "Die Wartung in Z=C3=BCrich beginnt um =E2=80=9Czehn=E2=80=9D Uhr und dauert =\n"
         "bis Mittag. \n",
         3000);
    g_string_append(mail, "\n-- \nAnna M=C3=BCller\n\nOn Mon, 3 Nov 2025 at 10:11, Joe "
                          "<joe@example.org> wrote:\n");
    fill(mail, "> Wann beginnt die Wartung, und wie lange dauert sie?\n", 4096);
    return mail;
}

/* 60 KB as mailing services make them: styles, tables in tables, links that track. */
static GString *
newsletter(void)
{
    GString *mail =
        g_string_new(HEAD "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: "
                          "8bit\n\n<html><head><style>\n.pre { display:none }\n");

    fill(mail,
         "@media only screen and (max-width:480px) { .c1 td { padding:0 8px; color:#333 } }\n",
         8000);
    g_string_append(mail, "</style></head><body><div class=\"pre\">Preheader</div>\n");
    fill(
        mail,
        "<table role=\"presentation\" width=\"600\"><tr><td "
        "style=\"padding:8px;font-family:Arial\">"
        "<table><tr><td class=\"c1\"><img src=\"https://img.example/a.png\" alt=\"\"></td><td>"
        "<h2>Sonderangebot f&uuml;r Sie</h2><p>Nur heute: <b>20&nbsp;%</b> auf alles.</p><ul><li>"
        "Eins</li><li>Zwei</li></ul><a href=\"https://shop.example/c?utm_source=n&amp;utm_id=7&amp;"
        "p=4711\">Ansehen</a></td></tr></table></td></tr></table>\n",
        60 * 1024);
    g_string_append(mail,
                    "<img src=\"https://t.example/p.gif\" width=\"1\" height=\"1\"></body>\n");
    return mail;
}

static GString *
attachment(void)
{
    GString *mail = g_string_new(
        HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee "
             "attached.\n--b\nContent-Type: application/pdf; name=plan.pdf\nContent-Disposition: "
             "attachment\nContent-Transfer-Encoding: base64\n\n");

    fill(mail, "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZUR\n",
         20 * 1048576);
    return mail;
}

static const struct {
    const char *name;
    GString *(*make)(void);
} mails[] = {
    {"4 KB text", text_mail},
    {"60 KB newsletter", newsletter},
    {"20 MB attachment", attachment},
};

/* Parts of one mail. */
static guint
once(const struct setup *setup, const GString *mail)
{
    g_autoptr(MailView) view = NULL;
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GString) notes = g_string_new(NULL);
    struct addr addr = {.number = (char *)"+41791234567", .maxmsgs = 12, .pid = -1, .dcs = -1};
    struct conf_gateway gateway = {.id = (char *)"demo", .binary = true, .tables = true};
    struct compose task = {
        .setup = setup, .addr = &addr, .gateway = &gateway, .sender = "anna@example.com"};
    struct outcome why;

    reader_parse((const guint8 *)mail->str, mail->len, &view);
    task.view = view;
    task.subject = view->subject;
    task.text = view->text;
    if (compose(&task, notes, &message, &why) < 0) {
        fprintf(stderr, "%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return message->parts->len;
}

static int
by_value(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return difference < 0 ? -1 : difference > 0;
}

/* What only the reader does of it. */
static guint
reader_part(const struct setup *setup, const GString *mail)
{
    g_autoptr(MailView) view = NULL;

    (void)setup;
    reader_parse((const guint8 *)mail->str, mail->len, &view);
    return 0;
}

typedef guint task_fn(const struct setup *setup, const GString *mail);

/* Microseconds a mail, as long as a repetition lasts. */
static double
repeat(task_fn *task, const struct setup *setup, const GString *mail)
{
    gint64 begin = g_get_monotonic_time();
    gint64 now = begin;
    guint count = 0;

    while (now - begin < SECONDS * 1e6) {
        task(setup, mail);
        now = g_get_monotonic_time();
        count++;
    }
    return (double)(now - begin) / count;
}

static void
measure(const struct setup *setup, gsize which)
{
    GString *mail = mails[which].make();
    double us[REPETITIONS], reader[REPETITIONS];
    struct rusage used;
    guint parts = once(setup, mail);

    for (guint i = 0; i < REPETITIONS; i++) {
        us[i] = repeat(once, setup, mail);
        reader[i] = repeat(reader_part, setup, mail);
    }
    qsort(us, REPETITIONS, sizeof(us[0]), by_value);
    qsort(reader, REPETITIONS, sizeof(reader[0]), by_value);
    getrusage(RUSAGE_SELF, &used);
    printf("%-18s %9zu %5u %10.1f %8.1f %8.1f %8.1f %8.1f\n", mails[which].name, mail->len, parts,
           us[0], us[REPETITIONS / 2], us[REPETITIONS - 1], reader[REPETITIONS / 2],
           (double)used.ru_maxrss / 1024);
    g_string_free(mail, TRUE);
}

int
main(void)
{
    char path[] = "/tmp/bench-text-XXXXXX";
    int fd = mkstemp(path);
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = NULL;
    static const char conf[] = "domains = { \"sms.example.com\" }\n";

    if (fd < 0 || write(fd, conf, strlen(conf)) != (ssize_t)strlen(conf))
        return EXIT_FAILURE;
    close(fd);
    setup = setup_load(path, faults);
    unlink(path);
    if (!setup) {
        faults_print(faults, stderr);
        return EXIT_FAILURE;
    }
    reader_prepare();
    printf("mail                  octets parts  us/mail min   median      max   reader  peak MB\n");
    fflush(stdout);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        pid_t pid = fork();

        if (pid == 0) {
            measure(setup, i);
            exit(EXIT_SUCCESS);
        }
        waitpid(pid, NULL, 0);
    }
    return 0;
}
