/* SPDX-License-Identifier: ISC */
/*
 * The names of an envelope, one table for both ends: postsms-pipe's options are these names with
 * "--" in front, the list it sends to deliver.sock has them as they are. libc only.
 */
#ifndef LIB_ENVELOPE_H
#define LIB_ENVELOPE_H

#include <stdbool.h>

/* X(identifier, name, required, the pipe(8) macro that belongs there) */
#define ENVELOPE_NAMES(X)                                                                          \
    X(DEADLINE, "deadline", true, "")                                                              \
    X(QUEUE_ID, "queue-id", true, "${queue_id}")                                                   \
    X(SENDER, "sender", true, "${sender}")                                                         \
    X(RECIPIENT, "recipient", true, "${recipient}")                                                \
    X(ORIGINAL, "original", true, "${original_recipient}")                                         \
    X(LOGIN, "login", true, "${sasl_username}")                                                    \
    X(CLIENT, "client", true, "${client_address}")                                                 \
    X(CLASS, "class", false, "")

enum envelope_name {
#define ENVELOPE_ENUM(identifier, name, required, macro) ENVELOPE_##identifier,
    ENVELOPE_NAMES (ENVELOPE_ENUM)
#undef ENVELOPE_ENUM
        ENVELOPE_COUNT
};

#endif
