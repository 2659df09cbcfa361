/* SPDX-License-Identifier: ISC */
/* Owns the message template. Values are foreign text: they are put in as they are, never read as a
 * template. */
#include "transport/dispatch/template.h"

#include <string.h>

static const char *const names[TEMPLATE_VARIABLES] = {
    [TEMPLATE_SENDER] = "Sender",       [TEMPLATE_FROM] = "From",
    [TEMPLATE_FROM_NAME] = "From_Name", [TEMPLATE_FROM_EMAIL] = "From_Email",
    [TEMPLATE_SUBJECT] = "Subject",     [TEMPLATE_BODY] = "Body",
    [TEMPLATE_SIZE] = "Size",           [TEMPLATE_DATE] = "Date",
    [TEMPLATE_NUMBER] = "Number",
};

struct piece {
    int variable;  /* or -1: literal */
    char *literal; /* "\n" alone ends a line */
};

struct template
{
    GArray *pieces; /* struct piece */
};

static void
piece_clear(gpointer data)
{
    g_free(((struct piece *)data)->literal);
}

void
template_free(struct template *template)
{
    if (!template)
        return;
    g_array_unref(template->pieces);
    g_free(template);
}

static void
add_literal(struct template *template, const char *text, gsize len)
{
    while (len > 0) {
        const char *line_end = memchr(text, '\n', len);
        gsize here = !line_end ? len : line_end == text ? 1 : (gsize)(line_end - text);
        struct piece piece = {-1, g_strndup(text, here)};

        g_array_append_val(template->pieces, piece);
        text += here;
        len -= here;
    }
}

static int
variable_named(const char *name, gsize len)
{
    for (int i = 0; i < TEMPLATE_VARIABLES; i++)
        if (strlen(names[i]) == len && g_ascii_strncasecmp(names[i], name, len) == 0)
            return i;
    return -1;
}

struct template *
template_parse(const char *text, struct outcome *why)
{
    struct template *template = g_new0(struct template, 1);
    const char *at = text;
    const char *mark;

    template->pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
    g_array_set_clear_func(template->pieces, piece_clear);
    while ((mark = strstr(at, "%%"))) {
        const char *end = strstr(mark + 2, "%%");
        struct piece piece = {end ? variable_named(mark + 2, (gsize)(end - mark - 2)) : -1, NULL};

        if (piece.variable < 0) {
            int position = (int)g_utf8_pointer_to_offset(text, mark) + 1;

            if (end)
                out_set(why, OUT_CONFIG, "4.3.5", "message: %.*s at character %d is not a variable",
                        (int)(end - mark + 2), mark, position);
            else
                out_set(why, OUT_CONFIG, "4.3.5",
                        "message: %%%% at character %d has no second %%%%", position);
            template_free(template);
            return NULL;
        }
        add_literal(template, at, (gsize)(mark - at));
        g_array_append_val(template->pieces, piece);
        at = end + 2;
    }
    add_literal(template, at, strlen(at));
    return template;
}

/* text with the white space at its line ends and at both its ends gone. */
static char *
trim(const char *text)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_string_append(out, g_strchomp(*line));
        if (line[1])
            g_string_append_c(out, '\n');
    }
    return g_strstrip(g_string_free(out, FALSE));
}

char *
template_expand(const struct template *template, const char *const values[TEMPLATE_VARIABLES])
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize line_start = 0;
    bool variables = false;

    for (guint i = 0; i < template->pieces->len; i++) {
        const struct piece *piece = &g_array_index(template->pieces, struct piece, i);

        if (piece->variable >= 0) {
            variables = true;
            g_string_append(out, values[piece->variable] ? values[piece->variable] : "");
        } else if (strcmp(piece->literal, "\n") == 0) {
            if (!variables || out->len > line_start)
                g_string_append_c(out, '\n');
            line_start = out->len;
            variables = false;
        } else {
            g_string_append(out, piece->literal);
        }
    }
    return trim(out->str);
}
