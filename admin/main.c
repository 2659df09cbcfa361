/* SPDX-License-Identifier: ISC */
/* postsms: the admin's program. Owns the list of commands and what they share; each command has a
 * file of its own. */
#include "admin/admin.h"

#include "lib/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(struct admin *admin);
    const char *usage;
} commands[] = {
    {"init", admin_init, ""},
    {"check", admin_check, ""},
    {"explain", admin_explain,
     " -s sender -r recipient [-r other ...] [-u login] [-a client] [mail]"},
    {"queue", admin_queue, ""},
    {"trace", admin_trace, " key"},
    {"log", admin_log, " [-n count]"},
    {"status", admin_status, " [--prometheus]"},
    {"gateway", admin_gateway, " [profiles | test name [--send number]]"},
    {"cancel", admin_cancel, " id"},
    {"resolve", admin_resolve, " id sent|resend|drop"},
    {"usage", admin_usage, " [YYYY-MM]"},
    {"backup", admin_backup, " file"},
    {"encode", admin_encode,
     " [-w] [-n number] [-l language,...] [-t translit] [-m maxmsgs] [-a append] [text]"},
    {"decode", admin_decode, " [-t] pdu"},
};

static int
usage(void)
{
    fputs("usage: postsms [-V] [-c file] command [--json] ...\n", stderr);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(stderr, "       postsms %s%s\n", commands[i].name, commands[i].usage);
    return ADMIN_USAGE;
}

int
admin_fault(const char *fmt, ...)
{
    va_list ap;

    fputs("postsms: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return ADMIN_FAULT;
}

struct conf *
admin_conf(const struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    struct conf *conf = conf_load(admin->conf_file, faults);

    if (!conf)
        faults_print(faults, stderr);
    return conf;
}

struct spool *
admin_ledger(const struct conf *conf)
{
    g_autofree char *path = conf_ledger(conf);
    struct spool *spool = NULL;
    struct outcome why;

    if (spool_open(path, false, &spool, &why) < 0)
        admin_fault("%s", why.text);
    return spool;
}

int
admin_print_json(json_t *json)
{
    int written = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;

    json_decref(json);
    putchar('\n');
    return written < 0 || fflush(stdout) != 0 ? admin_fault("the answer cannot be written")
                                              : ADMIN_DONE;
}

/* --json may stand anywhere behind the command. */
static void
take_json(struct admin *admin)
{
    int kept = 0;

    for (int i = 0; i < admin->argc; i++)
        if (strcmp(admin->args[i], "--json") == 0)
            admin->json = true;
        else
            admin->args[kept++] = admin->args[i];
    admin->args[kept] = NULL;
    admin->argc = kept;
}

int
main(int argc, char **argv)
{
    struct admin admin = {.conf_file = CONF_DEFAULT};
    int option;

    while ((option = getopt(argc, argv, "+c:V")) != -1)
        switch (option) {
        case 'c':
            admin.conf_file = optarg;
            break;
        case 'V':
            puts("postsms " POSTSMS_VERSION);
            return ADMIN_DONE;
        default:
            return usage();
        }
    log_open("postsms", true);
    admin.args = argv + optind;
    admin.argc = argc - optind;
    take_json(&admin);
    for (guint i = 0; admin.argc > 0 && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(admin.args[0], commands[i].name) == 0) {
            int status;

            optind = 1; /* the command reads its own options */
            status = commands[i].run(&admin);
            return status == ADMIN_USAGE ? usage() : status;
        }
    return usage();
}
