/* SPDX-License-Identifier: ISC */
/*
 * Owns the making of a request: which template serves, what its variables stand for, where the
 * credentials go, and that parameters out of an address never stand for one of the template's own.
 */
#include "transport/gateway/http_request.h"

#include <curl/curl.h>
#include <string.h>

#define MASK "***"

struct building {
    const struct http_settings *settings;
    const struct gateway_part *part;
    bool masked;
    struct http_values values;
    char *dlr_url; /* what values.dlr_url points to */
    struct http_request *request;
};

static void
wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

static void
wipe_string(GString *string)
{
    if (!string)
        return;
    explicit_bzero(string->str, string->len);
    g_string_free(string, TRUE);
}

static void
wipe_header(gpointer data)
{
    wipe(data);
}

void
http_request_free(struct http_request *request)
{
    if (!request)
        return;
    wipe(request->url);
    g_ptr_array_unref(request->headers);
    wipe_string(request->body);
    wipe(request->user);
    wipe(request->secret);
    wipe(request->sigv4);
    g_free(request);
}

static const char *
named(void *context, bool secret, const char *name)
{
    const struct building *building = context;

    if (!secret)
        return g_hash_table_lookup(building->settings->vars, name);
    return building->masked ? MASK : http_secrets_get(building->settings->secrets, name);
}

static int
refuse(struct outcome *why, const struct http_settings *settings, enum out_kind kind,
       const char *dsn, const char *text)
{
    out_set(why, kind, dsn, "%s: %s", settings->id, text);
    return -1;
}

/* NULL and why if it cannot be written. */
static char *
expand(struct building *building, const struct http_template *tmpl, struct outcome *why)
{
    GString *out = g_string_new(NULL);

    if (http_template_expand(tmpl, &building->values, out, why) == 0)
        return g_string_free(out, FALSE);
    out_prefix(why, "%s: ", building->settings->id);
    wipe_string(out);
    return NULL;
}

static enum http_variant
variant_of(const struct gateway_part *part)
{
    return strcmp(part->encoding, "8bit") == 0   ? HTTP_BINARY
           : strcmp(part->encoding, "ucs2") == 0 ? HTTP_UNICODE
                                                 : HTTP_ANY;
}

static const struct http_template *
choose(struct http_template *const *variants, const struct gateway_part *part)
{
    struct http_template *own = variants[variant_of(part)];

    return own ? own : variants[HTTP_ANY];
}

static int
set_values(struct building *building, gint64 now_s, struct outcome *why)
{
    const struct gateway_part *part = building->part;
    const char *token = named(building, true, "token");

    building->values = (struct http_values){
        .number = part->number,
        .originator = part->originator,
        .phone = part->phone,
        .ref = part->ref,
        .encoding = part->encoding,
        .text = part->text,
        .data = part->data,
        .udh = part->udh,
        .pid = part->pid,
        .dcs = part->dcs,
        .part = (guint)part->part,
        .parts = part->parts > 1 ? (guint)part->parts : part->sms,
        .ttl_s = building->settings->validity_ms / 1000,
        .now_s = now_s,
        .dlr_url = "",
        .token = token ? token : "",
        .named = named,
        .context = building,
    };
    if (building->settings->dlr_url) {
        building->dlr_url = expand(building, building->settings->dlr_url, why);
        if (!building->dlr_url)
            return -1;
        building->values.dlr_url = building->dlr_url;
    }
    return 0;
}

/* Does text, "a=1&b=2", have a parameter of that name? */
static bool
has_parameter(const char *text, const char *name)
{
    g_auto(GStrv) parameters = g_strsplit(text, "&", -1);

    for (char **parameter = parameters; *parameter; parameter++) {
        g_autofree char *plain = NULL;

        (*parameter)[strcspn(*parameter, "=")] = '\0';
        plain = g_uri_unescape_string(*parameter, NULL);
        if (g_ascii_strcasecmp(plain ? plain : *parameter, name) == 0)
            return true;
    }
    return false;
}

/* The address's own parameters behind the URL's (ICE-PAR-21); none may take the place of another,
 * such as the number's: that would reach whom the rules forbid. */
static int
add_values(struct building *building, struct outcome *why)
{
    struct http_request *request = building->request;
    const char *values = building->part->values;
    const char *query = strchr(request->url, '?');
    g_auto(GStrv) parameters = g_strsplit(values + (*values == '&'), "&", -1);
    g_autofree char *escaped = NULL;
    char *longer;

    if (!*values)
        return 0;
    if (!building->settings->pass_values)
        return refuse(why, building->settings, OUT_REFUSED, "5.7.1",
                      "takes no parameters out of addresses");
    for (char **parameter = parameters; *parameter; parameter++) {
        g_autofree char *name = g_strndup(*parameter, strcspn(*parameter, "="));
        g_autofree char *plain = g_uri_unescape_string(name, NULL);

        if ((query && has_parameter(query + 1, plain ? plain : name)) ||
            (request->body && has_parameter(request->body->str, plain ? plain : name)))
            return refuse(why, building->settings, OUT_REFUSED, "5.7.1",
                          "a parameter of value= is the gateway's own");
    }
    /* Percent signs are the sender's own; what is no ASCII gets some. */
    escaped = g_uri_escape_string(values + (*values == '&'), "!$&'()*+,;=:@/?%", FALSE);
    longer = g_strconcat(request->url, query ? "&" : "?", escaped, NULL);
    wipe(request->url);
    request->url = longer;
    return 0;
}

