/* SPDX-License-Identifier: ISC */
/*
 * Owns the written forms of phone numbers and of SMS recipients (design sections 6 and 14). Pure
 * and thread-safe: the milter, the dispatcher and "explain" get the same answer. What it refuses it
 * explains to the sender, who reads the text in a bounce. Must never guess a number, and must never
 * show the value of a user or pass parameter, in a reason, in a log form or in freed memory.
 */
#include "lib/addr_params.h"

#include "lib/log.h"
#include <string.h>

#define DIGITS_MIN      7 /* E.164 sets no least length; shorter ones are short codes or slips */
#define DIGITS_MAX      15
#define EXAMPLE         "write it like +41791234567"
#define SEPARATORS      " .-/"
#define LOGGABLE_OCTETS 500

void
addr_free(struct addr *addr)
{
    if (!addr)
        return;
    g_free(addr->number);
    g_free(addr->domain);
    g_free(addr->user);
    addr_wipe(&addr->pass);
    g_free(addr->gateway);
    g_free(addr->originator);
    g_free(addr->udh);
    g_free(addr->values);
    g_clear_pointer(&addr->ignored, g_ptr_array_unref);
    g_free(addr);
}

/* The front of what somebody wrote, for a reason. Stops where parameters may begin, in any
 * disguise. */
static char *
shown(const char *text)
{
    gsize len = strcspn(text, "?&;=%");
    g_autofree char *front = g_strndup(text, len);
    g_autofree char *clean = g_strstrip(log_clean(front, 40));

    return g_strdup_printf("\"%s%s\"", clean, strlen(text) > 40 || text[len] ? "…" : "");
}

static int
check_characters(const char *text, struct outcome *why)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        out_set(why, OUT_NOUSER, "5.1.3", "the address is not valid UTF-8");
        return -1;
    }
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p))) {
            out_set(why, OUT_NOUSER, "5.1.3", "the address has a control character in it");
            return -1;
        }
    return 0;
}

/* ---- numbers ---- */

/* A number as it was written: its digits, and where a "(0)" stood between them. */
struct written {
    char *digits;
    bool plus;
    bool zero;     /* there was a "(0)"; it is not in digits */
    gsize zero_at; /* digits before it */
};

/* The length of "(0)" at p, blanks inside allowed; 0 if something else is there. */
static gsize
trunk_zero(const char *p)
{
    gsize len = 1 + strspn(p + 1, " ");

    if (p[len] != '0')
        return 0;
    len += 1 + strspn(p + len + 1, " ");
    return p[len] == ')' ? len + 1 : 0;
}

/* The digits of text; or what is wrong with it, as the end of a sentence that begins with the text.
 */
static const char *
read_digits(const char *text, struct written *ret)
{
    g_autoptr(GString) digits = g_string_new(NULL);
    bool open = false;
    const char *p = text;

    ret->plus = *p == '+';
    if (ret->plus)
        p++;
    while (*p) {
        gsize zero = *p == '(' && digits->len ? trunk_zero(p) : 0;

        if (zero && !ret->zero && !open) {
            ret->zero = true;
            ret->zero_at = digits->len;
            p += zero;
            continue;
        }
        if (g_ascii_isdigit(*p))
            g_string_append_c(digits, *p);
        else if (*p == '+')
            return "has a \"+\" inside";
        else if (*p == '(' || *p == ')') {
            if (open == (*p == '('))
                return "has parentheses that do not match";
            open = !open;
        } else if (!strchr(SEPARATORS, *p))
            return "has characters that no phone number has";
        else if (!digits->len)
            return "begins with a separator";
        p++;
    }
    if (open)
        return "has parentheses that do not match";
    if (p > text && strchr(SEPARATORS, p[-1]))
        return "ends with a separator";
    ret->digits = g_string_free(g_steal_pointer(&digits), FALSE);
    return NULL;
}

/* From digits as written to country code and number, or what is wrong, as read_digits says it. */
static const char *
internationalise(const struct written *written, const char *country_code, char **ret)
{
    const char *digits = written->digits;
    gsize count = strlen(digits);
    gsize code = strlen(country_code);
    bool international = true;
    gsize prefix = 0;
    gsize code_min = 1; /* country codes have one to three digits (ITU-T E.164) */
    gsize code_max = 3;

    if (g_str_has_prefix(digits, "00") && !written->plus)
        prefix = 2;
    else if (*digits == '0' && !written->plus)
        international = false;
    else if (!written->plus) {
        if (!code)
            return "has no country code";
        if (g_str_has_prefix(digits, country_code) && count >= 10 && count <= DIGITS_MAX)
            code_min = code_max = code;
        else if (count >= 7 && count <= 10)
            international = false;
        else
            return "is neither a national number nor one with country code";
    }
    if (written->zero && (!international || written->zero_at < prefix + code_min ||
                          written->zero_at > prefix + code_max))
        return "has a \"(0)\" that does not stand behind a country code";
    if (!international && !code)
        return "has no country code";
    if (international)
        *ret = g_strdup_printf("+%s", digits + prefix);
    else
        *ret = g_strdup_printf("+%s%s", country_code, digits + (*digits == '0'));
    return NULL;
}

