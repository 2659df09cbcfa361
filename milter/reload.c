/* SPDX-License-Identifier: ISC */
/*
 * Owns the current snapshot and the thread that replaces it at SIGUSR1 (libmilter takes SIGHUP as
 * stop). Readers of the snapshot are libmilter's threads; writers are main, once, and the reload
 * thread. Must never publish anything that has an error in it.
 */
#include "milter/milter.h"

#include "lib/log.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot *current;

struct snapshot *
snapshot_load(const char *file, guint generation, Faults *faults)
{
    g_autoptr(Conf) conf = conf_load(file, faults);
    struct smtp_rules *rules =
        conf ? smtp_rules_load(conf->smtp_rules, conf->smtp_rules_named, faults) : NULL;
    struct snapshot *snapshot;

    if (!rules)
        return NULL;
    snapshot = g_new0(struct snapshot, 1);
    snapshot->references = 1;
    snapshot->conf = g_steal_pointer(&conf);
    snapshot->rules = rules;
    snapshot->generation = generation;
    return snapshot;
}

void
snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || !g_atomic_int_dec_and_test(&snapshot->references))
        return;
    conf_unref(snapshot->conf);
    smtp_rules_unref(snapshot->rules);
    g_free(snapshot);
}

struct snapshot *
snapshot_current(void)
{
    struct snapshot *snapshot;

    pthread_mutex_lock(&current_lock);
    snapshot = current;
    g_atomic_int_inc(&snapshot->references);
    pthread_mutex_unlock(&current_lock);
    return snapshot;
}

static guint
count_lines(const struct snapshot *snapshot)
{
    guint lines = 0;

    for (int section = 0; section < SMTP_SECTIONS; section++)
        lines += smtp_rules_count(snapshot->rules, section);
    return lines;
}

static char *
describe(const struct snapshot *snapshot)
{
    return g_strdup_printf("rules generation %u from %s, %u lines", snapshot->generation,
                           smtp_rules_file(snapshot->rules), count_lines(snapshot));
}

void
snapshot_publish(struct snapshot *snapshot)
{
    /* The text before the swap, while nobody can drop the snapshot; the log line after it, since it
     * promises that the next session gets these rules. */
    g_autofree char *line = describe(snapshot);
    struct snapshot *old;

    pthread_mutex_lock(&current_lock);
    old = current;
    current = snapshot;
    pthread_mutex_unlock(&current_lock);
    log_info("%s", line);
    /* Sessions that began with it keep it until they close. */
    snapshot_unref(old);
}

static void
reload(void)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Snapshot) old = snapshot_current();
    struct snapshot *fresh = snapshot_load(old->conf->file, old->generation + 1, faults);

    faults_log(faults);
    if (!fresh) {
        log_err("reload: %u errors; the old rules stay in force (generation %u)",
                faults_errors(faults), old->generation);
        return;
    }
    if (strcmp(fresh->conf->milter_socket, old->conf->milter_socket) != 0 ||
        g_strcmp0(fresh->conf->user, old->conf->user) != 0)
        log_warnx("reload: a new milter.socket or user needs a restart");
    if (count_lines(old) > 0 && !g_file_test(fresh->conf->smtp_rules, G_FILE_TEST_EXISTS))
        log_warnx("reload: %s is gone, so there are no rules any more", fresh->conf->smtp_rules);
    snapshot_publish(fresh);
}

static void *
reload_thread(void *unused)
{
    sigset_t usr1;
    int got;

    (void)unused;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    while (sigwait(&usr1, &got) == 0)
        reload();
    return NULL;
}

int
reload_start(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, reload_thread, NULL);

    if (error) {
        errno = error;
        return -1;
    }
    pthread_detach(thread);
    return 0;
}