static int
add_header(struct building *building, const char *name, const struct http_template *tmpl,
           struct outcome *why)
{
    char *value = expand(building, tmpl, why);

    if (!value)
        return -1;
    g_ptr_array_add(building->request->headers, g_strconcat(name, ": ", value, NULL));
    wipe(value);
    return 0;
}

/* "user:password" in one, as a file of one line has it. */
static int
split_credentials(struct building *building, struct outcome *why)
{
    struct http_request *request = building->request;
    const char *user = named(building, true, "user");
    char *colon = strchr(request->secret, ':');

    if (building->masked || user) {
        request->user = g_strdup(user ? user : MASK);
        return 0;
    }
    if (!colon)
        return refuse(why, building->settings, OUT_CONFIG, "4.3.5",
                      "auth = \"basic\" has no user: set auth.user, or a line \"user = ...\" in "
                      "secret_file");
    request->user = g_strndup(request->secret, (gsize)(colon - request->secret));
    memmove(request->secret, colon + 1, strlen(colon));
    return 0;
}

static int
add_auth(struct building *building, struct outcome *why)
{
    const struct http_settings *settings = building->settings;
    struct http_request *request = building->request;
    g_autofree char *header = NULL;
    char *longer;

    if (settings->auth == HTTP_AUTH_NONE)
        return 0;
    if ((settings->user && !(request->user = expand(building, settings->user, why))) ||
        (settings->sigv4 && !(request->sigv4 = expand(building, settings->sigv4, why))) ||
        !(request->secret = expand(building, settings->secret, why)))
        return -1;
    switch (settings->auth) {
    case HTTP_AUTH_BASIC:
        return request->user ? 0 : split_credentials(building, why);
    case HTTP_AUTH_BEARER:
        g_ptr_array_add(request->headers,
                        g_strconcat("Authorization: Bearer ", request->secret, NULL));
        break;
    case HTTP_AUTH_HEADER:
        g_ptr_array_add(request->headers, g_strconcat(request->user, ": ", request->secret, NULL));
        break;
    case HTTP_AUTH_QUERY:
        longer = g_strconcat(request->url, strchr(request->url, '?') ? "&" : "?", request->user,
                             "=", request->secret, NULL);
        wipe(request->url);
        request->url = longer;
        break;
    case HTTP_AUTH_NONE:
    case HTTP_AUTH_SIGV4:
        return 0;
    }
    /* They are where they belong; libcurl must not send them a second way. */
    g_clear_pointer(&request->user, wipe);
    g_clear_pointer(&request->secret, wipe);
    return 0;
}

static int
check_url(struct building *building, struct outcome *why)
{
    const char *url = building->request->url;
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    bool good;

    good = !strpbrk(url, " \r\n\t") && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
           curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
           (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    if (good)
        return 0;
    return refuse(why, building->settings, OUT_CONFIG, "4.3.5", "url is no URL of http or https");
}

static int
build(struct building *building, struct outcome *why)
{
    const struct http_settings *settings = building->settings;
    struct http_request *request = building->request;
    const struct http_template *body = choose(settings->body, building->part);

    request->method = settings->method;
    if (!(request->url = expand(building, choose(settings->url, building->part), why)))
        return -1;
    if (body) {
        request->body = g_string_new(NULL);
        if (http_template_expand(body, &building->values, request->body, why) < 0) {
            out_prefix(why, "%s: ", settings->id);
            return -1;
        }
        g_ptr_array_add(request->headers,
                        g_strconcat("Content-Type: ", settings->content_type, NULL));
    }
    for (guint i = 0; i < settings->header_names->len; i++)
        if (add_header(building, settings->header_names->pdata[i],
                       settings->header_values->pdata[i], why) < 0)
            return -1;
    /* Behind the credentials: they may be parameters that no address repeats. */
    if (add_auth(building, why) < 0 || add_values(building, why) < 0)
        return -1;
    return check_url(building, why);
}

int
http_request_build(const struct http_settings *settings, const struct gateway_part *part,
                   gint64 now_s, bool masked, struct http_request **ret, struct outcome *why)
{
    struct building building = {.settings = settings, .part = part, .masked = masked};
    int result;

    if (!masked && settings->secrets_why.kind != OUT_OK) {
        *why = settings->secrets_why;
        out_prefix(why, "%s: ", settings->id);
        return -1;
    }
    building.request = g_new0(struct http_request, 1);
    building.request->headers = g_ptr_array_new_with_free_func(wipe_header);
    result = set_values(&building, now_s, why);
    if (result == 0)
        result = build(&building, why);
    wipe(building.dlr_url);
    if (result == 0)
        *ret = building.request;
    else
        http_request_free(building.request);
    return result;
}
