/* SPDX-License-Identifier: ISC */
/*
 * bench_spawn COUNT SERIAL DOMAIN SOCKET PIPE SINK: starts PIPE and SINK in turns, COUNT times each
 * and with the same arguments, as pipe(8) would, with a mail of its own on stdin. Says on stderr
 * what COUNT of each cost from exec to exit, user and system time, in microseconds, then how long
 * they took. vfork: this program's own page tables cost the children nothing. Ends with 1 if one
 * does not exit with 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAIL_OCTETS 4096

struct cost {
    long long cpu;
    long long wall;
};

static long long
now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000LL + at.tv_nsec / 1000;
}

static int
make_mail(int serial)
{
    char mail[MAIL_OCTETS + 128];
    int fd = memfd_create("mail", MFD_CLOEXEC);
    int len = snprintf(mail, sizeof(mail),
                       "From: bench@allowed.example\nSubject: %d\n"
                       "Date: Sun, 22 Nov 2026 10:00:00 +0100\n"
                       "Message-ID: <%d.%d@spawn.example.test>\n\n",
                       serial, serial, (int)getpid());

    while (len < MAIL_OCTETS)
        len += snprintf(mail + len, sizeof(mail) - (size_t)len,
                        "a line of mail %d, as long as such lines tend to be\n", serial);
    if (fd < 0 || write(fd, mail, (size_t)len) != len || lseek(fd, 0, SEEK_SET) != 0)
        exit(1);
    return fd;
}

static void
run(const char *program, char **argv, int mail, struct cost *cost)
{
    long long begin = now();
    struct rusage used;
    int status;
    pid_t pid = vfork();

    if (pid == 0) {
        if (dup2(mail, STDIN_FILENO) >= 0)
            execv(program, argv);
        _exit(126);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0) {
        fprintf(stderr, "bench_spawn: %s: status %d\n", program, pid < 0 ? -1 : status);
        exit(1);
    }
    cost->wall += now() - begin;
    cost->cpu += (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
                 used.ru_stime.tv_usec;
}

int
main(int argc, char **argv)
{
    struct cost costs[2] = {{0, 0}, {0, 0}};
    int count, first;

    if (argc != 7)
        return 2;
    count = (int)strtol(argv[1], NULL, 10);
    first = (int)strtol(argv[2], NULL, 10);
    if (!freopen("/dev/null", "w", stdout))
        return 1;
    for (int turn = 0; turn < 2 * count; turn++) {
        int which = (turn + turn / 2) % 2; /* ABBA */
        int serial = first + turn;
        char queue_id[64], recipient[256],
            *mailargs[] = {argv[5],    "-s",
                           argv[4],    "--deadline=3000",
                           queue_id,   "--sender=bench@allowed.example",
                           recipient,  "--original=",
                           "--login=", "--client=127.0.0.1",
                           NULL};
        int mail = make_mail(serial);

        snprintf(queue_id, sizeof(queue_id), "--queue-id=4Bench%08d", serial);
        snprintf(recipient, sizeof(recipient), "--recipient=+4179%07d@%s", serial, argv[3]);
        run(argv[5 + which], mailargs, mail, &costs[which]);
        close(mail);
    }
    fprintf(stderr, "%lld %lld %lld %lld\n", costs[0].cpu, costs[1].cpu, costs[0].wall,
            costs[1].wall);
    return 0;
}
