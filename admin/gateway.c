/* SPDX-License-Identifier: ISC */
/*
 * postsms gateway: what is configured to send SMS, and what postsmsd says it is doing; the profiles
 * of providers that come along. Needs no running daemon for what is configured.
 */
#include "admin/admin.h"

#include "transport/dispatch/control.h"
#include <stdio.h>
#include <string.h>

/* What postsmsd says about one; NULL if it does not run or does not know it. */
static const struct wire *
report_of(const GPtrArray *lists, const char *id)
{
    for (guint i = 1; lists && i < lists->len; i++)
        if (g_strcmp0(wire_get(lists->pdata[i], "gateway"), id) == 0)
            return lists->pdata[i];
    return NULL;
}

static const char *
text_of(const struct wire *report, const char *name, const char *otherwise)
{
    const char *text = report ? wire_get(report, name) : NULL;

    return text ? text : otherwise;
}

static json_t *
number_of(const struct wire *report, const char *name)
{
    return report ? json_integer(wire_get_int(report, name, 0, G_MAXINT64, 0)) : json_null();
}

static json_t *
seconds_of(const struct wire *report, const char *name)
{
    return report ? json_real((double)wire_get_int(report, name, 0, G_MAXINT64, 0) / 1000)
                  : json_null();
}

static json_t *
gateway_json(const struct conf_gateway *gateway, const struct wire *report)
{
    const char *profile = gateway->http && *gateway->http->profile ? gateway->http->profile : NULL;

    return json_pack(
        "{s:s, s:s, s:s?, s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f, s:i}", "id",
        gateway->id, "type", gateway->type, "profile", profile, "description", gateway->description,
        "active", gateway->active, "state", text_of(report, "state", "-"), "reason",
        text_of(report, "reason", ""), "waiting", number_of(report, "waiting"), "in_flight",
        number_of(report, "in-flight"), "share", number_of(report, "share"), "seconds_per_sms",
        seconds_of(report, "part-ms"), "pause_seconds", seconds_of(report, "pause-ms"), "rate",
        gateway->rate, "weight", gateway->weight);
}

/* "12", "-" if nobody knows. */
static char *
cell(const struct wire *report, const char *name)
{
    return report
               ? g_strdup_printf("%" G_GINT64_FORMAT, wire_get_int(report, name, 0, G_MAXINT64, 0))
               : g_strdup("-");
}

static void
print_gateway(const struct conf_gateway *gateway, const struct wire *report)
{
    g_autofree char *waiting = cell(report, "waiting");
    g_autofree char *in_flight = cell(report, "in-flight");
    g_autofree char *share = cell(report, "share");
    gint64 part_ms = report ? wire_get_int(report, "part-ms", 0, G_MAXINT64, 0) : 0;
    gint64 pause_ms = report ? wire_get_int(report, "pause-ms", 0, G_MAXINT64, 0) : 0;
    g_autofree char *takes =
        report ? g_strdup_printf("%.1f s", (double)part_ms / 1000) : g_strdup("-");
    const char *reason = text_of(report, "reason", "");
    const char *state = text_of(report, "state", "-");

    printf("%-12s %-6s %-14s %-8s %-8s %-9s %-6s %s\n", gateway->id, gateway->type,
           gateway->http && *gateway->http->profile ? gateway->http->profile : "-", state, waiting,
           in_flight, share, takes);
    if (strcmp(state, "paused") == 0)
        printf("             (for %" G_GINT64_FORMAT " s: %s)\n", (pause_ms + 999) / 1000, reason);
    else if (*reason)
        printf("             (%s)\n", reason);
}

static int
list_gateways(struct admin *admin)
{
    g_autoptr(Conf) conf = admin_conf(admin);
    g_autoptr(GPtrArray) lists = NULL;
    json_t *array = admin->json ? json_array() : NULL;
    struct outcome why;

    if (!conf) {
        json_decref(array);
        return ADMIN_FAULT;
    }
    lists = admin_ask(conf, CONTROL_STATUS, NULL, NULL, NULL, &why);
    if (!array && conf->gateways->len == 0)
        puts("no gateway is configured");
    else if (!array)
        printf("%-12s %-6s %-14s %-8s %-8s %-9s %-6s %s\n", "id", "type", "profile", "state",
               "waiting", "in flight", "share", "per SMS");
    for (guint i = 0; i < conf->gateways->len; i++) {
        const struct conf_gateway *gateway = conf->gateways->pdata[i];
        const struct wire *report = report_of(lists, gateway->id);

        if (array)
            json_array_append_new(array, gateway_json(gateway, report));
        else
            print_gateway(gateway, report);
    }
    if (!array && !lists)
        printf("%s\n", why.text);
    return array ? admin_print_json(array) : ADMIN_DONE;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* NAME of every NAME.conf in dir, in order. */
static GPtrArray *
profile_names(const char *dir)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) open = g_dir_open(dir, 0, NULL);
    const char *file;

    while (open && (file = g_dir_read_name(open)))
        if (g_str_has_suffix(file, ".conf"))
            g_ptr_array_add(names, g_strndup(file, strlen(file) - strlen(".conf")));
    g_ptr_array_sort(names, by_name);
    return names;
}

static int
list_profiles(struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    g_autofree char *dir = conf_profile_dir();
    g_autoptr(GPtrArray) names = profile_names(dir);
    json_t *array = admin->json ? json_array() : NULL;
    int status = ADMIN_DONE;

    if (admin->argc != 2) {
        json_decref(array);
        return ADMIN_USAGE;
    }
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *file = g_strconcat(name, ".conf", NULL);
        g_autofree char *path = g_build_filename(dir, file, NULL);
        struct conf_profile profile;

        if (!conf_profile_read(path, &profile, faults))
            continue;
        if (array)
            json_array_append_new(array, json_pack("{s:s, s:s, s:b, s:s}", "name", name,
                                                   "description", profile.description, "untested",
                                                   profile.untested, "file", path));
        else
            printf("%-16s %s%s\n", name, profile.description,
                   profile.untested ? " (nobody has reported that it works)" : "");
        g_free(profile.description);
    }
    faults_print(faults, stderr);
    if (array)
        status = admin_print_json(array);
    return faults_errors(faults) > 0 ? ADMIN_FAULT : status;
}

static const struct {
    const char *name;
    int (*run)(struct admin *admin);
} commands[] = {
    {"profiles", list_profiles},
    {"test", admin_gateway_test},
};

int
admin_gateway(struct admin *admin)
{
    if (admin->argc == 1)
        return list_gateways(admin);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(admin->args[1], commands[i].name) == 0)
            return commands[i].run(admin);
    return ADMIN_USAGE;
}
