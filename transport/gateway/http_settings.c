/* SPDX-License-Identifier: ISC */
/*
 * Owns the way from texts of the configuration to parsed settings, with a fault at its file and
 * line for each that is none. Must never read a file but that of the secrets.
 */
#include "transport/gateway/http_settings.h"

#include "transport/gateway/private.h"
#include <string.h>

struct making {
    struct http_settings *settings;
    const struct conf_gateway *conf;
    Faults *faults;
    const struct conf_text *text; /* that is being looked at */
    const char *key;              /* and its name */
};

static void G_GNUC_PRINTF(2, 3) fault(struct making *making, const char *fmt, ...)
{
    const struct conf_text *text = making->text;
    g_autofree char *said = NULL;
    va_list ap;

    va_start(ap, fmt);
    said = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    faults_add(making->faults, text->line ? text->file : making->conf->file,
               text->line ? text->line : making->conf->line, "gateway \"%s\": %s: %s",
               making->conf->id, making->key, said);
}

static const char *
text_of(struct making *making, enum conf_http_text which)
{
    making->text = &making->conf->http->texts[which];
    making->key = conf_http_text_name(which);
    return making->text->text;
}

/* Names in templates are known before the first message. */
static void
on_named(void *context, bool secret, const char *name)
{
    struct making *making = context;

    if (secret && !making->settings->secret_file)
        fault(making, "%%secret.%s%% is wanted, and secret_file is not set", name);
    else if (!secret && !g_hash_table_contains(making->settings->vars, name))
        fault(making, "%%var.%s%% is wanted, and vars has no \"%s=...\"", name, name);
}

static struct http_template *
parse(struct making *making, const char *text, enum http_place place)
{
    struct http_template *tmpl = NULL;
    struct outcome why;
    guint at;

    if (http_template_parse(text, place, &tmpl, &at, &why) < 0)
        fault(making, "%s", why.text);
    else
        http_template_each_named(tmpl, on_named, making);
    if (tmpl && http_template_has(tmpl, "token"))
        on_named(making, true, "token");
    return tmpl;
}

static struct http_template *
parse_key(struct making *making, enum conf_http_text which, enum http_place place)
{
    const char *text = text_of(making, which);

    return text ? parse(making, text, place) : NULL;
}

/* "name=value" */
static void
get_vars(struct making *making)
{
    const GPtrArray *list = making->conf->http->lists[CONF_HTTP_VARS];

    making->key = conf_http_list_name(CONF_HTTP_VARS);
    for (guint i = 0; i < list->len; i++) {
        const struct conf_text *text = list->pdata[i];
        const char *equals = strchr(text->text, '=');

        making->text = text;
        if (!equals || equals == text->text)
            fault(making, "\"%s\" is not name=value", text->text);
        else
            g_hash_table_insert(making->settings->vars,
                                g_strndup(text->text, (gsize)(equals - text->text)),
                                g_strdup(equals + 1));
    }
}

static const struct {
    const char *word, *type;
    enum http_place place;
} content_types[] = {
    {"form", "application/x-www-form-urlencoded", HTTP_PLACE_FORM},
    {"json", "application/json", HTTP_PLACE_JSON},
    {"xml", "text/xml; charset=utf-8", HTTP_PLACE_XML},
    {"text", "text/plain; charset=utf-8", HTTP_PLACE_PLAIN},
};

/* How values are escaped in a body of this media type. */
static enum http_place
place_of_type(const char *type)
{
    for (guint i = 0; i < G_N_ELEMENTS(content_types); i++)
        if (strcmp(type, content_types[i].word) == 0 ||
            g_ascii_strncasecmp(type, content_types[i].type, strcspn(content_types[i].type, ";")) ==
                0)
            return content_types[i].place;
    return strstr(type, "json")  ? HTTP_PLACE_JSON
           : strstr(type, "xml") ? HTTP_PLACE_XML
                                 : HTTP_PLACE_PLAIN;
}

static void
get_content_type(struct making *making, enum http_place *ret)
{
    const char *type = text_of(making, CONF_HTTP_CONTENT_TYPE);

    if (!type)
        type = "form";
    *ret = place_of_type(type);
    for (guint i = 0; i < G_N_ELEMENTS(content_types); i++)
        if (strcmp(type, content_types[i].word) == 0)
            type = content_types[i].type;
    if (!strchr(type, '/') || strpbrk(type, "\r\n"))
        fault(making, "\"%s\" is neither form, json, xml, text nor a media type", type);
    making->settings->content_type = g_strdup(type);
}

