/* SPDX-License-Identifier: ISC */
/*
 * What is left of a mail once a reader has decoded it: plain values, valid UTF-8, bounded. After
 * this point nobody sees MIME. Readers pack it; postsmsd, postsms-milter, postsms and tests unpack
 * it; no GMime here.
 */
#ifndef LIB_MAILVIEW_H
#define LIB_MAILVIEW_H

#include "lib/outcome.h"
#include "lib/wire.h"

/* Upper bounds in octets; what is longer is cut at a character's end (text_cut says so for the
 * text). */
#define VIEW_HEADER_MAX 4096
#define VIEW_TEXT_MAX   1048576
#define VIEW_TO_MAX     65536 /* addresses that do not fit any more are left out whole */

/* Header fields by which postsms-milter tells the transport what it has done. Copies that come in
 * from outside are removed by it. */
#define VIEW_MARK_HEADER  "X-Postsms-Replaced"
#define VIEW_CLASS_HEADER "X-SMS-Class"

struct mail_view {
    char *digest; /* SHA-256 of the whole input, 64 hex digits: the first identity of a delivery */
    gint64 size;  /* octets of the input */
    char *message_id;   /* as in the header, without blanks around; "" if absent. The same for all
                           below */
    char *date;         /* the header, unparsed */
    char *from;         /* the header, decoded */
    char *from_address; /* its first mailbox: local@domain */
    char *from_name;    /* and its display name */
    char *subject;      /* decoded (RFC 2047), white space at the ends gone, folds as one blank */
    char *text; /* the text a person would read, decoded; LF line ends, trailing blanks kept */
    char *auto_submitted; /* RFC 3834 keyword in lower case: "no", "auto-replied", … */
    char *precedence;     /* lower case */
    bool list;            /* a List-Id header is there */
    bool report;          /* multipart/report */
    bool loop;            /* our own loop mark (X-Postsms-Loop) is there */
    bool text_cut;        /* the text was longer than VIEW_TEXT_MAX */
    char *to; /* addresses of all To: fields, decoded as from_address, LF between them */
    char
        *declared; /* class that SMTP rules declared (VIEW_CLASS_HEADER): "copy-to", "list" or "" */
    bool rewritten; /* SMTP rules have replaced texts in it already (VIEW_MARK_HEADER is there) */
    bool sealed;    /* signed or encrypted: must not be altered */
    bool encrypted; /* its text, or a part of it, is not there: only the addressee could read it */
    bool reply;     /* it answers another mail: In-Reply-To or References is there */
    guint replaced; /* octets or characters that became U+FFFD */
    /*
     * OUT_OK; or DATA 5.6.0, what forbids making an SMS of it: digest and size are right even then,
     * the text is "". Or RETRY 4.3.0: the mail did not come whole; all else is that of an empty
     * mail.
     */
    struct outcome verdict;
};
void mail_view_free(struct mail_view *view);
typedef struct mail_view MailView;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailView, mail_view_free)

/* view as a list (wire.h). */
void mail_view_pack(const struct mail_view *view, GString *to);

/* The other way; -1 if a value is missing or not valid UTF-8: a reader is not trusted. */
int mail_view_unpack(const struct wire *wire, struct mail_view **ret,
                     struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

#endif
