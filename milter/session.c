/* SPDX-License-Identifier: ISC */
/*
 * Owns the milter callbacks and what one SMTP connection keeps between them. libmilter calls from
 * several threads, for one connection from one at a time (Debian's takes whichever worker is free),
 * so nothing here is static but a counter. Must never return SMFIS_ACCEPT before DATA: that ends
 * filtering for the whole message, and SMS recipients still to come would pass unseen.
 */
#include "milter/milter.h"

#include "lib/addr.h"
#include "lib/log.h"
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <string.h>

#define ADDRESS_MAX 256 /* octets of an address in reply or log; RFC 5321 allows 254 */
#define CLIENT_MAX  300

struct session {
    struct snapshot *snapshot;
    char *client; /* "name[address]", clean */
    char *sender; /* of this message, bare; "" is the null sender */
    bool local;   /* mail of sendmail(1): no angle brackets, and a queue id before any recipient */
};

static int sessions;

int
session_count(void)
{
    return g_atomic_int_get(&sessions);
}

static void
session_free(struct session *session)
{
    snapshot_unref(session->snapshot);
    g_free(session->client);
    g_free(session->sender);
    g_free(session);
    g_atomic_int_add(&sessions, -1);
}

static struct session *
session_new(SMFICTX *ctx, char *client)
{
    struct session *session = g_new0(struct session, 1);

    g_atomic_int_inc(&sessions);
    session->snapshot = snapshot_current();
    session->client = client;
    session->sender = g_strdup("");
    if (smfi_setpriv(ctx, session) == MI_SUCCESS)
        return session;
    session_free(session);
    return NULL;
}

/* The connection's session, made now if its connect step was not seen; NULL without a context. */
static struct session *
session_of(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    return session ? session : session_new(ctx, g_strdup("unknown"));
}

static bool
is_bracketed(const char *argument)
{
    return argument && argument[0] == '<';
}

/*
 * An address as Postfix will hand it to the transport: without angle brackets, source route, quotes
 * around the local part and dot behind the domain. Both ends must ask the rules about the same
 * text.
 */
static char *
bare_address(const char *argument)
{
    const char *from = argument ? argument + is_bracketed(argument) : "";
    const char *close = is_bracketed(argument) ? strrchr(from, '>') : NULL;
    gsize len = close ? (gsize)(close - from) : strlen(from);
    GString *bare = g_string_sized_new(len);
    const char *end = from + len;

    if (len && *from == '@' && memchr(from, ':', len))
        from = (const char *)memchr(from, ':', len) + 1;
    for (; from < end; from++) {
        if (*from == '"')
            continue;
        if (*from == '\\' && from + 1 < end)
            g_string_append_c(bare, *++from);
        else
            g_string_append_c(bare, *from);
    }
    if (bare->len > 1 && bare->str[bare->len - 1] == '.' && strrchr(bare->str, '@'))
        g_string_truncate(bare, bare->len - 1);
    return g_string_free(bare, FALSE);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions, unsigned long offered_steps,
             unsigned long unused0, unsigned long unused1, unsigned long *actions,
             unsigned long *steps, unsigned long *ret0, unsigned long *ret1)
{
    (void)ctx;
    (void)offered_actions;
    (void)unused0;
    (void)unused1;
    *actions = 0;
    /* Connect and MAIL are only noted: without an answer they cost no round trip. libmilter offers
     * that in any case and answers itself where the mail server wants one. Steps that an old server
     * cannot leave out come and are continued. */
    *steps = offered_steps & (SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
                              SMFIP_NOUNKNOWN | SMFIP_NR_CONN | SMFIP_NR_MAIL);
    *ret0 = 0;
    *ret1 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN] = "unknown";
    g_autofree char *client = NULL;
    struct session *old = smfi_getpriv(ctx);

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
    if (old)
        session_free(old);
    session_new(ctx, log_clean(client, CLIENT_MAX));
    return SMFIS_NOREPLY;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
    struct session *session = session_of(ctx);

    if (session) {
        g_free(session->sender);
        session->sender = bare_address(argv[0]);
        session->local = !is_bracketed(argv[0]) && smfi_getsymval(ctx, "i");
    }
    return SMFIS_NOREPLY;
}

/* The sentence the client reads: no file, no line, and nothing that libmilter would take for a
 * format. */
static char *
refusal_text(const char *sender)
{
    struct outcome why;
    GString *text;

    smtp_rules_refusal(sender, &why);
    text = g_string_new(why.text);
    g_string_replace(text, "%", "%%", 0);
    return g_string_free(text, FALSE);
}

static void
log_refusal(SMFICTX *ctx, const struct session *session, const char *recipient,
            const struct smtp_hit *hit)
{
    static char id_macro[] = "i";
    const char *id = smfi_getsymval(ctx, id_macro);
    g_autofree char *clean_id = log_clean(id && *id ? id : "NOQUEUE", 40);
    g_autofree char *to = addr_loggable(recipient, session->snapshot->conf->log_numbers_full);
    g_autofree char *from = log_clean(session->sender, ADDRESS_MAX);

    log_info("%s: to=<%s>, sender=<%s>, client=%s, rule=%s:%d [%s], dsn=5.7.1, status=rejected",
             clean_id, to, from, session->client, smtp_rules_file(session->snapshot->rules),
             hit->line, smtp_section_name(hit->section));
}

static sfsistat
on_recipient(SMFICTX *ctx, char **argv)
{
    struct session *session = session_of(ctx);
    g_autofree char *recipient = bare_address(argv[0]);
    g_autofree char *text = NULL;
    char code[] = "550";
    char status[] = "5.7.1";
    struct smtp_hit hit;

    if (!session)
        return SMFIS_TEMPFAIL;
    if (!addr_in_domains(recipient, (const char *const *)session->snapshot->conf->domains))
        return SMFIS_CONTINUE;
    if (smtp_rules_sender(session->snapshot->rules, session->sender, &hit, NULL))
        return SMFIS_CONTINUE;
    /*
     * Mail of sendmail(1) must not be refused here: cleanup(8) cannot pass a refusal on, so the
     * mail would stay in the maildrop for ever. The transport applies the same rules and bounces
     * it. No SMTP client can look like it: over SMTP there is no queue id before a recipient.
     */
    if (session->local)
        return SMFIS_CONTINUE;
    text = refusal_text(session->sender);
    log_refusal(ctx, session, recipient, &hit);
    if (smfi_setreply(ctx, code, status, text) != MI_SUCCESS)
        log_warnx("the reply \"%s\" could not be set", text);
    return SMFIS_REJECT;
}

static sfsistat
on_data(SMFICTX *ctx)
{
    (void)ctx;
    /* Every recipient has been seen and no rule about contents is enforced yet: Postfix can keep
     * header and body. */
    return SMFIS_ACCEPT;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session) {
        g_free(session->sender);
        session->sender = g_strdup("");
        session->local = false;
    }
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
        .xxfi_flags = SMFIF_NONE,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };

    return smfi_register(callbacks) == MI_SUCCESS ? 0 : -1;
}
