/* SPDX-License-Identifier: ISC */
/*
 * Owns the order in which everything that may refuse a mail is asked (design section 7). Each step
 * either leaves the verdict OK or ends the walk. Texts are read by the sender: no file, no line, no
 * other user's name.
 */
#include "transport/dispatch/decide.h"

#include "lib/net.h"
#include "transport/dispatch/compose.h"
#include "transport/dispatch/originator.h"
#include <string.h>

/* One message on its way through the steps. */
struct walk {
    const struct setup *setup;
    const struct request *request;
    const struct mail_view *view;
    struct decision *decision;
    struct addr *addr;       /* NULL if the recipient is none: */
    struct outcome addr_why; /* why not */
    struct reference reference;
    const struct router *router;
};

void
decision_clear(struct decision *decision)
{
    g_clear_pointer(&decision->number, g_free);
    g_clear_pointer(&decision->rule, g_free);
    g_clear_pointer(&decision->hits, g_array_unref);
    g_clear_pointer(&decision->subject, g_free);
    g_clear_pointer(&decision->text, g_free);
    g_clear_pointer(&decision->originator, g_free);
    g_clear_pointer(&decision->phone, g_free);
    g_clear_pointer(&decision->values, g_free);
    g_clear_pointer(&decision->notes, g_free);
    g_clear_pointer(&decision->message, sms_message_free);
}

bool
decision_is_whole(const struct decision *decision)
{
    return decision->message && decision->gateway->split_remote &&
           decision->message->encoding != SMS_8BIT;
}

static bool
refuse(struct walk *walk, enum out_kind kind, const char *dsn, const char *text)
{
    out_set(&walk->decision->verdict, kind, dsn, "%s", text);
    return false;
}

/* A line of the SMTP rules decided. */
static void
ruled_by(struct walk *walk, const struct smtp_hit *hit)
{
    struct decision *decision = walk->decision;
    g_autofree char *name = g_path_get_basename(smtp_rules_file(walk->setup->smtp_rules));

    g_free(decision->rule);
    decision->rule = g_strdup_printf("%s:%d", name, hit->line);
    g_array_append_val(decision->hits, *hit);
}

/*
 * Are the headers in which the milter says what it did its own? It removes foreign ones from mail
 * with SMS recipients, and knows these by the address that the client gave: what an alias brought
 * here may hold anything.
 */
static bool
milter_saw(const struct walk *walk)
{
    const char *original = request_get(walk->request, ORIGINAL);

    return !*original || addr_in_domains(original, (const char *const *)walk->setup->conf->domains);
}

/* The milter has asked this already, but not for aliases, requeued mail or its own absence. */
static bool
smtp_rules_allow(struct walk *walk)
{
    const char *sender = request_get(walk->request, SENDER);
    struct smtp_hit hit;
    bool spoke;
    bool allowed = smtp_rules_sender(walk->setup->smtp_rules, sender, &hit, &spoke);

    if (spoke)
        ruled_by(walk, &hit);
    if (!allowed)
        smtp_rules_refusal(sender, &walk->decision->verdict);
    return allowed;
}

static bool
drop(struct walk *walk)
{
    return refuse(walk, OUT_DROPPED, "2.0.0", "discarded by rule");
}

/* The same, for whoever wants no SMS. */
static bool
recipient_is_served(struct walk *walk)
{
    struct smtp_hit hit;

    if (smtp_rules_recipient(walk->setup->smtp_rules, request_get(walk->request, RECIPIENT),
                             walk->decision->number, &hit))
        return true;
    ruled_by(walk, &hit);
    if (!walk->setup->conf->filter_reject)
        return drop(walk);
    smtp_rules_unserved(&walk->decision->verdict);
    return false;
}

