/* SPDX-License-Identifier: ISC */
/*
 * Owns the parameters behind the "?" of an SMS recipient (ICE-SMS-04..07, ICE-PAR, design sections
 * 6 and 14). Must never show the value of a user or pass parameter, nor leave a copy of it in freed
 * memory.
 */
#include "lib/addr_params.h"

#include "lib/log.h"
#include <string.h>

#define MAXMSGS_MAX 128
#define VALUES_MAX  500 /* octets of all parameters value */

void
addr_wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    g_clear_pointer(secret, g_free);
}

/* One percent-encoded UTF-8 character at p into out. Octets read, or 0 if there is none or it is a
 * control character. */
static gsize
decode_char(const char *p, char out[5])
{
    for (gsize i = 0; i < 4; i++, p += 3) {
        gunichar c;

        if (p[0] != '%' || !g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
            return 0;
        out[i] = g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]);
        out[i + 1] = '\0';
        c = out[i] ? g_utf8_get_char_validated(out, i + 1) : 0;
        if (c == (gunichar)-2)
            continue; /* the front of a longer one */
        return c == (gunichar)-1 || g_unichar_iscntrl(c) ? 0 : 3 * (i + 1);
    }
    return 0;
}

char *
addr_decode(const char *value, char lone)
{
    addr_auto_wipe char *plain =
        g_malloc0(strlen(value) + 1); /* never longer, so no copy is left behind */
    char *out = plain;

    while (*value) {
        char character[5];
        gsize used = *value == '%' ? decode_char(value, character) : 0;

        if (used) {
            out = g_stpcpy(out, character);
            value += used;
        } else if (*value == '%' && !lone) {
            return NULL;
        } else {
            *out++ = *value == '%' ? lone : *value;
            value++;
        }
    }
    return g_steal_pointer(&plain);
}

/* Digits, at least 1; what is above 128 is 128. 0: it is not such a number. */
static guint
parse_maxmsgs(const char *value)
{
    if (!*value || value[strspn(value, "0123456789")])
        return 0;
    value += strspn(value, "0");
    if (strlen(value) > 3)
        return MAXMSGS_MAX;
    return MIN(g_ascii_strtoull(value, NULL, 10), MAXMSGS_MAX);
}

static void
replace(char **field, char **value)
{
    addr_wipe(field);
    *field = g_steal_pointer(value);
}

enum param { USER, PASS, ID, SENDER, MAXMSGS, BINARY, UDH, PID, DCS, VALUE, IGNORED };

static enum param
param_by_name(const char *name)
{
    static const char *const names[] = {
        [USER] = "user",       [PASS] = "pass",     [ID] = "id",   [SENDER] = "sender",
        [MAXMSGS] = "maxmsgs", [BINARY] = "binary", [UDH] = "udh", [PID] = "pid",
        [DCS] = "dcs",         [VALUE] = "value",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(names[i], name) == 0)
            return i;
    return IGNORED;
}

/* Decoded, without blanks around it. Newly allocated. */
static char *
name_of(const char *param)
{
    g_autofree char *raw = g_strndup(param, strcspn(param, "&="));

    return g_strstrip(addr_decode(raw, '%'));
}

static void
ignore_param(struct addr *addr, const char *name, bool has_value)
{
    /* A word alone may be the rest of a password with an '&' in it. */
    char *clean = has_value ? log_clean(name, 40) : g_strdup("(no name)");

    if (!*clean || g_ptr_array_find_with_equal_func(addr->ignored, clean, g_str_equal, NULL))
        g_free(clean);
    else
        g_ptr_array_add(addr->ignored, clean);
}

/* What is an octet in decimal; -1 and why if value is none. */
static int
parse_octet(const char *name, const char *value, int *ret, struct outcome *why)
{
    gsize digits = strspn(value, "0123456789");

    if (digits < 1 || digits > 3 || value[digits] || g_ascii_strtoull(value, NULL, 10) > 255) {
        out_set(why, OUT_NOUSER, "5.1.3", "the parameter %s must be a number from 0 to 255", name);
        return -1;
    }
    *ret = (int)g_ascii_strtoull(value, NULL, 10);
    return 0;
}

