/* SPDX-License-Identifier: ISC */
/* What a reader gives up before it looks at its first mail. There is no way back. */
#ifndef TRANSPORT_READER_SANDBOX_H
#define TRANSPORT_READER_SANDBOX_H

#include "lib/outcome.h"

/* The address sanitizer maps terabytes, its leak check traces the process, and a sanitizer's report
 * opens files and starts programs: such a build runs without limits and without a sandbox. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/*
 * Both: 1 it holds, 0 not to be had here (a kernel without it, a sanitizer's build), -1 it should
 * have worked and why says what did not. The process goes on in every case. No privileges are
 * needed, and none can be gained afterwards (no_new_privs).
 */

/* Landlock: no file can be opened, made, removed or looked into, whatever system call is used; no
 * TCP, no abstract Unix socket, no signal to other processes where the kernel knows of these. */
int sandbox_files(struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/*
 * seccomp: the system calls of a reader at work. It may read from any descriptor it has, write to
 * asker and standard error only, be lent descriptors over asker only, and close only what was lent.
 * What serves an attacker alone (a program, a process, a socket) ends the process with SIGSYS;
 * everything else fails.
 */
int sandbox_calls(int asker, struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* Both, with a line on standard error for what should have worked and did not. */
void sandbox_enter(int asker);

#endif
