/* SPDX-License-Identifier: ISC */
/*
 * bench_noop SOCKET [all]: the milters that postsms-milter is held against. Both do nothing; with
 * "all" the milter has a callback for every step, each of which only says "go on", else it wants to
 * know nothing at all.
 */
#include <libmilter/mfapi.h>
#include <stddef.h>
#include <stdio.h>

static sfsistat
on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)hostname;
    (void)address;
    return SMFIS_CONTINUE;
}

static sfsistat
on_text(SMFICTX *ctx, char *text)
{
    (void)ctx;
    (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat
on_words(SMFICTX *ctx, char **words)
{
    (void)ctx;
    (void)words;
    return SMFIS_CONTINUE;
}

static sfsistat
on_field(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat
on_octets(SMFICTX *ctx, unsigned char *octets, size_t len)
{
    (void)ctx;
    (void)octets;
    (void)len;
    return SMFIS_CONTINUE;
}

static sfsistat
on_step(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
    static char name[] = "bench_noop";
    struct smfiDesc nothing = {.xxfi_name = name, .xxfi_version = SMFI_VERSION};

    if (argc == 3) {
        nothing.xxfi_connect = on_connect;
        nothing.xxfi_helo = on_text;
        nothing.xxfi_envfrom = on_words;
        nothing.xxfi_envrcpt = on_words;
        nothing.xxfi_data = on_step;
        nothing.xxfi_header = on_field;
        nothing.xxfi_eoh = on_step;
        nothing.xxfi_body = on_octets;
        nothing.xxfi_eom = on_step;
    }
    if (argc < 2 || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(nothing) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "usage: bench_noop unix:PATH [all]\n");
        return 2;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