static void
get_request(struct making *making)
{
    static const enum conf_http_text urls[] = {CONF_HTTP_URL, CONF_HTTP_URL_UNICODE,
                                               CONF_HTTP_URL_BINARY};
    static const enum conf_http_text bodies[] = {CONF_HTTP_BODY, CONF_HTTP_BODY_UNICODE,
                                                 CONF_HTTP_BODY_BINARY};
    struct http_settings *settings = making->settings;
    enum http_place place;
    const char *method;
    bool body = false;

    get_content_type(making, &place);
    for (int i = 0; i < HTTP_VARIANTS; i++) {
        settings->url[i] = parse_key(making, urls[i], HTTP_PLACE_URL);
        settings->body[i] = parse_key(making, bodies[i], place);
        body |= making->conf->http->texts[bodies[i]].text != NULL;
    }
    if (body && !making->conf->http->texts[CONF_HTTP_BODY].text &&
        !(making->conf->http->texts[CONF_HTTP_BODY_UNICODE].text &&
          making->conf->http->texts[CONF_HTTP_BODY_BINARY].text)) {
        text_of(making, CONF_HTTP_BODY);
        fault(making, "is wanted too, for the messages that no other body is for");
    }
    if (!body) {
        text_of(making, CONF_HTTP_CONTENT_TYPE);
        if (making->text->text)
            fault(making, "without body there is nothing it is for");
    }
    method = text_of(making, CONF_HTTP_METHOD);
    settings->method = g_strdup(method ? method : body ? "POST" : "GET");
    if (strcmp(settings->method, "GET") != 0 && strcmp(settings->method, "POST") != 0 &&
        strcmp(settings->method, "PUT") != 0)
        fault(making, "\"%s\" is none of GET, POST, PUT", settings->method);
    else if (body && strcmp(settings->method, "GET") == 0)
        fault(making, "GET has no body");
}

