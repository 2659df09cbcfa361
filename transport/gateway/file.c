/* SPDX-License-Identifier: ISC */
/*
 * The file gateway: each part becomes one JSON object on a line of a file. For demos and tests; it
 * can be slow and it can fail on purpose. Owns that file. The file is its own evidence: it never
 * leaves a part unknown.
 */
#include "transport/gateway/private.h"

#include "lib/hex.h"
#include "lib/killpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 4096 /* far above what one part can become */
#define SLOTS_AT_ONCE   32   /* without delay: enough that commits are shared */

struct file_gateway {
    struct gateway base;
    char *path;
    gint64 delay_ms;
    int concurrency;
    int fail_every;
    guint64 submissions;
    sd_event_source *probe;
    gateway_probed_fn *probed;
    void *probed_context;
};

struct submission {
    struct file_gateway *gateway;
    const struct gateway_part *part;
    gateway_done_fn *done;
    void *context;
};

static struct gateway *
file_new(void)
{
    struct file_gateway *gateway = g_new0(struct file_gateway, 1);

    return &gateway->base;
}

static void
file_free(struct gateway *base)
{
    struct file_gateway *gateway = (struct file_gateway *)base;

    sd_event_source_disable_unref(gateway->probe);
    g_free(gateway->path);
    g_free(gateway);
}

static void
file_configure(struct gateway *base, const struct conf_gateway *conf)
{
    struct file_gateway *gateway = (struct file_gateway *)base;

    g_free(gateway->path);
    gateway->path = g_strdup(conf->path);
    gateway->delay_ms = conf->delay_ms;
    gateway->concurrency = conf->concurrency;
    gateway->fail_every = conf->fail_every;
}

/* With a delay it stands for a modem, which takes one at a time. */
static guint
file_slots(const struct gateway *base)
{
    const struct file_gateway *gateway = (const struct file_gateway *)base;

    if (gateway->concurrency > 0)
        return (guint)gateway->concurrency;
    return gateway->delay_ms > 0 ? 1 : SLOTS_AT_ONCE;
}

static gint64
file_expected_ms(const struct gateway *base)
{
    return ((const struct file_gateway *)base)->delay_ms;
}

static int
on_probe(sd_event_source *source, uint64_t usec, void *data)
{
    struct file_gateway *gateway = data;
    const char *id = gateway->base.id;
    enum gateway_health health = GATEWAY_WELL;
    int fd = open(gateway->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct outcome why;

    (void)source;
    (void)usec;
    gateway->probe = sd_event_source_disable_unref(gateway->probe);
    out_set(&why, OUT_OK, "2.0.0", "%s: can be written", id);
    if (fd < 0) {
        out_set(&why, OUT_RETRY, "4.3.0", "%s: %s: %s", id, gateway->path, g_strerror(errno));
        health = GATEWAY_ILL;
    } else {
        close(fd);
        if (gateway->fail_every == 1) {
            out_set(&why, OUT_RETRY, "4.3.0", "%s: refuses everything, as fail_every asks", id);
            health = GATEWAY_ILL;
        } else if (gateway->fail_every > 0) {
            health = GATEWAY_TRY; /* whose turn it is to be refused shows when it is tried */
        }
    }
    gateway->probed(gateway->probed_context, health, &why);
    return 0;
}

static void
file_probe(struct gateway *base, gateway_probed_fn *done, void *context)
{
    struct file_gateway *gateway = (struct file_gateway *)base;
    int error;

    gateway->probed = done;
    gateway->probed_context = context;
    error = sd_event_add_time_relative(base->host->loop, &gateway->probe, CLOCK_MONOTONIC, 0, 1,
                                       on_probe, gateway);
    g_assert(error >= 0); /* fails only without memory */
}

static char *
json_line(const struct file_gateway *gateway, const struct gateway_part *part)
{
    g_autofree char *time = clk_string(gateway->base.host->clk->wall());
    g_autofree char *udh = hex_of(part->udh);
    g_autofree char *data = hex_of(part->data);
    bool binary = strcmp(part->encoding, "8bit") == 0;
    json_t *object;
    char *dump;
    char *line;

    object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:i, s:i, s:s, s:i, s:s}", "time", time, "id",
                  part->ref, "number", part->number, "originator", part->originator, "encoding",
                  part->encoding, "text", binary ? NULL : part->text, "part", part->part, "parts",
                  part->parts, "udh", udh, "dcs", part->dcs, "gateway", gateway->base.id);
    /* What a text message never has is named only where it says something. */
    if (binary)
        json_object_set_new(object, "data", json_string(data));
    if (part->pid)
        json_object_set_new(object, "pid", json_integer(part->pid));
    dump = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    line = dump ? g_strconcat(dump, "\n", NULL) : NULL;
    free(dump);
    return line;
}

