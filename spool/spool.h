/* SPDX-License-Identifier: ISC */
/*
 * The ledger, state_dir/spool.db (design section 8): what every delivery and every part is, was and
 * will be. One process writes it, postsmsd; others read. All of SQLite and SQL is in this folder.
 *
 * Writing is grouped: calls that change something join one transaction until spool_commit. If one
 * of them fails, none of the group is kept and spool_commit says why; only after it returned 0 may
 * anybody act on what was written.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include "lib/outcome.h"

#define SPOOL_KEY          16                 /* octets of an identity */
#define SPOOL_SPACE_MIN    (64 * 1024 * 1024) /* free octets below which nothing is sent */
#define SPOOL_REFERENCE_MS 86400000 /* how long a number sees no concatenation reference twice */
#define SPOOL_CRASHES_MAX  3        /* readers a mail may cost */

enum part_state {
    PART_PLANNED,     /* no gateway has it */
    PART_SUBMITTING,  /* on disk before the first octet goes out */
    PART_ACCEPTED,    /* the gateway said so */
    PART_UNKNOWN,     /* submitted, no clear answer */
    PART_DELIVERED,   /* the handset has it */
    PART_UNDELIVERED, /* the carrier gave up */
    PART_EXPIRED,     /* its validity ended */
    PART_FAILED,      /* the gateway refused it for good */
    PART_GAVE_UP,     /* was unknown, will not be settled */
    PART_CANCELLED,   /* never sent, never will be */
    PART_STATES
};
const char *part_state_name(enum part_state state);

/* True from accepted on: never to be submitted again, nothing left to do for the verdict. */
bool part_state_accepted(enum part_state state);

struct spool_part {
    int seq; /* from 1 */
    enum part_state state;
    char *ref;         /* ours: 32 hex digits */
    char *gateway_ref; /* "" before acceptance */
    char *text;
    guint units;
    guint sms; /* that it is: more than one where a provider splits */
    GBytes *udh;
    GBytes *data; /* of an 8bit part; else of size 0 */
    gint64 since; /* in its state */
};

struct spool_delivery {
    gint64 id;
    char *queue_id;
    guint8 k1[SPOOL_KEY];
    guint8 k2[SPOOL_KEY];
    bool has_k2;
    char *state;             /* open sent refused failed cancelled gave_up */
    gint64 created, updated; /* milliseconds since 1970 */
    char *sender, *recipient, *original, *number, *login, *client, *message_id;
    char *gateway, *originator, *encoding;
    char *phone; /* the sender's own number, "" if none is known */
    char *extra; /* what its address adds to a gateway's request: "&name=value" */
    int dcs, pid;
    bool truncated;
    char *class;    /* by which it waits: "alarm", "normal" or "bulk" */
    char *declared; /* by SMTP rules: "", "copy-to" or "list" */
    bool warned;    /* the sender has been told that it is late */
    char *rule, *dsn, *reason;
    GPtrArray *parts; /* struct spool_part *, by seq; may be empty */
};
struct spool_delivery *spool_delivery_new(void);
void spool_delivery_free(struct spool_delivery *delivery);
typedef struct spool_delivery SpoolDelivery;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolDelivery, spool_delivery_free)

/* A planned part of one SMS. */
struct spool_part *spool_delivery_add_part(struct spool_delivery *delivery);

/* How many SMS it is, and how many of them a gateway has accepted. */
guint spool_delivery_sms(const struct spool_delivery *delivery);
guint spool_delivery_accepted(const struct spool_delivery *delivery);

/* A rule discarded it: it was refused, and nobody was told. */
bool spool_delivery_dropped(const struct spool_delivery *delivery);

/* Makes an empty ledger at path, owned by uid and gid if those are not -1. An existing file is left
 * as it is: -1. */
