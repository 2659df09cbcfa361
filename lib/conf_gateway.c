/* SPDX-License-Identifier: ISC */
/*
 * Owns the keys of a gateway and the profiles from which an HTTP gateway takes those that it does
 * not set itself. A profile is a file of the same keys. What templates and rules mean is not known
 * here: they are kept as texts, with the place where they stand.
 */
#include "lib/conf_gateway.h"

#include "lib/place.h"
#include <string.h>

#define PROFILES "share/postsms/profiles"
#define ONE_SMS  160 /* characters that one holds at most */

static const char *const text_names[CONF_HTTP_TEXTS] = {
    [CONF_HTTP_URL] = "url",
    [CONF_HTTP_URL_UNICODE] = "url.unicode",
    [CONF_HTTP_URL_BINARY] = "url.binary",
    [CONF_HTTP_METHOD] = "method",
    [CONF_HTTP_CONTENT_TYPE] = "content_type",
    [CONF_HTTP_BODY] = "body",
    [CONF_HTTP_BODY_UNICODE] = "body.unicode",
    [CONF_HTTP_BODY_BINARY] = "body.binary",
    [CONF_HTTP_AUTH] = "auth",
    [CONF_HTTP_AUTH_USER] = "auth.user",
    [CONF_HTTP_AUTH_SECRET] = "auth.secret",
    [CONF_HTTP_SIGV4] = "sigv4",
    [CONF_HTTP_DLR_URL] = "dlr_url",
};

static const char *const list_names[CONF_HTTP_LISTS] = {
    [CONF_HTTP_HEADERS] = "headers", [CONF_HTTP_RESULT] = "result",
    [CONF_HTTP_ID] = "id",           [CONF_HTTP_CODE] = "code",
    [CONF_HTTP_REASON] = "text",     [CONF_HTTP_RETRY_AFTER] = "retry_after",
    [CONF_HTTP_VARS] = "vars",
};

/* What a profile may say, and a gateway in its place. */
#define PROFILE_KEYS                                                                               \
    CFG_STR("url", NULL, CFGF_NONE), CFG_STR("url.unicode", NULL, CFGF_NONE),                      \
        CFG_STR("url.binary", NULL, CFGF_NONE), CFG_STR("method", NULL, CFGF_NONE),                \
        CFG_STR("content_type", NULL, CFGF_NONE), CFG_STR("body", NULL, CFGF_NONE),                \
        CFG_STR("body.unicode", NULL, CFGF_NONE), CFG_STR("body.binary", NULL, CFGF_NONE),         \
        CFG_STR("auth", NULL, CFGF_NONE), CFG_STR("auth.user", NULL, CFGF_NONE),                   \
        CFG_STR("auth.secret", NULL, CFGF_NONE), CFG_STR("sigv4", NULL, CFGF_NONE),                \
        CFG_STR("dlr_url", NULL, CFGF_NONE), CFG_STR_LIST("headers", "{}", CFGF_NONE),             \
        CFG_STR_LIST("result", "{}", CFGF_NONE), CFG_STR_LIST("id", "{}", CFGF_NONE),              \
        CFG_STR_LIST("code", "{}", CFGF_NONE), CFG_STR_LIST("text", "{}", CFGF_NONE),              \
        CFG_STR_LIST("retry_after", "{}", CFGF_NONE), CFG_STR_LIST("vars", "{}", CFGF_NONE),       \
        CFG_STR("split", "remote", CFGF_NONE), CFG_BOOL("binary", cfg_false, CFGF_NONE),           \
        CFG_BOOL("values", cfg_true, CFGF_NONE), CFG_STR("timeout", "60", CFGF_NONE),              \
        CFG_STR("validity", "48h", CFGF_NONE), CFG_STR("repeat_safe", "0", CFGF_NONE),             \
        CFG_INT("max_parts", 0, CFGF_NONE), CFG_INT("max_chars", 0, CFGF_NONE)

/* And those that every type of gateway has. */
#define SHARED_KEYS                                                                                \
    CFG_STR("description", "", CFGF_NONE), CFG_INT("concurrency", 0, CFGF_NONE),                   \
        CFG_STR("rate", "0", CFGF_NONE), CFG_INT("burst", 0, CFGF_NONE),                           \
        CFG_INT("originator_max", 11, CFGF_NONE)

