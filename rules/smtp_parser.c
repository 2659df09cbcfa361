/* SPDX-License-Identifier: ISC */
/*
 * Owns the grammar of the five sections (UMG-SMTP-01..30): tokens in, a checked program or faults
 * out. Must never guess: a line that is not exactly what its section expects is a fault, and one
 * fault refuses the file.
 */
#include "rules/smtp.h"

#include "lib/log.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct parser {
    struct smtp_lexer lexer;
    struct smtp_rules *rules;
    Faults *faults;
    GHashTable *seen;
    int section;   /* -1: no heading yet; SMTP_SECTIONS: below an unknown one */
    bool homeless; /* said that lines stand before any heading */
};

/* What a line of each section consists of. */
static const struct {
    guint parameters;
    const char *form;
} sections[SMTP_SECTIONS] = {
    [SMTP_ALLOW] = {1, "search;"},
    [SMTP_DENY] = {1, "search;"},
    [SMTP_REPLACE] = {3, "field;search;replacement;"},
    [SMTP_SPAM] = {3, "field;search;action;"},
    [SMTP_FILTER] = {1, "search;"},
};

#define FAULT(parser, ...)                                                                         \
    faults_add((parser)->faults, (parser)->rules->file, (parser)->lexer.line, __VA_ARGS__)
#define WARN(parser, ...)                                                                          \
    faults_warn((parser)->faults, (parser)->rules->file, (parser)->lexer.line, __VA_ARGS__)

static void
parse_heading(struct parser *parser)
{
    const char *name = parser->lexer.text;
    g_autofree char *clean = NULL;

    for (int section = 0; section < SMTP_SECTIONS; section++)
        if (g_ascii_strcasecmp(name, smtp_section_name(section)) == 0) {
            parser->section = section;
            if (!parser->rules->heading[section])
                parser->rules->heading[section] = parser->lexer.line;
            return;
        }
    parser->section = SMTP_SECTIONS;
    clean = log_clean(name, 60);
    FAULT(parser,
          "unknown section [%s]; expected [ALLOW-FROM-DOMAIN], [DENY-FROM-DOMAIN], [REPLACE-TEXT], "
          "[SPAM-FILTER-RULES] or [FILTER-ADDRESSES]",
          clean);
}

/* True if text is one digit within min and max, which is all that fields and actions are. */
static bool
parse_digit(const char *text, int min, int max, guint8 *ret)
{
    int value = g_ascii_digit_value(text[0]);

    if (value < min || value > max || text[1])
        return false;
    *ret = (guint8)value;
    return true;
}

static bool
parse_field(struct parser *parser, const char *text, struct smtp_line *line)
{
    bool replace = parser->section == SMTP_REPLACE;
    g_autofree char *clean = log_clean(text, 60);

    if (parse_digit(text, 0, replace ? 1 : 8, &line->field))
        return true;
    FAULT(parser,
          replace ? "the field must be 0 (subject) or 1 (body), not \"%s\""
                  : "the field must be one of 0 to 8, not \"%s\"",
          clean);
    return false;
}

static bool
parse_action(struct parser *parser, const char *text, struct smtp_line *line)
{
    g_autofree char *clean = log_clean(text, 60);

    if (parse_digit(text, 1, 4, &line->action))
        return true;
    FAULT(parser,
          "the action must be 1 (delete), 2 (move to spam), 3 (declare \"COPY TO\") or "
          "4 (declare \"distribution list\"), not \"%s\"",
          clean);
    return false;
}

/* The parameters, still masked, or NULL and a fault. */
static GPtrArray *
count_parameters(struct parser *parser)
{
    GPtrArray *parameters = parser->lexer.closed;
    const char *rest = parser->lexer.rest;
    guint expected = sections[parser->section].parameters;
    const char *name = smtp_section_name(parser->section);

    /* The last ';' may be absent; blanks behind it are not a parameter. */
    if (*rest && (parameters->len < expected || !smtp_is_blank(rest)))
        g_ptr_array_add(parameters, g_strdup(rest));
    if (parameters->len == expected)
        return parameters;
    if (parser->section == SMTP_REPLACE && parameters->len == 2 && !*rest)
        FAULT(parser,
              "the line ends after its second \";\"; [%s] expects %s (\";;\" at the end deletes "
              "the text)",
              name, sections[parser->section].form);
    else
        FAULT(parser, "%u parameter%s; [%s] expects %u: %s (a \";\" inside one is written ^1)",
              parameters->len, parameters->len == 1 ? "" : "s", name, expected,
              sections[parser->section].form);
    return NULL;
}

/* True if search is a number, perhaps with a domain, that is not part of its normalised form: only
 * recipients that are written in the same way contain it. */
static bool
is_one_spelling(const char *search)
{
    gsize len = strspn(search, "+0123456789 ./()-");
    guint digits = 0;
    bool more = false;

    for (gsize i = 0; i < len; i++) {
        digits += g_ascii_isdigit(search[i]) ? 1 : 0;
        more = more || strchr(" ./()-", search[i]);
    }
    return digits >= 7 && (more || *search == '0') && (search[len] == '\0' || search[len] == '@');
}