/* A line that a crash cut short is no SMS (file_find says so too) and must not spoil the next. */
static int
cut_torn_line(int fd, off_t *size)
{
    char tail[LINE_MAX_OCTETS];
    gssize got = *size > 0 ? pread(fd, tail, sizeof(tail), MAX(0, *size - (off_t)sizeof(tail))) : 0;
    const char *end;

    if (got <= 0 || tail[got - 1] == '\n')
        return (int)MIN(got, 0);
    end = memrchr(tail, '\n', (gsize)got);
    if (!end && got < *size)
        return 0; /* nothing that we wrote */
    *size -= end ? tail + got - (end + 1) : got;
    return ftruncate(fd, *size);
}

/* Appends the whole line or nothing; UNKNOWN only if a torn line could not be taken back. */
static enum gateway_class
append_line(struct file_gateway *gateway, const char *line, struct outcome *why)
{
    const char *id = gateway->base.id;
    int fd = open(gateway->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    enum gateway_class class = GATEWAY_ACCEPTED;
    struct stat before;
    gssize written;

    if (fd < 0 || fstat(fd, &before) < 0 || cut_torn_line(fd, &before.st_size) < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "%s: %s: %s", id, gateway->path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return GATEWAY_TEMPORARY;
    }
    written = write(fd, line, strlen(line));
    KILL_POINT("written");
    if (written != (gssize)strlen(line)) {
        out_set(why, OUT_RETRY, "4.3.0", "%s: %s: %s", id, gateway->path,
                g_strerror(written < 0 ? errno : ENOSPC));
        class = GATEWAY_TEMPORARY;
        if (written > 0 && ftruncate(fd, before.st_size) < 0) {
            out_set(why, OUT_UNKNOWN, "4.4.2", "%s: may have been sent: %s", id, g_strerror(errno));
            class = GATEWAY_UNKNOWN;
        }
    }
    close(fd);
    return class;
}

static int
on_due(sd_event_source *source, uint64_t usec, void *data)
{
    struct submission *submission = data;
    struct file_gateway *gateway = submission->gateway;
    struct gateway_result result = {.class = GATEWAY_TEMPORARY, .gateway_ref = ""};
    g_autofree char *line = json_line(gateway, submission->part);

    (void)usec;
    sd_event_source_unref(source);
    out_set(&result.why, OUT_OK, "2.0.0", "%s: written", gateway->base.id);
    gateway->submissions++;
    if (gateway->fail_every > 0 && gateway->submissions % (guint64)gateway->fail_every == 0)
        out_set(&result.why, OUT_RETRY, "4.3.0", "%s: refused for now, as fail_every asks",
                gateway->base.id);
    else if (!line)
        out_set(&result.why, OUT_BUG, "4.3.0", "%s: the part cannot be written as JSON",
                gateway->base.id);
    else
        result.class = append_line(gateway, line, &result.why);
    if (result.class == GATEWAY_ACCEPTED)
        result.gateway_ref = submission->part->ref;
    submission->done(submission->context, &result);
    g_free(submission);
    return 0;
}

static void
file_submit(struct gateway *base, const struct gateway_part *part, gateway_done_fn *done,
            void *context)
{
    struct file_gateway *gateway = (struct file_gateway *)base;
    struct submission *submission = g_new0(struct submission, 1);
    sd_event_source *source = NULL;
    int error;

    *submission = (struct submission){gateway, part, done, context};
    error = sd_event_add_time_relative(base->host->loop, &source, CLOCK_MONOTONIC,
                                       (uint64_t)gateway->delay_ms * 1000, 1, on_due, submission);
    g_assert(error >= 0); /* fails only without memory */
}

static int
file_show(struct gateway *base, const struct gateway_part *part, GString *out, struct outcome *why)
{
    struct file_gateway *gateway = (struct file_gateway *)base;
    g_autofree char *line = json_line(gateway, part);

    if (!line) {
        out_set(why, OUT_BUG, "4.3.0", "%s: the part cannot be written as JSON", base->id);
        return -1;
    }
    g_string_append_printf(out, "append to %s\n%s", gateway->path, line);
    return 0;
}

static enum gateway_trace
file_find(struct gateway *base, const char *ref)
{
    struct file_gateway *gateway = (struct file_gateway *)base;
    g_autofree char *needle = g_strdup_printf("\"id\":\"%s\"", ref);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    const char *found;
    gsize len;

    if (!g_file_get_contents(gateway->path, &text, &len, &error))
        return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? GATEWAY_HAS_IT_NOT
                                                                        : GATEWAY_CANNOT_TELL;
    /* A quotation mark inside a text is escaped, so the needle can only be the key. */
    found = memmem(text, len, needle, strlen(needle)); /* a power cut may leave NULs */
    return found && memchr(found, '\n', len - (gsize)(found - text)) ? GATEWAY_HAS_IT
                                                                     : GATEWAY_HAS_IT_NOT;
}

const struct gateway_ops gateway_file_ops = {
    .type = "file",
    .new = file_new,
    .free = file_free,
    .configure = file_configure,
    .slots = file_slots,
    .expected_ms = file_expected_ms,
    .probe = file_probe,
    .submit = file_submit,
    .find = file_find,
    .show = file_show,
};
