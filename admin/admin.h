/* SPDX-License-Identifier: ISC */
/* What the commands of postsms share. A command returns the exit status: 0 yes or done, 1 no or
 * fault, 2 usage. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "lib/conf.h"
#include "lib/wire.h"
#include "spool/spool.h"
#include "transport/sms/sms.h"
#include <jansson.h>

#define ADMIN_DONE  0
#define ADMIN_FAULT 1
#define ADMIN_USAGE 2

struct admin {
    const char *conf_file;
    bool json;
    char **args; /* behind the command, options of the command included; NULL-ended, args[0] is the
                    command */
    int argc;
};

int admin_init(struct admin *admin);
int admin_check(struct admin *admin);
int admin_explain(struct admin *admin);
int admin_queue(struct admin *admin);
int admin_trace(struct admin *admin);
int admin_log(struct admin *admin);
int admin_status(struct admin *admin);
int admin_cancel(struct admin *admin);
int admin_resolve(struct admin *admin);
int admin_usage(struct admin *admin);
int admin_backup(struct admin *admin);
int admin_encode(struct admin *admin);
int admin_decode(struct admin *admin);
int admin_gateway_test(struct admin *admin); /* "gateway test NAME" */
int admin_gateway(struct admin *admin);

/* The configuration; NULL: its errors are on stderr. */
struct conf *admin_conf(const struct admin *admin);

/* The ledger, for reading; NULL: why not is on stderr. */
struct spool *admin_ledger(const struct conf *conf);

/* Asks postsmsd by control.sock (transport/dispatch/control.h): the lists of its answer (struct
 * wire *), the caller's; NULL: why not. name and id may be NULL. */
GPtrArray *admin_ask(const struct conf *conf, const char *command, const char *name,
                     const char *value, const char *id, struct outcome *why);

/* "postsms: text" on stderr; returns ADMIN_FAULT. */
int admin_fault(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* Prints and frees. */
int admin_print_json(json_t *json);

/* "encoding: …", what forced it, "parts: …". */
void admin_print_encoding(const struct sms_message *message);

/* The parts of a message to number, as "explain" and "encode" show them; message may be NULL.
 * whole: a provider makes them, so that headers and PDUs are not ours to tell. */
json_t *admin_parts_json(const struct sms_message *message, const char *number, bool whole);

#endif
