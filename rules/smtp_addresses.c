/* SPDX-License-Identifier: ISC */
/*
 * Owns how addresses are taken out of To: and Cc: (RFC 5322 section 3.4, read leniently). Input is
 * hostile: one pass, nothing nested on the stack. Must never decode anything.
 */
#include "rules/smtp_addresses.h"

#include <stdbool.h>
#include <string.h>

/* One field's value on its way through. */
struct mailboxes {
    GString *to;
    gsize start;   /* in to: of the mailbox that is being read */
    guint comment; /* depth */
    bool quoted, literal;
    bool angle;  /* inside <> */
    bool routed; /* it had its <>: what follows them is no address */
};

static void
mailbox_begin(struct mailboxes *box)
{
    box->start = box->to->len;
    box->angle = box->routed = box->literal = false;
}

static void
mailbox_end(struct mailboxes *box)
{
    GString *to = box->to;
    gsize from = box->start;

    while (to->len > from && strchr(" \t", to->str[to->len - 1]))
        g_string_truncate(to, to->len - 1);
    while (from < to->len && strchr(" \t", to->str[from]))
        from++;
    g_string_erase(to, (gssize)box->start, (gssize)(from - box->start));
    if (to->len > box->start)
        g_string_append_c(to, '\n');
    mailbox_begin(box);
}

/* Outside of comments and quotes. */
static void
read_plain(struct mailboxes *box, char c)
{
    if (c == '(') {
        box->comment = 1;
    } else if (box->angle && c == '>') {
        box->angle = false;
        box->routed = true;
    } else if (!box->angle && c == '<') {
        /* What stands in front is a display name, or, against all rules, an address in <>. */
        if (box->routed)
            mailbox_end(box);
        g_string_truncate(box->to, box->start);
        box->angle = true;
    } else if (!box->angle && !box->literal && (c == ',' || c == ';')) {
        mailbox_end(box);
    } else if (!box->angle && !box->literal && c == ':') {
        /* That was the name of a group. */
        g_string_truncate(box->to, box->start);
        mailbox_begin(box);
    } else {
        box->quoted = c == '"';
        if (c == '[' || c == ']')
            box->literal = c == '[';
        if (!box->routed)
            g_string_append_c(box->to, c);
    }
}

static void
read_value(const char *value, gsize len, GString *to)
{
    struct mailboxes box = {.to = to};

    mailbox_begin(&box);
    for (gsize i = 0; i < len; i++) {
        char c = value[i];
        bool escaped = c == '\\' && i + 1 < len && (box.comment || box.quoted);

        if (c == '\r' || c == '\n' || c == '\0')
            continue;
        if (box.comment) {
            if (!escaped && c == '(')
                box.comment++;
            else if (!escaped && c == ')')
                box.comment--;
        } else if (box.quoted) {
            if (!box.routed)
                g_string_append_c(to, c);
            if (escaped && !box.routed && !strchr("\r\n", value[i + 1]))
                g_string_append_c(to, value[i + 1]);
            box.quoted = escaped || c != '"';
        } else {
            read_plain(&box, c);
        }
        i += escaped;
    }
    mailbox_end(&box);
}

static bool
is_destination(const char *line, gsize len, gsize *ret_value)
{
    const char *colon = memchr(line, ':', len);
    gsize name;

    if (!colon)
        return false;
    name = (gsize)(colon - line);
    *ret_value = name + 1;
    while (name > 0 && strchr(" \t", line[name - 1]))
        name--;
    return name == 2 &&
           (g_ascii_strncasecmp(line, "To", 2) == 0 || g_ascii_strncasecmp(line, "Cc", 2) == 0);
}

void
smtp_addresses(const char *header, gsize len, GString *addresses)
{
    gsize at = 0;

    while (at < len) {
        gsize from = at;
        gsize value;

        do {
            const char *newline = memchr(header + at, '\n', len - at);

            at = newline ? (gsize)(newline - header) + 1 : len;
        } while (at < len && (header[at] == ' ' || header[at] == '\t'));
        if (is_destination(header + from, at - from, &value))
            read_value(header + from + value, at - from - value, addresses);
    }
}
