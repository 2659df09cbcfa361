/* SPDX-License-Identifier: ISC */
/*
 * Owns the question whether Postfix brings mail for our domains to our service: its lists of
 * domains, its tables, which postmap(1) asks. A table that needs a server or a running Postfix is
 * not asked.
 */
#include "admin/postfix.h"

#include <string.h>

#define SETUP      "contrib/postfix/setup"
#define A_NUMBER   "+41790000000" /* for tables with patterns */
#define INCLUDES   8              /* files in files of a list */
#define SUBDOMAINS true

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* type:name; *ret (may be NULL) is newly allocated for YES. */
static enum answer
ask_table(const char *table, const char *key, char **ret)
{
    static const char *const servers[] = {"ldap:", "mysql:",     "pgsql:", "mongodb:", "memcache:",
                                          "tcp:",  "socketmap:", "nis:",   "nisplus:"};
    const char *direct = g_str_has_prefix(table, "proxy:") ? table + strlen("proxy:") : table;
    const char *const argv[] = {"postmap", "-q", key, direct, NULL};
    g_autofree char *value = NULL;
    g_autofree char *error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(servers); i++)
        if (g_str_has_prefix(direct, servers[i]))
            return ANSWER_UNKNOWN;
    if (!(value = postfix_run((char **)(guintptr)argv, &error)))
        return *error ? ANSWER_UNKNOWN : ANSWER_NO;
    if (ret)
        *ret = g_strdup(g_strstrip(value));
    return ANSWER_YES;
}

static bool
has_patterns(const char *table)
{
    const char *direct = g_str_has_prefix(table, "proxy:") ? table + strlen("proxy:") : table;

    return g_str_has_prefix(direct, "regexp:") || g_str_has_prefix(direct, "pcre:");
}

/* The first table of maps that knows the key. A key that is no address is not asked of patterns. */
static enum answer
ask_maps(const char *maps, const char *key, char **ret)
{
    g_auto(GStrv) tables = postconf_list(maps);
    enum answer answer = ANSWER_NO;

    for (char **table = tables; *table && answer == ANSWER_NO; table++)
        if (strchr(*table, ':') && (strchr(key, '@') || !has_patterns(*table)))
            answer = ask_table(*table, key, ret);
    return answer;
}

static bool
same_domain(const char *element, const char *domain, bool subdomains)
{
    gsize len = strlen(element);
    gsize whole = strlen(domain);

    if (g_ascii_strcasecmp(element, domain) == 0)
        return true;
    if (whole <= len || g_ascii_strcasecmp(domain + whole - len, element) != 0)
        return false;
    return element[0] == '.' || (subdomains && domain[whole - len - 1] == '.');
}

static enum answer in_list(const char *list, const char *domain, bool subdomains, int depth);

static enum answer
in_element(const char *element, const char *domain, bool subdomains, int depth)
{
    g_autofree char *text = NULL;

    if (element[0] == '/') {
        if (depth == 0 || !g_file_get_contents(element, &text, NULL, NULL))
            return ANSWER_UNKNOWN;
        return in_list(text, domain, subdomains, depth - 1);
    }
    if (!strchr(element, ':') || element[0] == '[')
        return same_domain(element, domain, subdomains) ? ANSWER_YES : ANSWER_NO;
    for (const char *name = domain; name; name = strchr(name + 1, '.')) {
        enum answer answer =
            ask_table(element, name + (name != domain && subdomains ? 1 : 0), NULL);

        if (answer != ANSWER_NO || !subdomains)
            return answer;
    }
    return ANSWER_NO;
}

/* As Postfix matches a domain with a list: the first element that fits decides, ! negates it. */
static enum answer
in_list(const char *list, const char *domain, bool subdomains, int depth)
{
    g_auto(GStrv) elements = postconf_list(list);
    bool unknown = false;

    for (char **element = elements; *element; element++) {
        const char *name = *element + strspn(*element, "!");
        bool negated = (name - *element) % 2;
        enum answer answer = in_element(name, domain, subdomains, depth);

        if (answer == ANSWER_YES)
            return negated ? ANSWER_NO : ANSWER_YES;
        unknown = unknown || answer == ANSWER_UNKNOWN;
    }
    return unknown ? ANSWER_UNKNOWN : ANSWER_NO;
}

static bool
matches_parents(const struct postfix *postfix, const char *list)
{
    g_auto(GStrv) names = postconf_list(postfix_value(postfix, "parent_domain_matches_subdomains"));

    return g_strv_contains((const char *const *)names, list);
}

/* transport(5): the address, the domain, its parents, "*"; then what its class of domains has. */
static enum answer
transport_of(const struct postfix *postfix, const char *domain, bool relayed, char **ret)
{
    const char *maps = postfix_value(postfix, "transport_maps");
    bool parents = matches_parents(postfix, "transport_maps");
    g_autofree char *address = g_strconcat(A_NUMBER "@", domain, NULL);
    enum answer answer = ask_maps(maps, address, ret);

    for (const char *name = domain; name && answer == ANSWER_NO; name = strchr(name + 1, '.'))
        answer = ask_maps(maps, name + (name != domain && parents ? 1 : 0), ret);
    if (answer == ANSWER_NO)
        answer = ask_maps(maps, "*", ret);
    if (answer == ANSWER_UNKNOWN)
        return answer;
    if (answer == ANSWER_NO || !**ret || **ret == ':') {
        if (answer == ANSWER_YES)
            g_free(*ret);
        *ret = g_strdup(postfix_value(postfix, relayed ? "relay_transport" : "default_transport"));
    }
    (*ret)[strcspn(*ret, ":")] = '\0';
    return ANSWER_YES;
}

