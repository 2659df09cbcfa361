/* SPDX-License-Identifier: ISC */
/*
 * Owns postsms.conf: its keys, their defaults, what they may be. libconfuse stays in this file. A
 * snapshot is immutable once made; threads may share it. Must never guess what a wrong value may
 * have meant.
 */
#include "lib/conf.h"

#include "lib/addr.h"
#include "lib/net.h"
#include <confuse.h>
#include <string.h>

/*
 * KEY_LATER marks keys of the published format that this version reads and checks for spelling
 * only; setting one is a warning. The man page and tests/system/test_docs.py read these tables.
 */
#define KEY_LATER (1 << 24) /* libconfuse uses the low bits */

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
    CFG_STR("translit", NULL, KEY_LATER),
    CFG_STR_LIST("languages", "{}", KEY_LATER),
    CFG_STR("lifetime", "0", CFGF_NONE),
    CFG_STR("warn_after", "4h", CFGF_NONE),
    CFG_STR("filter_rules", NULL, KEY_LATER),
    CFG_STR("outgoing_rules", NULL, KEY_LATER),
    CFG_STR("incoming_rules", NULL, KEY_LATER),
    CFG_STR("strict_globdeny", NULL, KEY_LATER),
    CFG_STR("strip_signature", NULL, KEY_LATER),
    CFG_STR("strip_quotes", NULL, KEY_LATER),
    CFG_STR("strip_sent_from", NULL, KEY_LATER),
    CFG_STR_LIST("disclaimers", "{}", KEY_LATER),
    CFG_STR("blank_lines", NULL, KEY_LATER),
    CFG_STR("encrypted", NULL, KEY_LATER),
    CFG_END(),
};

static cfg_opt_t access_keys[] = {
    CFG_STR("require", "known", CFGF_NONE),
    CFG_STR_LIST("networks", "{}", CFGF_NONE), /* not given: 127.0.0.0/8 and ::1 */
    CFG_STR_LIST("prefixes", "{}", CFGF_NONE),
    CFG_STR("address_credentials", NULL, KEY_LATER),
    CFG_END(),
};

/* clang-format off: one key a line, in the order of the man page */
static cfg_opt_t gateway_keys[] = {
    CFG_STR("type", NULL, CFGF_NONE),          CFG_BOOL("active", cfg_true, CFGF_NONE),
    CFG_BOOL("demo", cfg_false, CFGF_NONE),    CFG_STR("originator", "", CFGF_NONE),
    CFG_INT("concurrency", 0, CFGF_NONE),      CFG_STR("unknown", "hold", CFGF_NONE),
    CFG_STR("unknown_after", "1h", CFGF_NONE), CFG_STR("path", NULL, CFGF_NONE),
    CFG_STR("delay", "0", CFGF_NONE),          CFG_INT("fail_every", 0, CFGF_NONE),
    CFG_STR("rate", NULL, KEY_LATER),          CFG_END(),
};
/* clang-format on */

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
    CFG_SEC("gateway", gateway_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

/* What one load knows besides the values: libconfuse's callbacks have no context of their own. One
 * load at a time. */
static struct {
    const char *file;
    Faults *faults;
    GHashTable *calls; /* cfg_opt_t * → how often on_value was called for it */
    GHashTable *lines; /* cfg_opt_t * → line of its value */
} load;

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);

    faults_add(load.faults, load.file, cfg->line, "%s", text);
}

/* Called after each value. libconfuse keeps the last of a repeated key without a word; here it is a
 * fault. A list calls once for each value and once more at its end. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    guint calls = GPOINTER_TO_UINT(g_hash_table_lookup(load.calls, opt)) + 1;
    bool list = opt->flags & CFGF_LIST;

    g_hash_table_insert(load.calls, opt, GUINT_TO_POINTER(calls));
    g_hash_table_insert(load.lines, opt, GINT_TO_POINTER(cfg->line));
    if (!(opt->flags & CFGF_MULTI) && calls > (list ? cfg_opt_size(opt) + 1 : 1)) {
        faults_add(load.faults, load.file, cfg->line, "\"%s\" is given twice", opt->name);
        return -1;
    }
    if ((opt->flags & KEY_LATER) && calls == 1)
        faults_warn(load.faults, load.file, cfg->line, "\"%s\" has no effect in this version",
                    opt->name);
    return 0;
}

static void
watch_values(cfg_opt_t *table)
{
    for (cfg_opt_t *opt = table; opt->name; opt++) {
        opt->validcb = on_value;
        if (opt->subopts)
            watch_values(opt->subopts);
    }
}

/* Comments become blanks before libconfuse sees them: version 3.3 counts two lines too many for
 * each of them and cannot read one inside a list. Strings stay as they are. */
