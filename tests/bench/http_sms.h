/* SPDX-License-Identifier: ISC */
/*
 * What the SMS of "make bench-http" say: bench_http_load sends them, bench_http_sink looks whether
 * they came. libc only.
 */
#ifndef TESTS_BENCH_HTTP_SMS_H
#define TESTS_BENCH_HTTP_SMS_H

#include <stdio.h>

#define SMS_PREFIX  "+4179" /* before a number of seven digits */
#define SMS_SENDER  "bench@allowed.example"
#define SMS_SUBJECT "number %07d"
#define SMS_BODY    "The disk of server %07d is 91 percent full; nobody has looked since noon."
#define SMS_ROOM    256

/* As postsms makes it of a mail with this sender, subject and body: 118 septets. */
static inline void
sms_text(char *text, int number)
{
    snprintf(text, SMS_ROOM, SMS_SENDER "\n" SMS_SUBJECT "\n" SMS_BODY, number, number);
}

#endif