/* Is one of the addresses the number's own, in whatever form, or recipient itself? */
static bool
names_recipient(const struct walk *walk, const char *address)
{
    const struct conf *conf = walk->setup->conf;
    g_autoptr(Addr) addr = NULL;
    struct outcome why;

    if (g_ascii_strcasecmp(address, request_get(walk->request, RECIPIENT)) == 0 ||
        g_ascii_strcasecmp(address, request_get(walk->request, ORIGINAL)) == 0)
        return true;
    return walk->decision->number && addr_in_domains(address, (const char *const *)conf->domains) &&
           addr_parse(address, conf->country_code, &addr, &why) == 0 &&
           strcmp(addr->number, walk->decision->number) == 0;
}

/* copy_to_recipients = "to-only": of a mail declared "copy-to", only those whom To: names. */
static bool
copy_is_wanted(struct walk *walk)
{
    g_auto(GStrv) named = NULL;

    if (!walk->setup->conf->copy_to_only_to || strcmp(walk->decision->declared, "copy-to") != 0)
        return true;
    named = g_strsplit(walk->view->to, "\n", -1);
    for (char **address = named; *address; address++)
        if (**address && names_recipient(walk, *address))
            return true;
    g_free(walk->decision->notes);
    walk->decision->notes = g_strdup("copy_to_recipients: To: does not name it");
    return drop(walk);
}

static bool
sender_is_known(struct walk *walk)
{
    const struct conf *conf = walk->setup->conf;
    const char *client = request_get(walk->request, CLIENT);

    /* sendmail(1) leaves no client address: the mail was made on this machine. */
    if (!conf->access_known || *request_get(walk->request, LOGIN) ||
        net_contains(conf->networks, *client ? client : "127.0.0.1"))
        return true;
    return refuse(walk, OUT_REFUSED, "5.7.1",
                  "SMS are sent for known senders only; log in, or send from a network of ours");
}

/* Mail that nobody wrote makes no SMS: each one costs money, and answers to answers never end. */
static bool
guards_pass(struct walk *walk)
{
    const struct mail_view *view = walk->view;

    if (!*request_get(walk->request, SENDER))
        return refuse(walk, OUT_REFUSED, "5.7.1", "no SMS for mail without a sender address");
    if (view->report)
        return refuse(walk, OUT_REFUSED, "5.7.1", "no SMS for delivery reports");
    if (strcmp(view->auto_submitted, "auto-replied") == 0)
        return refuse(walk, OUT_REFUSED, "5.7.1", "no SMS for automatic replies");
    if (view->loop)
        return refuse(walk, OUT_REFUSED, "5.7.1", "no SMS for mail that was made from an SMS");
    if (view->list || strcmp(view->precedence, "bulk") == 0 ||
        strcmp(view->precedence, "junk") == 0 || strcmp(view->precedence, "list") == 0)
        return refuse(walk, OUT_REFUSED, "5.7.1", "no SMS for mailing lists and bulk mail");
    return true;
}

static bool
address_is_good(struct walk *walk)
{
    struct decision *decision = walk->decision;

    if (!walk->addr) {
        decision->verdict = walk->addr_why;
        return false;
    }
    if (!addr_in_domains(request_get(walk->request, RECIPIENT),
                         (const char *const *)walk->setup->conf->domains)) {
        out_set(&decision->verdict, OUT_NOUSER, "5.1.2", "%s is not a domain for SMS here",
                walk->addr->domain);
        return false;
    }
    if (g_str_has_prefix(walk->addr->domain, "alarm.") ||
        strcmp(request_get(walk->request, CLASS), "alarm") == 0)
        decision->class = "alarm";
    else if (strcmp(decision->declared, "list") == 0)
        decision->class = "bulk";
    if (walk->addr->ignored->len > 0 || walk->addr->user || walk->addr->pass) {
        g_autoptr(GString) names = g_string_new("parameters without effect:");

        if (walk->addr->user || walk->addr->pass)
            g_string_append(names, " credentials");
        for (guint i = 0; i < walk->addr->ignored->len; i++)
            g_string_append_printf(names, " %s", (const char *)walk->addr->ignored->pdata[i]);
        g_free(decision->notes);
        decision->notes = g_strdup(names->str);
    }
    return true;
}