static void
check_transport(const struct postfix *postfix, const char *domain, const char *probe, bool relayed)
{
    g_autofree char *transport = NULL;

    if (transport_of(postfix, probe, relayed, &transport) == ANSWER_UNKNOWN) {
        postfix_warn(postfix, "transport_maps",
                     "whether it sends %s to postsms cannot be checked here; \"postmap -q %s "
                     "TABLE\" tells, and a table in front of it (" SETUP ") makes sure",
                     domain, probe);
        return;
    }
    for (guint i = 0; i < postfix->services->len; i++) {
        const struct postconf_service *service = postfix->services->pdata[i];

        if (postfix_is_ours(service) && strcmp(service->name, transport) == 0)
            return;
    }
    postfix_warn(postfix, "transport_maps",
                 "mail for %s goes to \"%s\", which is no service of postsms, so it does not "
                 "become SMS; " SETUP " %s adds the entry",
                 domain, transport, domain + (domain[0] == '.'));
}

/* Lists that make a domain something else than one that is relayed. True if one has it. */
static bool
is_taken(const struct postfix *postfix, const char *domain, const char *probe)
{
    static const struct {
        const char *list, *harm;
    } lists[] = {
        {"mydestination", "Postfix looks for a local user of that name and refuses numbers"},
        {"virtual_alias_domains", "Postfix wants an alias for each number and refuses others"},
        {"virtual_mailbox_domains", "Postfix wants a mailbox for each number and refuses others"},
    };
    bool taken = false;

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        if (in_list(postfix_value(postfix, lists[i].list), probe, !SUBDOMAINS, INCLUDES) ==
            ANSWER_YES) {
            postfix_warn(postfix, lists[i].list, "%s is in it: %s; take it out", domain,
                         lists[i].harm);
            taken = true;
        }
    return taken;
}

/* A list of recipients, if there is one, must let numbers pass. */
static void
check_recipients(const struct postfix *postfix, const char *domain, const char *probe)
{
    const char *maps = postfix_value(postfix, "relay_recipient_maps");
    g_autofree char *address = g_strconcat(A_NUMBER "@", probe, NULL);
    g_autofree char *all = g_strconcat("@", probe, NULL);

    if (*maps && ask_maps(maps, address, NULL) == ANSWER_NO &&
        ask_maps(maps, all, NULL) == ANSWER_NO)
        postfix_warn(postfix, "relay_recipient_maps",
                     "it has no numbers of %s, so Postfix refuses them as unknown users; add "
                     "inline:{@%s=OK}",
                     domain, probe);
}

static void
check_domain(const struct postfix *postfix, const char *domain)
{
    /* ".sms.example.com": any name below it, say the one for alarms */
    g_autofree char *probe =
        domain[0] == '.' ? g_strconcat("alarm", domain, NULL) : g_strdup(domain);
    enum answer relayed, flushed;

    if (is_taken(postfix, domain, probe))
        return;
    relayed = in_list(postfix_value(postfix, "relay_domains"), probe,
                      matches_parents(postfix, "relay_domains"), INCLUDES);
    flushed = in_list(postfix_value(postfix, "fast_flush_domains"), probe,
                      matches_parents(postfix, "fast_flush_domains"), INCLUDES);
    if (relayed == ANSWER_NO)
        postfix_warn(
            postfix, "relay_domains",
            "%s is not in it, so clients that may not relay are refused, and ETRN%s; " SETUP
            " %s adds it",
            domain,
            flushed == ANSWER_NO ? " does not work: waiting mail sleeps out its back-off"
                                 : " is all that works",
            domain + (domain[0] == '.'));
    else if (relayed == ANSWER_UNKNOWN)
        postfix_warn(postfix, "relay_domains",
                     "whether %s is in it cannot be checked here; name it in main.cf to be sure",
                     domain);
    else if (flushed == ANSWER_NO)
        postfix_warn(postfix, "fast_flush_domains",
                     "%s is not in it, so ETRN does not work and waiting mail sleeps out its "
                     "back-off when a gateway is back; take the setting out or add the domain",
                     domain);
    check_recipients(postfix, domain, probe);
    check_transport(postfix, domain, probe, relayed != ANSWER_NO);
}

void
postfix_check_domains(const struct postfix *postfix)
{
    for (char **domain = postfix->conf->domains; *domain; domain++)
        check_domain(postfix, *domain);
}

static bool
is_own(const struct postfix *postfix, const char *element)
{
    if (g_ascii_strcasecmp(element, postfix_value(postfix, "myhostname")) == 0 ||
        g_ascii_strcasecmp(element, "localhost") == 0 ||
        g_ascii_strncasecmp(element, "localhost.", strlen("localhost.")) == 0)
        return true;
    for (char **domain = postfix->conf->domains; *domain; domain++)
        if (same_domain(*domain, element, SUBDOMAINS) ||
            g_ascii_strcasecmp(*domain + (**domain == '.'), element) == 0)
            return true;
    return false;
}

bool
postfix_has_other_mail(const struct postfix *postfix)
{
    static const char *const lists[] = {"mydestination", "virtual_alias_domains",
                                        "virtual_mailbox_domains", "relay_domains"};

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_auto(GStrv) elements = postconf_list(postfix_value(postfix, lists[i]));

        for (char **element = elements; *element; element++)
            if (!is_own(postfix, *element))
                return true;
    }
    return false;
}
