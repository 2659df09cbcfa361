/* SPDX-License-Identifier: ISC */
/*
 * What mail clients write around a message, in the languages they speak. A row is a language, its
 * phrases parted by "|", each as line_folded makes it (trim_lines.h): lower case, single blanks,
 * plain apostrophes. NULL ends a table. A new language is new rows, never new code.
 */
#ifndef TRANSPORT_READER_TRIM_PHRASES_H
#define TRANSPORT_READER_TRIM_PHRASES_H

/* Words of an attribution ("wrote"), whole. */
extern const char *const phrases_wrote[];

/* The same in scripts without blanks between words: found anywhere. */
extern const char *const phrases_wrote_inside[];

/* Attributions begin so, with a blank behind it: tells where one that is wrapped begins. */
extern const char *const phrases_opener[];

/* Between dashes: above the mail that is answered, above one that is forwarded. */
extern const char *const phrases_original[];
extern const char *const phrases_forwarded[];

/* The line above a forwarded mail, without dashes; a colon follows. */
extern const char *const phrases_forward_begins[];

/* Names of header lines, without the colon; cc: any that may stand among the others. */
extern const char *const phrases_from[];
extern const char *const phrases_sent[];
extern const char *const phrases_to[];
extern const char *const phrases_subject[];
extern const char *const phrases_cc[];

/* Subjects of answers begin so, with a colon behind it. */
extern const char *const phrases_subject_reply[];

/* Subjects of forwarded mails begin so, with a colon behind it. */
extern const char *const phrases_subject_forward[];

/* How a client signs: begin*end; a device or a program is named in the line, too. */
extern const char *const phrases_sent_from[];
extern const char *const phrases_device[];

/* Lines of a client of which the beginning is enough. */
extern const char *const phrases_promotion[];

#endif
