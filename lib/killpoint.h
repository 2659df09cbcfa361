/* SPDX-License-Identifier: ISC */
/*
 * Places where a test wants the program to die (tests/killpoints.tsv). Nothing at all in a normal
 * build; "make KILL=1" makes a variant in which POSTSMS_KILL="name:count" ends the process with
 * SIGKILL as it comes to that point for the count-th time.
 */
#ifndef LIB_KILLPOINT_H
#define LIB_KILLPOINT_H

#ifdef POSTSMS_KILL_POINTS
void kill_point(const char *name);
#define KILL_POINT(name) kill_point(name)
#else
#define KILL_POINT(name) ((void)0)
#endif

#endif
