/* SPDX-License-Identifier: ISC */
/* Owns the system's clock and generator. Must never be called past struct clk where a test could
 * want another time. */
#include "lib/clk.h"

#include <sys/random.h>
#include <time.h>

static gint64
milliseconds(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static gint64
wall(void)
{
    return milliseconds(CLOCK_REALTIME);
}

static gint64
mono(void)
{
    return milliseconds(CLOCK_MONOTONIC);
}

static void
random_octets(void *to, gsize count)
{
    g_assert(count <= 256); /* up to there getrandom is never short */
    g_assert(getrandom(to, count, 0) == (gssize)count);
}

const struct clk clk_system = {wall, mono, random_octets};

char *
clk_string(gint64 wall_ms)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(wall_ms / 1000);

    return when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%S%:z") : g_strdup("?");
}
