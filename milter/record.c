/* SPDX-License-Identifier: ISC */
/* Owns what is said about a mail: log lines, and notes to the ledger by way of postsmsd. Must never
 * say anything of a mail's contents. */
#include "milter/milter.h"

#include "lib/addr.h"
#include "lib/ask.h"
#include "lib/log.h"
#include <string.h>

#define ADDRESS_MAX    256 /* octets of an address in a log line; RFC 5321 allows 254 */
#define LOG_RECIPIENTS 50
#define LOG_LINES      20
#define NOTE_OCTETS    8192 /* of recipients in a row: postsmsd's questions have a limit */

/* "12,14,20" */
static char *
line_numbers(const struct record *record)
{
    GString *lines = g_string_new(NULL);

    for (guint i = 0; i < record->n_hits && i < LOG_LINES; i++)
        g_string_append_printf(lines, "%s%d", i ? "," : "", record->hits[i].line);
    if (record->n_hits > LOG_LINES)
        g_string_append(lines, ",...");
    return g_string_free(lines, FALSE);
}

static void
append_rule(GString *line, const struct session *session, const struct record *record)
{
    g_autofree char *lines = line_numbers(record);

    if (record->n_hits)
        g_string_append_printf(line, ", rule=%s:%s [%s]", smtp_rules_file(session->snapshot->rules),
                               lines, smtp_section_name(record->hits[0].section));
}

void
record_log(const struct session *session, const struct record *record)
{
    g_autofree char *id = log_clean(change_queue_id(session), 40);
    g_autofree char *sender = log_clean(session->message.sender, ADDRESS_MAX);
    g_autoptr(GString) line = g_string_new(id);

    for (guint i = 0; i < record->recipients->len && i < LOG_RECIPIENTS; i++) {
        const struct recipient *recipient = record->recipients->pdata[i];
        g_autofree char *to =
            addr_loggable(recipient->bare, session->snapshot->conf->log_numbers_full);

        g_string_append_printf(line, "%s to=<%s>", i ? "," : ":", to);
    }
    if (record->recipients->len > LOG_RECIPIENTS)
        g_string_append_printf(line, ", and %u more", record->recipients->len - LOG_RECIPIENTS);
    g_string_append_printf(line, ", sender=<%s>, client=%s", sender, session->client);
    append_rule(line, session, record);
    g_string_append_printf(line, ", generation=%u", session->snapshot->generation);
    if (record->dsn)
        g_string_append_printf(line, ", dsn=%s", record->dsn);
    g_string_append_printf(line, ", status=%s", record->status);
    if (*record->detail)
        g_string_append_printf(line, " (%s)", record->detail);
    log_info("%s", line->str);
}

static void
put(GString *list, const char *name, const char *value)
{
    g_autofree char *clean = log_clean(value, 1000);

    wire_put(list, name, clean);
}

static GString *
row(const struct session *session, const struct record *record, const char *recipients)
{
    g_autofree char *file = g_path_get_basename(smtp_rules_file(session->snapshot->rules));
    g_autofree char *lines = line_numbers(record);
    g_autofree char *rule = g_strdup_printf("%s:%s", file, lines);
    g_autofree char *detail =
        g_strdup_printf("[%s], generation %u%s%s", smtp_section_name(record->hits[0].section),
                        session->snapshot->generation, *record->detail ? ", " : "", record->detail);
    GString *list = g_string_new(NULL);

    put(list, ASK_QUEUE_ID, change_queue_id(session));
    put(list, ASK_MESSAGE_ID, session->message.message_id);
    put(list, ASK_SENDER, session->message.sender);
    wire_put(list, ASK_RECIPIENTS, recipients);
    wire_put(list, ASK_EFFECT, record->effect);
    wire_put(list, ASK_CLASS, smtp_class_name(record->class));
    put(list, ASK_RULE, rule);
    put(list, ASK_NOTE_TEXT, detail);
    return list;
}

static int
write_row(struct session *session, const struct record *record, const char *recipients)
{
    g_autoptr(GString) list = row(session, record, recipients);
    struct ask_wait wait = {change_progress, session};
    struct outcome why;
    struct ask *ask;

    /* A second time with a postsmsd that was restarted in between: a row twice is no harm. */
    do {
        ask = message_ask(&session->message, session->snapshot->conf, &why);
        if (ask && ask_note(ask, list, &wait, &why) == 0)
            return 0;
    } while (ask && ask_lost(ask));
    log_warnx("%s: not noted in the ledger: %s: %s", change_queue_id(session), record->effect,
              why.text);
    return -1;
}

int
record_note(struct session *session, const struct record *record)
{
    g_autoptr(GString) recipients = g_string_new(NULL);

    for (guint i = 0; i < record->recipients->len; i++) {
        const struct recipient *recipient = record->recipients->pdata[i];
        g_autofree char *shown = addr_loggable(recipient->bare, true);

        if (recipients->len && recipients->len + strlen(shown) >= NOTE_OCTETS) {
            if (write_row(session, record, recipients->str) < 0)
                return -1;
            g_string_truncate(recipients, 0);
        }
        g_string_append_printf(recipients, "%s%s", recipients->len ? "\n" : "", shown);
    }
    return write_row(session, record, recipients->str);
}
