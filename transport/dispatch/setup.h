/* SPDX-License-Identifier: ISC */
/* What decisions are made by: configuration, rules and template of one moment, immutable and
 * counted. */
#ifndef TRANSPORT_DISPATCH_SETUP_H
#define TRANSPORT_DISPATCH_SETUP_H

#include "lib/conf.h"
#include "rules/rules.h"
#include "transport/dispatch/template.h"

struct setup {
    int references;
    struct conf *conf;
    struct smtp_rules *smtp_rules;
    struct template *message;
};

/* NULL if there are errors; faults gets every one, with file and line, and the warnings. */
struct setup *setup_load(const char *conf_file, Faults *faults);

/* What only the daemon may look at: the files that gateways name. */
void setup_check_files(const struct setup *setup, Faults *faults);

struct setup *setup_ref(struct setup *setup);
void setup_unref(struct setup *setup);
typedef struct setup Setup;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Setup, setup_unref)

#endif
