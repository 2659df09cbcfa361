/* SPDX-License-Identifier: ISC */
/* Owns the digests that name a delivery. Length-prefixed input: no two lists of fields give the
 * same octets. */
#include "transport/dispatch/identity.h"

#include <nettle/sha2.h>
#include <string.h>

#define IDENTITY_VERSION                                                                           \
    "1" /* part of every digest: a change of fields must not match old rows                        \
         */

static void
add(struct sha256_ctx *sha, const char *text)
{
    guint32 len = text ? (guint32)strlen(text) : 0;
    guint32 prefix = GUINT32_TO_BE(len);

    sha256_update(sha, sizeof(prefix), (const guint8 *)&prefix);
    if (len)
        sha256_update(sha, len, (const guint8 *)text);
}

static void
begin(struct sha256_ctx *sha, const char *what)
{
    sha256_init(sha);
    add(sha, IDENTITY_VERSION);
    add(sha, what);
}

void
identity_of(const struct request *request, const struct mail_view *view, const char *number,
            struct identity *ret)
{
    struct sha256_ctx sha;
    guint8 full[SHA256_DIGEST_SIZE];

    begin(&sha, "k1");
    add(&sha, request_get(request, QUEUE_ID));
    add(&sha, view->digest);
    add(&sha, request_get(request, SENDER));
    add(&sha, request_get(request, RECIPIENT));
    sha256_digest(&sha, SPOOL_KEY, ret->k1);

    begin(&sha, "k2");
    add(&sha, view->message_id);
    add(&sha, view->date);
    add(&sha, view->from);
    add(&sha, request_get(request, SENDER));
    add(&sha, number);
    add(&sha, view->subject);
    add(&sha, view->text);
    sha256_digest(&sha, sizeof(full), full);
    memcpy(ret->k2, full, SPOOL_KEY);
    ret->has_k2 = view->message_id[0] && number;

    /* SMTP rules may replace subject and text on the way; this must stay the same. */
    begin(&sha, "reference");
    add(&sha, view->message_id);
    add(&sha, view->date);
    add(&sha, view->from);
    add(&sha, request_get(request, SENDER));
    add(&sha, number);
    add(&sha, view->message_id[0] ? "" : view->text);
    sha256_digest(&sha, sizeof(full), full);
    ret->reference = (guint16)(full[1] << 8 | full[0]);
}

void
identity_envelope(const struct request *request, guint8 *ret)
{
    struct sha256_ctx sha;

    begin(&sha, "envelope");
    add(&sha, request_get(request, SENDER));
    add(&sha, request_get(request, RECIPIENT));
    sha256_digest(&sha, SPOOL_KEY, ret);
}
