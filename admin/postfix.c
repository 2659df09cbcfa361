/* SPDX-License-Identifier: ISC */
/*
 * Owns the look at the host's Postfix: its settings, our services in master.cf, our milter. It asks
 * postconf(1), found in PATH, so MAIL_CONFIG selects the instance. Each warning says what happens,
 * then the cure. Changes nothing.
 */
#include "admin/postfix.h"

#include "lib/envelope.h"
#include <pwd.h>
#include <string.h>

#define SETUP "contrib/postfix/setup"

const char *
postfix_value(const struct postfix *postfix, const char *name)
{
    const char *value = g_hash_table_lookup(postfix->values, name);

    return value ? value : "";
}

bool
postfix_is_ours(const struct postconf_service *service)
{
    char **argv = postconf_pipe_argv(service);
    g_autofree char *program = argv ? g_path_get_basename(argv[0] + strlen("argv=")) : NULL;

    return g_strcmp0(program, "postsms-pipe") == 0;
}

/* The last line that begins with word and a separator, as Postfix counts; 0 if there is none. */
static int
line_of(const char *file, const char *word, const char *separators)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    gsize len = strlen(word);
    int found = 0;

    if (!g_file_get_contents(file, &text, NULL, NULL))
        return 0;
    lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i]; i++)
        if (strncmp(lines[i], word, len) == 0 && lines[i][len] && strchr(separators, lines[i][len]))
            found = i + 1;
    return found;
}

void
postfix_warn(const struct postfix *postfix, const char *name, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    const char *slash = strchr(name, '/');
    g_autofree char *first = g_strndup(name, slash ? (gsize)(slash - name) : strlen(name));
    const char *file = slash ? postfix->master_cf : postfix->main_cf;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_warn(postfix->faults, file, line_of(file, first, " \t="), "%s: %s", name, text);
}

void
postfix_warn_service(const struct postfix *postfix, const struct postconf_service *service,
                     const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_warn(postfix->faults, postfix->master_cf,
                line_of(postfix->master_cf, service->name, " \t"), "%s: %s", service->name, text);
}

char *
postfix_run(char **argv, char **ret_error)
{
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    *ret_error = NULL;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &status,
                      &error)) {
        *ret_error = g_strdup(error->message);
        return NULL;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return g_steal_pointer(&output);
    errors[strcspn(errors, "\n")] = '\0';
    *ret_error = g_steal_pointer(&errors);
    return NULL;
}

/* Settings */

