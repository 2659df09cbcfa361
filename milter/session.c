/* SPDX-License-Identifier: ISC */
/*
 * Owns the milter callbacks and one SMTP connection. libmilter calls from several threads, for one
 * connection from one at a time (Debian's takes whichever worker is free), so nothing here is
 * static but counters. Must never return SMFIS_ACCEPT before DATA: that ends filtering for the
 * whole message, and SMS recipients still to come would pass unseen.
 */
#include "milter/milter.h"

#include "lib/addr.h"
#include "lib/log.h"
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <string.h>

#define CLIENT_MAX 300

/* What rules may want done to a mail. */
#define ACTIONS                                                                                    \
    (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR |           \
     SMFIF_DELRCPT | SMFIF_QUARANTINE)

static int sessions;
static int poor_server_told;

int
session_count(void)
{
    return g_atomic_int_get(&sessions);
}

static void
session_free(struct session *session)
{
    snapshot_unref(session->snapshot);
    message_free(&session->message);
    g_free(session->client);
    g_free(session);
    g_atomic_int_add(&sessions, -1);
}

static struct session *
session_new(SMFICTX *ctx)
{
    struct session *session = g_new0(struct session, 1);

    g_atomic_int_inc(&sessions);
    session->snapshot = snapshot_current();
    session->client = g_strdup("unknown");
    message_init(&session->message);
    if (smfi_setpriv(ctx, session) == MI_SUCCESS)
        return session;
    session_free(session);
    return NULL;
}

/* The connection's session, made now if it has none; NULL without a context. */
static struct session *
session_of(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (!session)
        session = session_new(ctx);
    if (session)
        session->ctx = ctx;
    return session;
}

/* Header fields are always wanted, because of those that only we may write; a body only if a rule
 * may ask for it. Steps that an old server cannot leave out come and are continued. */
static unsigned long
unwanted(const struct smtp_rules *rules)
{
    unsigned long steps = SMFIP_NOHELO | SMFIP_NOEOH | SMFIP_NOUNKNOWN;

    if (!smtp_rules_wants_body(rules) && !smtp_rules_wants_reader(rules))
        steps |= SMFIP_NOBODY;
    return steps;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions, unsigned long offered_steps,
             unsigned long unused0, unsigned long unused1, unsigned long *actions,
             unsigned long *steps, unsigned long *ret0, unsigned long *ret1)
{
    struct session *session = session_of(ctx);

    (void)unused0;
    (void)unused1;
    if (!session)
        return SMFIS_REJECT;
    session->actions = offered_actions & ACTIONS;
    if (session->actions != ACTIONS && g_atomic_int_compare_and_exchange(&poor_server_told, 0, 1))
        log_warnx("the mail server offers actions 0x%lx of the 0x%lx that rules may need",
                  session->actions, ACTIONS);
    *actions = session->actions;
    /* What is only noted costs no round trip without an answer. libmilter offers that in any case
     * and answers itself where the mail server wants one. */
    *steps = offered_steps & (unwanted(session->snapshot->rules) | SMFIP_NR_CONN | SMFIP_NR_MAIL |
                              SMFIP_NR_HDR | SMFIP_NR_BODY | SMFIP_HDR_LEADSPC);
    session->blank = (*steps & SMFIP_HDR_LEADSPC) != 0;
    *ret0 = 0;
    *ret1 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN] = "unknown";
    g_autofree char *client = NULL;
    struct session *session = session_of(ctx);

    if (!session)
        return SMFIS_NOREPLY;
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)address)->sin_addr, text, sizeof(text));
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)address)->sin6_addr, text, sizeof(text));
    else if (address && address->sa_family == AF_UNIX)
        g_strlcpy(text, "local", sizeof(text));
    /* A client without a name comes as "[192.0.2.7]"; Postfix's own lines call it unknown. */
    if (!hostname || hostname[0] == '[')
        client = g_strdup_printf("unknown[%s]", text);
    else
        client = g_strdup_printf("%s[%s]", hostname, text);
    g_free(session->client);
    session->client = log_clean(client, CLIENT_MAX);
    return SMFIS_NOREPLY;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
    static char id_macro[] = "i";
    struct session *session = session_of(ctx);

    if (session)
        message_begin(&session->message, argv[0], smfi_getsymval(ctx, id_macro) != NULL);
    return SMFIS_NOREPLY;
}

/* The reply that why says. The client reads no file and no line, and libmilter nothing that it
 * would take for a format. */
