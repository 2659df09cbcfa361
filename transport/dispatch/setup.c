/* SPDX-License-Identifier: ISC */
/* Owns the loading of everything a decision needs, all or nothing: a faulty file never replaces a
 * good one. */
#include "transport/dispatch/setup.h"

#include "transport/gateway/gateway.h"

struct setup *
setup_load(const char *conf_file, Faults *faults)
{
    g_autoptr(Setup) setup = g_new0(struct setup, 1);
    struct outcome why;

    setup->references = 1;
    setup->conf = conf_load(conf_file, faults);
    if (!setup->conf)
        return NULL;
    for (guint i = 0; i < setup->conf->gateways->len; i++)
        gateway_check(setup->conf->gateways->pdata[i], faults);
    setup->smtp_rules =
        smtp_rules_load(setup->conf->smtp_rules, setup->conf->smtp_rules_named, faults);
    setup->message = template_parse(setup->conf->message, &why);
    if (!setup->message)
        faults_add(faults, conf_file, 0, "%s", why.text);
    return faults_errors(faults) == 0 ? g_steal_pointer(&setup) : NULL;
}

void
setup_check_files(const struct setup *setup, Faults *faults)
{
    for (guint i = 0; i < setup->conf->gateways->len; i++)
        gateway_check_files(setup->conf->gateways->pdata[i], faults);
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
