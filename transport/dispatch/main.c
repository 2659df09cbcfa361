/* SPDX-License-Identifier: ISC */
/*
 * postsmsd: arguments, start, reload, end. Owns the event loop and the signals. Must never start
 * with files that are faulty, and never replace good settings by faulty ones.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/ask.h"
#include "lib/log.h"
#include "lib/place.h"
#include "lib/sock.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_USER   "postsms"
#define PIPE_GROUP     "postsms-pipe"
#define MILTER_GROUP   "postsms-milter"
#define DELIVER_SOCKET "deliver.sock"
#define CONTROL_SOCKET "control.sock"

struct program {
    const char *conf_file;
    struct dispatch dispatch;
    struct control *control;
    struct listener *ask; /* until it is started */
};

static void
load_logged(const char *conf_file, struct setup **ret)
{
    g_autoptr(Faults) faults = faults_new();

    *ret = setup_load(conf_file, faults);
    faults_log(faults);
}

/* Every mail that waits holds a connection: "slots" may be more than the usual 1024 descriptors. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* As the user that will need them. */
static bool
files_good(const struct setup *setup)
{
    g_autoptr(Faults) faults = faults_new();

    setup_check_files(setup, faults);
    faults_log(faults);
    return faults_errors(faults) == 0;
}

static int
on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    struct program *program = data;
    struct setup *setup;

    (void)source;
    (void)info;
    if (program->dispatch.stopping)
        return 0;
    load_logged(program->conf_file, &setup);
    if (!setup || !files_good(setup)) {
        setup_unref(setup);
        log_err("reload: the old settings and rules stay in force");
        return 0;
    }
    setup_unref(program->dispatch.setup);
    program->dispatch.setup = setup;
    lanes_configure(&program->dispatch);
    readers_resize(program->dispatch.readers, (guint)setup->conf->readers);
    log_info("reloaded %s", program->conf_file);
    return 0;
}

/* Waiting requests are answered at once, parts that a gateway has in hand are waited for, nothing
 * new begins. */
static int
on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    struct dispatch *dispatch = &((struct program *)data)->dispatch;
    struct outcome why;

    (void)source;
    (void)info;
    if (dispatch->stopping)
        return 0;
    log_info("stopping");
    dispatch->stopping = true;
    server_stop(dispatch);
    asks_stop(dispatch->asks);
    g_clear_pointer(&dispatch->readers, readers_free);
    out_set(&why, OUT_RETRY, "4.3.2", "postsmsd is stopping");
    lanes_refuse(dispatch, &why);
    round_wake(dispatch);
    return 0;
}

static int
watch_signals(struct program *program)
{
    sd_event *loop = program->dispatch.loop;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sd_event_add_signal(loop, NULL, SIGTERM, on_stop, program) < 0 ||
                   sd_event_add_signal(loop, NULL, SIGINT, on_stop, program) < 0 ||
                   sd_event_add_signal(loop, NULL, SIGHUP, on_reload, program) < 0
               ? -1
               : 0;
}

/* What root has to do: the run directory, sockets with their groups; then root is left behind. One
 * lock stands for all sockets. */
static int
open_and_drop(struct program *program, struct outcome *why)
{
    struct dispatch *dispatch = &program->dispatch;
    const struct conf *conf = dispatch->setup->conf;
    const char *user = conf->user ? conf->user : DEFAULT_USER;
    g_autofree char *control_path = conf_socket(conf, CONTROL_SOCKET);
    g_autofree char *deliver_path = conf_socket(conf, DELIVER_SOCKET);
    int lock;

    if (place_directory(conf->run_dir, 0755, user, NULL, why) < 0 ||
        sock_lock(deliver_path, user, &lock, why) < 0 ||
        !(dispatch->deliver = listener_open(conf, DELIVER_SOCKET, user, PIPE_GROUP, why)) ||
        !(program->ask = listener_open(conf, ASK_SOCKET, user, MILTER_GROUP, why)))
        return -1;
    program->control = control_open(control_path, user, why);
    return program->control ? place_drop(user, why) : -1;
}

