/* SPDX-License-Identifier: ISC */
/*
 * The names on ask.sock, where postsms-milter asks postsmsd: one table for both ends. Every message
 * is a frame (wire.h). postsmsd speaks first: a list with ASK_HELLO. Then, as often as the other
 * side likes and one at a time: a question, a list with ASK_WHAT, whose first octet carries the
 * mail's descriptor (a memfd, read from its start) where one belongs to it; and the answer.
 *
 *   ASK_READ     the mail → a view (mailview.h)
 *   ASK_REWRITE  the mail, in front of it in the same descriptor a frame with ASK_SUBJECT and
 *                ASK_TEXT, of which one that is absent stays as it is → a rewrite (rewrite.h)
 *   ASK_NOTE     the values of spool_filtered → a list with ASK_DONE once they are in the ledger
 *
 * Instead of an answer there may be a list with ASK_DSN and ASK_REASON: RETRY, why nobody could do
 * it; ASK_CRASH "yes" if it was the mail that a reader died over.
 */
#ifndef LIB_ASK_H
#define LIB_ASK_H

#define ASK_SOCKET "ask.sock" /* in run_dir */

#define ASK_QUESTION_MAX 1048576 /* octets of a question's frame, the mail not counted */

#define ASK_HELLO   "hello"   /* the version of postsmsd */
#define ASK_READERS "readers" /* along with it: "yes" if a reader is there to answer */

#define ASK_WHAT    "ask"
#define ASK_READ    "read"
#define ASK_REWRITE "rewrite"
#define ASK_NOTE    "note"
#define ASK_SUBJECT "subject" /* the new one, UTF-8, one line */
#define ASK_TEXT    "text"    /* the new text, UTF-8, LF line ends */

#define ASK_DONE   "done"
#define ASK_DSN    "dsn"
#define ASK_REASON "reason"
#define ASK_CRASH  "crash"

/* ASK_NOTE: struct spool_filtered, name by name. */
#define ASK_QUEUE_ID   "queue-id"
#define ASK_MESSAGE_ID "message-id"
#define ASK_SENDER     "sender"
#define ASK_RECIPIENTS "recipients" /* LF between them */
#define ASK_EFFECT     "effect"
#define ASK_CLASS      "class"
#define ASK_RULE       "rule"
#define ASK_NOTE_TEXT  "detail"

#endif