static cfg_opt_t profile_keys[] = {
    PROFILE_KEYS,
    SHARED_KEYS,
    CFG_BOOL("untested", cfg_false, CFGF_NONE),
    CFG_END(),
};

/* The man pages and tests/system/test_docs.py read this table. */
cfg_opt_t conf_gateway_keys[] = {
    CFG_STR("type", NULL, CFGF_NONE),
    CFG_BOOL("active", cfg_true, CFGF_NONE),
    CFG_BOOL("demo", cfg_false, CFGF_NONE),
    CFG_STR("originator", "", CFGF_NONE),
    CFG_INT("weight", 1, CFGF_NONE),
    CFG_INT("out_after", 3, CFGF_NONE),
    CFG_STR("unknown", "hold", CFGF_NONE),
    CFG_STR("unknown_after", "1h", CFGF_NONE),
    SHARED_KEYS,
    CFG_STR("path", NULL, CFGF_NONE),
    CFG_STR("delay", "0", CFGF_NONE),
    CFG_INT("fail_every", 0, CFGF_NONE),
    CFG_STR("profile", "", CFGF_NONE),
    CFG_STR("secret_file", NULL, CFGF_NONE),
    CFG_STR("ca_file", NULL, CFGF_NONE),
    CFG_STR("cert_file", NULL, CFGF_NONE),
    CFG_STR("key_file", NULL, CFGF_NONE),
    CFG_STR("proxy", "", CFGF_NONE),
    PROFILE_KEYS,
    CFG_END(),
};

static const char *const file_keys[] = {"path", "delay", "fail_every", NULL};
static const char *const http_keys[] = {"profile",  "secret_file", "ca_file", "cert_file",
                                        "key_file", "proxy",       NULL};

const char *
conf_http_text_name(enum conf_http_text which)
{
    return text_names[which];
}

const char *
conf_http_list_name(enum conf_http_list which)
{
    return list_names[which];
}

static void
text_free(gpointer data)
{
    struct conf_text *text = data;

    g_free(text->text);
    g_free(text);
}

static void
http_free(struct conf_http *http)
{
    if (!http)
        return;
    for (int i = 0; i < CONF_HTTP_TEXTS; i++)
        g_free(http->texts[i].text);
    for (int i = 0; i < CONF_HTTP_LISTS; i++)
        g_ptr_array_unref(http->lists[i]);
    g_free(http->profile);
    g_free(http->secret_file);
    g_free(http->ca_file);
    g_free(http->cert_file);
    g_free(http->key_file);
    g_free(http->proxy);
    g_free(http);
}

void
conf_gateway_free(gpointer data)
{
    struct conf_gateway *gateway = data;

    g_free(gateway->id);
    g_free(gateway->type);
    g_free(gateway->description);
    g_free(gateway->originator);
    g_free(gateway->path);
    http_free(gateway->http);
    g_free(gateway);
}

static void
refuse_keys(cfg_t *cfg, const char *const *names, const char *type)
{
    for (; *names; names++)
        if (value_line(cfg, *names))
            value_key_fault(cfg, *names, "%s is for gateways of type \"%s\"", *names, type);
}

/* Keys that a profile may have are HTTP's, but for those that all share. */
static void
refuse_http_keys(cfg_t *cfg)
{
    static const cfg_opt_t http_only[] = {PROFILE_KEYS, CFG_END()};

    refuse_keys(cfg, http_keys, "http");
    for (const cfg_opt_t *opt = http_only; opt->name; opt++)
        if (value_line(cfg, opt->name))
            value_key_fault(cfg, opt->name, "%s is for gateways of type \"http\"", opt->name);
}