int spool_create(const char *path, int uid, int gid, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

struct spool;

/* Opens an existing ledger. why says how to cure a missing, foreign, older or newer one. */
int spool_open(const char *path, bool writable, struct spool **ret,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void spool_close(struct spool *spool);
typedef struct spool Spool;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_close)

/* 0 if the ledger is still the file that was opened and its disk has room for more; else why, with
 * the cure. */
int spool_usable(struct spool *spool, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the group: 0 and everything is durable, or -1 and nothing of it is. Without a change: 0. */
int spool_commit(struct spool *spool, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The delivery of this queue id and first identity, else of the second if not older than since
 * (milliseconds since 1970) and not refused; *ret NULL if neither. *ret_by_k2: it was the second.
 * Sees what this group wrote.
 */
int spool_find(struct spool *spool, const char *queue_id, const guint8 *k1, const guint8 *k2,
               gint64 since, struct spool_delivery **ret, bool *ret_by_k2,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The newest open delivery with this queue id and envelope, as it was written (recipient:
 * credentials hidden); *ret NULL if there is none. For a mail whose identity is not known. */
int spool_find_open(struct spool *spool, const char *queue_id, const char *sender,
                    const char *recipient, struct spool_delivery **ret,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* By ledger id; *ret NULL if there is none. */
int spool_get(struct spool *spool, gint64 id, struct spool_delivery **ret,
              struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The changes. All take now (milliseconds since 1970) and write the event that goes with them. */

/* A new delivery with its parts as they are in memory; sets id. A state other than open is a
 * verdict without parts. */
void spool_add(struct spool *spool, struct spool_delivery *delivery, gint64 now);

/* Postfix offered it again; under another name if queue_id and k1 are not its own. */
void spool_offered(struct spool *spool, const struct spool_delivery *delivery, const char *queue_id,
                   const guint8 *k1, gint64 now);

/* One part goes from its state in memory to another, in both places. False: the ledger has it in
 * yet another state (somebody else wrote it); nothing was changed, and nothing may be done that
 * needs the change. */
bool spool_part_to(struct spool *spool, const struct spool_delivery *delivery,
                   struct spool_part *part, enum part_state state, const char *gateway_ref,
                   const char *detail, gint64 now);

/* Another gateway and another plan for a delivery that no gateway has anything of: its gateway,
 * originator, encoding and parts are in memory what they shall be, and replace what was planned. */
void spool_replan(struct spool *spool, const struct spool_delivery *delivery, const char *detail,
                  gint64 now);

/* Was any of its parts ever in doubt? True if nobody can say. */
bool spool_doubted(struct spool *spool, gint64 delivery);

/* When a part of it was first handed over (milliseconds since 1970); 0: never, or nobody can say.
 */
gint64 spool_first_submitted(struct spool *spool, gint64 delivery, int part);

/* The delivery's state (NULL: stays) and what its last verdict was. */
void spool_verdict(struct spool *spool, struct spool_delivery *delivery, const char *state,
                   const struct outcome *verdict, gint64 now);

/* A reader died over this mail (envelope: SPOOL_KEY octets over sender and recipient). */
void spool_crashed(struct spool *spool, const char *queue_id, const guint8 *envelope, gint64 now);

/* How many readers it has cost so far. */
int spool_crashes(struct spool *spool, const char *queue_id, const guint8 *envelope, int *ret,
                  struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A concatenation reference that this number ("+41…") has not been sent since then: wanted's lower
 * octet if that is free, else another octet, else, *ret_wide, one of 16 bits. Sees what this group
 * wrote.
 */
int spool_reference(struct spool *spool, const char *number, guint16 wanted, gint64 since,
                    guint16 *ret_reference, bool *ret_wide,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;
void spool_reference_used(struct spool *spool, const char *number, guint16 reference, bool wide,
                          gint64 now);

/* Moves the low-water mark up to the first open delivery. */
void spool_low_water(struct spool *spool);

/* The sender has been told that it is late. */
void spool_warned(struct spool *spool, gint64 delivery, gint64 now);

/* An event of its own for a delivery, such as what an operator said. */
void spool_note(struct spool *spool, gint64 delivery, const char *what, const char *detail,
                gint64 now);

/* The wall clock jumped by this much: open deliveries keep their age. */
void spool_clock_jumped(struct spool *spool, gint64 by_ms);

/* Housekeeping, a small step each: true if there is more. Deliveries that ended before "before"
 * lose their texts, or go, and rows about filtered mail with them; open ones stay whatever their
 * age. */
bool spool_blank(struct spool *spool, gint64 before);
bool spool_purge(struct spool *spool, gint64 before);

/* Mail that we make: in here before it is handed over. message: RFC 5322, LF line ends. */
void spool_outbox_add(struct spool *spool, const char *recipient, const char *message, gint64 now);
void spool_outbox_done(struct spool *spool, gint64 id);
/* Puts it behind all others. */
void spool_outbox_last(struct spool *spool, gint64 id);

struct spool_mail {
    gint64 id; /* 0: there is none */
    gint64 created;
    char *recipient, *message; /* the caller's */
};
/* The oldest one. */
int spool_outbox_first(struct spool *spool, struct spool_mail *ret,
                       struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* A copy of the ledger as it is now, made while others write. An existing file is left as it is:
 * -1. */
int spool_backup(struct spool *spool, const char *path,
                 struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Mail that SMTP rules disposed of or declared while its sender was there. Each is one row; nothing
 * of the mail's contents is in it. */
struct spool_filtered {
    gint64 id, at; /* when read */
    const char *queue_id, *message_id, *sender;
    const char *recipients; /* those the rules spoke about, LF between them; credentials hidden */
    const char *numbers;    /* theirs, "+digits", LF between them */
    const char *effect;     /* "delete hold redirect remove declare" */
    const char *class;      /* "", "copy-to", "list" */
    const char *rule;       /* "smtp.rules:12" */
    const char *detail;     /* what else there is to say: section, generation, new recipient */
};
void spool_filtered_add(struct spool *spool, const struct spool_filtered *filtered, gint64 now);

/* The class declared for this queue id, newest row first: "copy-to", "list" or ""; static. */
int spool_filtered_class(struct spool *spool, const char *queue_id, const char **ret,
                         struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Every row that key names: a queue id, Message-ID (with or without <>) or number, oldest first.
 * each returns false to stop; the row is only its for the call. */
int spool_each_filtered(struct spool *spool, const char *key, const char *number,
                        bool (*each)(void *context, const struct spool_filtered *filtered),
                        void *context, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Reading. each returns false to stop; the delivery is only its for the call. */
typedef bool spool_each_fn(void *context, const struct spool_delivery *delivery);

/* Every open delivery, oldest first. */
int spool_each_open(struct spool *spool, spool_each_fn *each, void *context,
                    struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Every delivery that key names: a ledger id, queue id, Message-ID (with or without <>) or number,
 * oldest first. number: key as a normalised number, NULL if it is none. */
int spool_each_key(struct spool *spool, const char *key, const char *number, spool_each_fn *each,
                   void *context, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

struct spool_event {
    gint64 at;
    int part; /* 0: the delivery */
    const char *what, *detail;
};
int spool_each_event(struct spool *spool, gint64 delivery,
                     void (*each)(void *context, const struct spool_event *event), void *context,
                     struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* What was accepted from since on (milliseconds since 1970), one row for each sender and gateway.
 */
struct spool_usage {
    const char *sender, *gateway;
    gint64 messages, parts; /* parts: SMS */
};
int spool_each_usage(struct spool *spool, gint64 since, gint64 until,
                     void (*each)(void *context, const struct spool_usage *usage), void *context,
                     struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The newest events that are verdicts, oldest first, at most count. */
struct spool_log {
    gint64 at;
    const char *queue_id, *sender, *number, *gateway, *what, *detail;
};
int spool_each_log(struct spool *spool, int count,
                   void (*each)(void *context, const struct spool_log *log), void *context,
                   struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
