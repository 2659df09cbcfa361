/* SPDX-License-Identifier: ISC */
/*
 * Owns what becomes of a mail's text on its way to parts. Nothing is left out but what a setting
 * names, and what is left out is noted. The order: what belongs to no text goes, the template, the
 * parts.
 */
#include "transport/dispatch/compose.h"

#include "transport/reader/trim.h"
#include <string.h>

#define ENCRYPTED "(encrypted mail)"

static int
refuse(struct outcome *why, const char *text)
{
    out_set(why, OUT_DATA, "5.6.0", "%s", text);
    return -1;
}

static void
note(GString *notes, const char *text)
{
    g_string_append_printf(notes, "%s%s", notes->len ? "; " : "", text);
}

/* The mail's text without quoted reply, signature and the like. */
static char *
trimmed(const struct compose *compose, GString *notes)
{
    const struct conf *conf = compose->setup->conf;
    struct trim_settings settings = {
        .signature = conf->strip_signature,
        .quotes = conf->strip_quotes,
        .sent_from = conf->strip_sent_from,
        .forwarded = trim_is_forward(compose->subject),
        .disclaimers = (const char *const *)conf->disclaimers,
        .blank_lines = conf->blank_lines,
        .reply = compose->view->reply || trim_is_reply(compose->subject),
    };
    g_autoptr(GString) dropped = g_string_new(NULL);
    char *text = trim_text(compose->text, &settings, dropped);

    if (dropped->len) {
        g_string_prepend(dropped, "left out: ");
        note(notes, dropped->str);
    }
    return text;
}

static bool
is_script_of_names(GUnicodeScript script)
{
    return script == G_UNICODE_SCRIPT_LATIN || script == G_UNICODE_SCRIPT_CYRILLIC ||
           script == G_UNICODE_SCRIPT_GREEK;
}

/* A word of letters from alphabets that look alike names somebody else: "Раypal". */
static bool
is_mixed(const char *name)
{
    GUnicodeScript word = G_UNICODE_SCRIPT_COMMON;

    for (; *name; name = g_utf8_next_char(name)) {
        gunichar c = g_utf8_get_char(name);
        GUnicodeScript script = g_unichar_get_script(c);

        if (!g_unichar_isalpha(c) && !g_unichar_ismark(c)) {
            word = G_UNICODE_SCRIPT_COMMON;
        } else if (is_script_of_names(script)) {
            if (word != G_UNICODE_SCRIPT_COMMON && word != script)
                return true;
            word = script;
        }
    }
    return false;
}

/* The message template with this mail's values. */
static char *
expand(const struct compose *compose, const char *body)
{
    const struct mail_view *view = compose->view;
    g_autofree char *size = g_strdup_printf("%" G_GINT64_FORMAT, view->size);
    bool mixed = is_mixed(view->from_name);
    const char *const values[TEMPLATE_VARIABLES] = {
        [TEMPLATE_SENDER] = compose->sender,
        [TEMPLATE_FROM] = mixed ? view->from_address : view->from,
        [TEMPLATE_FROM_NAME] = mixed ? view->from_address : view->from_name,
        [TEMPLATE_FROM_EMAIL] = view->from_address,
        [TEMPLATE_SUBJECT] = compose->subject,
        [TEMPLATE_BODY] = body,
        [TEMPLATE_SIZE] = size,
        [TEMPLATE_DATE] = view->date,
        [TEMPLATE_NUMBER] = compose->addr->number,
    };

    return template_expand(compose->setup->message, values);
}

/* What the address asks of the parts, the settings, and what the gateway can take. */
static void
set_limits(const struct compose *compose, struct sms_limits *ret)
{
    const struct conf *conf = compose->setup->conf;
    const struct conf_gateway *gateway = compose->gateway;
    const struct addr *addr = compose->addr;
    guint wanted = addr->maxmsgs ? addr->maxmsgs : (guint)conf->maxmsgs;

    *ret = (struct sms_limits){
        .maxmsgs = gateway->max_parts ? MIN(wanted, (guint)gateway->max_parts) : wanted,
        .reject = conf->too_long_reject,
        .reference = compose->reference.number,
        .wide = compose->reference.wide,
        .translit = (enum sms_translit)conf->translit,
        .languages = conf->languages,
        .languages_count = gateway->tables ? conf->n_languages : 0,
        .append = *conf->append ? conf->append : NULL,
        .has_dcs = addr->dcs >= 0,
        .dcs = addr->dcs >= 0 ? (guint8)addr->dcs : 0,
        .pid = addr->pid >= 0 ? (guint8)addr->pid : 0,
    };
}

