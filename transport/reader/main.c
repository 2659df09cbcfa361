/* SPDX-License-Identifier: ISC */
/*
 * postsms-reader: mail in at descriptor 3, views and rewrites out there, one after the other
 * (client.h). Owns what a reader may cost: time, memory, nothing but the lent descriptor. Must
 * never print to stdout, open a file or a connection once it has begun to read, or outlive whoever
 * started it.
 */
#include "lib/ask.h"
#include "lib/clk.h"
#include "lib/killpoint.h"
#include "lib/log.h"
#include "lib/sock.h"
#include "transport/reader/alter.h"
#include "transport/reader/client.h"
#include "transport/reader/mail.h"
#include "transport/reader/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_RETRY 75
#define INPUT_MAX                                                                                  \
    (96 * 1048576) /* octets of a mail; with its decoded text it has to fit into READER_MEMORY */
#define STACK_MIN         (8 * 1048576) /* what reader_parse needs, four times */
#define PARSE_SECONDS_MIN 3             /* left for parsing when a mail came slowly */

/* Lowers (or, for what may grow, raises) a soft limit within the hard one. */
static void
limit(__rlimit_resource_t what, rlim_t value)
{
    struct rlimit now;

    if (getrlimit(what, &now) < 0)
        return;
    now.rlim_cur = MIN(value, now.rlim_max);
    if (setrlimit(what, &now) < 0)
        log_warn("resource limit %d", (int)what);
}

/* True if descriptor 3 is the socket that whoever started us made for us, and that process is still
 * there. */
static bool
has_asker(void)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(READER_FD, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           peer.pid == getppid();
}

static bool
is_socket(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

static void
harden(void)
{
    struct rlimit stack;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur < STACK_MIN)
        limit(RLIMIT_STACK, STACK_MIN);
    if (!SANITIZED) {
        prctl(PR_SET_DUMPABLE, 0);
        limit(RLIMIT_AS, READER_MEMORY);
    }
    signal(SIGALRM, SIG_DFL);
    signal(SIGXCPU, SIG_DFL);
}

/* A mail as it comes in. */
struct input {
    GByteArray *data;
    gint64 size;
    bool too_large; /* data is gone, sha goes on: the digest must name the mail all the same */
    struct sha256_ctx sha;
};

static void
input_add(struct input *input, const guint8 *octets, gsize len)
{
    input->size += (gint64)len;
    if (!input->too_large && input->size > INPUT_MAX) {
        input->too_large = true;
        sha256_init(&input->sha);
        sha256_update(&input->sha, input->data->len, input->data->data);
        g_byte_array_unref(input->data);
        input->data = g_byte_array_new();
    }
    if (input->too_large)
        sha256_update(&input->sha, len, octets);
    else
        g_byte_array_append(input->data, octets, (guint)len);
}

/* Reads to the end. NULL, or what went wrong. */
static const char *
input_read(struct input *input, int fd, gint64 deadline)
{
    guint8 buffer[65536];

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        gint64 left = deadline - clk_system.mono();
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        gssize count;

        if (ready == 0)
            return "the mail could not be read: it did not come in time";
        if (ready < 0 && errno != EINTR)
            return "the mail could not be read: poll failed";
        if (ready < 0)
            continue;
        count = read(fd, buffer, sizeof(buffer));
        if (count == 0)
            return NULL;
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return "the mail could not be read: its descriptor failed";
        if (count > 0)
            input_add(input, buffer, (gsize)count);
        KILL_POINT("reader-reading");
    }
}

/* The verdict on a mail that was not kept. */
static struct mail_view *
too_large(struct input *input)
{
    struct mail_view *view = reader_blank();
    guint8 digest[SHA256_DIGEST_SIZE];

    sha256_digest(&input->sha, sizeof(digest), digest);
    for (gsize i = 0; i < sizeof(digest); i++)
        g_snprintf(view->digest + 2 * i, 3, "%02x", digest[i]);
    view->size = input->size;
    out_set(&view->verdict, OUT_DATA, "5.6.0", "the mail cannot be read: larger than %d MiB",
            INPUT_MAX / 1048576);
    return view;
}

/* Each mail may use the same time, and the counter never goes back. */
static void
limit_cpu(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    limit(RLIMIT_CPU,
          (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + READER_CPU_SECONDS));
}

/* What follows ends this process rather than hold up the next mail. */
static void
limit_wall(gint64 deadline)
{
    gint64 left = (deadline - clk_system.mono()) / 1000;

    alarm((guint)MAX(left, PARSE_SECONDS_MIN));
}

