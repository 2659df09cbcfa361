/* SPDX-License-Identifier: ISC */
/*
 * Owns postsms.conf: its keys, their defaults, what they may be. A snapshot is immutable once made;
 * threads may share it. Must never guess what a wrong value may have meant.
 */
#include "lib/conf.h"

#include "lib/addr.h"
#include "lib/conf_gateway.h"
#include "lib/conf_value.h"
#include "lib/net.h"
#include <string.h>

/* The man page and tests/system/test_docs.py read these tables. */
static cfg_opt_t milter_keys[] = {
    CFG_STR("socket", "unix:/var/spool/postfix/postsms/milter.sock", CFGF_NONE),
    CFG_STR("rules", NULL, CFGF_NONE),
    CFG_STR("spam_action", "hold", CFGF_NONE),
    CFG_STR("spam_target", "", CFGF_NONE),
    CFG_STR("filter_addresses", "remove", CFGF_NONE),
    CFG_STR("list_action", "deliver", CFGF_NONE),
    CFG_STR("copy_to_recipients", "all", CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t transport_keys[] = {
    CFG_INT("maxmsgs", 1, CFGF_NONE),
    CFG_STR("too_long", "truncate", CFGF_NONE),
    CFG_STR("message", "%%Sender%%\n%%Subject%%\n%%Body%%", CFGF_NONE),
    CFG_STR("append", "", CFGF_NONE),
    CFG_STR("translit", "punctuation", CFGF_NONE),
    CFG_STR_LIST("languages", "{}", CFGF_NONE),
    CFG_STR("lifetime", "0", CFGF_NONE),
    CFG_STR("warn_after", "4h", CFGF_NONE),
    CFG_STR("filter_rules", NULL, KEY_LATER),
    CFG_STR("outgoing_rules", NULL, KEY_LATER),
    CFG_STR("incoming_rules", NULL, KEY_LATER),
    CFG_STR("strict_globdeny", NULL, KEY_LATER),
    CFG_BOOL("strip_signature", cfg_true, CFGF_NONE),
    CFG_BOOL("strip_quotes", cfg_true, CFGF_NONE),
    CFG_BOOL("strip_sent_from", cfg_true, CFGF_NONE),
    CFG_STR_LIST("disclaimers", "{}", CFGF_NONE),
    CFG_INT("blank_lines", 1, CFGF_NONE),
    CFG_STR("encrypted", "placeholder", CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t access_keys[] = {
    CFG_STR("require", "known", CFGF_NONE),
    CFG_STR_LIST("networks", "{}", CFGF_NONE), /* not given: 127.0.0.0/8 and ::1 */
    CFG_STR_LIST("prefixes", "{}", CFGF_NONE),
    CFG_STR("address_credentials", NULL, KEY_LATER),
    CFG_END(),
};

static cfg_opt_t route_keys[] = {
    CFG_STR_LIST("gateways", "{}", CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t keys[] = {
    CFG_STR_LIST("domains", "{}", CFGF_NONE),
    CFG_STR("user", NULL, CFGF_NONE),
    CFG_STR("state_dir", "/var/lib/postsms", CFGF_NONE),
    CFG_STR("run_dir", "/run/postsms", CFGF_NONE),
    CFG_STR("country_code", "", CFGF_NONE),
    CFG_INT("readers", 2, CFGF_NONE),
    CFG_STR("remember", "6d", CFGF_NONE),
    CFG_STR("log_numbers", "short", CFGF_NONE),
    CFG_STR("submit", "smtp://127.0.0.1:25", CFGF_NONE),
    CFG_STR("alarm_to", "", CFGF_NONE),
    CFG_INT("slots", 200, CFGF_NONE),
    CFG_STR("keep", "90d", CFGF_NONE),
    CFG_STR("keep_text", "7d", CFGF_NONE),
    CFG_STR("inbound_default", NULL, KEY_LATER),
    CFG_SEC("milter", milter_keys, CFGF_NONE),
    CFG_SEC("transport", transport_keys, CFGF_NONE),
    CFG_SEC("access", access_keys, CFGF_NONE),
    CFG_SEC("gateway", conf_gateway_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("route", route_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

static void
get_domains(cfg_t *cfg, struct conf *conf)
{
    conf->domains = value_strings(cfg, "domains");
    if (!conf->domains[0])
        value_fault(0, "domains: at least one is needed, such as { \"sms.example.com\" }");
    for (char **domain = conf->domains; *domain; domain++) {
        g_autofree char *given = *domain;
        const char *name = given + (given[0] == '.');

        *domain = g_ascii_strdown(given, -1);
        if (!*name || strpbrk(name, "@ \t/") || !g_ascii_isalnum(name[0]))
            value_fault(value_line(cfg, "domains"), "domains: \"%s\" is not a domain", given);
    }
}

static void
get_access(cfg_t *cfg, struct conf *conf)
{
    static const char *const own[] = {"127.0.0.0/8", "::1", NULL};
    g_auto(GStrv) networks =
        value_line(cfg, "networks") ? value_strings(cfg, "networks") : g_strdupv((char **)own);

    conf->access_known = value_choice(cfg, "require", "known", "none");
    conf->networks = g_ptr_array_new_with_free_func(g_free);
    for (char **text = networks; *text; text++) {
        struct net *net = net_parse(*text);

        if (net)
            g_ptr_array_add(conf->networks, net);
        else
            value_fault(value_line(cfg, "networks"),
                        "networks: \"%s\" is not a network such as 192.0.2.0/24", *text);
    }
    conf->prefixes = value_strings(cfg, "prefixes");
    for (char **prefix = conf->prefixes; *prefix; prefix++)
        if ((*prefix)[0] != '+' || !(*prefix)[1] ||
            (*prefix)[1 + strspn(*prefix + 1, "0123456789")])
            value_fault(value_line(cfg, "prefixes"), "prefixes: \"%s\" is not + and digits",
                        *prefix);
    if (!conf->prefixes[0])
        value_warn(0, "access.prefixes is empty: every country of the world can be reached");
}

static void
route_free(gpointer data)
{
    struct conf_route *route = data;

    g_free(route->prefix);
    g_ptr_array_unref(route->gateways);
    g_free(route);
}

static void
get_route(cfg_t *cfg, struct conf *conf)
{
    struct conf_route *route = g_new0(struct conf_route, 1);
    g_auto(GStrv) ids = value_strings(cfg, "gateways");
    const char *prefix = cfg_title(cfg);

    g_ptr_array_add(conf->routes, route);
    route->prefix = g_strdup(prefix);
    route->line = cfg->line;
    route->gateways = g_ptr_array_new();
    if (prefix[0] != '+' || !prefix[1] || prefix[1 + strspn(prefix + 1, "0123456789")])
        value_fault(cfg->line, "route \"%s\": the title is + and digits, such as \"+41\"", prefix);
    for (char **id = ids; *id; id++) {
        const struct conf_gateway *gateway = conf_gateway(conf, *id);

        if (!gateway)
            value_fault(value_line(cfg, "gateways"), "route \"%s\": there is no gateway \"%s\"",
                        prefix, *id);
        else if (g_ptr_array_find(route->gateways, gateway, NULL))
            value_fault(value_line(cfg, "gateways"), "route \"%s\": gateway \"%s\" is named twice",
                        prefix, *id);
        else
            g_ptr_array_add(route->gateways, (gpointer)gateway);
    }
    if (!*ids)
        value_fault(cfg->line, "route \"%s\": gateways: at least one is needed", prefix);
}

static int
longest_first(gconstpointer a, gconstpointer b)
{
    const struct conf_route *one = *(const struct conf_route *const *)a;
    const struct conf_route *other = *(const struct conf_route *const *)b;

    return (int)strlen(other->prefix) - (int)strlen(one->prefix);
}

/* What the SMTP rules do with the mail they find. */
static void
get_rules_effects(cfg_t *cfg, struct conf *conf)
{
    static const char *const lists[] = {
        [CONF_LIST_DELIVER] = "deliver",
        [CONF_LIST_SPAM] = "spam",
        [CONF_LIST_DROP] = "drop",
    };
    const char *target = cfg_getstr(cfg, "spam_target");
    const char *at = strrchr(target, '@');

    conf->spam_action =
        value_choice(cfg, "spam_action", "redirect", "hold") ? CONF_SPAM_REDIRECT : CONF_SPAM_HOLD;
    conf->spam_target = g_strdup(target);
    conf->filter_reject = value_choice(cfg, "filter_addresses", "reject", "remove");
    conf->list_action = (enum conf_list)value_word(cfg, "list_action", lists);
    conf->copy_to_only_to = value_choice(cfg, "copy_to_recipients", "to-only", "all");
    if (*target && (!at || at == target || !at[1] || strpbrk(target, " \t\r\n<>,;\"")))
        value_fault(value_line(cfg, "spam_target"),
                    "spam_target: \"%s\" is not one address such as spam@example.com", target);
    else if (*target && addr_in_domains(target, (const char *const *)conf->domains))
        value_fault(value_line(cfg, "spam_target"),
                    "spam_target: \"%s\" is an address for SMS itself", target);
    if (!*target && conf->spam_action == CONF_SPAM_REDIRECT)
        value_fault(value_line(cfg, "spam_action"),
                    "spam_action: \"redirect\" needs spam_target, the address to send spam to");
}

static void
get_milter(cfg_t *cfg, struct conf *conf)
{
    get_rules_effects(cfg, conf);
    conf->milter_socket = g_strdup(cfg_getstr(cfg, "socket"));
    if (!g_str_has_prefix(conf->milter_socket, "unix:/") &&
        !g_str_has_prefix(conf->milter_socket, "inet:"))
        value_fault(cfg->line, "socket: \"%s\" is neither unix:/PATH nor inet:PORT@HOST",
                    conf->milter_socket);
    conf->smtp_rules_named = cfg_getstr(cfg, "rules") != NULL;
    conf->smtp_rules = conf->smtp_rules_named ? value_path(cfg, "rules")
                                              : g_strdup(POSTSMS_SYSCONFDIR "/smtp.rules");
}

static void
get_languages(cfg_t *cfg, struct conf *conf)
{
    /* TS 23.038 6.2.1.2.4, from 1 */
    static const char *const names[] = {
        "turkish",   "spanish", "portuguese", "bengali", "gujarati", "hindi", "kannada",
        "malayalam", "oriya",   "punjabi",    "tamil",   "telugu",   "urdu",
    };
    g_auto(GStrv) values = value_strings(cfg, "languages");

    for (char **value = values; *value; value++) {
        guint64 number = g_ascii_strtoull(*value, NULL, 10);

        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
            if (g_ascii_strcasecmp(*value, names[i]) == 0)
                number = i + 1;
        if (number < 1 || number > CONF_LANGUAGES ||
            (g_ascii_isdigit(**value) && (*value)[strspn(*value, "0123456789")]))
            value_fault(value_line(cfg, "languages"),
                        "languages: \"%s\" is neither a number from 1 to %d nor a name such as "
                        "\"turkish\"",
                        *value, CONF_LANGUAGES);
        else if (!memchr(conf->languages, (int)number, conf->n_languages))
            conf->languages[conf->n_languages++] = (guint8)number;
    }
}

/* How a mail becomes one text, and the text parts. */
static void
get_text(cfg_t *cfg, struct conf *conf)
{
    static const char *const levels[] = {
        [CONF_TRANSLIT_NONE] = "none",
        [CONF_TRANSLIT_PUNCTUATION] = "punctuation",
        [CONF_TRANSLIT_FULL] = "full",
    };

    conf->maxmsgs = value_int(cfg, "maxmsgs", 1, 128);
    conf->too_long_reject = value_choice(cfg, "too_long", "reject", "truncate");
    conf->message = g_strdup(cfg_getstr(cfg, "message"));
    conf->append = g_strdup(cfg_getstr(cfg, "append"));
    conf->translit = (enum conf_translit)value_word(cfg, "translit", levels);
    get_languages(cfg, conf);
    conf->strip_signature = cfg_getbool(cfg, "strip_signature");
    conf->strip_quotes = cfg_getbool(cfg, "strip_quotes");
    conf->strip_sent_from = cfg_getbool(cfg, "strip_sent_from");
    conf->disclaimers = value_strings(cfg, "disclaimers");
    conf->blank_lines = value_int(cfg, "blank_lines", 0, 100);
    conf->encrypted_refuse = value_choice(cfg, "encrypted", "refuse", "placeholder");
    for (char **beginning = conf->disclaimers; *beginning; beginning++)
        if (!(*beginning)[strspn(*beginning, " \t")])
            value_fault(value_line(cfg, "disclaimers"),
                        "disclaimers: an empty beginning would take every text away");
}

static void
get_everything(cfg_t *cfg, struct conf *conf)
{
    cfg_t *transport = cfg_getsec(cfg, "transport");

    get_domains(cfg, conf);
    conf->user = g_strdup(cfg_getstr(cfg, "user"));
    conf->state_dir = value_path(cfg, "state_dir");
    conf->run_dir = value_path(cfg, "run_dir");
    conf->country_code = g_strdup(cfg_getstr(cfg, "country_code"));
    if (strlen(conf->country_code) > 3 ||
        conf->country_code[strspn(conf->country_code, "0123456789")] ||
        conf->country_code[0] == '0')
        value_fault(value_line(cfg, "country_code"),
                    "country_code: \"%s\" is not 1 to 3 digits without + or 0 in front",
                    conf->country_code);
    conf->readers = value_int(cfg, "readers", 1, 64);
    conf->remember_ms = value_time(cfg, "remember");
    conf->slots = value_int(cfg, "slots", 1, 10000);
    conf->keep_ms = value_time(cfg, "keep");
    conf->keep_text_ms = value_time(cfg, "keep_text");
    conf->alarm_to = g_strdup(cfg_getstr(cfg, "alarm_to"));
    conf->submit = g_strdup(cfg_getstr(cfg, "submit"));
    if (!g_str_has_prefix(conf->submit, "smtp://"))
        value_fault(value_line(cfg, "submit"), "submit: \"%s\" is not smtp://HOST:PORT",
                    conf->submit);
    if (conf->keep_ms < conf->remember_ms)
        value_fault(
            value_line(cfg, "keep"),
            "keep: shorter than remember; a mail that Postfix offers again would be sent again");
    if (!*conf->alarm_to)
        value_warn(0, "alarm_to is empty: nobody is told when a gateway is out");
    conf->log_numbers_full = value_choice(cfg, "log_numbers", "full", "short");
    get_milter(cfg_getsec(cfg, "milter"), conf);
    get_text(transport, conf);
    conf->lifetime_ms = value_time(transport, "lifetime");
    conf->warn_after_ms = value_time(transport, "warn_after");
    get_access(cfg_getsec(cfg, "access"), conf);
    for (guint i = 0; i < cfg_size(cfg, "gateway"); i++)
        conf_gateway_get(cfg_getnsec(cfg, "gateway", i), conf);
    if (conf->gateways->len == 0)
        value_warn(0, "no gateway: every SMS waits in the queue");
    for (guint i = 0; i < cfg_size(cfg, "route"); i++)
        get_route(cfg_getnsec(cfg, "route", i), conf);
    g_ptr_array_sort(conf->routes, longest_first);
}

struct conf *
conf_load(const char *file, Faults *faults)
{
    g_autoptr(Conf) conf = g_new0(struct conf, 1);
    g_autofree char *text = NULL;
    cfg_t *cfg;

    conf->references = 1;
    conf->file = g_strdup(file);
    conf->gateways = g_ptr_array_new_with_free_func(conf_gateway_free);
    conf->routes = g_ptr_array_new_with_free_func(route_free);
    conf->profiles = g_ptr_array_new_with_free_func(g_free);
    if (!(text = value_read(file, faults)))
        return NULL;
    cfg = value_begin(conf->file, faults, keys);
    if (value_parse(cfg, text))
        get_everything(cfg, conf);
    else if (faults_errors(faults) == 0)
        faults_add(faults, file, cfg->line, "cannot be read from here on");
    value_end(cfg);
    return faults_errors(faults) ? NULL : g_steal_pointer(&conf);
}

struct conf *
conf_ref(struct conf *conf)
{
    g_atomic_int_inc(&conf->references);
    return conf;
}

void
conf_unref(struct conf *conf)
{
    if (!conf || !g_atomic_int_dec_and_test(&conf->references))
        return;
    g_free(conf->file);
    g_strfreev(conf->domains);
    g_free(conf->user);
    g_free(conf->state_dir);
    g_free(conf->run_dir);
    g_free(conf->country_code);
    g_free(conf->submit);
    g_free(conf->alarm_to);
    g_free(conf->milter_socket);
    g_free(conf->smtp_rules);
    g_free(conf->spam_target);
    g_free(conf->message);
    g_free(conf->append);
    g_strfreev(conf->disclaimers);
    g_clear_pointer(&conf->networks, g_ptr_array_unref);
    g_strfreev(conf->prefixes);
    g_ptr_array_unref(conf->routes);
    g_ptr_array_unref(conf->gateways);
    g_ptr_array_unref(conf->profiles);
    g_free(conf);
}

const struct conf_gateway *
conf_gateway(const struct conf *conf, const char *id)
{
    for (guint i = 0; i < conf->gateways->len; i++) {
        const struct conf_gateway *gateway = conf->gateways->pdata[i];

        if (strcmp(gateway->id, id) == 0)
            return gateway;
    }
    return NULL;
}

const struct conf_route *
conf_route(const struct conf *conf, const char *number)
{
    for (guint i = 0; i < conf->routes->len; i++) {
        const struct conf_route *route = conf->routes->pdata[i];

        if (g_str_has_prefix(number, route->prefix))
            return route;
    }
    return NULL;
}

char *
conf_ledger(const struct conf *conf)
{
    return g_build_filename(conf->state_dir, "spool.db", NULL);
}

char *
conf_socket(const struct conf *conf, const char *name)
{
    return g_build_filename(conf->run_dir, name, NULL);
}
