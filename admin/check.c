/* SPDX-License-Identifier: ISC */
/* postsms check: everything an admin wrote, read as the daemons read it, what would stop them, and
 * the host's Postfix. Changes nothing. */
#include "admin/admin.h"

#include "admin/postfix.h"
#include "transport/dispatch/setup.h"
#include <stdio.h>

static json_t *
faults_json(const Faults *faults)
{
    json_t *array = json_array();

    for (guint i = 0; i < faults->len; i++) {
        const struct fault *fault = faults->pdata[i];

        json_array_append_new(array,
                              json_pack("{s:s, s:i, s:s, s:s}", "file", fault->file, "line",
                                        fault->line, "severity",
                                        fault->warning ? "warning" : "error", "text", fault->text));
    }
    return array;
}

int
admin_check(struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = NULL;
    guint errors, warnings;

    if (admin->argc != 1)
        return ADMIN_USAGE;
    setup = setup_load(admin->conf_file, faults);
    if (setup) {
        g_autofree char *path = conf_ledger(setup->conf);
        g_autoptr(Spool) spool = NULL;
        struct outcome why;

        if (spool_open(path, false, &spool, &why) < 0)
            faults_warn(faults, path, 0, "%s", why.text);
        smtp_rules_check(setup->smtp_rules, faults);
        setup_check_files(setup, faults);
        postfix_check(setup->conf, faults);
    }
    errors = faults_errors(faults);
    warnings = faults->len - errors;
    if (admin->json) {
        int status = admin_print_json(faults_json(faults));
        return errors ? ADMIN_FAULT : status;
    }
    faults_print(faults, stdout);
    printf("%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s", warnings,
           warnings == 1 ? "" : "s");
    return errors ? ADMIN_FAULT : ADMIN_DONE;
}