static int
parse_number(const char *text, const char *country_code, char **ret, struct outcome *why)
{
    g_autofree char *name = shown(text);
    g_autofree char *number = NULL;
    struct written written = {0};
    const char *wrong;
    gsize count;

    if (!*text) {
        out_set(why, OUT_NOUSER, "5.1.3", "there is no phone number in the address; " EXAMPLE);
        return -1;
    }
    /* Somebody's name rather than a slip in a number. */
    if (!strchr("+()0123456789" SEPARATORS, *text) || !strpbrk(text, "0123456789")) {
        out_set(why, OUT_NOUSER, "5.1.1", "%s is not a phone number; " EXAMPLE, name);
        return -1;
    }
    wrong = read_digits(text, &written);
    if (!wrong)
        wrong = internationalise(&written, country_code, &number);
    g_free(written.digits);
    if (!wrong && number[1] == '0')
        wrong = "has a country code that begins with 0";
    if (wrong) {
        out_set(why, OUT_NOUSER, "5.1.3", "the phone number %s %s; " EXAMPLE, name, wrong);
        return -1;
    }
    count = strlen(number + 1);
    if (count < DIGITS_MIN || count > DIGITS_MAX) {
        out_set(why, OUT_NOUSER, "5.1.3",
                "the phone number %s is too %s: with country code it has %zu digits, not %d to %d",
                name, count < DIGITS_MIN ? "short" : "long", count, DIGITS_MIN, DIGITS_MAX);
        return -1;
    }
    *ret = g_steal_pointer(&number);
    return 0;
}

int
addr_number(const char *text, const char *country_code, char **ret, struct outcome *why)
{
    g_autofree char *copy = NULL;

    if (check_characters(text, why) < 0)
        return -1;
    copy = g_strstrip(g_strdup(text));
    return parse_number(copy, country_code, ret, why);
}

/* ---- addresses ---- */

/* The domain in lower case, without a dot at its end; NULL if there is none. */
static char *
domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *domain = NULL;
    gsize len;

    if (!at)
        return NULL;
    domain = g_ascii_strdown(at + 1, -1);
    len = strlen(domain);
    if (len && domain[len - 1] == '.')
        domain[--len] = '\0';
    for (const char *p = domain; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr(".-_:[]", *p) && !(*p & 0x80))
            return NULL; /* the '@' was inside of quotes, or nonsense */
    return len ? g_steal_pointer(&domain) : NULL;
}

bool
addr_in_domains(const char *address, const char *const *domains)
{
    g_autofree char *domain = domain_of(address);

    if (!domain)
        return false;
    for (; *domains; domains++) {
        gsize len = strlen(domain);
        gsize tail = strlen(*domains);

        if (**domains == '.' ? len > tail && g_ascii_strcasecmp(domain + len - tail, *domains) == 0
                             : g_ascii_strcasecmp(domain, *domains) == 0)
            return true;
    }
    return false;
}

/* RFC 5321 4.1.2: a quoted string without its quotes and backslashes, anything else as it is; NULL
 * if it is broken. */
static char *
unquote(const char *local, gsize len)
{
    addr_auto_wipe char *plain = g_malloc0(len + 1);
    bool quoted = len >= 2 && local[0] == '"' && local[len - 1] == '"';
    gsize from = quoted;
    gsize to = len - quoted;
    char *out = plain;

    while (from < to) {
        if (local[from] == '"')
            return NULL;
        if (quoted && local[from] == '\\' && ++from == to)
            return NULL; /* the last quote was escaped */
        *out++ = local[from++];
    }
    return g_steal_pointer(&plain);
}

