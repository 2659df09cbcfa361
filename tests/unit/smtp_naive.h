/* SPDX-License-Identifier: ISC */
/* The SMTP rules by the book: every line, one after another, searched for in the whole text. What
 * the engine in rules/ says must be the same. */
#ifndef TESTS_UNIT_SMTP_NAIVE_H
#define TESTS_UNIT_SMTP_NAIVE_H

#include "lib/clean.h"
#include "lib/mailview.h"
#include "rules/fold.h"
#include "rules/smtp.h"
#include "rules/smtp_addresses.h"
#include <string.h>

static inline const struct smtp_line *
naive_line(const struct smtp_rules *rules, enum smtp_section section, guint i)
{
    return &g_array_index(rules->lines[section], struct smtp_line, i);
}

static inline bool
naive_in(const GString *text, const char *search)
{
    return memmem(text->str, text->len, search, strlen(search)) != NULL;
}

/* 0: the line does not say the same as an earlier one of its section. */
static inline bool
naive_repeats(const struct smtp_rules *rules, guint i)
{
    const struct smtp_line *line = naive_line(rules, SMTP_SPAM, i);
    bool exact = line->field && line->field % 2 == 0;
    g_autofree char *search = exact ? g_strdup(line->search) : fold_text(line->search);

    for (guint k = 0; k < i; k++) {
        const struct smtp_line *earlier = naive_line(rules, SMTP_SPAM, k);
        g_autofree char *other = exact ? g_strdup(earlier->search) : fold_text(earlier->search);

        if (earlier->field == line->field && earlier->action == line->action &&
            strcmp(search, other) == 0)
            return true;
    }
    return false;
}

static inline int
naive_recipient(const struct smtp_rules *rules, const char *recipient, const char *number)
{
    g_autofree char *folded = fold_text(recipient);

    for (guint i = 0; i < rules->lines[SMTP_FILTER]->len; i++) {
        const struct smtp_line *line = naive_line(rules, SMTP_FILTER, i);
        g_autofree char *search = fold_text(line->search);

        if (strstr(folded, search) || (number && strstr(number, search)))
            return line->line;
    }
    return 0;
}

/* text with one line applied, as far as max octets need it; false: it changed nothing. */
static inline bool
naive_apply(GString *text, const struct smtp_line *line, bool subject, gsize max)
{
    gsize len = strlen(line->search);
    g_autofree char *replace = g_strdup(line->replace);
    GString *result = g_string_new(NULL);
    const char *at = text->str;
    const char *hit;
    bool changed;

    if (subject)
        g_strdelimit(replace, "\n", ' ');
    while (result->len <= max && (hit = strstr(at, line->search))) {
        g_string_append_len(result, at, hit - at);
        g_string_append(result, replace);
        at = hit + len;
    }
    g_string_append(result, at);
    changed = strcmp(result->str, text->str) != 0;
    g_string_assign(text, result->str);
    g_string_free(result, TRUE);
    return changed;
}

static inline char *
naive_replace(const struct smtp_rules *rules, enum smtp_replace field, const char *original,
              gsize max, GArray *hits)
{
    GString *text = g_string_new(original);
    bool changed = false;

    for (guint i = 0; i < rules->lines[SMTP_REPLACE]->len; i++) {
        const struct smtp_line *line = naive_line(rules, SMTP_REPLACE, i);
        struct smtp_hit hit = {SMTP_REPLACE, line->line, "replace"};

        if (line->field != field || !naive_apply(text, line, field == SMTP_REPLACE_SUBJECT, max))
            continue;
        changed = true;
        g_array_append_val(hits, hit);
        if (text->len > max) {
            while (max > 0 && ((guint8)text->str[max] & 0xC0) == 0x80)
                max--;
            g_string_truncate(text, max);
            break;
        }
    }
    if (field == SMTP_REPLACE_SUBJECT)
        clean_line(text, max);
    else
        clean_body(text);
    return g_string_free(text, !changed);
}

/* What spam fields search, each as it is and folded. */
enum { NAIVE_ADDRESSES, NAIVE_HEADER, NAIVE_TEXT, NAIVE_RAW, NAIVE_KINDS };

struct naive_texts {
    GString *exact[NAIVE_KINDS], *folded[NAIVE_KINDS];
};

static inline void
naive_text(struct naive_texts *texts, int kind, const char *octets, gsize len)
{
    texts->exact[kind] = g_string_new_len(octets, (gssize)len);
    texts->folded[kind] = g_string_new(NULL);
    fold_octets(octets, len, false, texts->folded[kind]);
}

static inline void
naive_texts_clear(struct naive_texts *texts)
{
    for (int kind = 0; kind < NAIVE_KINDS; kind++) {
        g_string_free(texts->exact[kind], TRUE);
        g_string_free(texts->folded[kind], TRUE);
    }
}

