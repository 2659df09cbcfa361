/* SPDX-License-Identifier: ISC */
/* postsms log, usage and backup: the ledger read as a whole. */
#include "admin/admin.h"

#include "lib/clk.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINES 50

/* Configuration and ledger, or what is wrong on stderr. */
static struct spool *
open_both(const struct admin *admin, struct conf **ret_conf)
{
    *ret_conf = admin_conf(admin);
    return *ret_conf ? admin_ledger(*ret_conf) : NULL;
}

static void
print_log(void *context, const struct spool_log *log)
{
    g_autofree char *at = clk_string(log->at);

    if (context)
        json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", at,
                                                 "queue_id", log->queue_id, "sender", log->sender,
                                                 "number", log->number, "gateway", log->gateway,
                                                 "what", log->what, "detail", log->detail));
    else
        printf("%s %s: to=<%s>, sender=<%s>, relay=%s, %s%s%s\n", at, log->queue_id, log->number,
               log->sender, *log->gateway ? log->gateway : "none", log->what,
               *log->detail ? ": " : "", log->detail);
}

int
admin_log(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autoptr(Spool) spool = NULL;
    guint64 count = LOG_LINES;
    struct outcome why;
    json_t *array;

    if (admin->argc > 1 &&
        (admin->argc != 3 || strcmp(admin->args[1], "-n") != 0 ||
         !g_ascii_string_to_unsigned(admin->args[2], 10, 1, 1000000, &count, NULL)))
        return ADMIN_USAGE;
    if (!(spool = open_both(admin, &conf)))
        return ADMIN_FAULT;
    array = admin->json ? json_array() : NULL;
    if (spool_each_log(spool, (int)count, print_log, array, &why) < 0) {
        json_decref(array);
        return admin_fault("%s", why.text);
    }
    return array ? admin_print_json(array) : ADMIN_DONE;
}

static void
print_usage(void *context, const struct spool_usage *usage)
{
    if (context)
        json_array_append_new(context,
                              json_pack("{s:s, s:s, s:I, s:I}", "sender", usage->sender, "gateway",
                                        usage->gateway, "messages", (json_int_t)usage->messages,
                                        "parts", (json_int_t)usage->parts));
    else
        printf("%8" G_GINT64_FORMAT " %8" G_GINT64_FORMAT "  %-12s %s\n", usage->messages,
               usage->parts, usage->gateway, usage->sender);
}

int
admin_usage(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autoptr(Spool) spool = NULL;
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autoptr(GDateTime) first = NULL;
    g_autoptr(GDateTime) next = NULL;
    int year = g_date_time_get_year(now), month = g_date_time_get_month(now);
    struct outcome why;
    json_t *array;
    char rest;

    if (admin->argc > 2 ||
        (admin->argc == 2 && (sscanf(admin->args[1], "%4d-%2d%c", &year, &month, &rest) != 2 ||
                              !(first = g_date_time_new_local(year, month, 1, 0, 0, 0)))))
        return ADMIN_USAGE;
    if (!(spool = open_both(admin, &conf)))
        return ADMIN_FAULT;
    if (!first)
        first = g_date_time_new_local(year, month, 1, 0, 0, 0);
    next = g_date_time_add_months(first, 1);
    array = admin->json ? json_array() : NULL;
    if (!array)
        printf("%04d-%02d\n%8s %8s  %-12s %s\n", year, month, "messages", "parts", "gateway",
               "sender");
    if (spool_each_usage(spool, g_date_time_to_unix(first) * 1000, g_date_time_to_unix(next) * 1000,
                         print_usage, array, &why) < 0) {
        json_decref(array);
        return admin_fault("%s", why.text);
    }
    return array ? admin_print_json(array) : ADMIN_DONE;
}

int
admin_backup(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autoptr(Spool) spool = NULL;
    struct outcome why;

    if (admin->argc != 2)
        return ADMIN_USAGE;
    if (!(spool = open_both(admin, &conf)))
        return ADMIN_FAULT;
    if (spool_backup(spool, admin->args[1], &why) < 0)
        return admin_fault("%s", why.text);
    if (admin->json)
        return admin_print_json(json_pack("{s:s}", "backup", admin->args[1]));
    printf("%s is a copy of the ledger as it was now\n", admin->args[1]);
    return ADMIN_DONE;
}
