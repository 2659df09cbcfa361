/* SPDX-License-Identifier: ISC */
/*
 * Owns the outer form of an SMTP rules file: lines, comments, headings, parameters and the masking
 * inside them. Knows no section. Must never trim a parameter: blanks in it are meant.
 */
#include "rules/smtp.h"

#include <string.h>

void
smtp_lexer_init(struct smtp_lexer *lexer, const char *text, gsize len)
{
    memset(lexer, 0, sizeof(*lexer));
    lexer->at = text;
    lexer->end = text + len;
    lexer->closed = g_ptr_array_new_with_free_func(g_free);
    /* Editors on Windows put a byte order mark in front. */
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        lexer->at += 3;
}

void
smtp_lexer_clear(struct smtp_lexer *lexer)
{
    g_clear_pointer(&lexer->text, g_free);
    g_clear_pointer(&lexer->copy, g_free);
    g_clear_pointer(&lexer->closed, g_ptr_array_unref);
}

bool
smtp_is_blank(const char *text)
{
    while (g_ascii_isspace(*text))
        text++;
    return *text == '\0';
}

static void
fault(struct smtp_lexer *lexer, const char *text)
{
    lexer->kind = SMTP_TOKEN_FAULT;
    lexer->text = g_strdup(text);
}

static void
read_heading(struct smtp_lexer *lexer)
{
    const char *close = strchr(lexer->copy, ']');

    if (!close) {
        fault(lexer,
              "a section heading begins with \"[\" and ends with \"]\"; the \"]\" is missing");
    } else if (!smtp_is_blank(close + 1)) {
        fault(lexer, "nothing may follow a section heading on its line");
    } else {
        lexer->kind = SMTP_TOKEN_HEADING;
        lexer->text = g_strndup(lexer->copy + 1, (gsize)(close - lexer->copy - 1));
    }
}

static void
read_parameters(struct smtp_lexer *lexer)
{
    const char *from = lexer->copy;
    const char *semicolon;

    while ((semicolon = strchr(from, ';'))) {
        g_ptr_array_add(lexer->closed, g_strndup(from, (gsize)(semicolon - from)));
        from = semicolon + 1;
    }
    lexer->rest = from;
    lexer->kind = SMTP_TOKEN_PARAMETERS;
}

/* The next line into copy. */
static void
read_line(struct smtp_lexer *lexer, gsize *ret_len)
{
    const char *newline = memchr(lexer->at, '\n', (gsize)(lexer->end - lexer->at));
    const char *stop = newline ? newline : lexer->end;
    gsize len = (gsize)(stop - lexer->at);

    if (len > 0 && stop[-1] == '\r')
        len--;
    g_free(lexer->copy);
    lexer->copy = g_strndup(lexer->at, len);
    lexer->at = newline ? newline + 1 : lexer->end;
    lexer->line++;
    *ret_len = len;
}

void
smtp_lexer_next(struct smtp_lexer *lexer)
{
    g_clear_pointer(&lexer->text, g_free);
    g_ptr_array_set_size(lexer->closed, 0);
    lexer->rest = NULL;
    while (lexer->at < lexer->end) {
        gsize len;

        read_line(lexer, &len);
        /* The order matters: nothing is said about a comment's contents, and a line cut short by
         * NUL is none. */
        if (strlen(lexer->copy) != len) {
            fault(lexer, "the line contains a NUL byte; rules are UTF-8 text");
            return;
        }
        if (lexer->copy[0] == '!' || smtp_is_blank(lexer->copy))
            continue;
        if (len > SMTP_LINE_MAX)
            fault(lexer, "the line is longer than " G_STRINGIFY(SMTP_LINE_MAX) " octets");
        else if (!g_utf8_validate(lexer->copy, (gssize)len, NULL))
            fault(lexer, "the line is not UTF-8 text");
        else if (lexer->copy[0] == '[')
            read_heading(lexer);
        else
            read_parameters(lexer);
        return;
    }
    lexer->kind = SMTP_TOKEN_END;
}

char *
smtp_unmask(const char *masked, bool line_breaks)
{
    GString *text = g_string_sized_new(strlen(masked));

    for (; *masked; masked++) {
        char meant = *masked != '^'                    ? '\0'
                     : masked[1] == '1'                ? ';'
                     : masked[1] == '^'                ? '^'
                     : masked[1] == 'n' && line_breaks ? '\n'
                                                       : '\0';

        g_string_append_c(text, meant ? meant : *masked);
        if (meant)
            masked++;
    }
    return g_string_free(text, FALSE);
}

void
smtp_mask(GString *to, const char *text, bool line_breaks)
{
    for (; *text; text++) {
        if (*text == ';')
            g_string_append(to, "^1");
        else if (*text == '^')
            g_string_append(to, "^^");
        else if (*text == '\n' && line_breaks)
            g_string_append(to, "^n");
        else
            g_string_append_c(to, *text);
    }
}