static inline bool
naive_matches(const struct smtp_line *line, const struct naive_texts *texts)
{
    g_autofree char *search = fold_text(line->search);
    GString *const *exact = texts->exact;
    GString *const *folded = texts->folded;

    switch (line->field) {
    case 0:
        return naive_in(folded[NAIVE_ADDRESSES], search);
    case 1:
        return naive_in(folded[NAIVE_HEADER], search);
    case 2:
        return naive_in(exact[NAIVE_HEADER], line->search);
    case 3:
        return naive_in(folded[NAIVE_TEXT], search);
    case 4:
        return naive_in(exact[NAIVE_TEXT], line->search);
    case 5:
        return naive_in(folded[NAIVE_TEXT], search) || naive_in(folded[NAIVE_HEADER], search);
    case 6:
        return naive_in(exact[NAIVE_TEXT], line->search) ||
               naive_in(exact[NAIVE_HEADER], line->search);
    case 7:
        return naive_in(folded[NAIVE_RAW], search);
    default:
        return naive_in(exact[NAIVE_RAW], line->search);
    }
}

static inline void
naive_hit(struct smtp_verdict *verdict, const struct smtp_line *line, const char *effect)
{
    struct smtp_hit hit = {SMTP_SPAM, line->line, effect};

    g_array_append_val(verdict->hits, hit);
}

static inline void
naive_dispose(struct smtp_verdict *verdict, const struct conf *conf, bool mixed, int action,
              const struct smtp_line *line)
{
    const char *effect = "delete";

    verdict->fate = SMTP_DISCARD;
    if (action == 2 && !mixed && conf->spam_action == CONF_SPAM_HOLD) {
        verdict->fate = SMTP_HOLD;
        effect = "hold";
    } else if (action == 2 && *conf->spam_target) {
        verdict->fate = SMTP_REDIRECT;
        effect = "redirect";
    }
    naive_hit(verdict, line, effect);
    verdict->fatal = (struct smtp_hit){SMTP_SPAM, line->line, effect};
}

static inline void
naive_spam(const struct smtp_rules *rules, const struct conf *conf, bool mixed,
           const struct naive_texts *texts, struct smtp_verdict *ret)
{
    const struct smtp_line *list = NULL;

    for (guint i = 0; i < rules->lines[SMTP_SPAM]->len; i++) {
        const struct smtp_line *line = naive_line(rules, SMTP_SPAM, i);

        if (!naive_matches(line, texts) || naive_repeats(rules, i))
            continue;
        if (line->action <= 2) {
            naive_dispose(ret, conf, mixed, line->action, line);
            return;
        }
        naive_hit(ret, line, line->action == 3 ? "copy-to" : "list");
        ret->class = MAX(ret->class, line->action == 3 ? SMTP_CLASS_COPY_TO : SMTP_CLASS_LIST);
        if (line->action == 4 && !list)
            list = line;
    }
    if (list && conf->list_action != CONF_LIST_DELIVER)
        naive_dispose(ret, conf, mixed, conf->list_action == CONF_LIST_DROP ? 1 : 2, list);
}

static inline gint
naive_by_line(gconstpointer a, gconstpointer b)
{
    return ((const struct smtp_hit *)a)->line - ((const struct smtp_hit *)b)->line;
}

/* Always decodes. A mail that is disposed of anyway may be left undecoded by others: compare fate,
 * fatal and spam hits there. */
static inline int
naive_mail(const struct smtp_rules *rules, const struct conf *conf, const struct smtp_mail *mail,
           struct smtp_verdict *ret, struct outcome *why)
{
    g_autoptr(GString) addresses = g_string_new(NULL);
    struct naive_texts texts;
    const char *subject = NULL, *text = NULL;
    int decoded = !mail->decode ? 0 : mail->decode(mail->context, &subject, &text, why);

    if (decoded < 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->hits = smtp_hits_new();
    if (decoded > 0) {
        ret->subject =
            naive_replace(rules, SMTP_REPLACE_SUBJECT, subject, VIEW_HEADER_MAX, ret->hits);
        ret->text = naive_replace(rules, SMTP_REPLACE_BODY, text, VIEW_TEXT_MAX, ret->hits);
        g_array_sort(ret->hits, naive_by_line);
    }
    for (guint i = 0; mail->recipients[i]; i++)
        g_string_append_printf(addresses, "%s\n", mail->recipients[i]);
    smtp_addresses(mail->header, mail->header_len, addresses);
    text = ret->text ? ret->text : decoded > 0 ? text : "";
    naive_text(&texts, NAIVE_ADDRESSES, addresses->str, addresses->len);
    naive_text(&texts, NAIVE_HEADER, mail->header, mail->header_len);
    naive_text(&texts, NAIVE_TEXT, text, strlen(text));
    naive_text(&texts, NAIVE_RAW, mail->body ? mail->body : "", mail->body_len);
    naive_spam(rules, conf, mail->mixed, &texts, ret);
    naive_texts_clear(&texts);
    return 0;
}

#endif
