/* SPDX-License-Identifier: ISC */
/* The octets of one mail while its sender waits: short ones in memory, longer ones in a memfd, so
 * that a reader can be lent them without a copy and the memory goes back at the end. */
#ifndef MILTER_CONTENT_H
#define MILTER_CONTENT_H

#include "lib/outcome.h"

#define CONTENT_MAX (96 * 1048576) /* octets that are kept; a longer mail cannot be read */

struct content {
    GString *memory; /* NULL before the first octet, and from the moment the memfd holds it all */
    int fd;          /* the memfd; -1: none */
    gsize start;     /* of the mail in it */
    char *map;       /* start + len octets of it, while content_octets' pointers are in use */
    gsize len;
    gsize header_len;
    bool body;     /* the header is complete */
    bool too_long; /* nothing is kept any more */
    bool failed;   /* the same: there was no memory for it */
};

void content_init(struct content *content);
void content_clear(struct content *content);

/* A header field; blank is what stands between colon and value. */
void content_header(struct content *content, const char *name, const char *blank,
                    const char *value);
void content_body(struct content *content, const char *octets, gsize len);

/* Everything, header first; borrowed until the next call of anything. body is what follows the
 * empty line. -1: why. */
int content_octets(struct content *content, const char **ret_header, gsize *ret_header_len,
                   const char **ret_body, gsize *ret_body_len,
                   struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A descriptor from which front, then the mail can be read, from its start to its end. front may be
 * NULL, and is given in the last such call of a mail: it stays there. The caller closes the
 * descriptor. -1: why.
 */
int content_lend(struct content *content, const GString *front,
                 struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