static void
get_headers(struct making *making)
{
    const GPtrArray *list = making->conf->http->lists[CONF_HTTP_HEADERS];

    making->key = conf_http_list_name(CONF_HTTP_HEADERS);
    for (guint i = 0; i < list->len; i++) {
        const struct conf_text *text = list->pdata[i];
        const char *colon = strchr(text->text, ':');
        struct http_template *value;

        making->text = text;
        if (!colon || colon == text->text ||
            strspn(text->text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_") !=
                (gsize)(colon - text->text)) {
            fault(making, "\"%.40s\" is not Name: value", text->text);
            continue;
        }
        value = parse(making, colon + 1 + strspn(colon + 1, " "), HTTP_PLACE_HEADER);
        if (!value)
            continue;
        g_ptr_array_add(making->settings->header_names,
                        g_strndup(text->text, (gsize)(colon - text->text)));
        g_ptr_array_add(making->settings->header_values, value);
    }
}

static void
get_auth(struct making *making)
{
    static const char *const words[] = {
        [HTTP_AUTH_NONE] = "none",     [HTTP_AUTH_BASIC] = "basic", [HTTP_AUTH_BEARER] = "bearer",
        [HTTP_AUTH_HEADER] = "header", [HTTP_AUTH_QUERY] = "query", [HTTP_AUTH_SIGV4] = "sigv4",
    };
    struct http_settings *settings = making->settings;
    const char *word = text_of(making, CONF_HTTP_AUTH);
    const char *user, *secret;
    guint auth = 0;

    while (word && auth < G_N_ELEMENTS(words) && strcmp(word, words[auth]) != 0)
        auth++;
    if (auth == G_N_ELEMENTS(words)) {
        fault(making, "\"%s\" is none of none, basic, bearer, header, query, sigv4", word);
        return;
    }
    settings->auth = (enum http_auth)auth;
    user = text_of(making, CONF_HTTP_AUTH_USER);
    if (user && (settings->auth == HTTP_AUTH_NONE || settings->auth == HTTP_AUTH_BEARER))
        fault(making, "auth = \"%s\" has no use for it", words[auth]);
    if (!user && (settings->auth == HTTP_AUTH_HEADER || settings->auth == HTTP_AUTH_QUERY))
        fault(making, "auth = \"%s\" wants it: the name of the %s", words[auth],
              settings->auth == HTTP_AUTH_HEADER ? "header" : "parameter");
    else if (user || settings->auth == HTTP_AUTH_SIGV4)
        settings->user = parse(making, user ? user : "%secret.user%", HTTP_PLACE_PLAIN);
    secret = text_of(making, CONF_HTTP_AUTH_SECRET);
    if (secret && settings->auth == HTTP_AUTH_NONE)
        fault(making, "auth = \"none\" has no use for it");
    else if (settings->auth != HTTP_AUTH_NONE)
        settings->secret =
            parse(making, secret ? secret : "%secret.secret%",
                  settings->auth == HTTP_AUTH_QUERY ? HTTP_PLACE_URL : HTTP_PLACE_HEADER);
    settings->sigv4 = parse_key(making, CONF_HTTP_SIGV4, HTTP_PLACE_PLAIN);
    if ((settings->auth == HTTP_AUTH_SIGV4) != (making->text->text != NULL))
        fault(making, settings->auth == HTTP_AUTH_SIGV4
                          ? "auth = \"sigv4\" wants it, such as aws:amz:eu-central-1:sms-voice"
                          : "without auth = \"sigv4\" there is nothing it is for");
}

static void
get_rules(struct making *making)
{
    const GPtrArray *list = making->conf->http->lists[CONF_HTTP_RESULT];

    making->key = conf_http_list_name(CONF_HTTP_RESULT);
    for (guint i = 0; i < list->len; i++) {
        const struct conf_text *text = list->pdata[i];
        g_autofree char *name = g_path_get_basename(text->file);
        struct http_rule *rule;
        struct outcome why;

        making->text = text;
        if (http_rule_parse(text->text, &rule, &why) < 0) {
            fault(making, "%s", why.text);
            continue;
        }
        g_ptr_array_add(making->settings->rules, rule);
        g_ptr_array_add(making->settings->rule_places, g_strdup_printf("%s:%d", name, text->line));
    }
}

static void
get_extracts(struct making *making, enum conf_http_list which, GPtrArray *to)
{
    const GPtrArray *list = making->conf->http->lists[which];

    making->key = conf_http_list_name(which);
    for (guint i = 0; i < list->len; i++) {
        struct http_extract *extract;
        struct outcome why;

        making->text = list->pdata[i];
        if (http_extract_parse(making->text->text, &extract, &why) < 0)
            fault(making, "%s", why.text);
        else
            g_ptr_array_add(to, extract);
    }
}

/* Retry-After is honoured, whatever else a provider has. */
static void
add_retry_after(struct http_settings *settings)
{
    struct http_extract *extract;
    struct outcome why;

    if (http_extract_parse("header", &extract, &why) == 0)
        g_ptr_array_add(settings->waits, extract);
}

static void
free_template(gpointer data)
{
    http_template_free(data);
}

static void
free_rule(gpointer data)
{
    http_rule_free(data);
}

static void
free_extract(gpointer data)
{
    http_extract_free(data);
}

static struct http_settings *
begin(const struct conf_gateway *conf)
{
    struct http_settings *settings = g_new0(struct http_settings, 1);
    const struct conf_http *http = conf->http;

    settings->references = 1;
    settings->id = g_strdup(conf->id);
    settings->header_names = g_ptr_array_new_with_free_func(g_free);
    settings->header_values = g_ptr_array_new_with_free_func(free_template);
    settings->rules = g_ptr_array_new_with_free_func(free_rule);
    settings->rule_places = g_ptr_array_new_with_free_func(g_free);
    settings->ids = g_ptr_array_new_with_free_func(free_extract);
    settings->codes = g_ptr_array_new_with_free_func(free_extract);
    settings->texts = g_ptr_array_new_with_free_func(free_extract);
    settings->waits = g_ptr_array_new_with_free_func(free_extract);
    settings->vars = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    settings->secret_file = g_strdup(http->secret_file);
    settings->secrets = http_secrets_none();
    out_set(&settings->secrets_why, OUT_OK, "2.0.0", "ok");
    settings->ca_file = g_strdup(http->ca_file);
    settings->cert_file = g_strdup(http->cert_file);
    settings->key_file = g_strdup(http->key_file);
    settings->proxy = g_strdup(http->proxy);
    settings->timeout_ms = http->timeout_ms;
    settings->validity_ms = http->validity_ms;
    settings->pass_values = http->pass_values;
    return settings;
}

struct http_settings *
http_settings_new(const struct conf_gateway *conf, Faults *faults)
{
    g_autoptr(HttpSettings) settings = begin(conf);
    struct making making = {.settings = settings, .conf = conf, .faults = faults};
    guint before = faults_errors(faults);

    get_vars(&making);
    get_request(&making);
    get_headers(&making);
    get_auth(&making);
    settings->dlr_url = parse_key(&making, CONF_HTTP_DLR_URL, HTTP_PLACE_URL);
    get_rules(&making);
    get_extracts(&making, CONF_HTTP_ID, settings->ids);
    get_extracts(&making, CONF_HTTP_CODE, settings->codes);
    get_extracts(&making, CONF_HTTP_REASON, settings->texts);
    get_extracts(&making, CONF_HTTP_RETRY_AFTER, settings->waits);
    add_retry_after(settings);
    return faults_errors(faults) == before ? g_steal_pointer(&settings) : NULL;
}

struct http_settings *
http_settings_ref(struct http_settings *settings)
{
    settings->references++;
    return settings;
}

void
http_settings_unref(struct http_settings *settings)
{
    if (!settings || --settings->references > 0)
        return;
    g_free(settings->id);
    for (int i = 0; i < HTTP_VARIANTS; i++) {
        http_template_free(settings->url[i]);
        http_template_free(settings->body[i]);
    }
    g_free(settings->method);
    g_free(settings->content_type);
    g_ptr_array_unref(settings->header_names);
    g_ptr_array_unref(settings->header_values);
    http_template_free(settings->user);
    http_template_free(settings->secret);
    http_template_free(settings->sigv4);
    http_template_free(settings->dlr_url);
    g_ptr_array_unref(settings->rules);
    g_ptr_array_unref(settings->rule_places);
    g_ptr_array_unref(settings->ids);
    g_ptr_array_unref(settings->codes);
    g_ptr_array_unref(settings->texts);
    g_ptr_array_unref(settings->waits);
    g_hash_table_unref(settings->vars);
    g_free(settings->secret_file);
    http_secrets_free(settings->secrets);
    g_free(settings->ca_file);
    g_free(settings->cert_file);
    g_free(settings->key_file);
    g_free(settings->proxy);
    g_free(settings);
}

/* The first name that a template wants and the file has not. */
static void
on_wanted(void *context, bool secret, const char *name)
{
    struct http_settings *settings = context;

    if (secret && settings->secrets_why.kind == OUT_OK &&
        !http_secrets_get(settings->secrets, name))
        out_set(&settings->secrets_why, OUT_CONFIG, "4.3.5", "%s: there is no line \"%s = ...\"",
                settings->secret_file, name);
}

static void
look_for_names(struct http_settings *settings, const struct http_template *tmpl)
{
    if (!tmpl)
        return;
    http_template_each_named(tmpl, on_wanted, settings);
    if (http_template_has(tmpl, "token"))
        on_wanted(settings, true, "token");
}

void
http_settings_read_secrets(struct http_settings *settings)
{
    struct http_secrets *secrets;

    if (!settings->secret_file)
        return;
    if (http_secrets_read(settings->secret_file, &secrets, &settings->secrets_why) < 0)
        return;
    http_secrets_free(settings->secrets);
    settings->secrets = secrets;
    out_set(&settings->secrets_why, OUT_OK, "2.0.0", "ok");
    for (int i = 0; i < HTTP_VARIANTS; i++) {
        look_for_names(settings, settings->url[i]);
        look_for_names(settings, settings->body[i]);
    }
    for (guint i = 0; i < settings->header_values->len; i++)
        look_for_names(settings, settings->header_values->pdata[i]);
    look_for_names(settings, settings->user);
    look_for_names(settings, settings->secret);
    look_for_names(settings, settings->sigv4);
    look_for_names(settings, settings->dlr_url);
}
