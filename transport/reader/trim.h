/* SPDX-License-Identifier: ISC */
/*
 * What people do not mean when they send a text: quoted replies, signatures, what phones add,
 * disclaimers. Pure; each thing is a setting, and nothing goes without a note.
 */
#ifndef TRANSPORT_READER_TRIM_H
#define TRANSPORT_READER_TRIM_H

#include <glib.h>
#include <stdbool.h>

struct trim_settings {
    bool signature; /* from "-- " to the end */
    bool quotes;    /* the quoted reply */
    bool sent_from; /* "Sent from my …" */
    bool forwarded; /* the subject says so (trim_is_forward): what looks like an old mail is then
                       the message; Outlook marks both alike */
    const char *const *disclaimers; /* beginnings of a line, NULL behind the last; or NULL */
    int blank_lines;                /* at most so many in a row; -1: as they are */
    bool reply; /* the mail says that it answers one: only then are Outlook's header lines, without
                   a line across or words above them, those of an old mail */
};

/*
 * text: valid UTF-8, LF line ends, cleaned. Newly allocated. notes gets what was dropped, for the
 * log: "quoted reply, signature"; it stays as it was if nothing was.
 *
 * Steps, each on what the one before has left:
 *  1. quotes. Clients put the new text above or below the old mail and phone lines, signatures and
 *     disclaimers on either side of it, so the old mail goes first; then the others are at the end,
 *     where they can be told from text. Dropped are: the mail under an attribution ("On … wrote:")
 *     or Outlook's header lines, at the end of the text; a quote with its attribution at the
 *     beginning, above the only own text. Quotes between own lines stay (an inline answer means
 *     nothing without its question), and so does a forwarded mail: it is the message.
 *  2. sent_from: the last line, also right before a quote or a forwarded mail that stays.
 *  3. signature: from the first line "-- ", or from a line "--" with at most ten lines behind it;
 *     never in a quote, and up to a quote or a forwarded mail that stays.
 *  4. disclaimers: from the first line that begins with one of them to the end. White space in both
 *     may differ, case too. The operator has named them, so they may stand anywhere.
 *  5. blank lines, and white space at line ends and at both ends of the text, always.
 * A step that would leave nothing is not done: a mail that is only a quote, or only "Sent from my
 * iPhone", is the message. Linear in the length of the text.
 */
char *trim_text(const char *text, const struct trim_settings *settings, GString *notes);

/* True if a decoded subject begins as that of a forwarded mail ("Fwd:", "WG:", "TR:"), replies to
 * one not counted. */
bool trim_is_forward(const char *subject);

/* True if it begins as that of an answer ("Re:", "AW:", "回复："). */
bool trim_is_reply(const char *subject);

#endif
