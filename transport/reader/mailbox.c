/* SPDX-License-Identifier: ISC */
/*
 * Owns the reading of mailboxes in an address header (RFC 5322 section 3.4, obsolete forms too).
 * GMime is not used: its parser recurses into every nested group ("a:a:a:…") until the stack ends,
 * and decodes display names with the decoder that words.c replaces. Never recurses.
 */
#include "transport/reader/decode.h"

#include <string.h>

/* Where the comment at "(" ends; its content, backslashes resolved, goes to inside. */
static const char *
skip_comment(const char *at, const char *end, GString *inside)
{
    guint depth = 0;

    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        else if (*at == '(' && depth++ == 0)
            continue;
        else if (*at == ')' && --depth == 0)
            return at + 1;
        g_string_append_c(inside, *at);
    }
    return end;
}

/* Where the quoted string ends; raw gets it as it is, content without its quotes and backslashes.
 */
static const char *
skip_quoted(const char *at, const char *end, GString *raw, GString *content)
{
    g_string_append_c(raw, *at++);
    for (; at < end; at++) {
        g_string_append_c(raw, *at);
        if (*at == '"')
            return at + 1;
        if (*at == '\\' && at + 1 < end)
            g_string_append_c(raw, *++at);
        g_string_append_c(content, *at);
    }
    return end;
}

/* From "<" to ">": the address, comments, white space and an old source route ("@a,@b:") left out.
 */
static const char *
angle_address(const char *at, const char *end, GString *address)
{
    g_autoptr(GString) ignored = g_string_new(NULL);

    for (at++; at < end && *at != '>';) {
        if (*at == '(') {
            at = skip_comment(at, end, ignored);
        } else if (*at == '"') {
            at = skip_quoted(at, end, address, ignored);
        } else {
            if (*at == ':' && address->len > 0 && address->str[0] == '@')
                g_string_truncate(address, 0);
            else if (!g_ascii_isspace(*at))
                g_string_append_c(address, *at);
            at++;
        }
    }
    return at;
}

/* Where the next mailbox begins: behind the comma, or a group's end, that follows. */
static const char *
after_angle(const char *at, const char *end)
{
    g_autoptr(GString) ignored = g_string_new(NULL);

    while (at < end && *at != ',' && *at != ';') {
        if (*at == '(')
            at = skip_comment(at, end, ignored);
        else if (*at == '"')
            at = skip_quoted(at, end, ignored, ignored);
        else
            at++;
    }
    return at < end ? at + 1 : end;
}

/* A mailbox without "<": what was read as a phrase is the address. False if it is no address. */
static bool
bare_address(const GString *raw, GString *address)
{
    bool quoted = false;

    g_string_truncate(address, 0);
    for (gsize i = 0; i < raw->len; i++) {
        bool escape = quoted && raw->str[i] == '\\' && i + 1 < raw->len;

        if (raw->str[i] == '"')
            quoted = !quoted;
        if (quoted || !g_ascii_isspace(raw->str[i]))
            g_string_append_c(address, raw->str[i]);
        if (escape)
            g_string_append_c(address, raw->str[++i]);
    }
    return strchr(address->str, '@') != NULL;
}

bool
mailbox_next(const char **at, const char *end, GString *address, GString *name)
{
    g_autoptr(GString) phrase = g_string_new(NULL);  /* as written */
    g_autoptr(GString) content = g_string_new(NULL); /* without quotes */
    g_autoptr(GString) comment = g_string_new(NULL);
    const char *c = *at;
    bool found = false;

    g_string_truncate(address, 0);
    while (c < end && !found) {
        if (*c == '(') {
            g_string_truncate(comment, 0);
            c = skip_comment(c, end, comment);
        } else if (*c == '"') {
            c = skip_quoted(c, end, phrase, content);
        } else if (*c == '<') {
            c = after_angle(angle_address(c, end, address), end);
            found = true;
        } else if (*c == ',' || *c == ';' || *c == ':') {
            found = *c++ != ':' && bare_address(phrase, address);
            g_string_truncate(phrase, 0);
            g_string_truncate(content, 0);
        } else {
            g_string_append_c(phrase, *c);
            g_string_append_c(content, *c++);
        }
    }
    *at = c;
    if (!found && bare_address(phrase, address)) {
        g_string_truncate(content, 0);
        found = true;
    }
    if (!strchr(address->str, '@'))
        g_string_truncate(address, 0);
    g_strchomp(g_strchug(content->str));
    content->len = strlen(content->str);
    g_string_assign(name, content->len > 0 ? content->str : comment->str);
    return found;
}