static sfsistat
answer(SMFICTX *ctx, const struct outcome *why)
{
    g_autofree char *code = g_strdup(out_smtp_code(why->kind));
    g_autofree char *status = g_strdup(why->dsn);
    GString *text = g_string_new(why->text);
    g_autofree char *sentence = NULL;

    g_string_replace(text, "%", "%%", 0);
    sentence = g_string_free(text, FALSE);
    if (smfi_setreply(ctx, code, status, sentence) != MI_SUCCESS)
        log_warnx("the reply \"%s\" could not be set", sentence);
    return code[0] == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static sfsistat
refuse(struct session *session, struct recipient *recipient, const struct smtp_hit *hit,
       const struct outcome *why)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    struct record record = {
        .recipients = one,
        .hits = hit,
        .n_hits = 1,
        .status = "rejected",
        .dsn = why->dsn,
        .detail = "",
    };

    g_ptr_array_add(one, recipient);
    recipient->refused = true;
    record_log(session, &record);
    return answer(session->ctx, why);
}

/* Nobody is there to ask about the text; the client may come again. */
static sfsistat
put_off(struct session *session, struct recipient *recipient, const struct outcome *reason)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    struct outcome why;
    struct record record = {
        .recipients = one,
        .status = "deferred",
        .dsn = why.dsn,
        .detail = reason->text,
    };

    message_undecided(&why);
    g_ptr_array_add(one, recipient);
    recipient->refused = true;
    record_log(session, &record);
    return answer(session->ctx, &why);
}

/*
 * What the rules say to one SMS recipient. Mail of sendmail(1) must not be refused here: cleanup(8)
 * cannot pass a refusal on, so the mail would stay in the maildrop for ever. The transport applies
 * the same rules and bounces it. No SMTP client can look like it: over SMTP there is no queue id
 * before a recipient.
 */
static sfsistat
judge(struct session *session, struct recipient *recipient)
{
    struct message *message = &session->message;
    const struct smtp_rules *rules = session->snapshot->rules;
    const struct conf *conf = session->snapshot->conf;
    g_autoptr(Addr) address = NULL;
    struct smtp_hit hit;
    struct outcome why;

    if (!smtp_rules_sender(rules, message->sender, &hit, NULL)) {
        if (message->local) {
            recipient->refused = true;
            return SMFIS_CONTINUE;
        }
        smtp_rules_refusal(message->sender, &why);
        return refuse(session, recipient, &hit, &why);
    }
    (void)!addr_parse(recipient->bare, conf->country_code, &address, &why);
    if (!smtp_rules_recipient(rules, recipient->bare, address ? address->number : NULL,
                              &recipient->filter)) {
        if (conf->filter_reject && !message->local) {
            smtp_rules_unserved(&why);
            return refuse(session, recipient, &recipient->filter, &why);
        }
        recipient->filtered = !conf->filter_reject;
    }
    if (!message->local && smtp_rules_wants_reader(rules) && !message_reader(message, conf, &why))
        return put_off(session, recipient, &why);
    return SMFIS_CONTINUE;
}

static sfsistat
on_recipient(SMFICTX *ctx, char **argv)
{
    static char address_macro[] = "{rcpt_addr}";
    struct session *session = session_of(ctx);
    struct recipient *recipient;

    if (!session)
        return SMFIS_TEMPFAIL;
    recipient = message_recipient(&session->message, argv, smfi_getsymval(ctx, address_macro),
                                  session->snapshot->conf);
    return recipient->sms ? judge(session, recipient) : SMFIS_CONTINUE;
}

/* Every recipient has been seen: without one that the rules speak about, the mail server can keep
 * header and body. */
static sfsistat
on_data(SMFICTX *ctx)
{
    struct session *session = session_of(ctx);
    g_autoptr(GPtrArray) standing = session ? message_standing(&session->message) : NULL;

    return standing && standing->len > 0 ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
    struct session *session = session_of(ctx);

    if (session)
        message_header(&session->message, name, value, session->blank);
    return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *octets, size_t len)
{
    struct session *session = session_of(ctx);

    if (session)
        content_body(&session->message.content, (const char *)octets, len);
    return SMFIS_NOREPLY;
}

static sfsistat
on_eom(SMFICTX *ctx)
{
    struct session *session = session_of(ctx);
    struct outcome why;

    if (!session)
        return SMFIS_TEMPFAIL;
    verdict_reach(session, &why);
    /* What the message took up is given back now, not when the next one begins. */
    message_reset(&session->message);
    if (why.kind == OUT_OK)
        return SMFIS_CONTINUE;
    return why.kind == OUT_DROPPED ? SMFIS_DISCARD : answer(ctx, &why);
}

static sfsistat
on_abort(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session)
        message_reset(&session->message);
    return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session) {
        smfi_setpriv(ctx, NULL);
        session_free(session);
    }
    return SMFIS_CONTINUE;
}

int
session_register(void)
{
    static char name[] = "postsms-milter";
    struct smfiDesc callbacks = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = ACTIONS,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };

    return smfi_register(callbacks) == MI_SUCCESS ? 0 : -1;
}