/* "5", "0.5", "30/m": SMS per second. */
static double
get_rate(cfg_t *cfg)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
    const char *text = cfg_getstr(cfg, "rate");
    char *end;
    double number = g_ascii_strtod(text, &end);

    for (guint i = 0; end != text && number >= 0 && number <= 1e6 && i < G_N_ELEMENTS(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            return number / units[i].seconds;
    value_key_fault(cfg, "rate", "rate: \"%s\" is not SMS per time such as 5, 0.5 or 30/m", text);
    return 0;
}

/* The profile's values where the section has none of its own. */
static void
adopt_profile(cfg_t *cfg, struct conf *conf, const char *id)
{
    const char *name = cfg_getstr(cfg, "profile");
    g_autofree char *file = g_strconcat(PROFILES "/", name, ".conf", NULL);
    char *path = *name == '/' ? g_strdup(name) : place_path(file);
    cfg_t *profile;

    g_ptr_array_add(conf->profiles, path);
    if (*name != '/' && (strchr(name, '/') || !g_file_test(path, G_FILE_TEST_EXISTS))) {
        value_key_fault(cfg, "profile",
                        "profile: there is no \"%s\"; \"postsms gateway profiles\" lists them, or "
                        "give the path of a file",
                        name);
        return;
    }
    profile = value_include(path, profile_keys);
    if (!profile)
        return;
    value_adopt(cfg, profile);
    if (cfg_getbool(profile, "untested"))
        value_warn(value_line(cfg, "profile"),
                   "gateway \"%s\": nobody has reported that profile \"%s\" works; try \"postsms "
                   "gateway test %s\"",
                   id, name, id);
}

char *
conf_profile_dir(void)
{
    return place_path(PROFILES);
}

bool
conf_profile_read(const char *path, struct conf_profile *ret, Faults *faults)
{
    guint before = faults_errors(faults);
    g_autofree char *text = value_read(path, faults);
    cfg_t *cfg;

    if (!text)
        return false;
    cfg = value_begin(path, faults, profile_keys);
    if (value_parse(cfg, text))
        *ret = (struct conf_profile){g_strdup(cfg_getstr(cfg, "description")),
                                     cfg_getbool(cfg, "untested")};
    else if (faults_errors(faults) == before)
        faults_add(faults, path, cfg->line, "cannot be read from here on");
    value_end(cfg);
    return faults_errors(faults) == before;
}

static void
get_http(cfg_t *cfg, struct conf_gateway *gateway)
{
    struct conf_http *http = g_new0(struct conf_http, 1);

    gateway->http = http;
    http->profile = g_strdup(cfg_getstr(cfg, "profile"));
    for (int i = 0; i < CONF_HTTP_TEXTS; i++)
        http->texts[i] =
            (struct conf_text){g_strdup(cfg_getstr(cfg, text_names[i])),
                               value_file(cfg, text_names[i]), value_line(cfg, text_names[i])};
    for (int i = 0; i < CONF_HTTP_LISTS; i++) {
        http->lists[i] = g_ptr_array_new_with_free_func(text_free);
        for (guint n = 0; n < cfg_size(cfg, list_names[i]); n++) {
            struct conf_text *text = g_new0(struct conf_text, 1);

            *text = (struct conf_text){g_strdup(cfg_getnstr(cfg, list_names[i], n)),
                                       value_file(cfg, list_names[i]),
                                       value_item_line(cfg, list_names[i], n)};
            g_ptr_array_add(http->lists[i], text);
        }
    }
    http->secret_file = value_path_if(cfg, "secret_file");
    http->ca_file = value_path_if(cfg, "ca_file");
    http->cert_file = value_path_if(cfg, "cert_file");
    http->key_file = value_path_if(cfg, "key_file");
    http->proxy = g_strdup(cfg_getstr(cfg, "proxy"));
    http->timeout_ms = value_time(cfg, "timeout");
    http->validity_ms = value_time(cfg, "validity");
    http->pass_values = cfg_getbool(cfg, "values");
    if (http->timeout_ms < 1000 || http->timeout_ms > 3600000)
        value_key_fault(cfg, "timeout", "timeout: between 1s and 1h is wanted");
    if (http->validity_ms < 60000)
        value_key_fault(cfg, "validity", "validity: at least 1m is wanted");
    if (http->key_file && !http->cert_file)
        value_key_fault(cfg, "key_file", "key_file: without cert_file there is nothing it is for");
    if (!http->texts[CONF_HTTP_URL].text)
        value_fault(gateway->line, "gateway \"%s\": url or profile is needed", gateway->id);
    gateway->split_remote = !value_choice(cfg, "split", "local", "remote");
    gateway->binary = cfg_getbool(cfg, "binary");
    gateway->repeat_safe_ms = value_time(cfg, "repeat_safe");
    gateway->max_parts = value_int(cfg, "max_parts", 0, 128);
    gateway->max_chars = value_int(cfg, "max_chars", 0, 100000);
    if (gateway->max_chars > 0 && gateway->max_chars < ONE_SMS)
        value_key_fault(cfg, "max_chars", "max_chars: 0 for no limit, or at least %d", ONE_SMS);
}

static void
get_file(cfg_t *cfg, struct conf_gateway *gateway)
{
    refuse_http_keys(cfg);
    gateway->path = value_path(cfg, "path");
    gateway->delay_ms = value_time(cfg, "delay");
    gateway->fail_every = value_int(cfg, "fail_every", 0, G_MAXINT);
    gateway->binary = true;
    gateway->tables = true;
    if (gateway->active)
        value_warn(cfg->line,
                   "gateway \"%s\" writes to a file: for demos and tests, no SMS reaches a phone",
                   gateway->id);
}

/* A number, or letters that no alphabet of SMS is without; what senders may choose themselves is
 * looked at closer (transport/dispatch/originator.h). */
static void
check_originator(cfg_t *cfg, const struct conf_gateway *gateway)
{
    const char *originator = gateway->originator;
    bool plus = *originator == '+';
    gsize length = strlen(originator);
    gsize digits = strspn(originator + plus, "0123456789");

    if (digits > 0 && plus + digits == length && digits <= (plus ? 15 : 8))
        return;
    for (const char *p = originator; *p; p++)
        if (!g_ascii_isprint(*p) || *p == '`') {
            value_key_fault(cfg, "originator",
                            "originator: \"%s\" has characters that are not in every alphabet",
                            originator);
            return;
        }
    if (length > (gsize)gateway->originator_max)
        value_key_fault(cfg, "originator",
                        "originator: \"%s\" is neither + and up to 15 digits, nor up to 8 digits, "
                        "nor up to %d characters (originator_max)",
                        originator, gateway->originator_max);
}

static void
get_common(cfg_t *cfg, struct conf_gateway *gateway)
{
    static const char *const unknowns[] = {
        [CONF_UNKNOWN_HOLD] = "hold",
        [CONF_UNKNOWN_RETRY] = "retry",
        [CONF_UNKNOWN_GIVE_UP] = "give-up",
    };

    gateway->description = g_strdup(cfg_getstr(cfg, "description"));
    gateway->active = cfg_getbool(cfg, "active");
    gateway->demo = cfg_getbool(cfg, "demo");
    gateway->originator = g_strdup(cfg_getstr(cfg, "originator"));
    gateway->originator_max = value_int(cfg, "originator_max", 0, 16);
    check_originator(cfg, gateway);
    gateway->concurrency = value_int(cfg, "concurrency", 0, 1000);
    gateway->rate = get_rate(cfg);
    gateway->burst = MAX(1, value_int(cfg, "burst", 0, 100000));
    gateway->weight = value_int(cfg, "weight", 1, 1000);
    gateway->out_after = value_int(cfg, "out_after", 1, 1000);
    gateway->unknown = (enum conf_unknown)value_word(cfg, "unknown", unknowns);
    gateway->unknown_after_ms = value_time(cfg, "unknown_after");
    if (value_line(cfg, "burst") && gateway->rate <= 0)
        value_key_fault(cfg, "burst", "burst: without rate there is nothing to exceed");
}

void
conf_gateway_get(cfg_t *cfg, struct conf *conf)
{
    struct conf_gateway *gateway = g_new0(struct conf_gateway, 1);
    const char *type = cfg_getstr(cfg, "type");

    g_ptr_array_add(conf->gateways, gateway);
    gateway->id = g_strdup(cfg_title(cfg));
    gateway->file = conf->file;
    gateway->line = cfg->line;
    gateway->type = g_strdup(type ? type : "");
    if (!gateway->id[0] ||
        gateway->id[strspn(gateway->id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-")])
        value_fault(cfg->line, "gateway \"%s\": a name of letters, digits, - and _ is needed",
                    gateway->id);
    if (strcmp(gateway->type, "http") == 0 && *cfg_getstr(cfg, "profile"))
        adopt_profile(cfg, conf, gateway->id);
    get_common(cfg, gateway);
    if (strcmp(gateway->type, "http") == 0) {
        refuse_keys(cfg, file_keys, "file");
        get_http(cfg, gateway);
    } else if (strcmp(gateway->type, "file") == 0) {
        get_file(cfg, gateway);
    } else {
        value_fault(cfg->line,
                    "gateway \"%s\": type \"%s\" is not known; this version has file and http",
                    gateway->id, gateway->type);
    }
}