static void
blank_comments(char *text)
{
    bool fresh = true; /* a comment may begin here */

    for (char *at = text; *at; at++) {
        if (*at == '"' || *at == '\'') {
            char quote = *at;
            for (at++; *at && *at != quote; at++)
                if (*at == '\\' && at[1])
                    at++;
            if (!*at)
                return;
            fresh = true;
        } else if (*at == '#' || (fresh && at[0] == '/' && at[1] == '/')) {
            for (; *at && *at != '\n'; at++)
                *at = ' ';
            if (!*at)
                return;
            fresh = true;
        } else if (fresh && at[0] == '/' && at[1] == '*') {
            for (; *at && !(at[0] == '*' && at[1] == '/'); at++)
                if (*at != '\n')
                    *at = ' ';
            if (!*at)
                return;
            at[0] = at[1] = ' ';
        } else {
            fresh = g_ascii_isspace(*at) || strchr("{},=", *at);
        }
    }
}

/* Where the key was set; 0 if it was not. */
static int
line_of(cfg_t *cfg, const char *key)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(load.lines, cfg_getopt(cfg, key)));
}

static bool
parse_time(const char *text, gint64 *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    double number = g_ascii_strtod(text, &end);

    if (end == text || !(number >= 0 && number < 1e9))
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(end, units[i].unit) == 0) {
            *ret_ms = (gint64)(number * units[i].ms);
            return true;
        }
    return false;
}

static gint64
get_time(cfg_t *cfg, const char *key)
{
    gint64 ms = 0;

    if (!parse_time(cfg_getstr(cfg, key), &ms))
        faults_add(load.faults, load.file, line_of(cfg, key),
                   "%s: \"%s\" is not a time such as 30s, 4h or 6d", key, cfg_getstr(cfg, key));
    return ms;
}

static int
get_int(cfg_t *cfg, const char *key, int min, int max)
{
    long value = cfg_getint(cfg, key);

    if (value < min || value > max)
        faults_add(load.faults, load.file, line_of(cfg, key), "%s: %ld is not within %d and %d",
                   key, value, min, max);
    return (int)value;
}

/* True if the value is yes, false if it is no; anything else is a fault. */
static bool
get_choice(cfg_t *cfg, const char *key, const char *yes, const char *no)
{
    const char *value = cfg_getstr(cfg, key);

    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        faults_add(load.faults, load.file, line_of(cfg, key),
                   "%s: \"%s\" is neither \"%s\" nor \"%s\"", key, value, yes, no);
    return strcmp(value, yes) == 0;
}

static char *
get_path(cfg_t *cfg, const char *key)
{
    const char *value = cfg_getstr(cfg, key);

    if (!value || !g_path_is_absolute(value))
        faults_add(load.faults, load.file, line_of(cfg, key),
                   "%s: \"%s\" is not a path from the root", key, value ? value : "");
    return g_strdup(value);
}

static char **
get_strings(cfg_t *cfg, const char *key)
{
    guint count = cfg_size(cfg, key);
    char **strings = g_new0(char *, count + 1);

    for (guint i = 0; i < count; i++)
        strings[i] = g_strdup(cfg_getnstr(cfg, key, i));
    return strings;
}

static void
get_domains(cfg_t *cfg, struct conf *conf)
{
    conf->domains = get_strings(cfg, "domains");
    if (!conf->domains[0])
        faults_add(load.faults, load.file, 0,
                   "domains: at least one is needed, such as { \"sms.example.com\" }");
    for (char **domain = conf->domains; *domain; domain++) {
        g_autofree char *given = *domain;
        const char *name = given + (given[0] == '.');

        *domain = g_ascii_strdown(given, -1);
        if (!*name || strpbrk(name, "@ \t/") || !g_ascii_isalnum(name[0]))
            faults_add(load.faults, load.file, line_of(cfg, "domains"),
                       "domains: \"%s\" is not a domain", given);
    }
}

static void
get_access(cfg_t *cfg, struct conf *conf)
{
    static const char *const own[] = {"127.0.0.0/8", "::1", NULL};
    g_auto(GStrv) networks =
        line_of(cfg, "networks") ? get_strings(cfg, "networks") : g_strdupv((char **)own);

    conf->access_known = get_choice(cfg, "require", "known", "none");
    conf->networks = g_ptr_array_new_with_free_func(g_free);
    for (char **text = networks; *text; text++) {
        struct net *net = net_parse(*text);

        if (net)
            g_ptr_array_add(conf->networks, net);
        else
            faults_add(load.faults, load.file, line_of(cfg, "networks"),
                       "networks: \"%s\" is not a network such as 192.0.2.0/24", *text);
    }
    conf->prefixes = get_strings(cfg, "prefixes");
    for (char **prefix = conf->prefixes; *prefix; prefix++)
        if ((*prefix)[0] != '+' || !(*prefix)[1] ||
            (*prefix)[1 + strspn(*prefix + 1, "0123456789")])
            faults_add(load.faults, load.file, line_of(cfg, "prefixes"),
                       "prefixes: \"%s\" is not + and digits", *prefix);
    if (!conf->prefixes[0])
        faults_warn(load.faults, load.file, 0,
                    "access.prefixes is empty: every country of the world can be reached");
}