static void
check_plain(const struct postfix *postfix)
{
    static const struct {
        const char *name, *want, *harm;
    } settings[] = {
        {"enable_long_queue_ids", "yes",
         "short queue ids are used again, so log and ledger may mix up two mails; set it to yes"},
        {"enable_original_recipient", "yes",
         "log and ledger cannot tell by which alias a number was reached; set it to yes"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(postfix_value(postfix, settings[i].name), settings[i].want) != 0)
            postfix_warn(postfix, settings[i].name, "%s", settings[i].harm);
}

/* Postfix rewrites "john+x" by the entry for "john" and hangs "+x" on the number; with "-" it also
 * takes numbers apart. What reaches the transport is never shortened. */
static void
check_delimiter(const struct postfix *postfix)
{
    static const char *const rewriting[] = {"virtual_alias_maps", "canonical_maps",
                                            "recipient_canonical_maps"};
    const char *delimiter = postfix_value(postfix, "recipient_delimiter");
    bool rewrites = false;

    for (guint i = 0; i < G_N_ELEMENTS(rewriting); i++)
        rewrites = rewrites || *postfix_value(postfix, rewriting[i]);
    if (strchr(delimiter, '-'))
        postfix_warn(postfix, "recipient_delimiter",
                     "\"%s\" cuts a number such as 079-123-45-67 off behind 079 when tables are "
                     "searched; take the - out",
                     delimiter);
    else if (strchr(delimiter, '+') && rewrites &&
             *postfix_value(postfix, "propagate_unmatched_extensions"))
        postfix_warn(postfix, "recipient_delimiter",
                     "mail to john%sx, with an alias from john to a number, goes to the number "
                     "with %sx behind it and is refused; set it or propagate_unmatched_extensions "
                     "to nothing",
                     delimiter, delimiter);
}

static void
check_lifetime(const struct postfix *postfix)
{
    const char *text = postfix_value(postfix, "maximal_queue_lifetime");
    gint64 lifetime = postconf_seconds(text, 'd');

    if (lifetime * 1000 >= postfix->conf->remember_ms)
        postfix_warn(postfix, "maximal_queue_lifetime",
                     "%s is not less than \"remember\" in postsms.conf (%" G_GINT64_FORMAT
                     " h), so mail that Postfix still has is given up or sent again; make "
                     "\"remember\" longer",
                     text, postfix->conf->remember_ms / 3600000);
}

/* Services */

static void
check_flags(const struct postfix *postfix, const struct postconf_service *service)
{
    static const struct {
        char flag;
        bool wanted;
        const char *harm;
    } table[] = {
        {'D', true, "mail that comes back in a circle is not noticed; add D to flags="},
        {'O', true, "one run may be about several recipients unnoticed; add O to flags="},
        {'X', false,
         "senders read \"delivered\" although only a gateway has the SMS; take X out of flags="},
        {'u', false,
         "upper case in parameters behind a number is lost, passwords included; take u out of "
         "flags="},
    };
    const char *flags = postconf_pipe_attribute(service, "flags");

    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if ((flags && strchr(flags, table[i].flag)) != table[i].wanted)
            postfix_warn_service(postfix, service, "flag %c is %s: %s", table[i].flag,
                                 table[i].wanted ? "missing" : "there", table[i].harm);
}

static void
check_user(const struct postfix *postfix, const struct postconf_service *service)
{
    const char *user = postconf_pipe_attribute(service, "user");
    const char *null_sender = postconf_pipe_attribute(service, "null_sender");
    g_autofree char *name = user ? g_strndup(user, strcspn(user, ":")) : NULL;

    if (!name || strcmp(name, "root") == 0 ||
        strcmp(name, postfix_value(postfix, "mail_owner")) == 0)
        postfix_warn_service(postfix, service,
                             "user=%s: pipe(8) does not start as that user and mail stays in the "
                             "queue without a reason; use postsms-pipe",
                             name ? name : "");
    else if (!getpwnam(name))
        postfix_warn_service(postfix, service,
                             "user=%s: there is no such user, so mail stays in the queue without a "
                             "reason; make it, see INSTALL",
                             name);
    if (!null_sender || *null_sender)
        postfix_warn_service(postfix, service,
                             "null_sender= is missing or not empty: bounces look like mail from "
                             "somebody and may become SMS; add null_sender= with nothing behind");
}

static void
check_options(const struct postfix *postfix, const struct postconf_service *service)
{
    static const struct {
        const char *name;
        bool required;
        const char *macro;
    } options[] = {
#define OPTION_ROW(identifier, name, required, macro) {name, required, macro},
        ENVELOPE_NAMES (OPTION_ROW)
#undef OPTION_ROW
    };
    char **argv = postconf_pipe_argv(service);
    const char *path = postconf_option(argv, "s");
    g_autofree char *socket = conf_socket(postfix->conf, "deliver.sock");

    if (!path)
        postfix_warn_service(postfix, service,
                             "option -s is missing, so every mail is deferred; add -s %s", socket);
    else if (strcmp(path, socket) != 0)
        postfix_warn_service(postfix, service,
                             "-s %s is not where postsmsd listens, so every mail is deferred; "
                             "write -s %s",
                             path, socket);
    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *value = postconf_option(argv, options[i].name);

        if (!value && options[i].required)
            postfix_warn_service(
                postfix, service, "option --%s is missing, so every mail is deferred; add --%s=%s",
                options[i].name, options[i].name, *options[i].macro ? options[i].macro : "3000");
        else if (value && *options[i].macro && strcmp(value, options[i].macro) != 0)
            postfix_warn_service(postfix, service,
                                 "--%s=%s tells postsmsd something else than it means; write "
                                 "--%s=%s",
                                 options[i].name, value, options[i].name, options[i].macro);
    }
}

/* A setting of the service's own name; an -o in master.cf wins for what pipe(8) itself reads. */
static const char *
own_setting(const struct postfix *postfix, const struct postconf_service *service,
            const char *suffix, char **ret_name)
{
    g_autofree char *key = NULL;
    const char *value;

    *ret_name = g_strconcat(service->name, suffix, NULL);
    key = g_strdup_printf("%s/%s/%s", service->name, service->type, *ret_name);
    value = g_hash_table_lookup(postfix->overrides, key);
    return value ? value : postfix_value(postfix, *ret_name);
}