static bool
number_is_reachable(struct walk *walk)
{
    char **prefixes = walk->setup->conf->prefixes;

    for (char **prefix = prefixes; *prefix; prefix++)
        if (g_str_has_prefix(walk->addr->number, *prefix))
            return true;
    return !*prefixes || refuse(walk, OUT_REFUSED, "5.7.1", "no SMS to numbers of this country");
}

/* Can this gateway take what the address asks for? -1: why not. */
static int
gateway_can(const struct walk *walk, const struct conf_gateway *gateway, struct outcome *why)
{
    const struct addr *addr = walk->addr;

    if (addr->originator && originator_check(addr->originator, gateway->originator_max, why) < 0)
        return -1;
    if (addr->values && (!gateway->http || !gateway->http->pass_values)) {
        out_set(why, OUT_REFUSED, "5.7.1", "this gateway takes no parameters of its own");
        return -1;
    }
    if (addr->binary && !gateway->binary) {
        out_set(why, OUT_DATA, "5.6.0", "%s: cannot send binary messages", gateway->id);
        return -1;
    }
    return 0;
}

/* Those that cannot take it do not count, unless none can: then the first one says why. */
static void
keep_able(const struct walk *walk, GPtrArray *candidates)
{
    const struct conf_gateway *first = candidates->pdata[0];
    struct outcome why;

    for (guint i = candidates->len; i-- > 0;)
        if (gateway_can(walk, candidates->pdata[i], &why) < 0)
            g_ptr_array_remove_index(candidates, i);
    if (candidates->len == 0)
        g_ptr_array_add(candidates, (gpointer)first);
}

/* The gateway that the address names, else one of those for its number. */
static bool
route(struct walk *walk)
{
    struct decision *decision = walk->decision;
    const struct router *router = walk->router;
    g_autoptr(GPtrArray) candidates = NULL;
    const char *originator = walk->addr->originator;

    if (route_candidates(walk->setup->conf, walk->addr->gateway, walk->addr->number, &candidates,
                         &decision->verdict) < 0)
        return false;
    keep_able(walk, candidates);
    decision->gateway = router ? router->choose(router->context, candidates, decision->class)
                               : candidates->pdata[0];
    if (!decision->gateway)
        return refuse(walk, OUT_RETRY, "4.3.2", "no other gateway can take it now");
    decision->originator = g_strdup(originator ? originator : decision->gateway->originator);
    decision->phone =
        g_strdup(originator_is_number(decision->originator) ? decision->originator : "");
    decision->values = g_strdup(walk->addr->values ? walk->addr->values : "");
    return true;
}

static bool
gateway_is_able(struct walk *walk)
{
    return gateway_can(walk, walk->decision->gateway, &walk->decision->verdict) == 0;
}

/* What the milter has not done: it could not, or the mail goes to others too. */
static bool
replace_texts(struct walk *walk)
{
    const struct mail_view *view = walk->view;
    const struct smtp_rules *rules = walk->setup->smtp_rules;
    struct decision *decision = walk->decision;

    if (view->rewritten && milter_saw(walk))
        return true;
    decision->subject = smtp_rules_replace(rules, SMTP_REPLACE_SUBJECT, view->subject,
                                           VIEW_HEADER_MAX, decision->hits);
    decision->text =
        smtp_rules_replace(rules, SMTP_REPLACE_BODY, view->text, VIEW_TEXT_MAX, decision->hits);
    return true;
}

static const char *
subject_of(const struct walk *walk)
{
    return walk->decision->subject ? walk->decision->subject : walk->view->subject;
}

static const char *
body_of(const struct walk *walk)
{
    return walk->decision->text ? walk->decision->text : walk->view->text;
}

