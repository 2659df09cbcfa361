/* SPDX-License-Identifier: ISC */
/* postsms init: makes the ledger. The only place where one comes into being. */
#include "admin/admin.h"

#include "lib/place.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
admin_init(struct admin *admin)
{
    g_autoptr(Conf) conf = NULL;
    g_autofree char *path = NULL;
    struct outcome why;
    struct stat info;
    bool root = geteuid() == 0;

    if (admin->argc != 1)
        return ADMIN_USAGE;
    if (!(conf = admin_conf(admin)))
        return ADMIN_FAULT;
    path = conf_ledger(conf);
    if (place_directory(conf->state_dir, 0750, conf->user ? conf->user : "postsms", NULL, &why) < 0)
        return admin_fault("%s", why.text);
    if (stat(conf->state_dir, &info) < 0)
        return admin_fault("%s cannot be looked at", conf->state_dir);
    /* postsmsd has to write it, whoever runs this. */
    if (spool_create(path, root ? (int)info.st_uid : -1, root ? (int)info.st_gid : -1, &why) < 0)
        return admin_fault("%s", why.text);
    if (admin->json)
        return admin_print_json(json_pack("{s:s}", "ledger", path));
    printf("%s is ready\n", path);
    return ADMIN_DONE;
}
