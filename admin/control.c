/* SPDX-License-Identifier: ISC */
/* Owns the talk with a running postsmsd by control.sock, and the commands that give it orders. */
#include "admin/admin.h"

#include "lib/sock.h"
#include "transport/dispatch/control.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX       (16 * 1048576)
#define PATIENCE_SECONDS 10

static int
dial(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval patience = {PATIENCE_SECONDS, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || g_strlcpy(name.sun_path, path, sizeof(name.sun_path)) >= sizeof(name.sun_path) ||
        connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* Everything until the other side closes, cut into lists. */
static GPtrArray *
lists_of(int fd, struct outcome *why)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)wire_free);
    guint8 buffer[65536];
    gssize got;

    while ((got = recv(fd, buffer, sizeof(buffer), 0)) > 0 && data->len < ANSWER_MAX)
        g_byte_array_append(data, buffer, (guint)got);
    for (gsize at = 0; at < data->len;) {
        struct wire *wire;
        gsize used;

        if (wire_parse((const char *)data->data + at, data->len - at, ANSWER_MAX, &wire, &used,
                       why) != 1)
            break;
        at += used;
        if (at == data->len) {
            wire_free(wire); /* the empty list at the end */
            return lists->len > 0 ? g_steal_pointer(&lists) : NULL;
        }
        g_ptr_array_add(lists, wire);
    }
    out_set(why, OUT_RETRY, "4.3.0", "postsmsd did not answer to the end");
    return NULL;
}

GPtrArray *
admin_ask(const struct conf *conf, const char *command, const char *name, const char *value,
          const char *id, struct outcome *why)
{
    g_autofree char *path = conf_socket(conf, "control.sock");
    g_autoptr(GString) request = g_string_new(NULL);
    GPtrArray *lists = NULL;
    int fd = dial(path);

    if (fd < 0) {
        out_set(why, OUT_RETRY, "4.3.0", "postsmsd is not running (%s: %s)", path,
                g_strerror(errno));
        return NULL;
    }
    wire_put(request, "command", command);
    if (id)
        wire_put(request, "id", id);
    if (name && value)
        wire_put(request, name, value);
    wire_end(request);
    if (sock_write_all(fd, request->str, request->len) < 0)
        out_set(why, OUT_RETRY, "4.3.0", "%s: %s", path, g_strerror(errno));
    else
        lists = lists_of(fd, why);
    close(fd);
    return lists;
}

/* An order about one message: prints what postsmsd says to it. */
static int
order(const struct admin *admin, const char *command, const char *name, const char *value)
{
    g_autoptr(Conf) conf = admin_conf(admin);
    g_autoptr(GPtrArray) lists = NULL;
    struct outcome why;
    const char *text;
    bool ok;

    if (!conf)
        return ADMIN_FAULT;
    if (!(lists = admin_ask(conf, command, name, value, admin->args[1], &why)))
        return admin_fault("%s", why.text);
    ok = g_strcmp0(wire_get(lists->pdata[0], "ok"), "yes") == 0;
    text = wire_get(lists->pdata[0], "text");
    if (admin->json) {
        int status = admin_print_json(json_pack("{s:b, s:s}", "ok", ok, "text", text ? text : ""));
        return ok ? status : ADMIN_FAULT;
    }
    if (!ok)
        return admin_fault("%s: %s", admin->args[1], text ? text : "");
    printf("%s: %s\n", admin->args[1], text ? text : "");
    return ADMIN_DONE;
}

static bool
is_id(const char *text)
{
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, NULL, NULL);
}

int
admin_cancel(struct admin *admin)
{
    return admin->argc == 2 && is_id(admin->args[1]) ? order(admin, CONTROL_CANCEL, NULL, NULL)
                                                     : ADMIN_USAGE;
}

int
admin_resolve(struct admin *admin)
{
    static const char *const ways[] = {"sent", "resend", "drop", NULL};

    if (admin->argc != 3 || !is_id(admin->args[1]) || !g_strv_contains(ways, admin->args[2]))
        return ADMIN_USAGE;
    return order(admin, CONTROL_RESOLVE, "how", admin->args[2]);
}
