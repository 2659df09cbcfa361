/* SPDX-License-Identifier: ISC */
/*
 * What an SMS TPDU says (3GPP TS 23.040 9.2.2, alphabets of TS 23.038): SMS-DELIVER, SMS-SUBMIT,
 * SMS-STATUS-REPORT. Pure. What comes off the air is taken as well as it can be: unknown bits and
 * information elements are passed over, nonsense dates kept; only what has too few octets is none.
 */
#ifndef TRANSPORT_SMS_PDU_H
#define TRANSPORT_SMS_PDU_H

#include "transport/sms/sms.h"

enum sms_pdu_type { SMS_PDU_DELIVER, SMS_PDU_SUBMIT, SMS_PDU_STATUS_REPORT };
const char *sms_pdu_type_name(enum sms_pdu_type type); /* "deliver", "submit", "status-report" */

enum sms_validity {
    SMS_VALIDITY_NONE,
    SMS_VALIDITY_RELATIVE,
    SMS_VALIDITY_ABSOLUTE,
    SMS_VALIDITY_ENHANCED
};

struct sms_pdu {
    enum sms_pdu_type type;
    char *smsc;        /* "" if none is there */
    char *address;     /* "+41…" if international, else digits with * # a b c, or a name */
    bool alphanumeric; /* it is a name: nobody can answer */
    guint8 reference;  /* TP-MR; 0 in a DELIVER */
    guint8 pid, dcs;
    int message_class; /* 0 flash … 3; -1: none */
    bool report;       /* a status report is asked for, or was (TP-SRR, TP-SRI, TP-SRQ) */
    bool more;         /* more messages wait at the service centre; not of a SUBMIT */
    bool reply_path;
    enum sms_validity validity;
    guint validity_minutes; /* of a relative one */
    char *timestamp; /* service centre, or absolute validity: "2026-03-14T15:09:26-05:00" as the
                        digits say, even if there is no such day; "" if none, or no digits */
    char *discharge; /* STATUS-REPORT: TP-DT in the same form; else "" */
    int status;      /* STATUS-REPORT: TP-ST; else -1 */
    enum sms_encoding encoding;
    bool compressed; /* its text is not read: data */
    char *text;      /* UTF-8; NULL for 8 bit and compressed user data */
    GBytes *data;    /* the octets behind the header where text is NULL; else NULL */
    guint units;     /* septets, UTF-16 units or octets, header not counted */
    GBytes *udh;     /* with its length octet; of size 0 if there is none */
    /* What the header says: */
    guint parts, part; /* 0: not concatenated */
    guint concatenation;
    bool wide;              /* a 16 bit reference */
    int port_to, port_from; /* -1: none */
    guint8 lock, shift;     /* national tables; 0: none */
};
void sms_pdu_free(struct sms_pdu *pdu);
typedef struct sms_pdu SmsPdu;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmsPdu, sms_pdu_free)

/*
 * octets as a modem shows them (TS 27.005): the SMSC field first, or with_smsc false: a bare TPDU.
 * -1: it is none, why (DATA 5.6.0) says which field is missing. Octets behind the user data are
 * ignored.
 */
int sms_pdu_decode(const guint8 *octets, gsize len, bool with_smsc, struct sms_pdu **ret,
                   struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
