/* SPDX-License-Identifier: ISC */
/* What postsms-milter's parts share: the snapshot a session works with, the callbacks. */
#ifndef MILTER_MILTER_H
#define MILTER_MILTER_H

#include "lib/conf.h"
#include "rules/rules.h"

/* Configuration and rules as they were read together; immutable, counted. */
struct snapshot {
    int references;
    struct conf *conf;
    struct smtp_rules *rules;
    guint generation; /* 1 at start, one more with each reload */
};

/* Reads both. NULL if there are errors; faults gets all of them. The caller holds one reference. */
struct snapshot *snapshot_load(const char *file, guint generation, Faults *faults);
void snapshot_unref(struct snapshot *snapshot);
typedef struct snapshot Snapshot;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_unref)

/* Makes it what new sessions work with; takes the caller's reference. */
void snapshot_publish(struct snapshot *snapshot);

/* What new sessions work with; the caller gets a reference of its own. */
struct snapshot *snapshot_current(void);

/* Starts the thread that reads everything again at SIGUSR1, which the caller has blocked. -1 with
 * errno. */
int reload_start(void) G_GNUC_WARN_UNUSED_RESULT;

/* Tells libmilter which callbacks there are. -1 if it does not want them. */
int session_register(void) G_GNUC_WARN_UNUSED_RESULT;

/* How many sessions there are now. */
int session_count(void);

#endif
