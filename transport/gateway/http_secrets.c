/* SPDX-License-Identifier: ISC */
/* Owns secret files. A value leaves here for a request and for nothing else. */
#include "transport/gateway/http_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  16384
#define MASK      "***"
#define MASK_FROM 4 /* shorter ones would mask ordinary words */
#define ALONE     "secret"

struct http_secrets {
    GHashTable *values; /* name → value */
};

static void
wipe(gpointer data)
{
    explicit_bzero(data, strlen(data));
    g_free(data);
}

struct http_secrets *
http_secrets_none(void)
{
    struct http_secrets *secrets = g_new0(struct http_secrets, 1);

    secrets->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    return secrets;
}

void
http_secrets_free(struct http_secrets *secrets)
{
    if (!secrets)
        return;
    g_hash_table_unref(secrets->values);
    g_free(secrets);
}

const char *
http_secrets_get(const struct http_secrets *secrets, const char *name)
{
    return g_hash_table_lookup(secrets->values, name);
}

static int
refuse(struct outcome *why, const char *path, int line, const char *text)
{
    if (line)
        out_set(why, OUT_CONFIG, "4.3.5", "%s:%d: %s", path, line, text);
    else
        out_set(why, OUT_CONFIG, "4.3.5", "%s: %s", path, text);
    return -1;
}

/* What is in the file, ended by NUL; the caller wipes it. */
static int
slurp(const char *path, char *buffer, struct outcome *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    gssize got = -1;
    int result;

    if (fd < 0)
        return refuse(why, path, 0, g_strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        result = refuse(why, path, 0, "is not a file");
    else if (status.st_mode & S_IROTH)
        result = refuse(why, path, 0,
                        "holds secrets and everybody may read it; chmod o-rwx, and give the group "
                        "of postsmsd");
    else if ((got = read(fd, buffer, FILE_MAX)) < 0 || got == FILE_MAX)
        result = refuse(why, path, 0, got < 0 ? g_strerror(errno) : "is too long");
    else
        result = 0;
    buffer[MAX(got, 0)] = '\0';
    close(fd);
    return result;
}

static bool
is_name(const char *text, gsize len)
{
    return len > 0 && strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-") == len;
}

/* One line, ended by NUL. */
static int
add_line(struct http_secrets *secrets, char *line, const char *path, int number,
         struct outcome *why)
{
    char *equals = strchr(line, '=');

    *equals = '\0';
    g_strchomp(line);
    if (!is_name(line, strlen(line)))
        return refuse(why, path, number, "\"name = value\" is expected");
    if (g_hash_table_contains(secrets->values, line))
        return refuse(why, path, number, "the name stands here for the second time");
    g_hash_table_insert(secrets->values, g_strdup(line), g_strdup(g_strstrip(equals + 1)));
    return 0;
}

/* "name =" at its beginning; a secret alone may have a '=' in it, but not so. */
static bool
is_named(const char *line)
{
    gsize len = strspn(line, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-");

    return len > 0 && line[len + strspn(line + len, " \t")] == '=';
}

static int
parse(struct http_secrets *secrets, char *text, const char *path, struct outcome *why)
{
    int number = 0;
    int alone_at = 0;
    guint values = 0;
    char *next;

    for (char *line = text; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        g_strstrip(line);
        if (!*line || *line == '#')
            continue;
        values++;
        if (is_named(line)) {
            if (add_line(secrets, line, path, number, why) < 0)
                return -1;
        } else {
            alone_at = number;
            g_hash_table_insert(secrets->values, g_strdup(ALONE), g_strdup(line));
        }
    }
    if (values == 0)
        return refuse(why, path, 0, "is empty");
    if (alone_at && values > 1)
        return refuse(why, path, alone_at, "\"name = value\" is expected");
    return 0;
}

int
http_secrets_read(const char *path, struct http_secrets **ret, struct outcome *why)
{
    struct http_secrets *secrets = http_secrets_none();
    char buffer[FILE_MAX + 1];
    int result = slurp(path, buffer, why);

    if (result == 0)
        result = parse(secrets, buffer, path, why);
    explicit_bzero(buffer, sizeof(buffer));
    if (result == 0)
        *ret = secrets;
    else
        http_secrets_free(secrets);
    return result;
}

static void
mask_text(GString *text, const char *secret)
{
    if (strlen(secret) >= MASK_FROM)
        g_string_replace(text, secret, MASK, 0);
}

/* Also in the shapes in which a provider may repeat it: percent-encoded, as JSON or HTML has it. */
static void
mask_value(GString *text, const char *secret)
{
    g_autofree char *encoded = g_uri_escape_string(secret, NULL, FALSE);
    g_autofree char *markup = g_markup_escape_text(secret, -1);
    g_autofree char *base64 = g_base64_encode((const guchar *)secret, strlen(secret));
    g_autoptr(GString) other = g_string_new(secret);

    if (strlen(secret) < MASK_FROM)
        return;
    mask_text(text, secret);
    mask_text(text, encoded);
    mask_text(text, markup);
    mask_text(text, base64);
    g_string_replace(other, "/", "\\/", 0);
    mask_text(text, other->str);
    g_string_assign(other, encoded);
    for (char *at = other->str; (at = strchr(at, '%')); at += 3) {
        at[1] = g_ascii_tolower(at[1]);
        at[2] = g_ascii_tolower(at[2]);
    }
    mask_text(text, other->str);
    explicit_bzero(encoded, strlen(encoded));
    explicit_bzero(markup, strlen(markup));
    explicit_bzero(base64, strlen(base64));
    explicit_bzero(other->str, other->len);
}

void
http_secrets_mask(const struct http_secrets *secrets, GString *text)
{
    GHashTableIter iter, others;
    gpointer value, other;

    g_hash_table_iter_init(&iter, secrets->values);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        /* Two of them are user and password of basic authentication. */
        g_hash_table_iter_init(&others, secrets->values);
        while (g_hash_table_iter_next(&others, NULL, &other)) {
            g_autofree char *both = g_strconcat(value, ":", other, NULL);
            g_autofree char *base64 = g_base64_encode((const guchar *)both, strlen(both));

            mask_text(text, base64);
            explicit_bzero(both, strlen(both));
            explicit_bzero(base64, strlen(base64));
        }
        mask_value(text, value);
    }
}