static int
start(struct program *program, struct outcome *why)
{
    struct dispatch *dispatch = &program->dispatch;

    if (open_and_drop(program, why) < 0)
        return -1;
    if (!files_good(dispatch->setup)) {
        out_set(why, OUT_CONFIG, "4.3.5", "files that gateways need cannot be used");
        return -1;
    }
    if (sd_event_new(&dispatch->loop) < 0 || watch_signals(program) < 0) {
        out_set(why, OUT_BUG, "4.3.0", "event loop");
        return -1;
    }
    dispatch->conns = g_hash_table_new(NULL, NULL);
    dispatch->jobs = g_hash_table_new(NULL, NULL);
    if (round_start(dispatch, why) < 0)
        return -1;
    dispatch->gateways = gateway_host_new(dispatch->loop, dispatch->clk);
    lanes_configure(dispatch);
    round_settle_all(dispatch);
    dispatch->readers = readers_new(dispatch);
    readers_resize(dispatch->readers, (guint)dispatch->setup->conf->readers);
    if (keeper_start(dispatch, why) < 0 || post_start(dispatch, why) < 0 ||
        control_start(dispatch, program->control, why) < 0 ||
        asks_start(dispatch, program->ask, why) < 0)
        return -1;
    return server_start(dispatch, why);
}

static void
finish(struct program *program)
{
    struct dispatch *dispatch = &program->dispatch;

    control_free(program->control);
    asks_free(dispatch->asks);
    keeper_free(dispatch);
    post_free(dispatch);
    lanes_free(dispatch);
    gateway_host_free(dispatch->gateways);
    g_clear_pointer(&dispatch->spool, spool_close);
    sd_event_source_disable_unref(dispatch->round);
    sd_event_source_disable_unref(dispatch->round_later);
    sd_event_unref(dispatch->loop);
    g_ptr_array_unref(dispatch->fresh);
    g_ptr_array_unref(dispatch->results);
    g_hash_table_unref(dispatch->conns);
    g_hash_table_unref(dispatch->jobs);
    setup_unref(dispatch->setup);
}

static int
check_only(const char *conf_file)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = setup_load(conf_file, faults);

    if (setup) {
        smtp_rules_check(setup->smtp_rules, faults);
        setup_check_files(setup, faults);
    }
    faults_print(faults, stdout);
    return setup && faults_errors(faults) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    struct program program = {.conf_file = CONF_DEFAULT, .dispatch = {.clk = &clk_system}};
    bool to_stderr = false, check = false;
    struct outcome why;
    int option;

    while ((option = getopt(argc, argv, "c:enV")) != -1)
        switch (option) {
        case 'c':
            program.conf_file = optarg;
            break;
        case 'e':
            to_stderr = true;
            break;
        case 'n':
            check = true;
            break;
        case 'V':
            puts("postsmsd " POSTSMS_VERSION);
            return EXIT_SUCCESS;
        default:
            fputs("usage: postsmsd [-enV] [-c file]\n", stderr);
            return 2;
        }
    place_start();
    if (check)
        return check_only(program.conf_file);
    raise_descriptor_limit();
    log_open("postsmsd", to_stderr);
    load_logged(program.conf_file, &program.dispatch.setup);
    if (!program.dispatch.setup)
        return EXIT_FAILURE;
    if (start(&program, &why) < 0) {
        log_err("%s", why.text);
        _exit(EXIT_FAILURE); /* half a daemon is not taken apart */
    }
    log_info("ready");
    log_started();
    if (sd_event_loop(program.dispatch.loop) < 0)
        log_err("event loop ended");
    finish(&program);
    if (program.dispatch.post)
        _exit(EXIT_SUCCESS); /* transfers still run in threads: no exit handler may pull away what
                                they use */
    return EXIT_SUCCESS;
}
