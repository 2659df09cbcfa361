/* SPDX-License-Identifier: ISC */
/*
 * Owns the one table that turns an outcome into an exit status, an SMTP reply and a log word
 * (design section 9). Must never log: the lowest layer explains, the top layer says it once.
 */
#include "lib/outcome.h"

#include "lib/log.h"
#include <stdio.h>
#include <string.h>

static const struct {
    int exit;
    const char *smtp;
    const char *status;
    const char *dsn; /* used when a caller has none */
} table[OUT_KINDS] = {
    [OUT_OK] = {0, "250", "sent", "2.0.0"},
    [OUT_DROPPED] = {0, "250", "dropped", "2.0.0"},
    [OUT_RETRY] = {75, "451", "deferred", "4.3.0"},
    [OUT_CONFIG] = {75, "451", "deferred", "4.3.5"},
    [OUT_BUG] = {75, "451", "deferred", "4.3.0"},
    [OUT_UNKNOWN] = {75, "451", "unknown", "4.4.2"},
    [OUT_EXPIRED] = {69, "550", "expired", "5.4.7"},
    [OUT_NOUSER] = {67, "550", "bounced", "5.1.1"},
    [OUT_DATA] = {65, "554", "bounced", "5.6.0"},
    [OUT_REFUSED] = {77, "550", "bounced", "5.7.1"},
};

void
out_set(struct outcome *why, enum out_kind kind, const char *dsn, const char *fmt, ...)
{
    g_autofree char *raw = NULL;
    g_autofree char *clean = NULL;
    va_list ap;

    va_start(ap, fmt);
    raw = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    clean = g_strstrip(log_clean(raw, sizeof(why->text) - 1));
    why->kind = kind;
    g_strlcpy(why->dsn, dsn && *dsn ? dsn : table[kind].dsn, sizeof(why->dsn));
    g_strlcpy(why->text, *clean ? clean : table[kind].status, sizeof(why->text));
}

void
out_prefix(struct outcome *why, const char *fmt, ...)
{
    g_autofree char *front = NULL;
    g_autofree char *rest = g_strdup(why->text);
    g_autofree char *dsn = g_strdup(why->dsn);
    va_list ap;

    va_start(ap, fmt);
    front = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    out_set(why, why->kind, dsn, "%s%s", front, rest);
}

int
out_exit(enum out_kind kind)
{
    return table[kind].exit;
}

const char *
out_status(enum out_kind kind)
{
    return table[kind].status;
}

const char *
out_smtp_code(enum out_kind kind)
{
    return table[kind].smtp;
}

bool
out_final(enum out_kind kind)
{
    return table[kind].exit != 75;
}
