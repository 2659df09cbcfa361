/* SPDX-License-Identifier: ISC */
/* Owns what one message shows before its end: envelope, header fields of interest, content. Must
 * never decide anything. */
#include "milter/milter.h"

#include "lib/addr.h"
#include "lib/ask.h"
#include "lib/log.h"
#include <string.h>

#define MESSAGE_ID_MAX 1000

static void
recipient_free(gpointer data)
{
    struct recipient *recipient = data;

    g_free(recipient->given);
    g_free(recipient->parameters);
    g_free(recipient->bare);
    g_free(recipient);
}

void
message_init(struct message *message)
{
    *message = (struct message){
        .sender = g_strdup(""),
        .message_id = g_strdup(""),
        .recipients = g_ptr_array_new_with_free_func(recipient_free),
    };
    content_init(&message->content);
}

void
message_free(struct message *message)
{
    g_free(message->sender);
    g_free(message->message_id);
    g_ptr_array_unref(message->recipients);
    content_clear(&message->content);
    ask_close(message->ask);
}

void
message_reset(struct message *message)
{
    message_free(message);
    message_init(message);
}

static bool
is_bracketed(const char *argument)
{
    return argument && argument[0] == '<';
}

/* Behind a source route (RFC 5321 appendix C), which Postfix drops without a word. */
static const char *
behind_route(const char *address, gsize len)
{
    const char *colon = len && *address == '@' ? memchr(address, ':', len) : NULL;

    return colon ? colon + 1 : address;
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

    for (from = behind_route(from, len); from < end; from++) {
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

void
message_begin(struct message *message, const char *argument, bool queued)
{
    message_reset(message);
    g_free(message->sender);
    message->sender = bare_address(argument);
    message->local = !is_bracketed(argument) && queued;
}

/* By this the mail server takes a recipient out again: as typed, but for a source route. */
static char *
given_address(const char *argument)
{
    const char *from = argument + is_bracketed(argument);

    return g_strconcat(from > argument ? "<" : "", behind_route(from, strlen(from)), NULL);
}

/* Postfix rewrites what is typed before it routes it: "sms.example.com!NUMBER" and
 * "NUMBER%sms.example.com" are SMS recipients of ours too. */
static void
use_resolved(struct recipient *recipient, const char *resolved, const char *const *domains)
{
    g_autofree char *bare = bare_address(resolved);

    recipient->rewritten = recipient->sms = addr_in_domains(bare, domains);
    /* It comes in lower case; what is typed has the case that people know. */
    if (!recipient->sms || g_ascii_strcasecmp(bare, recipient->bare) == 0)
        return;
    g_free(recipient->bare);
    recipient->bare = g_steal_pointer(&bare);
}

struct recipient *
message_recipient(struct message *message, char **arguments, const char *resolved,
                  const struct conf *conf)
{
    const char *const *domains = (const char *const *)conf->domains;
    struct recipient *recipient = g_new0(struct recipient, 1);

    recipient->given = given_address(arguments[0] ? arguments[0] : "");
    recipient->parameters = arguments[0] ? g_strjoinv(" ", arguments + 1) : g_strdup("");
    recipient->bare = bare_address(arguments[0]);
    recipient->sms = addr_in_domains(recipient->bare, domains);
    if (!recipient->sms && resolved)
        use_resolved(recipient, resolved, domains);
    g_ptr_array_add(message->recipients, recipient);
    return recipient;
}

/* "X-SMS-Class : list" is a field of that name for many a reader of mail. */
static bool
is_named(const char *name, const char *wanted)
{
    gsize len = strlen(wanted);

    return g_ascii_strncasecmp(name, wanted, len) == 0 &&
           name[len + strspn(name + len, " \t")] == '\0';
}

void
message_header(struct message *message, const char *name, const char *value, bool blank)
{
    content_header(&message->content, name, blank ? "" : " ", value);
    if (is_named(name, VIEW_MARK_HEADER)) {
        message->forged[FORGED_MARK]++;
    } else if (is_named(name, VIEW_CLASS_HEADER)) {
        message->forged[FORGED_CLASS]++;
    } else if (is_named(name, "Message-ID") && !*message->message_id) {
        g_free(message->message_id);
        message->message_id = g_strstrip(log_clean(value, MESSAGE_ID_MAX));
    }
}

GPtrArray *
message_standing(const struct message *message)
{
    GPtrArray *standing = g_ptr_array_new();

    for (guint i = 0; i < message->recipients->len; i++) {
        struct recipient *recipient = message->recipients->pdata[i];

        if (recipient->sms && !recipient->refused)
            g_ptr_array_add(standing, recipient);
    }
    return standing;
}

bool
message_mixed(const struct message *message)
{
    for (guint i = 0; i < message->recipients->len; i++)
        if (!((const struct recipient *)message->recipients->pdata[i])->sms)
            return true;
    return false;
}

bool
message_alterable(const struct message *message)
{
    for (guint i = 0; i < message->recipients->len; i++) {
        const struct recipient *recipient = message->recipients->pdata[i];

        if (!recipient->sms || recipient->rewritten)
            return false;
    }
    return true;
}

struct ask *
message_ask(struct message *message, const struct conf *conf, struct outcome *why)
{
    if (message->ask && !ask_lost(message->ask))
        return message->ask;
    /* postsmsd may have been restarted since; but one that does not answer must not cost its
     * patience per recipient. */
    g_clear_pointer(&message->ask, ask_close);
    if (message->ask_failed) {
        out_set(why, OUT_RETRY, "4.3.0", "postsmsd is away");
        return NULL;
    }
    message->ask = ask_open(conf, why);
    message->ask_failed = !message->ask;
    return message->ask;
}

struct ask *
message_reader(struct message *message, const struct conf *conf, struct outcome *why)
{
    struct ask *ask = message_ask(message, conf, why);

    if (!ask || ask_readers(ask))
        return ask;
    out_set(why, OUT_RETRY, "4.3.0", "postsmsd has no reader");
    return NULL;
}

void
message_undecided(struct outcome *why)
{
    out_set(why, OUT_RETRY, "4.3.0", "SMS cannot be checked at the moment, please try again later");
}
