/* SPDX-License-Identifier: ISC */
/* For LD_PRELOAD in a test: the wall clock is off by the seconds that stand in the file
 * POSTSMS_TEST_CLOCK. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int
clock_gettime(clockid_t id, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *path = getenv("POSTSMS_TEST_CLOCK");
    FILE *file = id == CLOCK_REALTIME && path ? fopen(path, "re") : NULL;
    long offset = 0;
    int result;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    result = real(id, now);
    if (file) {
        if (fscanf(file, "%ld", &offset) == 1)
            now->tv_sec += offset;
        fclose(file);
    }
    return result;
}