static void
gateway_free(gpointer data)
{
    struct conf_gateway *gateway = data;

    g_free(gateway->id);
    g_free(gateway->type);
    g_free(gateway->originator);
    g_free(gateway->path);
    g_free(gateway);
}

/* Which of the three words the value is; anything else is a fault. */
static int
get_word(cfg_t *cfg, const char *key, const char *const words[3])
{
    const char *value = cfg_getstr(cfg, key);

    for (int i = 0; i < 3; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    faults_add(load.faults, load.file, line_of(cfg, key),
               "%s: \"%s\" is neither \"%s\" nor \"%s\" nor \"%s\"", key, value, words[0], words[1],
               words[2]);
    return 0;
}

static void
get_gateway(cfg_t *cfg, struct conf *conf)
{
    static const char *const unknowns[] = {
        [CONF_UNKNOWN_HOLD] = "hold",
        [CONF_UNKNOWN_RETRY] = "retry",
        [CONF_UNKNOWN_GIVE_UP] = "give-up",
    };
    struct conf_gateway *gateway = g_new0(struct conf_gateway, 1);
    const char *type = cfg_getstr(cfg, "type");

    g_ptr_array_add(conf->gateways, gateway);
    gateway->id = g_strdup(cfg_title(cfg));
    gateway->line = cfg->line;
    gateway->type = g_strdup(type ? type : "");
    gateway->active = cfg_getbool(cfg, "active");
    gateway->demo = cfg_getbool(cfg, "demo");
    gateway->originator = g_strdup(cfg_getstr(cfg, "originator"));
    gateway->concurrency = get_int(cfg, "concurrency", 0, 1000);
    gateway->unknown = (enum conf_unknown)get_word(cfg, "unknown", unknowns);
    gateway->unknown_after_ms = get_time(cfg, "unknown_after");
    gateway->delay_ms = get_time(cfg, "delay");
    gateway->fail_every = get_int(cfg, "fail_every", 0, G_MAXINT);
    if (!gateway->id[0] ||
        gateway->id[strspn(gateway->id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-")])
        faults_add(load.faults, load.file, cfg->line,
                   "gateway \"%s\": a name of letters, digits, - and _ is needed", gateway->id);
    if (strcmp(gateway->type, "file") != 0) {
        faults_add(load.faults, load.file, cfg->line,
                   "gateway \"%s\": type \"%s\" is not known; this version has file", gateway->id,
                   gateway->type);
        return;
    }
    gateway->path = get_path(cfg, "path");
    if (gateway->active)
        faults_warn(load.faults, load.file, cfg->line,
                    "gateway \"%s\" writes to a file: for demos and tests, no SMS reaches a phone",
                    gateway->id);
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
        get_choice(cfg, "spam_action", "redirect", "hold") ? CONF_SPAM_REDIRECT : CONF_SPAM_HOLD;
    conf->spam_target = g_strdup(target);
    conf->filter_reject = get_choice(cfg, "filter_addresses", "reject", "remove");
    conf->list_action = (enum conf_list)get_word(cfg, "list_action", lists);
    conf->copy_to_only_to = get_choice(cfg, "copy_to_recipients", "to-only", "all");
    if (*target && (!at || at == target || !at[1] || strpbrk(target, " \t\r\n<>,;\"")))
        faults_add(load.faults, load.file, line_of(cfg, "spam_target"),
                   "spam_target: \"%s\" is not one address such as spam@example.com", target);
    else if (*target && addr_in_domains(target, (const char *const *)conf->domains))
        faults_add(load.faults, load.file, line_of(cfg, "spam_target"),
                   "spam_target: \"%s\" is an address for SMS itself", target);
    if (!*target && conf->spam_action == CONF_SPAM_REDIRECT)
        faults_add(load.faults, load.file, line_of(cfg, "spam_action"),
                   "spam_action: \"redirect\" needs spam_target, the address to send spam to");
}

static void
get_milter(cfg_t *cfg, struct conf *conf)
{
    get_rules_effects(cfg, conf);
    conf->milter_socket = g_strdup(cfg_getstr(cfg, "socket"));
    if (!g_str_has_prefix(conf->milter_socket, "unix:/") &&
        !g_str_has_prefix(conf->milter_socket, "inet:"))
        faults_add(load.faults, load.file, cfg->line,
                   "socket: \"%s\" is neither unix:/PATH nor inet:PORT@HOST", conf->milter_socket);
    conf->smtp_rules_named = cfg_getstr(cfg, "rules") != NULL;
    conf->smtp_rules = conf->smtp_rules_named ? get_path(cfg, "rules")
                                              : g_strdup(POSTSMS_SYSCONFDIR "/smtp.rules");
}

static void
get_everything(cfg_t *cfg, struct conf *conf)
{
    cfg_t *transport = cfg_getsec(cfg, "transport");

    get_domains(cfg, conf);
    conf->user = g_strdup(cfg_getstr(cfg, "user"));
    conf->state_dir = get_path(cfg, "state_dir");
    conf->run_dir = get_path(cfg, "run_dir");
    conf->country_code = g_strdup(cfg_getstr(cfg, "country_code"));
    if (strlen(conf->country_code) > 3 ||
        conf->country_code[strspn(conf->country_code, "0123456789")] ||
        conf->country_code[0] == '0')
        faults_add(load.faults, load.file, line_of(cfg, "country_code"),
                   "country_code: \"%s\" is not 1 to 3 digits without + or 0 in front",
                   conf->country_code);
    conf->readers = get_int(cfg, "readers", 1, 64);
    conf->remember_ms = get_time(cfg, "remember");
    conf->slots = get_int(cfg, "slots", 1, 10000);
    conf->keep_ms = get_time(cfg, "keep");
    conf->keep_text_ms = get_time(cfg, "keep_text");
    conf->alarm_to = g_strdup(cfg_getstr(cfg, "alarm_to"));
    conf->submit = g_strdup(cfg_getstr(cfg, "submit"));
    if (!g_str_has_prefix(conf->submit, "smtp://"))
        faults_add(load.faults, load.file, line_of(cfg, "submit"),
                   "submit: \"%s\" is not smtp://HOST:PORT", conf->submit);
    if (conf->keep_ms < conf->remember_ms)
        faults_add(
            load.faults, load.file, line_of(cfg, "keep"),
            "keep: shorter than remember; a mail that Postfix offers again would be sent again");
    if (!*conf->alarm_to)
        faults_warn(load.faults, load.file, 0,
                    "alarm_to is empty: nobody is told when a gateway is out");
    conf->log_numbers_full = get_choice(cfg, "log_numbers", "full", "short");
    get_milter(cfg_getsec(cfg, "milter"), conf);
    conf->maxmsgs = get_int(transport, "maxmsgs", 1, 128);
    conf->too_long_reject = get_choice(transport, "too_long", "reject", "truncate");
    conf->message = g_strdup(cfg_getstr(transport, "message"));
    conf->lifetime_ms = get_time(transport, "lifetime");
    conf->warn_after_ms = get_time(transport, "warn_after");
    get_access(cfg_getsec(cfg, "access"), conf);
    for (guint i = 0; i < cfg_size(cfg, "gateway"); i++)
        get_gateway(cfg_getnsec(cfg, "gateway", i), conf);
    if (conf->gateways->len == 0)
        faults_warn(load.faults, load.file, 0, "no gateway: every SMS waits in the queue");
}

struct conf *
conf_load(const char *file, Faults *faults)
{
    g_autoptr(Conf) conf = g_new0(struct conf, 1);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) calls = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) lines = g_hash_table_new(NULL, NULL);
    gsize len;
    cfg_t *cfg;

    conf->references = 1;
    conf->file = g_strdup(file);
    conf->gateways = g_ptr_array_new_with_free_func(gateway_free);
    if (!g_file_get_contents(file, &text, &len, &error)) {
        faults_add(faults, file, 0, "%s", error->message);
        return NULL;
    }
    if (strlen(text) != len || !g_utf8_validate(text, (gssize)len, NULL)) {
        faults_add(faults, file, 0, "is not UTF-8 text");
        return NULL;
    }
    load.file = file;
    load.faults = faults;
    load.calls = calls;
    load.lines = lines;
    watch_values(keys);
    blank_comments(text);
    cfg = cfg_init(keys, CFGF_NONE);
    cfg_set_error_function(cfg, on_error);
    if (cfg_parse_buf(cfg, text) == CFG_SUCCESS)
        get_everything(cfg, conf);
    else if (faults_errors(faults) == 0)
        faults_add(faults, file, cfg->line, "cannot be read from here on");
    cfg_free(cfg);
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
    g_clear_pointer(&conf->networks, g_ptr_array_unref);
    g_strfreev(conf->prefixes);
    g_ptr_array_unref(conf->gateways);
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