static bool
text_fits(struct walk *walk)
{
    struct decision *decision = walk->decision;
    struct compose task = {
        .setup = walk->setup,
        .view = walk->view,
        .addr = walk->addr,
        .gateway = walk->decision->gateway,
        .sender = request_get(walk->request, SENDER),
        .subject = subject_of(walk),
        .text = body_of(walk),
        .reference = walk->reference,
    };
    g_autoptr(GString) notes = g_string_new(decision->notes);
    int result = compose(&task, notes, &decision->message, &decision->verdict);

    g_free(decision->notes);
    decision->notes = g_strdup(notes->str);
    return result == 0;
}

static bool
mail_is_readable(struct walk *walk)
{
    walk->decision->verdict = walk->view->verdict;
    return walk->view->verdict.kind == OUT_OK;
}

/* The recipient's number, wherever the walk ends: log, ledger and identity want it too. */
static void
look_at_address(struct walk *walk)
{
    if (addr_parse(request_get(walk->request, RECIPIENT), walk->setup->conf->country_code,
                   &walk->addr, &walk->addr_why) < 0)
        walk->addr = NULL;
}

void
decide_identity(const struct setup *setup, const struct request *request,
                const struct mail_view *view, struct identity *ret)
{
    struct walk walk = {.setup = setup, .request = request};

    look_at_address(&walk);
    identity_of(request, view, walk.addr ? walk.addr->number : NULL, ret);
    addr_free(walk.addr);
}

typedef bool step_fn(struct walk *walk);

/* What may refuse a mail, in the order of design section 7. */
static step_fn *const policy[] = {smtp_rules_allow,   recipient_is_served, copy_is_wanted,
                                  sender_is_known,    guards_pass,         address_is_good,
                                  number_is_reachable};

/* What becomes of it. */
static step_fn *const making[] = {route, gateway_is_able, mail_is_readable, replace_texts,
                                  text_fits};

static bool
walk_steps(struct walk *walk, step_fn *const *steps, guint count)
{
    for (guint i = 0; i < count; i++)
        if (!steps[i](walk))
            return false;
    return true;
}

static void
begin_walk(struct walk *walk, const char *declared)
{
    struct decision *decision = walk->decision;

    memset(decision, 0, sizeof(*decision));
    decision->class = "normal";
    decision->declared =
        *walk->view->declared && milter_saw(walk) ? walk->view->declared : declared;
    decision->rule = g_strdup("");
    decision->hits = smtp_hits_new();
    decision->notes = g_strdup("");
    look_at_address(walk);
    decision->number = g_strdup(walk->addr ? walk->addr->number : NULL);
    identity_of(walk->request, walk->view, decision->number, &decision->identity);
    out_set(&decision->verdict, OUT_OK, "2.0.0", "ok");
}

void
decide_again(const struct setup *setup, const struct request *request, const struct mail_view *view,
             const char *declared, struct decision *ret)
{
    struct walk walk = {.setup = setup, .request = request, .view = view, .decision = ret};

    begin_walk(&walk, declared);
    walk_steps(&walk, policy, G_N_ELEMENTS(policy));
    addr_free(walk.addr);
}

void
decide(const struct setup *setup, const struct request *request, const struct mail_view *view,
       const char *declared, const struct reference *reference, const struct router *router,
       struct decision *ret)
{
    struct walk walk = {
        .setup = setup, .request = request, .view = view, .decision = ret, .router = router};

    begin_walk(&walk, declared);
    walk.reference = reference ? *reference : (struct reference){.number = ret->identity.reference};
    if (walk_steps(&walk, policy, G_N_ELEMENTS(policy)) &&
        walk_steps(&walk, making, G_N_ELEMENTS(making)))
        out_set(&ret->verdict, OUT_OK, "2.0.0", "%u SMS to %s over %s", ret->message->parts->len,
                ret->number, ret->gateway->id);
    addr_free(walk.addr);
}
