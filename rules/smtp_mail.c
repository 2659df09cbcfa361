/* SPDX-License-Identifier: ISC */
/*
 * Owns what the SMTP rules say about a whole mail: REPLACE-TEXT, then SPAM-FILTER-RULES. Cheap
 * places are searched first, and none in which no line could change the verdict any more. Pure:
 * same question, same answer; any thread. Must never log.
 */
#include "rules/smtp.h"

#include "lib/mailview.h"
#include "rules/smtp_addresses.h"
#include <string.h>

/* Where spam lines search; fields that fold, fields that do not. */
enum place { IN_ADDRESSES, IN_HEADER, IN_RAW, IN_TEXT };
static const guint place_fields[][2] = {
    [IN_ADDRESSES] = {1u << 0, 0},
    [IN_HEADER] = {1u << 1 | 1u << 5, 1u << 2 | 1u << 6},
    [IN_RAW] = {1u << 7, 1u << 8},
    [IN_TEXT] = {1u << 3 | 1u << 5, 1u << 4 | 1u << 6},
};

/* A search under way. Lines are numbers in their section. */
struct spam {
    const struct smtp_rules *rules;
    guint32 fatal;    /* the lowest disposing line that matched; SMTP_NONE */
    GArray *declared; /* guint32: class lines that matched; some may lie behind fatal or twice */
};

GArray *
smtp_hits_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct smtp_hit));
}

const char *smtp_class_name(enum smtp_class class)
{
    static const char *const names[] = {
        [SMTP_CLASS_NONE] = "", [SMTP_CLASS_COPY_TO] = "copy-to", [SMTP_CLASS_LIST] = "list"};

    return names[class];
}

void
smtp_verdict_clear(struct smtp_verdict *verdict)
{
    g_clear_pointer(&verdict->hits, g_array_unref);
    g_clear_pointer(&verdict->subject, g_free);
    g_clear_pointer(&verdict->text, g_free);
}

/* The first line that searches one of these fields. */
static guint32
first_line(const struct smtp_rules *rules, guint fields)
{
    guint32 first = SMTP_NONE;

    for (guint field = 0; field < SMTP_SPAM_FIELDS; field++)
        if (fields & 1u << field)
            first = MIN(first, rules->spam_first[field]);
    return first;
}

bool
smtp_rules_wants_body(const struct smtp_rules *rules)
{
    return smtp_rules_wants_reader(rules) || first_line(rules, 1u << 7 | 1u << 8) != SMTP_NONE;
}

bool
smtp_rules_wants_reader(const struct smtp_rules *rules)
{
    return rules->lines[SMTP_REPLACE]->len > 0 || first_line(rules, SMTP_SPAM_DECODED) != SMTP_NONE;
}

static void
take_text(struct spam *spam, const struct smtp_index *index, guint32 text, guint fields)
{
    guint n;
    const guint32 *lines = smtp_index_lines(index, text, &n);

    for (guint i = 0; i < n && lines[i] < spam->fatal; i++) {
        const struct smtp_line *line = smtp_line(spam->rules, SMTP_SPAM, lines[i]);

        if (!(fields & 1u << line->field))
            continue;
        if (line->action <= 2)
            spam->fatal = lines[i];
        else
            g_array_append_val(spam->declared, lines[i]);
    }
}

static void
search(struct spam *spam, enum place place, const char *octets, gsize len)
{
    for (guint exact = 0; exact < 2; exact++) {
        const struct smtp_index *index = &spam->rules->spam[exact];
        guint fields = place_fields[place][exact];
        g_autoptr(ManyFound) found = NULL;

        if (first_line(spam->rules, fields) >= spam->fatal)
            continue;
        found = many_found_new(index->many);
        if (exact)
            many_search(index->many, octets, len, found);
        else
            many_search_folded(index->many, octets, len, found);
        for (guint i = 0; i < found->texts->len; i++)
            take_text(spam, index, g_array_index(found->texts, guint32, i), fields);
    }
}

static void
search_addresses(struct spam *spam, const struct smtp_mail *mail)
{
    g_autoptr(GString) addresses = NULL;

    if (first_line(spam->rules, place_fields[IN_ADDRESSES][0]) >= spam->fatal)
        return;
    /* No search text has a line end in it, so none can reach from one address into the next. */
    addresses = g_string_new(NULL);
    for (guint i = 0; mail->recipients[i]; i++) {
        g_string_append(addresses, mail->recipients[i]);
        g_string_append_c(addresses, '\n');
    }
    smtp_addresses(mail->header, mail->header_len, addresses);
    search(spam, IN_ADDRESSES, addresses->str, addresses->len);
}

