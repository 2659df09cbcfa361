/* SPDX-License-Identifier: ISC */
/*
 * postsmsd: arguments, start, reload, end. Owns the event loop and the signals. Must never start
 * with files that are faulty, and never replace good settings by faulty ones.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/log.h"
#include "lib/place.h"
#include "lib/sock.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_USER   "postsms"
#define PIPE_GROUP     "postsms-pipe"
#define CONTROL_SOCKET "control.sock"

struct program {
    const char *conf_file;
    struct dispatch dispatch;
    struct control *control;
};

static void
load_logged(const char *conf_file, struct setup **ret)
{
    g_autoptr(Faults) faults = faults_new();

    *ret = setup_load(conf_file, faults);
    faults_log(faults);
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
    if (!setup) {
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
    g_autoptr(GList) jobs = NULL;
    struct outcome why;

    (void)source;
    (void)info;
    if (dispatch->stopping)
        return 0;
    log_info("stopping");
    dispatch->stopping = true;
    server_stop(dispatch);
    g_clear_pointer(&dispatch->readers, readers_free);
    out_set(&why, OUT_RETRY, "4.3.2", "postsmsd is stopping");
    lanes_refuse(dispatch, &why);
    jobs = g_hash_table_get_keys(dispatch->jobs);
    for (GList *at = jobs; at; at = at->next)
        if (((struct job *)at->data)->stage == JOB_READING)
            job_finish(at->data, &why);
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

/* What root has to do: the run directory, the socket with its group; then root is left behind. */
static int
open_and_drop(struct program *program, struct outcome *why)
{
    struct dispatch *dispatch = &program->dispatch;
    const struct conf *conf = dispatch->setup->conf;
    const char *user = conf->user ? conf->user : DEFAULT_USER;
    int lock;

    g_autofree char *control_path = conf_socket(conf, CONTROL_SOCKET);

    dispatch->listen_path = conf_socket(conf, "deliver.sock");
    if (place_directory(conf->run_dir, 0755, user, NULL, why) < 0 ||
        sock_lock(dispatch->listen_path, user, &lock, why) < 0 ||
        sock_listen(dispatch->listen_path, 0660, user, PIPE_GROUP, &dispatch->listen_fd, why) < 0)
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
    if (sd_event_new(&dispatch->loop) < 0 || watch_signals(program) < 0) {
        out_set(why, OUT_BUG, "4.3.0", "event loop");
        return -1;
    }
    dispatch->conns = g_hash_table_new(NULL, NULL);
    dispatch->jobs = g_hash_table_new(NULL, NULL);
    if (round_start(dispatch, why) < 0)
        return -1;
    lanes_configure(dispatch);
    round_settle_all(dispatch);
    dispatch->readers = readers_new(dispatch);
    readers_resize(dispatch->readers, (guint)dispatch->setup->conf->readers);
    if (keeper_start(dispatch, why) < 0 || post_start(dispatch, why) < 0 ||
        control_start(dispatch, program->control, why) < 0)
        return -1;
    return server_start(dispatch, why);
}

static void
finish(struct program *program)
{
    struct dispatch *dispatch = &program->dispatch;

    control_free(program->control);
    keeper_free(dispatch);
    post_free(dispatch);
    lanes_free(dispatch);
    g_clear_pointer(&dispatch->spool, spool_close);
    sd_event_source_disable_unref(dispatch->round);
    sd_event_source_disable_unref(dispatch->round_later);
    sd_event_unref(dispatch->loop);
    g_ptr_array_unref(dispatch->fresh);
    g_ptr_array_unref(dispatch->results);
    g_hash_table_unref(dispatch->conns);
    g_hash_table_unref(dispatch->jobs);
    unlink(dispatch->listen_path);
    g_free(dispatch->listen_path);
    setup_unref(dispatch->setup);
}

static int
check_only(const char *conf_file)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = setup_load(conf_file, faults);

    faults_print(faults, stdout);
    return setup ? EXIT_SUCCESS : EXIT_FAILURE;
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
    return EXIT_SUCCESS;
}
