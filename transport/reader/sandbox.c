/* SPDX-License-Identifier: ISC */
/*
 * Owns the walls around a reader at work (sandbox.h). To be called by a process with one thread,
 * once everything it opens is open. Must never keep a reader from starting: a mail that is read in
 * a weaker box is better than one that is not read.
 *
 * libseccomp makes the filter: it knows the numbers, and which of alarm, poll and setrlimit a
 * processor has at all. It costs a reader 0.3 ms at its start and 0.2 MB, and too little to be
 * measured per mail.
 */
#include "transport/reader/sandbox.h"

#include "lib/log.h"
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h, as of ABI 6; Debian's has what Linux 5.19 knew. A kernel takes a shorter or
 * longer structure as long as what it does not know is 0. */
struct landlock_ruleset {
    guint64 files;
    guint64 net;
    guint64 scoped;
};
#define LANDLOCK_ASK_VERSION 1u
#define LANDLOCK_NET_TCP     0x3u /* bind, connect */
#define LANDLOCK_SCOPED      0x3u /* abstract Unix sockets, signals */

static const struct {
    guint64 files, net, scoped;
} landlock_abi[] = {
    {0, 0, 0},
    {(1u << 13) - 1, 0, 0}, /* execute, read, write, make, remove */
    {(1u << 14) - 1, 0, 0}, /* refer */
    {(1u << 15) - 1, 0, 0}, /* truncate */
    {(1u << 15) - 1, LANDLOCK_NET_TCP, 0},
    {(1u << 16) - 1, LANDLOCK_NET_TCP, 0}, /* ioctl on devices */
    {(1u << 16) - 1, LANDLOCK_NET_TCP, LANDLOCK_SCOPED},
};

static int
not_to_be_had(struct outcome *why)
{
    out_set(why, OUT_OK, "2.0.0", "not to be had");
    return 0;
}

static int
failed(struct outcome *why, const char *what, int error)
{
    out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", what, g_strerror(error));
    return -1;
}

int
sandbox_files(struct outcome *why)
{
    struct landlock_ruleset rules = {0};
    long abi, ruleset;
    int error;

    if (SANITIZED)
        return not_to_be_had(why);
    abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);
    if (abi < 1 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return not_to_be_had(why);
    if (abi < 1)
        return failed(why, "Landlock", errno);
    abi = MIN(abi, (long)G_N_ELEMENTS(landlock_abi) - 1);
    rules.files = landlock_abi[abi].files;
    rules.net = landlock_abi[abi].net;
    rules.scoped = landlock_abi[abi].scoped;
    ruleset = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0)
        return failed(why, "Landlock", errno);
    /* All of it is denied, since no rule allows anything. */
    error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                    syscall(SYS_landlock_restrict_self, (int)ruleset, 0) < 0
                ? errno
                : 0;
    close((int)ruleset);
    return error ? failed(why, "Landlock", error) : 1;
}

/* A library that tries one of these has another way. */
static const int refused[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),   SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(stat),      SCMP_SYS(lstat),    SCMP_SYS(access),  SCMP_SYS(newfstatat),
    SCMP_SYS(faccessat), SCMP_SYS(readlink),
};

/* No library that a reader has comes near these. */
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(chroot),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
};

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(alarm),
    SCMP_SYS(setitimer),
    SCMP_SYS(getrusage),
    /* memory; what makes code of it is below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    /* locks of the C library; a thread of its own has no use for more */
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getrandom),
    /* log lines, abort() and the end */
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

static int
add_all(scmp_filter_ctx filter, guint32 action, const int *calls, gsize count)
{
    int error = 0;

    for (gsize i = 0; i < count && error == 0; i++)
        error = seccomp_rule_add(filter, action, calls[i], 0);
    return error;
}

#define FIRST_IS(value) SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)(value), 0)

/* Calls that are right with some arguments only. Whatever a compromised reader may do, the sender
 * of a mail may: so it must not reach the connection that it was lent, where a verdict is expected.
 */
static int
add_conditional(scmp_filter_ctx filter, int asker)
{
    const struct {
        int call;
        struct scmp_arg_cmp condition;
    } table[] = {
        {SCMP_SYS(recvmsg), FIRST_IS(asker)},
        {SCMP_SYS(sendto), FIRST_IS(asker)},
        {SCMP_SYS(sendmsg), FIRST_IS(asker)},
        {SCMP_SYS(write), FIRST_IS(asker)},
        {SCMP_SYS(write), FIRST_IS(STDERR_FILENO)},
        /* 4 to 7, where what is lent arrives; 0 to 3 stay what they are. */
        {SCMP_SYS(close), SCMP_A0(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)3, 4)},
        {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        /* limit_cpu() in main.c; all other limits stay */
        {SCMP_SYS(setrlimit), FIRST_IS(RLIMIT_CPU)},
        {SCMP_SYS(getrlimit), FIRST_IS(RLIMIT_CPU)},
        {SCMP_SYS(tgkill), FIRST_IS(getpid())},
    };
    int error = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(table) && error == 0; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, table[i].call, 1, table[i].condition);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, FIRST_IS(0),
                                 SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU, 0));
    return error;
}

int
sandbox_calls(int asker, struct outcome *why)
{
    scmp_filter_ctx filter;
    int error;

    if (SANITIZED)
        return not_to_be_had(why);
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL)
        return not_to_be_had(why);
    /*
     * A call that is in no list is one that a later C library has found. ENOSYS makes it do
     * without; to kill would make every mail look like one that kills readers, and bounce it.
     */
    filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return failed(why, "seccomp", ENOMEM);
    error = add_all(filter, SCMP_ACT_ALLOW, allowed, G_N_ELEMENTS(allowed));
    if (error == 0)
        error = add_conditional(filter, asker);
    if (error == 0)
        error = add_all(filter, SCMP_ACT_ERRNO(EPERM), refused, G_N_ELEMENTS(refused));
    if (error == 0)
        error = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, G_N_ELEMENTS(deadly));
    if (error == 0)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error < 0 ? failed(why, "seccomp", -error) : 1;
}

void
sandbox_enter(int asker)
{
    struct outcome why;

    if (sandbox_files(&why) < 0)
        log_warnx("reads mail with less protection: %s", why.text);
    if (sandbox_calls(asker, &why) < 0)
        log_warnx("reads mail with less protection: %s", why.text);
}