/* Goes to the gateway as it is, behind its own parameters: nothing in it may end a request. */
static int
add_value(struct addr *addr, const char *value, struct outcome *why)
{
    g_autofree char *before = g_steal_pointer(&addr->values);

    if (!*value) {
        addr->values = g_steal_pointer(&before);
        return 0;
    }
    for (const char *p = value; *p; p = g_utf8_next_char(p))
        if (*p == '#' || g_unichar_isspace(g_utf8_get_char(p)) ||
            g_unichar_iscntrl(g_utf8_get_char(p))) {
            out_set(why, OUT_NOUSER, "5.1.3",
                    "the parameter value must have no blanks, control characters or \"#\"");
            return -1;
        }
    addr->values = g_strconcat(before ? before : "", *value == '&' ? "" : "&", value, NULL);
    if (strlen(addr->values) <= VALUES_MAX)
        return 0;
    out_set(why, OUT_NOUSER, "5.1.3", "the parameters value are longer than %d octets", VALUES_MAX);
    return -1;
}

/* One "name=value" of the parameters; the last of several with one name holds. */
static int
add_param(struct addr *addr, const char *param, struct outcome *why)
{
    gsize name_len = strcspn(param, "=");
    g_autofree char *name = name_of(param);
    enum param which = param_by_name(name);
    addr_auto_wipe char *value = NULL;

    if (which == IGNORED) {
        ignore_param(addr, name, param[name_len]);
        return 0;
    }
    value = addr_decode(param + name_len + (param[name_len] == '='), which == USER ? '@' : 0);
    if (!value) {
        out_set(why, OUT_NOUSER, "5.1.3",
                "the parameter %s has a \"%%\" that begins no %%XX code of a character; write "
                "%%25 for \"%%\" itself",
                name);
        return -1;
    }
    if ((which == ID || which == SENDER || which == UDH) && !*value)
        addr_wipe(&value); /* left empty by somebody's template: as if absent */
    switch (which) {
    case USER:
        replace(&addr->user, &value);
        break;
    case PASS:
        replace(&addr->pass, &value);
        break;
    case ID:
        replace(&addr->gateway, &value);
        break;
    case SENDER:
        replace(&addr->originator, &value);
        break;
    case BINARY:
        if (*value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
            out_set(why, OUT_NOUSER, "5.1.3", "the parameter binary must be 0 or 1");
            return -1;
        }
        addr->binary = *value == '1';
        break;
    case MAXMSGS:
        addr->maxmsgs = parse_maxmsgs(value);
        if (!addr->maxmsgs) {
            out_set(why, OUT_NOUSER, "5.1.3", "the parameter maxmsgs must be a number from 1 to %d",
                    MAXMSGS_MAX);
            return -1;
        }
        break;
    case UDH:
        replace(&addr->udh, &value);
        break;
    case PID:
        return parse_octet("pid", value, &addr->pid, why);
    case DCS:
        return parse_octet("dcs", value, &addr->dcs, why);
    case VALUE:
        return add_value(addr, value, why);
    case IGNORED:
        break;
    }
    return 0;
}

/* "value=&unicode=1": the "&" belongs to the value, unless a parameter of ours follows. Octets up
 * to the end of it. */
static gsize
length_of(const char *params)
{
    static const char empty[] = "value=";
    gsize len = strcspn(params, "&");
    g_autofree char *next = NULL;

    if (len != strlen(empty) || g_ascii_strncasecmp(params, empty, len) != 0 || !params[len])
        return len;
    next = name_of(params + len + 1);
    return *next && param_by_name(next) == IGNORED ? len + 1 + strcspn(params + len + 1, "&") : len;
}

int
addr_add_params(struct addr *addr, const char *params, struct outcome *why)
{
    while (*params) {
        gsize len = length_of(params);
        addr_auto_wipe char *param = g_strndup(params, len);

        if (len && add_param(addr, param, why) < 0)
            return -1;
        params += len + (params[len] == '&');
    }
    return 0;
}
