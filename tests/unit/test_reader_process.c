/* SPDX-License-Identifier: ISC */
/* The reader as a process of its own (build/<variant>/lib/postsms/postsms-reader): asking it, its
 * end, its limits. */
#include "lib/ask.h"
#include "lib/clk.h"
#include "lib/place.h"
#include "lib/sock.h"
#include "tests/unit/check_all.h"
#include "transport/reader/alter.h"
#include "transport/reader/client.h"
#include "transport/reader/sandbox.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL "tests/data/reader/words-german-padded.eml"

static int
open_mail(void)
{
    int fd = open(MAIL, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* One frame from fd. */
static struct wire *
take_frame(int fd)
{
    g_autoptr(GByteArray) got = g_byte_array_new();
    struct wire *wire = NULL;
    struct outcome why;
    guint8 buffer[4096];
    gsize used;

    while (wire_parse_frame((const char *)got->data, got->len, &wire, &used, &why) == 0) {
        gssize count = read(fd, buffer, sizeof(buffer));

        ck_assert_int_gt(count, 0);
        g_byte_array_append(got, buffer, (guint)count);
    }
    ck_assert_ptr_nonnull(wire);
    ck_assert_uint_eq(used, got->len);
    return wire;
}

static struct mail_view *
take_answer(int fd)
{
    g_autoptr(Wire) wire = take_frame(fd);
    struct mail_view *view = NULL;
    struct outcome why;

    ck_assert_msg(mail_view_unpack(wire, &view, &why) == 0, "%s", why.text);
    return view;
}

static void
wait_for(pid_t pid, int *ret_status)
{
    ck_assert_int_eq(waitpid(pid, ret_status, 0), pid);
}

START_TEST(test_once)
{
    g_autoptr(MailView) view = NULL;
    struct outcome why = {0};
    int mail = open_mail();

    ck_assert_msg(reader_once(mail, &view, &why) == 0, "%s", why.text);
    ck_assert_str_eq(view->subject, "Grüße! aus Zürich, schöne Tage");
    ck_assert_str_eq(view->from_address, "anna@example.com");
    ck_assert_int_eq(view->verdict.kind, OUT_OK);
    close(mail);
}
END_TEST

/* Several mails, one after the other, over sockets that end by SHUT_WR while the lender keeps them.
 */
START_TEST(test_many)
{
    struct outcome why = {0};
    pid_t pid;
    int fd;
    int status;

    ck_assert_msg(reader_start(&pid, &fd, &why) == 0 && reader_wait(fd, &why) == 0, "%s", why.text);
    for (int i = 0; i < 20; i++) {
        g_autofree char *mail = g_strdup_printf("Subject: mail %d\n\ntext\n", i);
        g_autofree char *subject = g_strdup_printf("mail %d", i);
        g_autoptr(MailView) view = NULL;
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        ck_assert_int_eq(reader_ask(fd, pair[1], &why), 0);
        ck_assert_int_eq(sock_write_all(pair[0], mail, strlen(mail)), 0);
        ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
        view = take_answer(fd);
        ck_assert_str_eq(view->subject, subject);
        ck_assert_int_eq(view->size, strlen(mail));
        /* What is left of the connection still carries the verdict. */
        ck_assert_int_eq(sock_write_all(pair[1], "x", 1), 0);
        close(pair[0]);
        close(pair[1]);
    }
    close(fd);
    wait_for(pid, &status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(test_retires)
{
    struct outcome why = {0};
    pid_t pid;
    int fd;
    int status;
    char octet;

    ck_assert_msg(reader_start(&pid, &fd, &why) == 0 && reader_wait(fd, &why) == 0, "%s", why.text);
    for (int i = 0; i < READER_RETIRES_AFTER; i++) {
        g_autoptr(MailView) view = NULL;
        int mail = open_mail();

        ck_assert_int_eq(reader_ask(fd, mail, &why), 0);
        close(mail);
        view = take_answer(fd);
        ck_assert_int_eq(view->verdict.kind, OUT_OK);
    }
    ck_assert_int_eq(read(fd, &octet, 1), 0);
    wait_for(pid, &status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
}
END_TEST

START_TEST(test_killed)
{
    struct outcome why = {0};
    pid_t pid;
    int fd;
    int status;
    int mail = open_mail();

    signal(SIGPIPE, SIG_DFL);
    ck_assert_int_eq(reader_start(&pid, &fd, &why), 0);
    ck_assert_int_eq(reader_wait(fd, &why), 0);
    kill(pid, SIGKILL);
    wait_for(pid, &status);
    ck_assert_int_eq(reader_ask(fd, mail, &why), -1);
    ck_assert_int_eq(why.kind, OUT_RETRY);
    ck_assert_str_eq(why.dsn, "4.3.0");
    ck_assert_str_eq(why.text, "the mail could not be read (reader died)");
    close(fd);
    close(mail);
}
END_TEST

/* A mail whose descriptor cannot be read: an answer, not a death. */
START_TEST(test_unreadable)
{
    g_autoptr(MailView) view = NULL;
    struct outcome why = {0};
    int mail = open("/dev/null", O_WRONLY | O_CLOEXEC);

    ck_assert_msg(reader_once(mail, &view, &why) == 0, "%s", why.text);
    ck_assert_int_eq(view->verdict.kind, OUT_RETRY);
    ck_assert_str_eq(view->verdict.dsn, "4.3.0");
    close(mail);
}
END_TEST

/* What a reader says to front and, behind it, mail. */
static struct rewrite *
rewrite_of(int fd, const GString *front, const GString *mail)
{
    int memory = memfd_create("mail", MFD_CLOEXEC);
    g_autoptr(Wire) wire = NULL;
    struct rewrite *rewrite = NULL;
    struct outcome why;

    ck_assert_int_ge(memory, 0);
    ck_assert_int_eq(sock_write_all(memory, front->str, front->len), 0);
    ck_assert_int_eq(sock_write_all(memory, mail->str, mail->len), 0);
    ck_assert_int_eq(lseek(memory, 0, SEEK_SET), 0);
    ck_assert_int_eq(reader_ask_rewrite(fd, memory, &why), 0);
    close(memory);
    wire = take_frame(fd);
    ck_assert_msg(rewrite_unpack(wire, mail->len, &rewrite, &why) == 0, "%s", why.text);
    return rewrite;
}

static GString *
asking(const char *subject, const char *text)
{
    g_autoptr(GString) list = g_string_new(NULL);
    GString *front = g_string_new(NULL);

    if (subject)
        wire_put(list, ASK_SUBJECT, subject);
    if (text)
        wire_put(list, ASK_TEXT, text);
    wire_end(list);
    wire_frame(front, list);
    return front;
}

/* A mail with so many octets of attachment in front of its text. */
static GString *
with_attachment(gsize size)
{
    GString *mail = g_string_sized_new(size + 1000);

    g_string_append(mail, "Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
                          "--x\r\nContent-Type: application/pdf\r\n\r\n");
    while (mail->len < size)
        g_string_append(mail, "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0Zp\r\n");
    g_string_append(mail, "--x\r\n\r\nold\r\n--x--\r\n");
    return mail;
}

/* Octets in a line of /proc/PID/status. */
static gint64
memory_of(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = NULL;
    const char *line;

    ck_assert(g_file_get_contents(path, &status, NULL, NULL));
    line = strstr(status, name);
    ck_assert_ptr_nonnull(line);
    return g_ascii_strtoll(line + strlen(name), NULL, 10) * 1024;
}

/* A 10 MB attachment costs no more than three copies; the largest mail fits, what is larger has an
 * answer. */
START_TEST(test_rewrite_large)
{
    g_autoptr(GString) front = asking("neu", "Tür\r\n");
    g_autoptr(GString) usual = with_attachment(10 * 1048576);
    g_autoptr(GString) largest = with_attachment(READER_ALTER_MAX - 1000);
    g_autoptr(GString) larger = with_attachment(READER_ALTER_MAX + 1);
    g_autoptr(Rewrite) of_usual = NULL;
    g_autoptr(Rewrite) of_largest = NULL;
    g_autoptr(Rewrite) of_larger = NULL;
    struct outcome why = {0};
    gint64 idle;
    pid_t pid;
    int fd;
    int status;

    ck_assert_msg(reader_start(&pid, &fd, &why) == 0 && reader_wait(fd, &why) == 0, "%s", why.text);
    idle = memory_of(pid, "\nVmHWM:");
    of_usual = rewrite_of(fd, front, usual);
    ck_assert_int_eq(of_usual->verdict.kind, OUT_OK);
    ck_assert_str_eq(of_usual->subject, "neu");
    ck_assert_uint_eq(of_usual->n_edits, 2);
    if (!SANITIZED)
        ck_assert_int_le(memory_of(pid, "\nVmHWM:") - idle, 3 * (gint64)usual->len);
    of_largest = rewrite_of(fd, front, largest);
    ck_assert_msg(of_largest->verdict.kind == OUT_OK, "%s", of_largest->verdict.text);
    ck_assert_uint_eq(of_largest->n_edits, 2);
    of_larger = rewrite_of(fd, front, larger);
    ck_assert_int_eq(of_larger->verdict.kind, OUT_DATA);
    ck_assert_str_eq(of_larger->verdict.text, "the mail cannot be altered: it is too large");
    close(fd);
    wait_for(pid, &status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* A question that is none has an answer, and the next one, too. */
START_TEST(test_rewrite_wrong_question)
{
    g_autoptr(GString) mail = g_string_new("Subject: s\n\nold\n");
    g_autofree char *long_subject = g_strnfill(VIEW_HEADER_MAX + 1, 'x');
    GString *fronts[] = {g_string_new(NULL), g_string_new("\xFF\xFF\xFF\xFF"), asking("\xFF", NULL),
                         asking(long_subject, NULL)};
    g_autoptr(GString) right = asking("new", NULL);
    g_autoptr(Rewrite) last = NULL;
    struct outcome why = {0};
    pid_t pid;
    int fd;
    int status;

    ck_assert_msg(reader_start(&pid, &fd, &why) == 0 && reader_wait(fd, &why) == 0, "%s", why.text);
    for (guint i = 0; i < G_N_ELEMENTS(fronts); i++) {
        g_autoptr(Rewrite) rewrite = rewrite_of(fd, fronts[i], mail);

        ck_assert_int_eq(rewrite->verdict.kind, OUT_RETRY);
        ck_assert_str_eq(rewrite->verdict.dsn, "4.3.0");
        ck_assert_str_eq(rewrite->verdict.text, "the mail could not be altered: a wrong question");
        g_string_free(fronts[i], TRUE);
    }
    last = rewrite_of(fd, right, mail);
    ck_assert_str_eq(last->subject, "new");
    close(fd);
    wait_for(pid, &status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* True once pid is gone, within a second. */
static bool
gone(pid_t pid)
{
    gint64 deadline = clk_system.mono() + 1000;

    while (kill(pid, 0) == 0) {
        g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
        g_autofree char *stat = NULL;

        /* A container without a process that collects orphans leaves them as zombies. */
        if (g_file_get_contents(path, &stat, NULL, NULL) && strstr(stat, ") Z "))
            return true;
        if (clk_system.mono() > deadline)
            return false;
        g_usleep(5000);
    }
    return true;
}

/* busy: the reader is waiting for a mail that does not end; the test keeps its socket open, so no
 * end of file helps. */
static void
check_orphan(bool busy)
{
    int line[2];
    int mail[2];
    pid_t middle;
    pid_t reader = 0;
    int status;

    ck_assert_int_eq(pipe(line), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, mail), 0);
    middle = fork();
    ck_assert_int_ge(middle, 0);
    if (middle == 0) {
        struct outcome why;
        pid_t pid;
        int fd;

        if (reader_start(&pid, &fd, &why) < 0 || reader_wait(fd, &why) < 0 ||
            (busy && reader_ask(fd, mail[1], &why) < 0))
            _exit(1);
        /* It must have come as far as its main loop. */
        g_usleep(300000);
        if (write(line[1], &pid, sizeof(pid)) != sizeof(pid))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(read(line[0], &reader, sizeof(reader)), sizeof(reader));
    wait_for(middle, &status);
    ck_assert(gone(reader));
    close(line[0]);
    close(line[1]);
    close(mail[0]);
    close(mail[1]);
}

START_TEST(test_orphan)
{
    check_orphan(false);
    check_orphan(true);
}
END_TEST

/* What a reader inherits: three descriptors and its socket, whatever its parent has open. */
START_TEST(test_descriptors)
{
    struct outcome why = {0};
    int spare = open("/dev/null", O_RDONLY); /* not close-on-exec */
    pid_t pid;
    int fd;
    int status;
    g_autofree char *path = NULL;
    g_autoptr(GDir) dir = NULL;
    const char *name;

    ck_assert_int_ge(spare, 0);
    ck_assert_int_eq(reader_start(&pid, &fd, &why), 0);
    ck_assert_int_eq(reader_wait(fd, &why), 0);
    g_usleep(300000);
    path = g_strdup_printf("/proc/%d/fd", (int)pid);
    dir = g_dir_open(path, 0, NULL);
    /* A process that is not dumpable shows its descriptors to root alone. */
    while (dir && (name = g_dir_read_name(dir)))
        ck_assert_msg(atoi(name) <= READER_FD, "descriptor %s", name);
    close(fd);
    wait_for(pid, &status);
    close(spare);
}
END_TEST

START_TEST(test_by_hand)
{
    g_autofree char *path = place_path("lib/postsms/postsms-reader");
    char *argv[] = {path, NULL};
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    int status;

    ck_assert(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 75);
    ck_assert_str_eq(out, "");
    ck_assert_ptr_nonnull(strstr(err, "not by hand"));
}
END_TEST

UNIT_SUITE("reader_process", tcase_add_test(unit, test_once); tcase_add_test(unit, test_many);
           tcase_add_test(unit, test_retires); tcase_add_test(unit, test_killed);
           tcase_add_test(unit, test_unreadable); tcase_add_test(unit, test_rewrite_large);
           tcase_add_test(unit, test_rewrite_wrong_question); tcase_add_test(unit, test_orphan);
           tcase_add_test(unit, test_descriptors); tcase_add_test(unit, test_by_hand))
