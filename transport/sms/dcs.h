/* SPDX-License-Identifier: ISC */
/* The data coding scheme of a message (TS 23.038 4), for the files of this folder. */
#ifndef TRANSPORT_SMS_DCS_H
#define TRANSPORT_SMS_DCS_H

#include "transport/sms/sms.h"

/* What a data coding scheme says. message_class: 0 to 3, -1 for none. */
enum sms_encoding dcs_encoding(guint8 dcs, bool *ret_compressed, int *ret_class);

/*
 * The scheme for a message of this encoding: that of the limits, if they ask for one, with its
 * alphabet made the encoding's. -1: why is DATA 5.6.0: no scheme of its group has that alphabet.
 */
int dcs_for(const struct sms_limits *limits, enum sms_encoding encoding, guint8 *ret,
            struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* A new GPtrArray of struct sms_part. */
GPtrArray *sms_parts_new(void);

#endif
