/* SPDX-License-Identifier: ISC */
/* Owns the loading of everything a decision needs, all or nothing: a faulty file never replaces a
 * good one. */
#include "transport/dispatch/setup.h"

struct setup *
setup_load(const char *conf_file, Faults *faults)
{
    g_autoptr(Setup) setup = g_new0(struct setup, 1);
    struct outcome why;

    setup->references = 1;
    setup->conf = conf_load(conf_file, faults);
    if (!setup->conf)
        return NULL;
    setup->smtp_rules =
        smtp_rules_load(setup->conf->smtp_rules, setup->conf->smtp_rules_named, faults);
    setup->message = template_parse(setup->conf->message, &why);
    if (!setup->message)
        faults_add(faults, conf_file, 0, "%s", why.text);
    return setup->smtp_rules && setup->message ? g_steal_pointer(&setup) : NULL;
}

struct setup *
setup_ref(struct setup *setup)
{
    setup->references++;
    return setup;
}

void
setup_unref(struct setup *setup)
{
    if (!setup || --setup->references > 0)
        return;
    conf_unref(setup->conf);
    smtp_rules_unref(setup->smtp_rules);
    template_free(setup->message);
    g_free(setup);
}
