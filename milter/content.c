/* SPDX-License-Identifier: ISC */
/* Owns the octets of one mail. Must never keep them twice if they are many. */
#include "milter/content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IN_MEMORY 65536 /* octets up to which no memfd is made: most mails */

void
content_init(struct content *content)
{
    *content = (struct content){.fd = -1};
}

static void
unmap(struct content *content)
{
    if (content->map)
        munmap(content->map, content->start + content->len);
    content->map = NULL;
}

void
content_clear(struct content *content)
{
    unmap(content);
    if (content->memory)
        g_string_free(content->memory, TRUE);
    if (content->fd >= 0)
        close(content->fd);
    content_init(content);
}

static int
write_at(int fd, const char *octets, gsize len, gsize at)
{
    while (len > 0) {
        gssize written = pwrite(fd, octets, len, (off_t)at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        octets += written;
        at += (gsize)written;
        len -= (gsize)written;
    }
    return 0;
}

static int
new_memfd(void)
{
    return memfd_create("postsms-mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* What cannot be kept is not kept by halves. */
static void
drop(struct content *content, bool *why)
{
    bool body = content->body;

    content_clear(content);
    content->body = body;
    *why = true;
}

static void
add(struct content *content, const char *octets, gsize len)
{
    if (content->too_long || content->failed)
        return;
    if (len > CONTENT_MAX - content->len) {
        drop(content, &content->too_long);
        return;
    }
    unmap(content);
    if (content->fd < 0 && content->len + len <= IN_MEMORY) {
        if (!content->memory)
            content->memory = g_string_sized_new(8192);
        g_string_append_len(content->memory, octets, (gssize)len);
        content->len += len;
        return;
    }
    if (content->fd < 0) {
        content->fd = new_memfd();
        if (content->fd < 0 ||
            (content->memory && write_at(content->fd, content->memory->str, content->len, 0) < 0)) {
            drop(content, &content->failed);
            return;
        }
        if (content->memory)
            g_string_free(g_steal_pointer(&content->memory), TRUE);
    }
    if (write_at(content->fd, octets, len, content->len) < 0)
        drop(content, &content->failed);
    else
        content->len += len;
}

/* value with CRLF for each line end: the body comes with them, and a mail has one kind. */
void
content_header(struct content *content, const char *name, const char *blank, const char *value)
{
    g_autoptr(GString) field = g_string_new(name);

    g_string_append_c(field, ':');
    g_string_append(field, blank);
    for (; *value; value++) {
        if (*value == '\n' && field->str[field->len - 1] != '\r')
            g_string_append_c(field, '\r');
        g_string_append_c(field, *value);
    }
    g_string_append(field, "\r\n");
    add(content, field->str, field->len);
    content->header_len += field->len;
}

static void
end_header(struct content *content)
{
    if (!content->body)
        add(content, "\r\n", 2);
    content->body = true;
}

void
content_body(struct content *content, const char *octets, gsize len)
{
    end_header(content);
    add(content, octets, len);
}

static int
unavailable(const struct content *content, struct outcome *why)
{
    if (content->too_long) {
        out_set(why, OUT_DATA, "5.6.0", "the mail is too long to be read");
        return -1;
    }
    if (content->failed) {
        out_set(why, OUT_RETRY, "4.3.0", "no memory for the mail");
        return -1;
    }
    return 0;
}

/* The memfd from its begin to the mail's end; NULL if there is no address space for it. */
static char *
map_file(const struct content *content, int protection)
{
    char *map = mmap(NULL, content->start + content->len, protection, MAP_SHARED, content->fd, 0);

    return map == MAP_FAILED ? NULL : map;
}

int
content_octets(struct content *content, const char **ret_header, gsize *ret_header_len,
               const char **ret_body, gsize *ret_body_len, struct outcome *why)
{
    const char *octets;

    end_header(content);
    if (unavailable(content, why) < 0)
        return -1;
    if (!content->memory && !content->map)
        content->map = map_file(content, PROT_READ);
    if (!content->memory && !content->map) {
        out_set(why, OUT_RETRY, "4.3.0", "no memory for the mail");
        return -1;
    }
    octets = content->memory ? content->memory->str : content->map + content->start;
    *ret_header = octets;
    *ret_header_len = content->header_len;
    *ret_body = octets + content->header_len + 2;
    *ret_body_len = content->len - content->header_len - 2;
    return 0;
}

/* A new file for a mail that is in memory. */
static int
lend_copy(const struct content *content, const GString *front)
{
    int fd = new_memfd();
    gsize at = front ? front->len : 0;

    if (fd >= 0 && ((front && write_at(fd, front->str, front->len, 0) < 0) ||
                    write_at(fd, content->memory->str, content->len, at) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Moves the mail up in its file, where a second one would double what it takes up. */
static int
make_room(struct content *content, const GString *front)
{
    char *map;

    unmap(content);
    if (ftruncate(content->fd, (off_t)(front->len + content->len)) < 0)
        return -1;
    content->start = front->len;
    map = map_file(content, PROT_READ | PROT_WRITE);
    if (!map) {
        content->start = 0;
        return -1;
    }
    memmove(map + front->len, map, content->len);
    memcpy(map, front->str, front->len);
    munmap(map, content->start + content->len);
    return 0;
}

static int
lend_file(struct content *content, const GString *front)
{
    if (front && make_room(content, front) < 0)
        return -1;
    /* A reader that has been taken over must not cut the file below our mapping. */
    if (fcntl(content->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0 || lseek(content->fd, 0, SEEK_SET) < 0)
        return -1;
    return fcntl(content->fd, F_DUPFD_CLOEXEC, 0);
}

int
content_lend(struct content *content, const GString *front, struct outcome *why)
{
    int fd;

    end_header(content);
    if (unavailable(content, why) < 0)
        return -1;
    fd = content->memory ? lend_copy(content, front) : lend_file(content, front);
    if (fd < 0)
        out_set(why, OUT_RETRY, "4.3.0", "no memory for the mail: %s", g_strerror(errno));
    return fd;
}