static gint
by_line(gconstpointer a, gconstpointer b)
{
    return ((const struct smtp_hit *)a)->line - ((const struct smtp_hit *)b)->line;
}

static gint
by_number(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a;
    guint32 y = *(const guint32 *)b;

    return (x > y) - (x < y);
}

static void
add_hit(struct smtp_verdict *verdict, const struct smtp_line *line, const char *effect)
{
    struct smtp_hit hit = {SMTP_SPAM, line->line, effect};

    g_array_append_val(verdict->hits, hit);
}

/* What line does to the mail, action 1 or 2 being its own or list_action's. */
static void
dispose(struct smtp_verdict *verdict, const struct conf *conf, bool mixed,
        const struct smtp_line *line, int action)
{
    const char *effect = "delete";

    verdict->fate = SMTP_DISCARD;
    if (action == 2 && !mixed && conf->spam_action == CONF_SPAM_HOLD) {
        verdict->fate = SMTP_HOLD;
        effect = "hold";
    } else if (action == 2 && *conf->spam_target) {
        verdict->fate = SMTP_REDIRECT;
        effect = "redirect";
    } else {
        verdict->nowhere = action == 2;
    }
    add_hit(verdict, line, effect);
    verdict->fatal = (struct smtp_hit){SMTP_SPAM, line->line, effect};
}

static void
conclude(struct spam *spam, const struct conf *conf, bool mixed, struct smtp_verdict *ret)
{
    const struct smtp_line *list = NULL;
    guint32 last = SMTP_NONE;

    g_array_sort(spam->declared, by_number);
    for (guint i = 0; i < spam->declared->len; i++) {
        guint32 n = g_array_index(spam->declared, guint32, i);
        const struct smtp_line *line = smtp_line(spam->rules, SMTP_SPAM, n);
        enum smtp_class class = line->action == 3 ? SMTP_CLASS_COPY_TO : SMTP_CLASS_LIST;

        if (n >= spam->fatal || n == last)
            continue;
        last = n;
        add_hit(ret, line, smtp_class_name(class));
        ret->class = MAX(ret->class, class);
        if (class == SMTP_CLASS_LIST && !list)
            list = line;
    }
    if (spam->fatal != SMTP_NONE) {
        const struct smtp_line *line = smtp_line(spam->rules, SMTP_SPAM, spam->fatal);

        dispose(ret, conf, mixed, line, line->action);
    } else if (list && conf->list_action != CONF_LIST_DELIVER) {
        dispose(ret, conf, mixed, list, conf->list_action == CONF_LIST_DROP ? 1 : 2);
    }
}

/* Does the verdict, or the text that goes on, still depend on what only a reader can say? */
static bool
must_decode(const struct spam *spam)
{
    return first_line(spam->rules, SMTP_SPAM_DECODED) < spam->fatal ||
           (spam->fatal == SMTP_NONE && spam->rules->lines[SMTP_REPLACE]->len > 0);
}

static int
search_decoded(struct spam *spam, const struct smtp_mail *mail, struct smtp_verdict *ret,
               struct outcome *why)
{
    const char *subject, *text;
    int decoded = mail->decode(mail->context, &subject, &text, why);

    if (decoded <= 0)
        return decoded;
    ret->subject =
        smtp_rules_replace(spam->rules, SMTP_REPLACE_SUBJECT, subject, VIEW_HEADER_MAX, ret->hits);
    ret->text = smtp_rules_replace(spam->rules, SMTP_REPLACE_BODY, text, VIEW_TEXT_MAX, ret->hits);
    g_array_sort(ret->hits, by_line);
    text = ret->text ? ret->text : text;
    search(spam, IN_TEXT, text, strlen(text));
    return 1;
}

int
smtp_rules_mail(const struct smtp_rules *rules, const struct conf *conf,
                const struct smtp_mail *mail, struct smtp_verdict *ret, struct outcome *why)
{
    g_autoptr(GArray) declared = g_array_new(FALSE, FALSE, sizeof(guint32));
    struct spam spam = {.rules = rules, .fatal = SMTP_NONE, .declared = declared};
    struct smtp_verdict verdict = {.hits = smtp_hits_new()};

    search_addresses(&spam, mail);
    search(&spam, IN_HEADER, mail->header, mail->header_len);
    if (mail->body)
        search(&spam, IN_RAW, mail->body, mail->body_len);
    if (must_decode(&spam) && search_decoded(&spam, mail, &verdict, why) < 0) {
        smtp_verdict_clear(&verdict);
        return -1;
    }
    conclude(&spam, conf, mail->mixed, &verdict);
    *ret = verdict;
    return 0;
}
