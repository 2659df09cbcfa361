/* SPDX-License-Identifier: ISC */
/*
 * postsms explain: what delivery would do with one mail, by the same engine and a reader of the
 * same kind. Sends nothing, counts nothing, needs no daemon and no ledger.
 */
#include "admin/admin.h"

#include "transport/dispatch/decide.h"
#include "transport/reader/client.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct question {
    const char *sender, *recipient, *login, *client, *mail;
};

static int
read_question(struct admin *admin, struct question *question)
{
    int option;

    *question = (struct question){.login = "", .client = ""};
    while ((option = getopt(admin->argc, admin->args, "s:r:u:a:")) != -1)
        switch (option) {
        case 's':
            question->sender = optarg;
            break;
        case 'r':
            /* The others are the rest of the envelope, which no rule of this version looks at. */
            if (!question->recipient)
                question->recipient = optarg;
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
    return question->sender && question->recipient && optind == admin->argc ? 0 : -1;
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
    request_get(request, RECIPIENT) = g_strdup(question->recipient);
    g_free(request_get(request, LOGIN));
    request_get(request, LOGIN) = g_utf8_make_valid(question->login, -1);
    g_free(request_get(request, CLIENT));
    request_get(request, CLIENT) = g_utf8_make_valid(question->client, -1);
}

static const char *
decision_word(enum out_kind kind)
{
    if (kind == OUT_OK)
        return "send";
    if (kind == OUT_DROPPED)
        return "discard";
    return out_final(kind) ? "reject" : "defer";
}

static json_t *
parts_json(const struct decision *decision)
{
    const struct sms_message *message = decision->message;
    json_t *array = json_array();

    for (guint i = 0; message && i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu = sms_tpdu(part, message->encoding, message->dcs, decision->number);
        g_autofree char *udh = admin_hex(part->udh);
        g_autofree char *pdu = admin_hex(tpdu);

        json_array_append_new(array, json_pack("{s:s?, s:i, s:s, s:s}", "text", part->text, "units",
                                               (int)part->units, "udh", udh, "pdu", pdu));
    }
    return array;
}

static json_t *
smtp_rules_json(const struct decision *decision)
{
    json_t *array = json_array();

    if (decision->smtp_hit)
        json_array_append_new(array,
                              json_pack("{s:s, s:i, s:s}", "section",
                                        smtp_section_name(decision->smtp.section), "line",
                                        decision->smtp.line, "effect", decision->smtp.effect));
    return array;
}

static json_t *
decision_json(const struct question *question, const struct mail_view *view,
              const struct decision *decision)
{
    const struct sms_message *message = decision->message;
    g_autofree char *recipient = addr_loggable(question->recipient, true);
    g_autofree char *sender = g_utf8_make_valid(question->sender, -1);

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?, s:n, s:s, s:o, s:[], s:s, s:s?, s:s?, s:s?, s:n, s:s?, "
        "s:b, s:i, "
        "s:s?, s:o}",
        "decision", decision_word(decision->verdict.kind), "status", decision->verdict.dsn,
        "reason", decision->verdict.text, "sender", sender, "recipient", recipient, "number",
        decision->number, "account", "class", decision->class, "smtp_rules",
        smtp_rules_json(decision), "rules", "subject", view->subject, "gateway",
        decision->gateway ? decision->gateway->id : NULL, "originator",
        decision->originator && *decision->originator ? decision->originator : NULL, "encoding",
        message ? sms_encoding_name(message->encoding) : NULL, "language", "forced_by",
        message ? message->forced_by : NULL, "truncated", message && message->truncated,
        "parts_needed", message ? (int)message->parts_needed : 0, "text",
        message ? message->text : NULL, "parts", parts_json(decision));
}

static void
print_decision(const struct decision *decision)
{
    const struct sms_message *message = decision->message;

    printf("%s: %s %s\n", decision_word(decision->verdict.kind), decision->verdict.dsn,
           decision->verdict.text);
    if (*decision->rule)
        printf("rule: %s [%s] %s\n", decision->rule, smtp_section_name(decision->smtp.section),
               decision->smtp.effect);
    if (*decision->notes)
        printf("note: %s\n", decision->notes);
    if (!message)
        return;
    printf("number: %s\ngateway: %s\noriginator: %s\n", decision->number, decision->gateway->id,
           *decision->originator ? decision->originator : "-");
    printf("encoding: %s%s%s\nparts: %u of %u needed\n", sms_encoding_name(message->encoding),
           message->forced_by ? ", forced by " : "", message->forced_by ? message->forced_by : "",
           message->parts->len, message->parts_needed);
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];

        printf("--- part %u, %u units\n%s\n", i + 1, part->units,
               part->text ? part->text : "(binary)");
    }
}

int
admin_explain(struct admin *admin)
{
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(Setup) setup = NULL;
    g_autoptr(MailView) view = NULL;
    struct question question;
    struct request request;
    struct decision decision = {0};
    struct outcome why;
    int fd = STDIN_FILENO;
    int status = ADMIN_DONE;

    if (read_question(admin, &question) < 0)
        return ADMIN_USAGE;
    if (!(setup = setup_load(admin->conf_file, faults))) {
        faults_print(faults, stderr);
        return ADMIN_FAULT;
    }
    if (question.mail && (fd = open(question.mail, O_RDONLY | O_CLOEXEC)) < 0)
        return admin_fault("%s: cannot be read", question.mail);
    if (reader_once(fd, &view, &why) < 0)
        return admin_fault("%s", why.text);
    make_request(&question, &request);
    decide(setup, &request, view, &decision);
    if (admin->json)
        status = admin_print_json(decision_json(&question, view, &decision));
    else
        print_decision(&decision);
    decision_clear(&decision);
    request_clear(&request);
    return status;
}
