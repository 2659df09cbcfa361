/* SPDX-License-Identifier: ISC */
/*
 * What happened, in one object that goes down every call: the lowest layer that understands the
 * cause fills it, the top layer translates it once, by the table in outcome.c.
 */
#ifndef LIB_OUTCOME_H
#define LIB_OUTCOME_H

#include <glib.h>
#include <stdbool.h>

enum out_kind {
    OUT_OK,      /* every part accepted by a gateway */
    OUT_DROPPED, /* a rule says discard, quietly */
    OUT_RETRY,   /* gateway, network, modem, disk, busy */
    OUT_CONFIG,  /* our own files are wrong */
    OUT_BUG,     /* cannot happen */
    OUT_UNKNOWN, /* may have been sent */
    OUT_EXPIRED, /* lifetime over */
    OUT_NOUSER,  /* not a number we can reach */
    OUT_DATA,    /* content cannot become an SMS */
    OUT_REFUSED, /* rule, limit, account or carrier says no */
    OUT_KINDS
};

/* Lives on the caller's stack or inside its owner; nothing in it is freed. */
struct outcome {
    enum out_kind kind;
    char dsn[12];   /* RFC 3463 status, "2.0.0" for OK */
    char text[400]; /* one line of UTF-8, never empty, no control characters */
};

/* Sets all three. The text is cleaned: control characters become blanks, broken UTF-8 becomes '?'.
 */
void out_set(struct outcome *why, enum out_kind kind, const char *dsn, const char *fmt, ...)
    G_GNUC_PRINTF(4, 5);

/* Puts context in front of the text ("demo: "); kind and status stay. */
void out_prefix(struct outcome *why, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Exit status of postsms-pipe; only 75 defers. */
int out_exit(enum out_kind kind);

/* The word behind "status=" in the log line. */
const char *out_status(enum out_kind kind);

/* The SMTP reply code a milter gives: "250", "451", "550" or "554". */
const char *out_smtp_code(enum out_kind kind);

/* True if Postfix will never offer the mail again after this outcome. */
bool out_final(enum out_kind kind);

#endif
