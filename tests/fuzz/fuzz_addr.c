/* SPDX-License-Identifier: ISC */
/* An address as a client may send it. First octet: which country code; the rest, up to a NUL: the
 * address. */
#include "lib/addr.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* E.164: "+", no 0 in front, 7 to 15 digits. */
static void
check_number(const char *number)
{
    gsize digits = strspn(number + 1, "0123456789");

    g_assert(number[0] == '+' && number[1] != '0' && !number[1 + digits]);
    g_assert(digits >= 7 && digits <= 15);
}

/* All that others may see of an address, in one string: log forms, refusal, ignored parameters. */
static char *
visible(const char *address, const char *country_code)
{
    static const char *const domains[] = {"d.example", ".e.example", NULL};
    GString *text = g_string_new(NULL);
    g_autoptr(Addr) addr = NULL;
    g_autofree char *again = NULL;
    struct outcome why;

    addr_in_domains(address, domains);
    for (int full = 0; full < 2; full++) {
        g_autofree char *line = addr_loggable(address, full);

        for (const char *p = line; *p; p++)
            g_assert((guchar)*p >= 0x20 && *p != 0x7F);
        g_string_append_printf(text, "%s|", line);
    }
    if (addr_parse(address, country_code, &addr, &why) < 0) {
        g_assert(why.kind == OUT_NOUSER && *why.text);
        g_assert(strcmp(why.dsn, "5.1.1") == 0 || strcmp(why.dsn, "5.1.3") == 0);
        g_string_append(text, why.text);
    } else {
        check_number(addr->number);
        g_assert(*addr->domain && !strchr(addr->domain, '@'));
        g_assert(addr->maxmsgs <= 128);
        g_assert(!addr->user || g_utf8_validate(addr->user, -1, NULL));
        g_assert(!addr->pass || g_utf8_validate(addr->pass, -1, NULL));
        for (guint i = 0; i < addr->ignored->len; i++)
            g_string_append_printf(text, "%s|", (const char *)addr->ignored->pdata[i]);
        /* A normal form is one: it means the same everywhere. */
        g_assert(addr_number(addr->number, "999", &again, &why) == 0);
        g_assert(strcmp(again, addr->number) == 0);
    }
    g_assert(g_utf8_validate(text->str, -1, NULL));
    return g_string_free(text, FALSE);
}

/* Whatever stands before a password and whether it parses or not: nobody can tell two passwords
 * apart. */
static void
check_secrecy(const char *before, const char *after, const char *input, const char *country_code)
{
    g_autofree char *one = g_strconcat(before, input, after, "geheim1\"@d.example", NULL);
    g_autofree char *two = g_strconcat(before, input, after, "secret9\"@d.example", NULL);
    g_autofree char *of_one = visible(one, country_code);
    g_autofree char *of_two = visible(two, country_code);

    g_assert(strcmp(of_one, of_two) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const codes[] = {"41", "", "1", "420"};
    g_autofree char *input = NULL;
    g_autofree char *number = NULL;
    g_autofree char *plain = NULL;
    const char *code;
    struct outcome why;

    if (!size)
        return 0;
    code = codes[data[0] % G_N_ELEMENTS(codes)];
    input = g_strndup((const char *)data + 1, size - 1);
    plain = visible(input, code);
    if (addr_number(input, code, &number, &why) == 0)
        check_number(number);
    check_secrecy("", "&pass=", input, code);
    check_secrecy("\"", "&pass=", input, code);
    check_secrecy("\"sms:+41791234567?", "&p%61ss=", input, code);
    if (!strchr(input, '&')) /* which ends a password */
        check_secrecy("\"sms:+41791234567?pass=", "", input, code);
    return 0;
}