static void
check_limits(const struct postfix *postfix, const struct postconf_service *service)
{
    const char *text = postconf_option(postconf_pipe_argv(service), "deadline");
    gint64 deadline = text ? g_ascii_strtoll(text, NULL, 10) : 0;
    g_autofree char *time_name = NULL;
    g_autofree char *recipients_name = NULL;
    const char *limit = own_setting(postfix, service, "_time_limit", &time_name);
    const char *recipients =
        own_setting(postfix, service, "_destination_recipient_limit", &recipients_name);
    gint64 seconds = postconf_seconds(limit, 's');

    if (deadline > 0 && seconds <= deadline)
        postfix_warn(postfix, time_name,
                     "at %s Postfix kills postsms-pipe and BOUNCES the mail, before --deadline=%s "
                     "is over; set it to %" G_GINT64_FORMAT "s",
                     *limit ? limit : "its default", text, deadline + 600);
    if (strcmp(recipients, "1") != 0)
        postfix_warn(postfix, recipients_name,
                     "with %s recipients in one run Postfix defers every mail; set it to 1",
                     *recipients ? recipients : "several");
}

/* Processes of all our services but those for alarms, whose places postsmsd counts apart. */
static void
check_slots(const struct postfix *postfix)
{
    const struct postconf_service *one = NULL;
    gint64 processes = 0;

    for (guint i = 0; i < postfix->services->len; i++) {
        const struct postconf_service *service = postfix->services->pdata[i];
        const char *maxproc = service->maxproc;
        gint64 count;

        if (!postfix_is_ours(service) ||
            g_strcmp0(postconf_option(postconf_pipe_argv(service), "class"), "alarm") == 0)
            continue;
        if (strcmp(maxproc, "-") == 0)
            maxproc = postfix_value(postfix, "default_process_limit");
        count = g_ascii_strtoll(maxproc, NULL, 10);
        if (count == 0)
            return; /* as many as there is mail */
        processes += count;
        one = service;
    }
    if (one && processes < postfix->conf->slots)
        postfix_warn_service(postfix, one,
                             "Postfix starts %" G_GINT64_FORMAT
                             " processes, \"slots\" in postsms.conf says %d, so mail for one slow "
                             "gateway can hold up all others; make maxproc and slots the same",
                             processes, postfix->conf->slots);
    else if (one && processes > postfix->conf->slots)
        postfix_warn_service(postfix, one,
                             "Postfix starts %" G_GINT64_FORMAT
                             " processes, \"slots\" in postsms.conf says %d, so mail is turned "
                             "away that could wait; make maxproc and slots the same",
                             processes, postfix->conf->slots);
}

static bool
check_services(const struct postfix *postfix)
{
    guint ours = 0;

    for (guint i = 0; i < postfix->services->len; i++) {
        const struct postconf_service *service = postfix->services->pdata[i];

        if (!postfix_is_ours(service))
            continue;
        ours++;
        check_flags(postfix, service);
        check_user(postfix, service);
        check_options(postfix, service);
        check_limits(postfix, service);
    }
    if (ours > 0)
        check_slots(postfix);
    else
        faults_warn(postfix->faults, postfix->master_cf, 0,
                    "postsms: no service starts postsms-pipe, so no mail becomes SMS; " SETUP
                    " adds it");
    return ours > 0;
}

/* The milter */

static void
warn_default_action(const struct postfix *postfix, const char *name, const char *element)
{
    g_autofree char *own = postconf_milter_option(element, "default_action");
    const char *setting = own ? name : "milter_default_action";
    const char *action = own ? own : postfix_value(postfix, setting);

    if (strcmp(action, "reject") == 0 || strcmp(action, "quarantine") == 0)
        postfix_warn(postfix, setting,
                     "default_action %s: while postsms-milter is away, %s; say accept for it",
                     action,
                     *action == 'r' ? "all mail of this host is refused for good"
                                    : "all mail of this host is put on hold");
    else if (strcmp(action, "accept") != 0 && postfix_has_other_mail(postfix))
        postfix_warn(postfix, setting,
                     "default_action %s: while postsms-milter is away, this host takes no mail at "
                     "all; say accept for it, the transport applies the rules again",
                     action);
}

/* name is a setting of main.cf, or service/type/name. True if our milter is there and first. */
static bool
check_milter_list(const struct postfix *postfix, const char *name, const char *value)
{
    g_auto(GStrv) elements = postconf_list(value);
    const char *queue = postfix_value(postfix, "queue_directory");

    for (char **element = elements; *element; element++) {
        if (!postconf_is_milter(*element, postfix->conf->milter_socket, queue))
            continue;
        if (element != elements)
            postfix_warn(postfix, name,
                         "%s comes before postsms-milter, so a signer signs what may be changed "
                         "after it; put ours first",
                         elements[0]);
        else
            warn_default_action(postfix, name, *element);
        return element == elements;
    }
    postfix_warn(postfix, name,
                 "postsms-milter (%s) is not in it: what the SMTP rules refuse comes back as a "
                 "bounce, instead of being refused in the session; " SETUP " puts it first",
                 postfix->conf->milter_socket);
    return false;
}

