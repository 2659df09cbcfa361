/* SPDX-License-Identifier: ISC */
/*
 * The walls around a reader: each is put up in a child, which then tries what it should not be able
 * to do. And that a reader behind them reads every mail of tests/data/reader as this process does.
 * Instrumented builds have no walls; kernels without Landlock or seccomp have fewer.
 */
#include "lib/ask.h"
#include "tests/unit/check_all.h"
#include "transport/reader/alter.h"
#include "transport/reader/client.h"
#include "transport/reader/mail.h"
#include "transport/reader/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKER     3
#define LENT      4
#define NO_WALL   77
#define SUCCEEDED 0

/* In a child: what a system call said; 0 if it went well. */
typedef int (*attempt)(void);

static int
said(long result)
{
    return result < 0 ? errno : SUCCEEDED;
}

static int
try_open(void)
{
    return said(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
try_open_directory(void)
{
    return said(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
try_create(void)
{
    return said(open("/tmp/postsms-sandbox-test", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static int
try_unlink(void)
{
    return said(unlink("/tmp/postsms-sandbox-test"));
}

static int
try_stat(void)
{
    struct stat info;

    return said(stat("/etc/passwd", &info));
}

static int
try_socket(void)
{
    return said(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_exec(void)
{
    char *argv[] = {(char *)(guintptr) "true", NULL};

    return said(execv("/bin/true", argv));
}

static int
try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return said(pid);
}

static int
try_ptrace(void)
{
    return said(syscall(SYS_ptrace, 0, 0, 0, 0));
}

static int
try_write_lent(void)
{
    return said(write(LENT, "EXIT 0 2.0.0 lie\n", 17));
}

static int
try_send_lent(void)
{
    return said(send(LENT, "EXIT 0 2.0.0 lie\n", 17, MSG_NOSIGNAL));
}

static int
try_close_asker(void)
{
    return said(close(ASKER));
}

static int
try_dup(void)
{
    return said(dup2(LENT, ASKER));
}

static int
try_code(void)
{
    return said(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0) == MAP_FAILED
                    ? -1
                    : 0);
}

static int
try_memory_limit(void)
{
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

    return said(setrlimit(RLIMIT_AS, &none));
}

static int
try_kill(void)
{
    return said(kill(getppid(), 0));
}

/* What a reader must still be able to do. */
static int
try_work(void)
{
    struct rlimit cpu;
    void *block = g_malloc(1048576);
    char octet;

    block = g_realloc(block, 8 * 1048576);
    memset(block, 1, 8 * 1048576);
    g_free(block);
    alarm(5);
    alarm(0);
    if (getrlimit(RLIMIT_CPU, &cpu) < 0 || setrlimit(RLIMIT_CPU, &cpu) < 0)
        return errno;
    if (send(ASKER, "x", 1, MSG_NOSIGNAL) != 1 || read(LENT, &octet, 1) != 1)
        return errno;
    return said(close(LENT));
}

static int
try_abort(void)
{
    abort();
}

enum wall { FILES, CALLS };

/* Puts up one wall in a child, then tries; how the child ended. */
static int
behind(enum wall wall, attempt try)
{
    int pair[2];
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct outcome why;
        int holds;

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || dup2(pair[0], 10) < 0 ||
            dup2(pair[1], 11) < 0 || dup2(10, ASKER) < 0 || dup2(11, LENT) < 0)
            _exit(126);
        holds = wall == FILES ? sandbox_files(&why) : sandbox_calls(ASKER, &why);
        if (holds < 0)
            _exit(125);
        _exit(holds ? try() : NO_WALL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static bool
no_wall(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == NO_WALL;
}

/* error: what the call must have said, 0 for success. */
static void
expect(enum wall wall, const char *name, attempt try, int error)
{
    int status = behind(wall, try);

    if (!no_wall(status))
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == error, "%s: status %x", name,
                      status);
}

static void
expect_signal(enum wall wall, const char *name, attempt try, int number)
{
    int status = behind(wall, try);

    if (!no_wall(status))
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == number, "%s: status %x", name,
                      status);
}

START_TEST(test_files)
{
    expect(FILES, "open", try_open, EACCES);
    expect(FILES, "directory", try_open_directory, EACCES);
    expect(FILES, "create", try_create, EACCES);
    expect(FILES, "work", try_work, SUCCEEDED);
}
END_TEST

START_TEST(test_calls_fail)
{
    expect(CALLS, "open", try_open, EPERM);
    expect(CALLS, "create", try_create, EPERM);
    expect(CALLS, "unlink", try_unlink, ENOSYS);
    expect(CALLS, "stat", try_stat, EPERM);
    expect(CALLS, "write", try_write_lent, ENOSYS);
    expect(CALLS, "send", try_send_lent, ENOSYS);
    expect(CALLS, "close", try_close_asker, ENOSYS);
    expect(CALLS, "dup2", try_dup, ENOSYS);
    expect(CALLS, "code", try_code, ENOSYS);
    expect(CALLS, "limit", try_memory_limit, ENOSYS);
    expect(CALLS, "kill", try_kill, ENOSYS);
}
END_TEST

START_TEST(test_calls_kill)
{
    expect_signal(CALLS, "socket", try_socket, SIGSYS);
    expect_signal(CALLS, "exec", try_exec, SIGSYS);
    expect_signal(CALLS, "fork", try_fork, SIGSYS);
    expect_signal(CALLS, "ptrace", try_ptrace, SIGSYS);
}
END_TEST

START_TEST(test_calls_work)
{
    expect(CALLS, "work", try_work, SUCCEEDED);
    expect_signal(CALLS, "abort", try_abort, SIGABRT);
}
END_TEST

/* How a reader is asked. */
typedef int (*question)(int fd, int mail, struct outcome *why);

static GString *
answer_to(int fd, question ask, const char *data, gsize len)
{
    g_autofree guint8 *buffer = g_malloc(65536);
    g_autoptr(Wire) wire = NULL;
    GString *got = g_string_new(NULL);
    struct outcome why;
    gsize used;
    int mail = memfd_create("mail", MFD_CLOEXEC);

    ck_assert_int_ge(mail, 0);
    ck_assert_int_eq(write(mail, data, len), len);
    ck_assert_int_eq(lseek(mail, 0, SEEK_SET), 0);
    ck_assert_int_eq(ask(fd, mail, &why), 0);
    close(mail);
    while (wire_parse_frame(got->str, got->len, &wire, &used, &why) == 0) {
        gssize count = read(fd, buffer, 65536);

        ck_assert_int_gt(count, 0);
        g_string_append_len(got, (const char *)buffer, count);
    }
    return got;
}

static void
check_view(int fd, const char *name, const char *data, gsize len)
{
    g_autoptr(MailView) view = NULL;
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    g_autoptr(GString) got = answer_to(fd, reader_ask, data, len);

    reader_parse((const guint8 *)data, len, &view);
    mail_view_pack(view, list);
    wire_frame(want, list);
    ck_assert_msg(g_string_equal(got, want), "%s: not what an open process reads", name);
}

/* Characters that lead most charsets to their limits: iconv has to write behind the walls, too. */
static void
check_rewrite(int fd, const char *name, const char *data, gsize len)
{
    static const char *const texts[] = {"neu\n", "Größe\n", "日本\n", "Привет\n", "한국\n"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Rewrite) rewrite = NULL;
        g_autoptr(GString) list = g_string_new(NULL);
        g_autoptr(GString) mail = g_string_new(NULL);
        g_autoptr(GString) want = g_string_new(NULL);
        g_autoptr(GString) got = NULL;

        wire_put(list, ASK_SUBJECT, "Tür");
        wire_put(list, ASK_TEXT, texts[i]);
        wire_end(list);
        wire_frame(mail, list);
        g_string_append_len(mail, data, (gssize)len);
        got = answer_to(fd, reader_ask_rewrite, mail->str, mail->len);
        reader_alter((const guint8 *)data, len, "Tür", texts[i], &rewrite);
        g_string_truncate(list, 0);
        rewrite_pack(rewrite, list);
        wire_frame(want, list);
        ck_assert_msg(g_string_equal(got, want), "%s: not as an open process alters it", name);
    }
}

static void
check_same(int fd, const char *name, const char *data, gsize len)
{
    check_view(fd, name, data, len);
    check_rewrite(fd, name, data, len);
}

/* The lines of /proc/PID/status that say which walls stand. */
static void
check_stands(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = NULL;

    ck_assert(g_file_get_contents(path, &status, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(status, "\nNoNewPrivs:\t1\n"));
    if (!SANITIZED && strstr(status, "\nSeccomp:"))
        ck_assert_ptr_nonnull(strstr(status, "\nSeccomp:\t2\n"));
}

/* The cases, then one mail large enough to move its memory about. */
START_TEST(test_reads_all)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/reader", 0, NULL);
    g_autoptr(GString) large = g_string_new("Subject: large\n\n");
    struct outcome why = {0};
    const char *file;
    pid_t pid;
    int fd;
    int status;

    ck_assert_msg(reader_start(&pid, &fd, &why) == 0 && reader_wait(fd, &why) == 0, "%s", why.text);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("reader/%s", file);
        g_autofree char *data = NULL;
        gsize len;

        if (!g_str_has_suffix(file, ".eml"))
            continue;
        data = unit_data(path, &len);
        check_same(fd, file, data, len);
    }
    for (int i = 0; i < 400000; i++)
        g_string_append(large, "Grüße aus Zürich, es ist schön hier.\n");
    check_same(fd, "a large mail", large->str, large->len);
    check_stands(pid);
    close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

UNIT_SUITE("reader_sandbox", tcase_add_test(unit, test_files);
           tcase_add_test(unit, test_calls_fail); tcase_add_test(unit, test_calls_kill);
           tcase_add_test(unit, test_calls_work); tcase_add_test(unit, test_reads_all))