/* A view of what was read, packed. */
static void
view_input(struct input *input, const char *fault, gint64 deadline, GString *to)
{
    g_autoptr(MailView) view = NULL;

    if (fault) {
        view = reader_blank();
        out_set(&view->verdict, OUT_RETRY, "4.3.0", "%s", fault);
    } else if (input->too_large) {
        view = too_large(input);
    } else {
        limit_wall(deadline);
        reader_parse(input->data->data, input->data->len, &view);
        alarm(0);
    }
    mail_view_pack(view, to);
}

/* What the mail is to have, from the frame in front of it. */
static bool
is_wanted(const char *value, gsize max)
{
    return !value || (strlen(value) <= max && g_utf8_validate(value, -1, NULL));
}

/* A rewrite of what was read, packed. */
static void
rewrite_input(struct input *input, const char *fault, gint64 deadline, GString *to)
{
    g_autoptr(Wire) wanted = NULL;
    g_autoptr(Rewrite) rewrite = NULL;
    struct outcome why = {0};
    gsize used = 0;

    if (!fault && !input->too_large &&
        (wire_parse_frame((const char *)input->data->data, input->data->len, &wanted, &used,
                          &why) != 1 ||
         !is_wanted(wire_get(wanted, ASK_SUBJECT), VIEW_HEADER_MAX) ||
         !is_wanted(wire_get(wanted, ASK_TEXT), VIEW_TEXT_MAX)))
        fault = "the mail could not be altered: a wrong question";
    if (fault || input->too_large) {
        rewrite = reader_leave();
        if (fault)
            out_set(&rewrite->verdict, OUT_RETRY, "4.3.0", "%s", fault);
        else
            out_set(&rewrite->verdict, OUT_DATA, "5.6.0", "the mail cannot be altered: too large");
    } else {
        limit_wall(deadline);
        reader_alter(input->data->data + used, input->data->len - used,
                     wire_get(wanted, ASK_SUBJECT), wire_get(wanted, ASK_TEXT), &rewrite);
        alarm(0);
    }
    rewrite_pack(rewrite, to);
}

/* The answer on one mail. Newly allocated. */
static GString *
read_mail(int fd, char what)
{
    gint64 deadline = clk_system.mono() + READER_WALL_SECONDS * 1000;
    struct input input = {.data = g_byte_array_new()};
    GString *list = g_string_new(NULL);
    const char *fault;

    limit_cpu();
    fault = input_read(&input, fd, deadline);
    close(fd);
    if (what == READER_ASKED_REWRITE)
        rewrite_input(&input, fault, deadline, list);
    else
        view_input(&input, fault, deadline, list);
    g_byte_array_unref(input.data);
    KILL_POINT("reader-read");
    return list;
}

static int
say(const GString *list)
{
    g_autoptr(GString) frame = g_string_new(NULL);

    wire_frame(frame, list);
    return sock_write_all(READER_FD, frame->str, frame->len);
}

static int
hello(void)
{
    g_autoptr(GString) list = g_string_new(NULL);

    wire_put(list, READER_HELLO, POSTSMS_VERSION);
    wire_end(list);
    return say(list);
}

static int
serve(void)
{
    for (int mails = 0; mails < READER_RETIRES_AFTER; mails++) {
        g_autoptr(GString) answer = NULL;
        char octet = '\0';
        int mail = -1;
        gssize count = sock_recv_fd(READER_FD, &mail, &octet, 1);

        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return 0;
        if (count < 0) {
            log_warn("cannot be asked");
            return EXIT_RETRY;
        }
        if ((octet != READER_ASKED_VIEW && octet != READER_ASKED_REWRITE) || mail < 0) {
            log_err("asked without a mail");
            return EXIT_RETRY;
        }
        answer = read_mail(mail, octet);
        if (say(answer) < 0)
            return 0; /* nobody waits for it */
    }
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-V") == 0) {
        printf("postsms-reader %s\n", POSTSMS_VERSION);
        return 0;
    }
    if (argc != 1 || !is_socket(READER_FD)) {
        fprintf(stderr,
                "postsms-reader: started by postsmsd and postsms, not by hand: "
                "descriptor %d must be a socket\n",
                READER_FD);
        return EXIT_RETRY;
    }
    log_open("postsms-reader", true);
    harden();
    if (!has_asker())
        return EXIT_RETRY; /* it ended before it could take us along */
    fcntl(READER_FD, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    reader_prepare();
    sandbox_enter(READER_FD);
    return hello() < 0 ? EXIT_RETRY : serve();
}
