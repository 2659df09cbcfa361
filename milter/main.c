/* SPDX-License-Identifier: ISC */
/*
 * postsms-milter: arguments, start and end. Everything that needs root or may fail happens here
 * before libmilter gets its threads. Must never take the socket of an instance that runs.
 */
#include "milter/milter.h"

#include "lib/log.h"
#include "lib/place.h"
#include "lib/sock.h"
#include <libmilter/mfapi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IDENT "postsms-milter"

static void G_GNUC_NORETURN
usage(void)
{
    fprintf(stderr, "usage: " IDENT " [-c FILE] [-e] [-n] [-V]\n");
    exit(2);
}

/* -n: what is wrong with the files, for people and scripts. */
static int
check_only(const char *file)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Snapshot) snapshot = snapshot_load(file, 1, faults);

    if (snapshot)
        smtp_rules_check(snapshot->rules, faults);
    faults_print(faults, stdout);
    return snapshot ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The path of a unix: socket, borrowed; NULL for another kind. */
static const char *
socket_path(const struct conf *conf)
{
    return g_str_has_prefix(conf->milter_socket, "unix:") ? conf->milter_socket + strlen("unix:")
                                                          : NULL;
}

/* As root: the socket's directory, then the milter's own user. */
static int
leave_root(const struct conf *conf)
{
    const char *user = conf->user ? conf->user : IDENT;
    const char *path = socket_path(conf);
    struct outcome why;

    if (geteuid() == 0 && path) {
        g_autofree char *directory = g_path_get_dirname(path);

        /* The group's execute right lets smtpd in; the set-gid bit gives the socket to the group.
         */
        if (place_directory(directory, 02750, user, "postfix", &why) < 0) {
            log_err("%s", why.text);
            return -1;
        }
    }
    if (place_drop(user, &why) < 0) {
        log_err("%s", why.text);
        return -1;
    }
    /* Reloading happens as this user; better to hear of it today. */
    if (access(conf->file, R_OK) < 0)
        log_warn("%s: cannot be read again at SIGUSR1", conf->file);
    if (access(conf->smtp_rules, R_OK) < 0 && conf->smtp_rules_named)
        log_warn("%s: cannot be read again at SIGUSR1", conf->smtp_rules);
    return 0;
}

/* libmilter would remove the socket of a running instance without a word, so the lock comes first
 * and is held until the process ends. */
static int
open_socket(const struct conf *conf)
{
    const char *path = socket_path(conf);
    struct outcome why;
    mode_t old;
    int lock;
    int opened;

    if (path && strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        log_err("%s: longer than a socket's name can be", path);
        return -1;
    }
    if (path && sock_lock(path, NULL, &lock, &why) < 0) {
        log_err("another " IDENT " has %s, or its lock cannot be made: %s", path, why.text);
        return -1;
    }
    if (smfi_setconn(conf->milter_socket) != MI_SUCCESS || session_register() < 0) {
        log_err("libmilter does not take socket %s or our callbacks", conf->milter_socket);
        return -1;
    }
    old = umask(007);
    opened = smfi_opensocket(true);
    umask(old);
    if (opened != MI_SUCCESS) {
        log_err("cannot listen on %s (libmilter says why in the mail log)", conf->milter_socket);
        return -1;
    }
    return 0;
}

/* Signals are for the threads that wait for them: libmilter's (TERM, HUP, INT) and ours (USR1).
 * Delivered to any other thread they would end the process uncleanly. */
static void
block_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    /* A fault of our own must still end in a core dump. */
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static int
serve(const char *file)
{
    g_autoptr(Faults) faults = faults_new();
    struct snapshot *snapshot;
    int result;

    block_signals();
    snapshot = snapshot_load(file, 1, faults);
    faults_log(faults);
    if (!snapshot)
        return EXIT_FAILURE;
    snapshot_publish(snapshot);
    /* The first snapshot may be replaced from here on, but its socket and user were asked for
     * above. */
    if (leave_root(snapshot->conf) < 0 || open_socket(snapshot->conf) < 0)
        return EXIT_FAILURE;
    if (reload_start() < 0) {
        log_warn("no thread for SIGUSR1");
        return EXIT_FAILURE;
    }
    log_info("ready");
    log_started();
    result = smfi_main();
    log_info("stopped");
    /* Sessions that were cut may still be inside a callback on one of libmilter's threads: leave
     * without running exit handlers below their feet. */
    if (session_count() > 0)
        _exit(result == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE);
    return result == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    const char *file = CONF_DEFAULT;
    bool to_stderr = false;
    bool check = false;
    int option;

    place_start();
    while ((option = getopt(argc, argv, "c:enV")) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'e':
            to_stderr = true;
            break;
        case 'n':
            check = true;
            break;
        case 'V':
            printf(IDENT " " POSTSMS_VERSION "\n");
            return EXIT_SUCCESS;
        default:
            usage();
        }
    }
    if (optind < argc)
        usage();
    if (check)
        return check_only(file);
    log_open(IDENT, to_stderr);
    return serve(file);
}
