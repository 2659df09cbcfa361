/* SPDX-License-Identifier: ISC */
/* Where old mails stand in a mail. Private to the module trim. */
#ifndef TRANSPORT_READER_TRIM_REPLY_H
#define TRANSPORT_READER_TRIM_REPLY_H

#include "transport/reader/trim_lines.h"

/* Lines from start to before end. */
struct range {
    guint start;
    guint end;
};

/* Where a forwarded mail begins: it is the message, whatever it looks like. Behind the last line if
 * there is none. */
guint reply_forward_start(GArray *lines);

/* Where an old mail without quote marks begins, its attribution or header lines included; limit if
 * there is none before it. reply: the mail is one, so that Outlook's header lines alone tell it; a
 * form or a notice has such lines, too. */
guint reply_unquoted_start(GArray *lines, guint limit, bool reply);

/*
 * The next quoted lines between from and limit, blank ones between them and the attribution above
 * included. attributed: it says whose it is, above or inside. False if there are none.
 */
bool reply_next_quote(GArray *lines, guint from, guint limit, struct range *ret, bool *attributed);

#endif