int
addr_parse(const char *recipient, const char *country_code, struct addr **ret, struct outcome *why)
{
    g_autoptr(Addr) addr = g_new0(struct addr, 1);
    addr_auto_wipe char *local = NULL;
    addr_auto_wipe char *number = NULL;
    const char *p;
    gsize len;

    addr->ignored = g_ptr_array_new_with_free_func(g_free);
    addr->pid = addr->dcs = -1;
    if (check_characters(recipient, why) < 0)
        return -1;
    addr->domain = domain_of(recipient);
    if (!addr->domain) {
        out_set(why, OUT_NOUSER, "5.1.3", "the address has no domain");
        return -1;
    }
    local = unquote(recipient, strrchr(recipient, '@') - recipient);
    if (!local) {
        out_set(why, OUT_NOUSER, "5.1.3", "the quotes in the address do not match");
        return -1;
    }
    p = local + strspn(local, " ");
    if (g_ascii_strncasecmp(p, "sms:", 4) == 0)
        p += 4;
    len = strcspn(p, "?");
    number = g_strstrip(g_strndup(p, len));
    if (parse_number(number, country_code, &addr->number, why) < 0)
        return -1;
    if (p[len] && addr_add_params(addr, p + len + 1, why) < 0)
        return -1;
    *ret = g_steal_pointer(&addr);
    return 0;
}

/* ---- for logs ---- */

/* The end of the first "user" or "pass" that an '=' follows somewhere; NULL if there is none. */
static const char *
secret_follows(const char *text)
{
    for (const char *p = text; *p; p++)
        if (g_ascii_strncasecmp(p, "pass", 4) == 0 || g_ascii_strncasecmp(p, "user", 4) == 0)
            return strchr(p, '=') ? p + 4 : NULL;
    return NULL;
}

/* Appends text with the digits of a number in it shortened, even if it is badly written. */
static void
append_digits(GString *line, const char *text, bool full)
{
    g_autofree char *compact = g_strdup(text);
    gsize count = 0;
    gsize seen = 0;
    gsize keep;
    char *out = compact;

    for (const char *p = text; *p; p++) {
        count += g_ascii_isdigit(*p) != 0;
        if (!strchr(SEPARATORS "()", *p))
            *out++ = *p;
    }
    *out = '\0';
    if (full || count < DIGITS_MIN) {
        g_string_append(line, text);
        return;
    }
    if (strlen(compact) == count + (*compact == '+')) {
        g_autofree char *number = log_number(compact, false);

        g_string_append(line, number);
        return;
    }
    /* No number, but perhaps one with a slip in it: digits are hidden where they stand. */
    keep = count < 11 ? 2 : 4;
    for (const char *p = text; *p; p++) {
        bool digit = g_ascii_isdigit(*p);

        seen += digit;
        g_string_append_c(line, digit && seen > keep && seen <= count - keep ? '*' : *p);
    }
}

/* Appends text without its secrets if it may have any, and says so; hides too much, if anything. */
static bool
append_hidden(GString *line, const char *text, bool full)
{
    addr_auto_wipe char *plain = addr_decode(text, '%');
    const char *secret = secret_follows(plain);
    g_autofree char *front = NULL;

    if (!secret)
        return false;
    front = g_strndup(plain, secret - plain);
    append_digits(line, front, full);
    g_string_append(line, "=***");
    return true;
}

char *
addr_loggable(const char *recipient, bool full)
{
    g_autofree char *domain = domain_of(recipient);
    gsize local_len = domain ? (gsize)(strrchr(recipient, '@') - recipient) : strlen(recipient);
    addr_auto_wipe char *local = g_malloc0(local_len + 1);
    g_autofree char *head = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    bool hidden = false;
    char *out = local;
    const char *p = local;
    gsize len;

    /* Quotes and backslashes go even where they make no sense: they could part the name of a
     * parameter. */
    for (gsize i = 0; i < local_len; i++)
        if (recipient[i] != '"' && recipient[i] != '\\')
            *out++ = recipient[i];
    len = strcspn(p, "?&;");
    head = g_strndup(p, len);
    if (g_ascii_strncasecmp(head, "sms:", 4) == 0)
        g_string_append_len(line, head, 4);
    hidden = append_hidden(line, head + line->len, full);
    if (!hidden)
        append_digits(line, head + line->len, full);
    while (p += len, *p) {
        addr_auto_wipe char *param = NULL;

        g_string_append_c(line, *p++);
        len = strcspn(p, "&");
        param = g_strndup(p, len);
        if (append_hidden(line, param, full))
            hidden = true;
        else if (hidden && !strchr(param, '='))
            g_string_append(line, "***"); /* perhaps the rest of a password with an '&' in it */
        else
            append_digits(line, param, full);
    }
    if (domain)
        g_string_append_printf(line, "@%s", domain);
    return log_clean(line->str, LOGGABLE_OCTETS);
}
