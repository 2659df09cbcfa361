/* SPDX-License-Identifier: ISC */
/*
 * Owns ask.sock, where postsms-milter asks while an SMTP client waits (lib/ask.h). Questions about
 * a mail go to a reader, whose answer is passed on as it is; notes go into the ledger. Must never
 * look into a mail, and never let one who is slow hold up another.
 */
#include "transport/dispatch/dispatch.h"

#include "lib/ask.h"
#include "lib/log.h"
#include "lib/sock.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASKERS_MAX    500
#define PATIENCE_USEC (10 * G_USEC_PER_SEC) /* with a question half sent, an answer half taken */
#define WORD_MAX      1024                  /* octets of a note's values, but for the recipients */

struct asks {
    struct dispatch *dispatch;
    struct listener *listener;
    GHashTable *askers; /* set of struct asker * */
    GPtrArray *notes;   /* struct asker *: their note waits for a group */
};

/* One connection of postsms-milter. It sends, or waits for us, or takes its answer. */
struct asker {
    struct asks *asks;
    int fd;
    sd_event_source *io, *timer;
    GByteArray *input;
    int mail;                  /* came along with the question; -1 */
    struct question *question; /* with the readers; NULL */
    struct wire *note;         /* waits for its group; NULL */
    GString *output;
    gsize sent; /* octets of output */
};

/* A mail in the readers' hands; outlives an asker who leaves. */
struct question {
    struct reading reading;
    struct asker *asker; /* NULL: gone */
    int mail;
};

static void
question_free(struct question *question)
{
    if (question->asker)
        question->asker->question = NULL;
    close(question->mail);
    g_free(question);
}

static void
drop_mail(struct asker *asker)
{
    if (asker->mail >= 0)
        close(asker->mail);
    asker->mail = -1;
}

static void
asker_free(struct asker *asker)
{
    struct asks *asks = asker->asks;
    struct question *question = asker->question;

    if (question && readers_take_back(asks->dispatch->readers, &question->reading))
        question_free(question);
    else if (question)
        question->asker = NULL;
    g_hash_table_remove(asks->askers, asker);
    g_ptr_array_remove(asks->notes, asker);
    sd_event_source_disable_unref(asker->io);
    sd_event_source_disable_unref(asker->timer);
    close(asker->fd);
    drop_mail(asker);
    g_clear_pointer(&asker->note, wire_free);
    g_byte_array_unref(asker->input);
    g_string_free(asker->output, TRUE);
    g_free(asker);
}

