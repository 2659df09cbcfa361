/* SPDX-License-Identifier: ISC */
/* Owns what we ask the mail server to do with a mail at its end (libmilter's smfi_ calls). Must
 * never ask for what the server did not offer. */
#include "milter/milter.h"

#include "lib/log.h"
#include <libmilter/mfapi.h>
#include <string.h>

/* libmilter's arguments are not const, though it only reads them. */
#define ARGUMENT(text) ((char *)(guintptr)(text))

const char *
change_queue_id(const struct session *session)
{
    const char *id = smfi_getsymval(session->ctx, ARGUMENT("i"));

    return id && *id ? id : "NOQUEUE";
}

static int
may(const struct session *session, unsigned long action, struct outcome *why)
{
    if ((session->actions & action) == action)
        return 0;
    out_set(why, OUT_CONFIG, "4.3.5", "the mail server does not let mail be changed as it must be");
    return -1;
}

static int
took(int result, const char *what, struct outcome *why)
{
    if (result == MI_SUCCESS)
        return 0;
    out_set(why, OUT_RETRY, "4.3.0", "the mail server did not take a change (%s)", what);
    return -1;
}

int
change_remove_recipient(struct session *session, const char *given, struct outcome *why)
{
    if (may(session, SMFIF_DELRCPT, why) < 0)
        return -1;
    return took(smfi_delrcpt(session->ctx, ARGUMENT(given)), "recipient out", why);
}

int
change_add_recipient(struct session *session, const char *address, const char *parameters,
                     struct outcome *why)
{
    if (may(session, parameters ? SMFIF_ADDRCPT_PAR : SMFIF_ADDRCPT, why) < 0)
        return -1;
    return took(parameters ? smfi_addrcpt_par(session->ctx, ARGUMENT(address), ARGUMENT(parameters))
                           : smfi_addrcpt(session->ctx, ARGUMENT(address)),
                "recipient", why);
}

static char *
header_value(const struct session *session, const char *value)
{
    return g_strconcat(session->blank ? " " : "", value, NULL);
}

int
change_add_header(struct session *session, const char *name, const char *value, struct outcome *why)
{
    g_autofree char *full = header_value(session, value);

    if (may(session, SMFIF_ADDHDRS, why) < 0)
        return -1;
    return took(smfi_addheader(session->ctx, ARGUMENT(name), full), "header", why);
}

int
change_header(struct session *session, const char *name, const char *value, struct outcome *why)
{
    g_autofree char *full = header_value(session, value);

    if (may(session, SMFIF_CHGHDRS, why) < 0)
        return -1;
    return took(smfi_chgheader(session->ctx, ARGUMENT(name), 1, full), "header", why);
}

/* From the last one: those in front keep their numbers. */
int
change_remove_headers(struct session *session, const char *name, guint count, struct outcome *why)
{
    if (count && may(session, SMFIF_CHGHDRS, why) < 0)
        return -1;
    for (; count > 0; count--)
        if (took(smfi_chgheader(session->ctx, ARGUMENT(name), (int)count, NULL), "header out",
                 why) < 0)
            return -1;
    return 0;
}

int
change_body(struct session *session, const char *octets, gsize len, struct outcome *why)
{
    if (may(session, SMFIF_CHGBODY, why) < 0)
        return -1;
    if (len == 0)
        return 0;
    return took(smfi_replacebody(session->ctx, (unsigned char *)ARGUMENT(octets), (int)len), "body",
                why);
}

int
change_hold(struct session *session, const char *reason, struct outcome *why)
{
    if (may(session, SMFIF_QUARANTINE, why) < 0)
        return -1;
    return took(smfi_quarantine(session->ctx, ARGUMENT(reason)), "hold", why);
}

bool
change_may_rewrite(const struct session *session)
{
    struct outcome why;

    return may(session, SMFIF_CHGBODY | SMFIF_CHGHDRS | SMFIF_ADDHDRS, &why) == 0;
}

void
change_progress(void *session)
{
    if (smfi_progress(((struct session *)session)->ctx) != MI_SUCCESS)
        log_warnx("the mail server does not hear that we need more time");
}
