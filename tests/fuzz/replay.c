/* SPDX-License-Identifier: ISC */
/* Replays a fuzz target's corpus (files or folders of files) with any compiler: libFuzzer's main
 * without the fuzzing. */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint
replay_file(const char *path)
{
    g_autofree char *data = NULL;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, NULL)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    /* A copy of the exact size lets the sanitizers see one octet too far. */
    g_autofree guint8 *exact = g_malloc(MAX(len, 1));
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    return 1;
}

static guint
replay(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint count = 0;

    if (!dir)
        return replay_file(path);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        count += replay(inside);
    }
    return count;
}

int
main(int argc, char **argv)
{
    guint count = 0;

    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%s: %u inputs replayed\n", argv[0], count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