static void
check_milters(const struct postfix *postfix)
{
    const char *smtpd = postfix_value(postfix, "smtpd_milters");
    const char *other = postfix_value(postfix, "non_smtpd_milters");
    GHashTableIter iter;
    gpointer key, value;

    check_milter_list(postfix, "smtpd_milters", smtpd);
    /* Usually the same list: what is wrong with it has been said. */
    if (strcmp(smtpd, other) != 0 || !*other)
        check_milter_list(postfix, "non_smtpd_milters", other);
    /* A service without any milter is meant so: what comes back from a content filter, mostly. */
    g_hash_table_iter_init(&iter, postfix->overrides);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_str_has_suffix(key, "/smtpd_milters") && *(const char *)value &&
            strcmp(value, smtpd) != 0)
            check_milter_list(postfix, key, value);
}

/* Reading */

static const char *const settings[] = {
    "canonical_maps",
    "config_directory",
    "default_process_limit",
    "default_transport",
    "enable_long_queue_ids",
    "enable_original_recipient",
    "fast_flush_domains",
    "mail_owner",
    "maximal_queue_lifetime",
    "milter_default_action",
    "mydestination",
    "myhostname",
    "non_smtpd_milters",
    "parent_domain_matches_subdomains",
    "propagate_unmatched_extensions",
    "queue_directory",
    "recipient_canonical_maps",
    "recipient_delimiter",
    "relay_domains",
    "relay_recipient_maps",
    "relay_transport",
    "smtpd_milters",
    "transport_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
};

static char *
postconf(const char *option, const GPtrArray *names, char **ret_error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    g_ptr_array_add(argv, (gpointer) "postconf");
    g_ptr_array_add(argv, (gpointer)(guintptr)option);
    for (guint i = 0; names && i < names->len; i++)
        g_ptr_array_add(argv, names->pdata[i]);
    g_ptr_array_add(argv, NULL);
    return postfix_run((char **)argv->pdata, ret_error);
}

/* False: *ret_error says why Postfix cannot be looked at. */
static bool
read_postfix(struct postfix *postfix, char **ret_error)
{
    static const char *const own[] = {"_time_limit", "_destination_recipient_limit"};
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *services = postconf("-M", NULL, ret_error);
    g_autofree char *overrides = services ? postconf("-Px", NULL, ret_error) : NULL;
    g_autofree char *values = NULL;

    if (!overrides)
        return false;
    postfix->services = postconf_services(services);
    postfix->overrides = postconf_values(overrides);
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++)
        g_ptr_array_add(names, g_strdup(settings[i]));
    for (guint i = 0; i < postfix->services->len; i++) {
        const struct postconf_service *service = postfix->services->pdata[i];

        for (guint n = 0; postfix_is_ours(service) && n < G_N_ELEMENTS(own); n++)
            g_ptr_array_add(names, g_strconcat(service->name, own[n], NULL));
    }
    if (!(values = postconf("-x", names, ret_error)))
        return false;
    postfix->values = postconf_values(values);
    postfix->main_cf =
        g_build_filename(postfix_value(postfix, "config_directory"), "main.cf", NULL);
    postfix->master_cf =
        g_build_filename(postfix_value(postfix, "config_directory"), "master.cf", NULL);
    return true;
}

void
postfix_check(const struct conf *conf, Faults *faults)
{
    struct postfix postfix = {.conf = conf, .faults = faults};
    g_autofree char *error = NULL;

    if (read_postfix(&postfix, &error)) {
        check_plain(&postfix);
        check_delimiter(&postfix);
        check_lifetime(&postfix);
        if (check_services(&postfix))
            postfix_check_domains(&postfix);
        check_milters(&postfix);
    } else {
        faults_warn(faults, "postfix", 0,
                    "its settings cannot be checked (%s); run this where Postfix runs, as root",
                    error);
    }
    g_clear_pointer(&postfix.services, g_ptr_array_unref);
    g_clear_pointer(&postfix.overrides, g_hash_table_unref);
    g_clear_pointer(&postfix.values, g_hash_table_unref);
    g_free(postfix.main_cf);
    g_free(postfix.master_cf);
}
