/* SPDX-License-Identifier: ISC */
/*
 * postsms explain: what delivery would do with one mail, by the same engine and a reader of the
 * same kind. Sends nothing, counts nothing, needs no daemon and no ledger.
 */
#include "admin/admin.h"

#include "admin/explain.h"
#include "lib/clk.h"
#include "transport/dispatch/reference.h"
#include "transport/reader/client.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct question {
    const char *sender, *login, *client, *mail;
    GPtrArray *recipients; /* as given, NULL-ended; the first is asked about */
};

static int
read_question(struct admin *admin, struct question *question)
{
    int option;

    *question = (struct question){.login = "", .client = "", .recipients = g_ptr_array_new()};
    while ((option = getopt(admin->argc, admin->args, "s:r:u:a:")) != -1)
        switch (option) {
        case 's':
            question->sender = optarg;
            break;
        case 'r':
            g_ptr_array_add(question->recipients, optarg);
            break;
        case 'u':
            question->login = optarg;
            break;
        case 'a':
            question->client = optarg;
            break;
        default:
            return -1;
        }
    if (optind < admin->argc)
        question->mail = admin->args[optind++];
    g_ptr_array_add(question->recipients, NULL);
    return question->sender && question->recipients->len > 1 && optind == admin->argc ? 0 : -1;
}

static void
make_request(const struct question *question, struct request *request)
{
    memset(request, 0, sizeof(*request));
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        request->value[i] = g_strdup("");
    g_free(request_get(request, SENDER));
    request_get(request, SENDER) = g_utf8_make_valid(question->sender, -1);
    g_free(request_get(request, RECIPIENT));
    request_get(request, RECIPIENT) = g_strdup(question->recipients->pdata[0]);
    g_free(request_get(request, LOGIN));
    request_get(request, LOGIN) = g_utf8_make_valid(question->login, -1);
    g_free(request_get(request, CLIENT));
    request_get(request, CLIENT) = g_utf8_make_valid(question->client, -1);
}

static json_t *
smtp_rules_json(const struct decision *decision)
{
    json_t *array = json_array();

    for (guint i = 0; i < decision->hits->len; i++) {
        const struct smtp_hit *hit = &g_array_index(decision->hits, struct smtp_hit, i);

        json_array_append_new(array, json_pack("{s:s, s:i, s:s}", "section",
                                               smtp_section_name(hit->section), "line", hit->line,
                                               "effect", hit->effect));
    }
    return array;
}

/* What rules declared it, else by what it waits. */
static const char *
class_of(const struct decision *decision)
{
    return *decision->declared ? decision->declared : decision->class;
}

static json_t *
decision_json(const struct question *question, const struct mail_view *view, const char *word,
              const struct decision *decision)
{
    const struct sms_message *message = decision->message;
    g_autofree char *recipient = addr_loggable(question->recipients->pdata[0], true);
    g_autofree char *sender = g_utf8_make_valid(question->sender, -1);

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?, s:n, s:s, s:o, s:[], s:s, s:s?, s:s?, s:s?, s:o, s:s?, "
        "s:b, s:i, "
        "s:s?, s:o}",
        "decision", word, "status", decision->verdict.dsn, "reason", decision->verdict.text,
        "sender", sender, "recipient", recipient, "number", decision->number, "account", "class",
        class_of(decision), "smtp_rules", smtp_rules_json(decision), "rules", "subject",
        view->subject, "gateway", decision->gateway ? decision->gateway->id : NULL, "originator",
        decision->originator && *decision->originator ? decision->originator : NULL, "encoding",
        message ? sms_encoding_name(message->encoding) : NULL, "language",
        message && message->language ? json_integer(message->language) : json_null(), "forced_by",
        message ? message->forced_by : NULL, "truncated", message && message->truncated,
        "parts_needed", message ? (int)message->parts_needed : 0, "text",
        message ? message->text : NULL, "parts",
        admin_parts_json(message, decision->number, decision_is_whole(decision)));
}

static void
print_decision(const struct setup *setup, const char *word, const struct decision *decision)
{
    const struct sms_message *message = decision->message;
    g_autofree char *file = g_path_get_basename(smtp_rules_file(setup->smtp_rules));

    printf("%s: %s %s\n", word, decision->verdict.dsn, decision->verdict.text);
    for (guint i = 0; i < decision->hits->len; i++) {
        const struct smtp_hit *hit = &g_array_index(decision->hits, struct smtp_hit, i);

        printf("rule: %s:%d [%s] %s\n", file, hit->line, smtp_section_name(hit->section),
               hit->effect);
    }
    if (*decision->declared)
        printf("class: %s\n", decision->declared);
    if (*decision->notes)
        printf("note: %s\n", decision->notes);
    if (!message)
        return;
    printf("number: %s\ngateway: %s\noriginator: %s\n", decision->number, decision->gateway->id,
           *decision->originator ? decision->originator : "-");
    admin_print_encoding(message);
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];

        printf("--- part %u, %u units\n%s\n", i + 1, part->units,
               part->text ? part->text : "(binary)");
    }
}

/* As delivery would decide, its concatenation reference included if the ledger may be read. */
static void
decide_as_delivery(const struct setup *setup, const struct request *request,
                   const struct mail_view *view, struct decision *ret)
{
    g_autofree char *path = conf_ledger(setup->conf);
    g_autoptr(Spool) spool = NULL;
    struct reference reference;
    struct outcome why;

    decide(setup, request, view, "", NULL, NULL, ret);
    if (!ret->message || ret->message->parts->len < 2 || decision_is_whole(ret) ||
        spool_open(path, false, &spool, &why) < 0 ||
        reference_for(spool, ret, clk_system.wall(), &reference, &why) != 2)
        return;
    decision_clear(ret);
    decide(setup, request, view, "", &reference, NULL, ret);
}

static int
explain(const struct admin *admin, const struct setup *setup, const struct question *question,
        const struct explain_mail *mail)
{
    const char *const *recipients = (const char *const *)question->recipients->pdata;
    g_autoptr(MailView) view = NULL;
    struct request request;
    struct explain_smtp smtp;
    struct decision decision;
    struct outcome why;
    int status = ADMIN_DONE;
    int asked;

    if (reader_once(mail->fd, &view, &why) < 0)
        return admin_fault("%s", why.text);
    make_request(question, &request);
    asked = explain_smtp_rules(setup, &request, recipients, mail, view, &smtp, &why);
    decide_as_delivery(setup, &request, view, &decision);
    if (asked < 0) {
        decision.verdict = why;
        g_clear_pointer(&decision.message, sms_message_free);
    }
    explain_smtp_apply(setup, &smtp, &decision);
    if (admin->json)
        status = admin_print_json(
            decision_json(question, view, explain_word(&smtp, &decision), &decision));
    else
        print_decision(setup, explain_word(&smtp, &decision), &decision);
    explain_smtp_clear(&smtp);
    decision_clear(&decision);
    request_clear(&request);
    return status;
}

int
admin_explain(struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = NULL;
    struct question question;
    struct explain_mail mail;
    struct outcome why;
    int status = ADMIN_USAGE;

    if (read_question(admin, &question) == 0) {
        status = ADMIN_FAULT;
        if (!(setup = setup_load(admin->conf_file, faults))) {
            faults_print(faults, stderr);
        } else if (explain_mail_read(question.mail, &mail, &why) < 0) {
            admin_fault("%s", why.text);
        } else {
            status = explain(admin, setup, &question, &mail);
            explain_mail_clear(&mail);
        }
    }
    g_ptr_array_unref(question.recipients);
    return status;
}