static void
be_patient(struct asker *asker, bool patient)
{
    if (patient)
        sd_event_source_set_time_relative(asker->timer, PATIENCE_USEC);
    sd_event_source_set_enabled(asker->timer, patient ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Sends what there is to send; asker may be gone after it. */
static void
flush(struct asker *asker)
{
    while (asker->sent < asker->output->len) {
        gssize sent = send(asker->fd, asker->output->str + asker->sent,
                           asker->output->len - asker->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EAGAIN) {
            be_patient(asker, true);
            sd_event_source_set_io_events(asker->io, EPOLLOUT);
            return;
        }
        if (sent < 0) {
            asker_free(asker);
            return;
        }
        asker->sent += (gsize)sent;
    }
    g_string_set_size(asker->output, 0);
    asker->sent = 0;
    be_patient(asker, false);
    sd_event_source_set_io_events(asker->io, EPOLLIN);
}

static void
answer(struct asker *asker, const GString *list)
{
    wire_frame(asker->output, list);
    flush(asker);
}

static void
answer_why(struct asker *asker, const struct outcome *why, bool crash)
{
    g_autoptr(GString) list = g_string_new(NULL);

    wire_put(list, ASK_DSN, why->dsn);
    wire_put(list, ASK_REASON, why->text);
    if (crash)
        wire_put(list, ASK_CRASH, "yes");
    wire_end(list);
    answer(asker, list);
}

static void
answer_retry(struct asker *asker, const char *text)
{
    struct outcome why;

    out_set(&why, OUT_RETRY, "4.3.0", "%s", text);
    answer_why(asker, &why, false);
}

/* Reading */

static int
mail_of(struct reading *reading)
{
    struct question *question = reading->owner;

    /* A reader that ended before it looked at it may have moved on in it. */
    lseek(question->mail, 0, SEEK_SET);
    return question->mail;
}

/* The one who asked, the question being over; NULL if he has left. */
static struct asker *
end_question(struct question *question)
{
    struct asker *asker = question->asker;

    question_free(question);
    return asker;
}

static bool
on_answered(struct reading *reading, const struct wire *wire, const char *frame, gsize len,
            struct outcome *why)
{
    struct asker *asker = end_question(reading->owner);

    (void)wire;
    (void)why;
    if (asker) {
        g_string_append_len(asker->output, frame, (gssize)len);
        flush(asker);
    }
    return true;
}

static void
on_died(struct reading *reading)
{
    struct asker *asker = end_question(reading->owner);
    struct outcome why;

    out_set(&why, OUT_RETRY, "4.3.0", "the mail could not be read (reader died)");
    if (asker)
        answer_why(asker, &why, true);
}

static void
on_refused(struct reading *reading, const struct outcome *why)
{
    struct asker *asker = end_question(reading->owner);

    if (asker)
        answer_why(asker, why, false);
}

static void
ask_reader(struct asker *asker, bool rewrite)
{
    static const struct reading_kind kind = {mail_of, on_answered, on_died, on_refused};
    struct readers *readers = asker->asks->dispatch->readers;
    struct question *question;
    struct stat info;

    if (asker->mail < 0 || fstat(asker->mail, &info) < 0 || !S_ISREG(info.st_mode)) {
        answer_retry(asker, "no mail came along with the question");
        return;
    }
    if (!readers_there(readers)) {
        answer_retry(asker, "postsms-reader does not start; see the log of postsmsd");
        return;
    }
    question = asker->question = g_new0(struct question, 1);
    question->asker = asker;
    question->mail = asker->mail;
    asker->mail = -1;
    question->reading = (struct reading){&kind, question, rewrite, true};
    readers_add(readers, &question->reading);
}

/* Notes */

static bool
is_one_of(const char *value, const char *const *words)
{
    return value && g_strv_contains(words, value);
}

static void
take_note(struct asker *asker, struct wire **wire)
{
    static const char *const effects[] = {"delete", "hold", "redirect", "remove", "declare", NULL};
    static const char *const classes[] = {"", "copy-to", "list", NULL};

    /* One row that the ledger does not take would cost others their group. */
    if (!is_one_of(wire_get(*wire, ASK_EFFECT), effects) ||
        !is_one_of(wire_get(*wire, ASK_CLASS), classes)) {
        answer_retry(asker, "a note whose effect or class is none");
        return;
    }
    asker->note = g_steal_pointer(wire);
    g_ptr_array_add(asker->asks->notes, asker);
    round_wake(asker->asks->dispatch);
}

static char *
word(const struct wire *note, const char *name)
{
    const char *value = wire_get(note, name);

    return log_clean(value ? value : "", WORD_MAX);
}

/* Recipients without credentials, and the numbers of those that have one. */
static void
split_recipients(const struct conf *conf, const char *recipients, GString *clean, GString *numbers)
{
    g_auto(GStrv) list = g_strsplit(recipients ? recipients : "", "\n", -1);

    for (char **recipient = list; *recipient; recipient++) {
        g_autofree char *loggable = addr_loggable(*recipient, true);
        g_autoptr(Addr) addr = NULL;
        struct outcome why;

        if (!**recipient)
            continue;
        g_string_append_printf(clean, "%s%s", clean->len ? "\n" : "", loggable);
        if (addr_parse(*recipient, conf->country_code, &addr, &why) == 0)
            g_string_append_printf(numbers, "%s%s", numbers->len ? "\n" : "", addr->number);
    }
}

static void
write_note(struct dispatch *dispatch, const struct wire *note, gint64 now)
{
    g_autofree char *queue_id = word(note, ASK_QUEUE_ID);
    g_autofree char *message_id = word(note, ASK_MESSAGE_ID);
    g_autofree char *sender = word(note, ASK_SENDER);
    g_autofree char *rule = word(note, ASK_RULE);
    g_autofree char *detail = word(note, ASK_NOTE_TEXT);
    g_autoptr(GString) recipients = g_string_new(NULL);
    g_autoptr(GString) numbers = g_string_new(NULL);
    struct spool_filtered filtered = {
        .queue_id = queue_id,
        .message_id = message_id,
        .sender = sender,
        .effect = wire_get(note, ASK_EFFECT),
        .class = wire_get(note, ASK_CLASS),
        .rule = rule,
        .detail = detail,
    };

    split_recipients(dispatch->setup->conf, wire_get(note, ASK_RECIPIENTS), recipients, numbers);
    filtered.recipients = recipients->str;
    filtered.numbers = numbers->str;
    spool_filtered_add(dispatch->spool, &filtered, now);
}

void
asks_write_notes(struct asks *asks, gint64 now)
{
    for (guint i = 0; i < asks->notes->len; i++)
        write_note(asks->dispatch, ((struct asker *)asks->notes->pdata[i])->note, now);
}

void
asks_notes_written(struct asks *asks, const struct outcome *why)
{
    g_autoptr(GPtrArray) notes = asks->notes;

    asks->notes = g_ptr_array_new();
    for (guint i = 0; i < notes->len; i++) {
        struct asker *asker = notes->pdata[i];
        g_autoptr(GString) list = g_string_new(NULL);

        g_clear_pointer(&asker->note, wire_free);
        if (why) {
            answer_why(asker, why, false);
            continue;
        }
        wire_put(list, ASK_DONE, "yes");
        wire_end(list);
        answer(asker, list);
    }
}

/* Connections */

static void
begin(struct asker *asker, struct wire **wire)
{
    const char *what = wire_get(*wire, ASK_WHAT);

    /* The answer is ours to give; meanwhile only the end of the other side is told. */
    be_patient(asker, false);
    sd_event_source_set_io_events(asker->io, 0);
    if (g_strcmp0(what, ASK_READ) == 0)
        ask_reader(asker, false);
    else if (g_strcmp0(what, ASK_REWRITE) == 0)
        ask_reader(asker, true);
    else if (g_strcmp0(what, ASK_NOTE) == 0)
        take_note(asker, wire);
    else
        answer_retry(asker, "postsms-milter and postsmsd do not match");
}

/* NULL if what has come so far may be a question or the beginning of one; *ret: it is complete. */
static const char *
look_at_input(struct asker *asker, struct wire **ret, struct outcome *why)
{
    gsize used = 0;
    int complete =
        wire_parse_frame((const char *)asker->input->data, asker->input->len, ret, &used, why);

    if (complete < 0)
        return why->text;
    if (asker->input->len > ASK_QUESTION_MAX)
        return "a question that is too long";
    if (complete == 1 && used != asker->input->len)
        return "a question before the last one was answered";
    return NULL;
}

static void
read_question(struct asker *asker)
{
    static guint8 buffer[65536];
    g_autoptr(Wire) wire = NULL;
    const char *fault;
    struct outcome why;
    int mail;
    gssize got = sock_recv_fd(asker->fd, &mail, buffer, sizeof(buffer));

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        asker_free(asker);
        return;
    }
    if (asker->input->len == 0) {
        drop_mail(asker);
        asker->mail = mail;
        be_patient(asker, true);
    } else if (mail >= 0) {
        close(mail);
        log_warnx("ask.sock: a descriptor in the middle of a question");
        asker_free(asker);
        return;
    }
    g_byte_array_append(asker->input, buffer, (guint)got);
    if ((fault = look_at_input(asker, &wire, &why))) {
        log_warnx("ask.sock: %s", fault);
        asker_free(asker);
    } else if (wire) {
        g_byte_array_set_size(asker->input, 0);
        begin(asker, &wire);
    }
}

static int
on_asker(sd_event_source *source, int fd, uint32_t events, void *data)
{
    struct asker *asker = data;

    (void)source;
    (void)fd;
    if (events & EPOLLIN)
        read_question(asker);
    else if (events & (EPOLLHUP | EPOLLERR))
        asker_free(asker);
    else if (events & EPOLLOUT)
        flush(asker);
    return 0;
}

static int
on_patience(sd_event_source *source, uint64_t usec, void *data)
{
    struct asker *asker = data;

    (void)source;
    (void)usec;
    log_warnx("ask.sock: %s", asker->output->len > 0 ? "an answer that nobody takes"
                                                     : "a question that does not end");
    asker_free(asker);
    return 0;
}

static void
say_hello(struct asker *asker)
{
    g_autoptr(GString) list = g_string_new(NULL);

    wire_put(list, ASK_HELLO, POSTSMS_VERSION);
    wire_put(list, ASK_READERS, readers_there(asker->asks->dispatch->readers) ? "yes" : "no");
    wire_end(list);
    answer(asker, list);
}

static void
on_come(void *context, int fd)
{
    struct asks *asks = context;
    sd_event *loop = asks->dispatch->loop;
    struct asker *asker;

    if (g_hash_table_size(asks->askers) >= ASKERS_MAX) {
        log_warnx("ask.sock: %d connections are open; no more", ASKERS_MAX);
        close(fd);
        return;
    }
    asker = g_new0(struct asker, 1);
    asker->asks = asks;
    asker->fd = fd;
    asker->mail = -1;
    asker->input = g_byte_array_new();
    asker->output = g_string_new(NULL);
    g_hash_table_add(asks->askers, asker);
    if (sd_event_add_io(loop, &asker->io, fd, EPOLLIN, on_asker, asker) < 0 ||
        sd_event_add_time_relative(loop, &asker->timer, CLOCK_MONOTONIC, PATIENCE_USEC, 0,
                                   on_patience, asker) < 0) {
        log_warnx("ask.sock: a connection could not be watched");
        asker_free(asker);
    } else {
        say_hello(asker);
    }
}

int
asks_start(struct dispatch *dispatch, struct listener *listener, struct outcome *why)
{
    struct asks *asks = dispatch->asks = g_new0(struct asks, 1);

    asks->dispatch = dispatch;
    asks->listener = listener;
    asks->askers = g_hash_table_new(NULL, NULL);
    asks->notes = g_ptr_array_new();
    return listener_start(listener, dispatch->loop, on_come, asks, why);
}

void
asks_stop(struct asks *asks)
{
    g_autoptr(GList) askers = g_hash_table_get_keys(asks->askers);
    struct outcome why;

    g_clear_pointer(&asks->listener, listener_free);
    out_set(&why, OUT_RETRY, "4.3.2", "postsmsd is stopping");
    for (GList *at = askers; at; at = at->next) {
        struct asker *asker = at->data;

        if (asker->question || asker->note)
            answer_why(asker, &why, false);
        if (g_hash_table_contains(asks->askers, asker))
            asker_free(asker);
    }
}

void
asks_free(struct asks *asks)
{
    listener_free(asks->listener);
    g_hash_table_unref(asks->askers);
    g_ptr_array_unref(asks->notes);
    g_free(asks);
}