/* Strict base64, white space between allowed; NULL if text is none. */
static GBytes *
base64(const char *text)
{
    g_autoptr(GString) dense = g_string_new(NULL);
    g_autofree char *again = NULL;
    guchar *octets;
    gsize len;

    for (; *text; text++)
        if (!g_ascii_isspace(*text))
            g_string_append_c(dense, *text);
    octets = g_base64_decode(dense->str, &len);
    again = g_base64_encode(octets, len);
    if (strcmp(again, dense->str) == 0)
        return g_bytes_new_take(octets, len);
    g_free(octets);
    return NULL;
}

/* binary=1: the mail's text is base64 of the data. */
static int
compose_binary(const struct compose *compose, struct sms_message **ret, struct outcome *why)
{
    g_autoptr(GBytes) data = base64(compose->text);
    g_autoptr(GBytes) udh = base64(compose->addr->udh ? compose->addr->udh : "");
    struct sms_limits limits;

    if (!data)
        return refuse(why, "binary=1: the mail's text is not base64");
    if (!udh)
        return refuse(why, "udh: not base64");
    set_limits(compose, &limits);
    return sms_split_binary(data, udh, &limits, ret, why);
}

static bool
too_many_characters(const struct compose *compose, const struct sms_message *message)
{
    int max = compose->gateway->max_chars;

    return max && g_utf8_strlen(message->text, -1) > max;
}

/* As sms_split, in as many parts as the gateway's characters allow. */
static int
split(const struct compose *compose, const char *text, struct sms_message **ret,
      struct outcome *why)
{
    g_autoptr(SmsMessage) message = NULL;
    struct sms_limits limits;
    guint fits = 1; /* conf_load refuses a max_chars below one part */
    guint too_many;

    set_limits(compose, &limits);
    if (sms_split(text, &limits, &message, why) < 0)
        return -1;
    if (!too_many_characters(compose, message)) {
        *ret = g_steal_pointer(&message);
        return 0;
    }
    if (limits.reject) {
        out_set(why, OUT_DATA, "5.6.0", "the text has %ld characters, at most %d are allowed",
                g_utf8_strlen(message->text, -1), compose->gateway->max_chars);
        return -1;
    }
    for (too_many = message->parts->len; too_many > fits + 1;) {
        g_autoptr(SmsMessage) shorter = NULL;

        limits.maxmsgs = fits + (too_many - fits) / 2;
        if (sms_split(text, &limits, &shorter, why) < 0)
            return -1;
        if (too_many_characters(compose, shorter))
            too_many = limits.maxmsgs;
        else
            fits = limits.maxmsgs;
    }
    limits.maxmsgs = fits;
    return sms_split(text, &limits, ret, why);
}

int
compose(const struct compose *compose, GString *notes, struct sms_message **ret,
        struct outcome *why)
{
    g_autofree char *body = NULL;
    g_autofree char *text = NULL;

    if (compose->addr->binary)
        return compose_binary(compose, ret, why);
    if (compose->addr->udh)
        return refuse(why, "udh is for 8 bit data, with binary=1");
    if (compose->view->encrypted && compose->setup->conf->encrypted_refuse)
        return refuse(why, "the mail is encrypted");
    body = trimmed(compose, notes);
    if (compose->view->encrypted) {
        g_autofree char *rest = g_steal_pointer(&body);

        body = g_strconcat(ENCRYPTED, *rest ? "\n" : "", rest, NULL);
    }
    if (!*body && !*compose->subject)
        return refuse(why, "the mail has neither text nor subject");
    text = expand(compose, body);
    if (split(compose, text, ret, why) < 0)
        return -1;
    if ((*ret)->truncated) {
        g_autofree char *cut =
            g_strdup_printf("text cut to %u of %u parts", (*ret)->parts->len, (*ret)->parts_needed);
        note(notes, cut);
    }
    if ((*ret)->transliterated)
        note(notes, "transliterated");
    return 0;
}
