/* SPDX-License-Identifier: ISC */
/*
 * The settings of one HTTP gateway made ready: templates and rules parsed, secrets read. Immutable
 * and counted, since parts in flight keep those they began with.
 */
#ifndef TRANSPORT_GATEWAY_HTTP_SETTINGS_H
#define TRANSPORT_GATEWAY_HTTP_SETTINGS_H

#include "transport/gateway/http_result.h"
#include "transport/gateway/http_secrets.h"
#include "transport/gateway/http_template.h"

/* For which messages a URL or body stands. */
enum http_variant { HTTP_ANY, HTTP_UNICODE, HTTP_BINARY, HTTP_VARIANTS };

enum http_auth {
    HTTP_AUTH_NONE,
    HTTP_AUTH_BASIC,  /* user and secret */
    HTTP_AUTH_BEARER, /* secret */
    HTTP_AUTH_HEADER, /* the header user has the value secret */
    HTTP_AUTH_QUERY,  /* the query parameter user has the value secret */
    HTTP_AUTH_SIGV4,  /* user is the key's id, secret the key */
};

struct http_settings {
    int references;
    char *id;
    struct http_template *url[HTTP_VARIANTS]; /* NULL where ANY serves; so are bodies */
    struct http_template *body[HTTP_VARIANTS];
    char *method;
    char *content_type;       /* "" without a body */
    GPtrArray *header_names;  /* char * */
    GPtrArray *header_values; /* struct http_template *, one a name */
    enum http_auth auth;
    struct http_template *user, *secret; /* NULL where auth needs none */
    struct http_template *sigv4;
    struct http_template *dlr_url;  /* NULL: none */
    GPtrArray *rules;               /* struct http_rule * */
    GPtrArray *rule_places;         /* char *: "vonage.conf:12", one a rule */
    GPtrArray *ids, *codes, *texts; /* struct http_extract * */
    GPtrArray *waits;               /* struct http_extract *; Retry-After last */
    GHashTable *vars;
    char *secret_file; /* NULL: none */
    struct http_secrets *secrets;
    struct outcome secrets_why; /* OK, or why they are not there */
    char *ca_file, *cert_file, *key_file;
    char *proxy;
    gint64 timeout_ms, validity_ms;
    bool pass_values;
};

/* What is wrong with templates, rules and names in them is added to faults; NULL if anything is.
 * Without a look at any file. */
struct http_settings *http_settings_new(const struct conf_gateway *conf, Faults *faults);
struct http_settings *http_settings_ref(struct http_settings *settings);
void http_settings_unref(struct http_settings *settings);
typedef struct http_settings HttpSettings;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpSettings, http_settings_unref)

/* Reads the secrets; secrets_why says what is wrong, or which name a template wants and the file
 * has not. */
void http_settings_read_secrets(struct http_settings *settings);

#endif