/* Legal texts that cannot do what they seem to. */
static void
warn_about(struct parser *parser, const char *search)
{
    gsize len = strlen(search);
    const char *first = search + strspn(search, " \t");

    if (search[0] == '*' || search[len - 1] == '*')
        WARN(parser, "\"*\" is not a wildcard here but a character searched for; the section "
                     "decides how it searches");
    if (sections[parser->section].parameters > 1)
        return;
    if (first > search && *first == '!')
        WARN(parser, "blanks in front make this a search text; a comment begins in column one");
    else if (first > search || g_ascii_isspace(search[len - 1]))
        WARN(parser,
             "blanks at the ends of the search text are part of it; addresses have none there");
    else if (parser->section == SMTP_FILTER && is_one_spelling(search))
        WARN(parser, "finds the number only where it is written like this; its digits without a "
                     "leading 0 find it in every form");
}

/* True if line has no texts that can be searched for; the fault is then said. */
static bool
refuse_texts(struct parser *parser, const struct smtp_line *line)
{
    const char *first = line->search + strspn(line->search, " \t");

    if (!*line->search)
        FAULT(parser, "the search text is empty");
    else if (strlen(line->search) + (line->replace ? strlen(line->replace) : 0) > SMTP_TEXT_MAX)
        FAULT(parser, "the texts of the line have more than %d octets", SMTP_TEXT_MAX);
    else if (sections[parser->section].parameters == 1 && *first == '[')
        /* Taken as a search text, it would put the lines below into the wrong section. */
        FAULT(parser, "blanks before \"[\"; a section heading begins in column one");
    else
        return false;
    return true;
}

static void
parse_line(struct parser *parser)
{
    struct smtp_line line = {.line = parser->lexer.line};
    bool breaks = parser->section == SMTP_REPLACE;
    GPtrArray *parameters = count_parameters(parser);
    int earlier;

    if (!parameters)
        return;
    if (parameters->len == 3 && !parse_field(parser, parameters->pdata[0], &line))
        return;
    if (parser->section == SMTP_SPAM && !parse_action(parser, parameters->pdata[2], &line))
        return;
    line.search = smtp_unmask(parameters->pdata[parameters->len == 3 ? 1 : 0], breaks);
    if (parser->section == SMTP_REPLACE)
        line.replace = smtp_unmask(parameters->pdata[2], breaks);
    if (refuse_texts(parser, &line)) {
        g_free(line.search);
        g_free(line.replace);
        return;
    }
    warn_about(parser, line.search);
    earlier = smtp_program_add(parser->rules, parser->section, &line, parser->seen);
    if (earlier)
        WARN(parser, "the same as line %d", earlier);
}

static void
parse_token(struct parser *parser)
{
    switch (parser->lexer.kind) {
    case SMTP_TOKEN_HEADING:
        parse_heading(parser);
        break;
    case SMTP_TOKEN_PARAMETERS:
        if (parser->section >= 0 && parser->section < SMTP_SECTIONS) {
            parse_line(parser);
        } else if (parser->section < 0 && !parser->homeless) {
            /* Once: a file of some other kind would fill the screen with it. */
            FAULT(parser, "parameters before any section; expected a heading such as "
                          "[ALLOW-FROM-DOMAIN] first");
            parser->homeless = true;
        }
        break;
    case SMTP_TOKEN_FAULT:
        FAULT(parser, "%s", parser->lexer.text);
        /* What stands below a broken heading belongs to nothing. */
        if (parser->lexer.copy[0] == '[')
            parser->section = SMTP_SECTIONS;
        break;
    case SMTP_TOKEN_END:
        break;
    }
}

struct smtp_rules *
smtp_rules_parse(const char *text, gsize len, const char *file, Faults *faults)
{
    g_autoptr(SmtpRules) rules = smtp_program_new(file);
    g_autoptr(GHashTable) seen = smtp_program_seen_new();
    struct parser parser = {.rules = rules, .faults = faults, .seen = seen, .section = -1};
    guint before = faults_errors(faults);

    smtp_lexer_init(&parser.lexer, text, len);
    do {
        smtp_lexer_next(&parser.lexer);
        parse_token(&parser);
    } while (parser.lexer.kind != SMTP_TOKEN_END);
    smtp_lexer_clear(&parser.lexer);
    smtp_program_finish(rules);
    return faults_errors(faults) > before ? NULL : g_steal_pointer(&rules);
}

struct smtp_rules *
smtp_rules_load(const char *file, bool must_exist, Faults *faults)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    struct stat info;
    gsize len;

    if (stat(file, &info) < 0) {
        if (errno == ENOENT && !must_exist)
            return smtp_rules_parse("", 0, file, faults);
        faults_add(faults, file, 0, "%s", g_strerror(errno));
        return NULL;
    }
    if (S_ISDIR(info.st_mode)) {
        faults_add(faults, file, 0, "is a directory; expected a file of rules");
        return NULL;
    }
    if (S_ISFIFO(info.st_mode)) {
        /* To open it would wait for a writer, and no reload come any more. */
        faults_add(faults, file, 0, "is a pipe; expected a file of rules");
        return NULL;
    }
    if (info.st_size > SMTP_FILE_MAX) {
        faults_add(faults, file, 0, "is larger than %d MB", SMTP_FILE_MAX / 1048576);
        return NULL;
    }
    if (!g_file_get_contents(file, &text, &len, &error)) {
        faults_add(faults, file, 0, "%s", error->message);
        return NULL;
    }
    return smtp_rules_parse(text, len, file, faults);
}
