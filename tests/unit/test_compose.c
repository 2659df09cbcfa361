/* SPDX-License-Identifier: ISC */
/* From a mail's text to the message: each setting on and off, what the address asks for, what the
 * log is told. */
#include "tests/unit/check_all.h"
#include "transport/dispatch/compose.h"
#include "transport/sms/pdu.h"

#include <string.h>

/* A mail, an address and settings of which each test changes one. */
struct box {
    char *dir;
    struct setup *setup;
    struct mail_view view;
    struct addr addr;
    struct conf_gateway gateway;
    struct compose task;
    GString *notes;
    struct sms_message *message;
    struct outcome why;
};

/* transport: keys of that section; a message of %%Body%% and 8 parts unless they say otherwise. */
static void
box_begin(struct box *box, const char *transport)
{
    g_autofree char *path = NULL;
    g_autofree char *conf = NULL;
    g_autoptr(Faults) faults = faults_new();
    const char *message = strstr(transport, "message") ? "" : "message = \"%%Body%%\"";
    const char *parts = strstr(transport, "maxmsgs") ? "" : "maxmsgs = 8";

    *box = (struct box){.dir = unit_tmpdir(), .notes = g_string_new(NULL)};
    path = g_build_filename(box->dir, "postsms.conf", NULL);
    conf = g_strdup_printf("domains = { \"sms.example.com\" }\nmilter { rules = \"%s/smtp.rules\" "
                           "}\ntransport {\n %s\n %s\n %s\n}\n",
                           box->dir, message, parts, transport);
    ck_assert(g_file_set_contents(path, conf, -1, NULL));
    g_free(path);
    path = g_build_filename(box->dir, "smtp.rules", NULL);
    ck_assert(g_file_set_contents(path, "", -1, NULL));
    g_free(path);
    path = g_build_filename(box->dir, "postsms.conf", NULL);
    box->setup = setup_load(path, faults);
    if (!box->setup)
        faults_print(faults, stderr);
    ck_assert_ptr_nonnull(box->setup);
    box->view = (struct mail_view){.size = 4711,
                                   .date = (char *)"Mon, 23 Nov 2026 10:00:00 +0100",
                                   .from = (char *)"Joe Doe <joe@example.com>",
                                   .from_address = (char *)"joe@example.com",
                                   .from_name = (char *)"Joe Doe"};
    box->addr = (struct addr){.number = (char *)"+41791234567", .pid = -1, .dcs = -1};
    box->gateway = (struct conf_gateway){.id = (char *)"demo", .binary = true, .tables = true};
    box->task = (struct compose){.setup = box->setup,
                                 .gateway = &box->gateway,
                                 .view = &box->view,
                                 .addr = &box->addr,
                                 .sender = "bounce@example.com",
                                 .subject = "Subject",
                                 .text = "Text",
                                 .reference = {.number = 0x1A7}};
}

static void
box_end(struct box *box)
{
    sms_message_free(box->message);
    setup_unref(box->setup);
    g_string_free(box->notes, TRUE);
    unit_rmdir(box->dir);
    g_free(box->dir);
}

static void
send(struct box *box)
{
    ck_assert_msg(compose(&box->task, box->notes, &box->message, &box->why) == 0, "%s",
                  box->why.text);
}

static void
refused(struct box *box, const char *text)
{
    ck_assert_int_eq(compose(&box->task, box->notes, &box->message, &box->why), -1);
    ck_assert_int_eq(box->why.kind, OUT_DATA);
    ck_assert_str_eq(box->why.dsn, "5.6.0");
    ck_assert_str_eq(box->why.text, text);
    ck_assert_ptr_null(box->message);
}

/* Each setting takes what it names, and only that; what went is noted. */
static const struct {
    const char *settings, *text, *want, *notes;
} trimmed[] = {
    {"", "One\n-- \nJoe", "One", "left out: signature"},
    {"strip_signature = no", "One\n-- \nJoe", "One\n--\nJoe", ""},
    {"", "One\n\nSent from my iPhone", "One", "left out: sent from"},
    {"strip_sent_from = no", "One\n\nSent from my iPhone", "One\n\nSent from my iPhone", ""},
    {"", "One\n\nOn Mon, 3 Nov 2025 at 10:11, Anna <a@example.org> wrote:\n> Two", "One",
     "left out: quoted reply"},
    {"strip_quotes = no", "One\n\nOn Mon, 3 Nov 2025 at 10:11, Anna <a@example.org> wrote:\n> Two",
     "One\n\nOn Mon, 3 Nov 2025 at 10:11, Anna <a@example.org> wrote:\n> Two", ""},
    {"", "One\nThis e-mail is confidential.", "One\nThis e-mail is confidential.", ""},
    {"disclaimers = { \"Nothing\", \"This e-mail\" }", "One\nThis e-mail is confidential.", "One",
     "left out: disclaimer"},
    {"", "One\n\n\n\nTwo", "One\n\nTwo", ""},
    {"blank_lines = 0", "One\n\n\n\nTwo", "One\nTwo", ""},
    {"blank_lines = 2", "One\n\n\n\nTwo", "One\n\n\nTwo", ""},
    {"", "One  \n  Two \n\n", "One\n  Two", ""},
    /* A text that would be nothing then is the message. */
    {"", "Sent from my iPhone", "Sent from my iPhone", ""},
};

START_TEST(trimming)
{
    struct box box;

    box_begin(&box, trimmed[_i].settings);
    box.task.text = trimmed[_i].text;
    send(&box);
    ck_assert_str_eq(box.message->text, trimmed[_i].want);
    ck_assert_str_eq(box.notes->str, trimmed[_i].notes);
    box_end(&box);
}
END_TEST

/* All at once, in whatever order they stand; what is cut and respelled is noted behind it. */
START_TEST(notes_in_order)
{
    g_autofree char *tail = g_strnfill(400, 'x');
    g_autofree char *text =
        g_strdup_printf("“Yes” %s\n\nSent from my iPhone\n-- \nJoe\n\nOn Mon, 3 Nov 2025 at 10:11, "
                        "Anna <a@example.org> wrote:\n> Does it?\n",
                        tail);
    struct box box;

    box_begin(&box, "");
    box.task.text = text;
    box.addr.maxmsgs = 1;
    g_string_append(box.notes, "before");
    send(&box);
    ck_assert(g_str_has_prefix(box.message->text, "\"Yes\" xxx"));
    ck_assert(g_str_has_suffix(box.message->text, "xxx..."));
    ck_assert(g_str_has_prefix(box.notes->str, "before; left out: "));
    ck_assert(g_str_has_suffix(box.notes->str, "; text cut to 1 of 3 parts; transliterated"));
    ck_assert_ptr_nonnull(strstr(box.notes->str, "quoted reply"));
    ck_assert_ptr_nonnull(strstr(box.notes->str, "signature"));
    ck_assert_ptr_nonnull(strstr(box.notes->str, "sent from"));
    box_end(&box);
}
END_TEST

/* A forwarded mail is the message: its subject says that it is one. */
START_TEST(forwarded)
{
    static const char text[] = "See below\n\nFrom: Anna <a@example.org>\nSent: Monday, November 3, "
                               "2025 10:11 AM\nTo: Joe\nSubject: Plan\n\nAt eight.";

    for (int forward = 0; forward < 2; forward++) {
        struct box box;

        box_begin(&box, "");
        box.task.text = text;
        box.task.subject = forward ? "FW: Plan" : "RE: Plan";
        send(&box);
        if (forward)
            ck_assert_str_eq(box.message->text, text);
        else
            ck_assert_str_eq(box.message->text, "See below");
        box_end(&box);
    }
}
END_TEST

static const struct {
    const char *settings, *text, *want;
    enum sms_encoding encoding;
    guint8 language;
} encodings[] = {
    {"", "“Größe” – 5 €…", "\"Größe\" - 5 €...", SMS_GSM7, 0},
    {"translit = \"none\"", "“Größe” – 5 €…", "“Größe” – 5 €…", SMS_UCS2, 0},
    {"", "Łódź", "Łódź", SMS_UCS2, 0},
    {"translit = \"full\"", "Łódź – 1", "Lodz - 1", SMS_GSM7, 0},
    {"translit = \"full\"", "Čeština – ok", "Cestina - ok", SMS_GSM7, 0},
    {"", "Işık", "Işık", SMS_UCS2, 0},
    {"languages = { \"1\" }", "Işık", "Işık", SMS_GSM7, 1},
    {"languages = { \"Spanish\", \"Turkish\" }", "Işık", "Işık", SMS_GSM7, 1},
    {"languages = { \"1\" }", "Plain", "Plain", SMS_GSM7, 0},
};

START_TEST(cheapest)
{
    struct box box;

    box_begin(&box, encodings[_i].settings);
    box.task.text = encodings[_i].text;
    send(&box);
    ck_assert_str_eq(box.message->text, encodings[_i].want);
    ck_assert_int_eq(box.message->encoding, encodings[_i].encoding);
    ck_assert_uint_eq(box.message->language, encodings[_i].language);
    ck_assert_str_eq(box.notes->str,
                     strcmp(box.message->text, encodings[_i].text) == 0 ? "" : "transliterated");
    box_end(&box);
}
END_TEST

/* What nobody here can read: a placeholder with the subject, or a refusal. */
START_TEST(encrypted)
{
    struct box box;

    box_begin(&box, "message = \"%%Subject%%\\n%%Body%%\"");
    box.view.encrypted = true;
    box.task.text = "";
    send(&box);
    ck_assert_str_eq(box.message->text, "Subject\n(encrypted mail)");
    box_end(&box);
    box_begin(&box, "encrypted = \"refuse\"");
    box.view.encrypted = true;
    refused(&box, "the mail is encrypted");
    box.view.encrypted = false;
    send(&box);
    ck_assert_str_eq(box.message->text, "Text");
    box_end(&box);
}
END_TEST

START_TEST(nothing_to_say)
{
    struct box box;

    box_begin(&box, "message = \"%%Sender%%\\n%%Subject%%\\n%%Body%%\"");
    box.task.subject = "";
    box.task.text = " \n\t\n";
    refused(&box, "the mail has neither text nor subject");
    box.task.subject = "Subject";
    send(&box);
    ck_assert_str_eq(box.message->text, "bounce@example.com\nSubject");
    box_end(&box);
    box_begin(&box, "");
    box.task.text = "";
    refused(&box, "there is no text to send"); /* the template asks for the body alone */
    box_end(&box);
}
END_TEST

START_TEST(variables)
{
    struct box box;

    box_begin(&box, "message = \"%%sender%%|%%From%%|%%From_Name%%|%%From_Email%%|%%Subject%%|"
                    "%%Body%%|%%SIZE%%|%%Date%%|%%Number%%\"");
    send(&box);
    ck_assert_str_eq(box.message->text,
                     "bounce@example.com|Joe Doe <joe@example.com>|Joe Doe|joe@example.com|"
                     "Subject|Text|4711|Mon, 23 Nov 2026 10:00:00 +0100|+41791234567");
    box_end(&box);
}
END_TEST

/* Names of letters from alphabets that look alike are shown as the address. */
static const struct {
    const char *name;
    bool shown;
} names[] = {
    {"Joe Doe", true},         {"Раypal", false},         /* Cyrillic Er and a */
    {"PayΡal", false},                                    /* Greek Rho */
    {"Анна Müller", true},                                /* each word of one alphabet */
    {"Анна-Maria", true},                                 /* a hyphen ends a word */
    {"Νίκος", true},           {"Müller 株式会社", true}, /* others look like nothing else */
    {"e\u0301te\u0301", true},                            /* marks belong to any letter */
    {"M\u0301\u0410", false},  {"", true},
};

START_TEST(mixed_names)
{
    struct box box;
    g_autofree char *from = g_strdup_printf("%s <joe@example.com>", names[_i].name);
    g_autofree char *want = NULL;

    box_begin(&box, "translit = \"none\" message = \"%%From_Name%%|%%From%%|%%Body%%\"");
    box.view.from_name = (char *)names[_i].name;
    box.view.from = from;
    send(&box);
    want = g_strdup_printf("%s|%s|Text", names[_i].shown ? names[_i].name : "joe@example.com",
                           names[_i].shown ? from : "joe@example.com");
    ck_assert_str_eq(box.message->text, want);
    box_end(&box);
}
END_TEST

/* binary=1: octets of the data in hex, or the refusal. */
static const struct {
    const char *text, *udh;
    int dcs;
    const char *want, *header;
    guint8 want_dcs;
} binaries[] = {
    {"3q2+7w==", NULL, -1, "DEADBEEF", "", 0x04},
    {" 3q2+\n\t7w==\n", NULL, -1, "DEADBEEF", "", 0x04},
    {"3q2+7w==", "BgUEC4Qj8A==", 245, "DEADBEEF", "0605040B8423F0", 0xF5},
    {"3q2+7w==", "BgUEC4Qj8A==", 4, "DEADBEEF", "0605040B8423F0", 0x04},
    {"AA==", NULL, 21, "00", "", 0x15},
    {"3q2+7w=", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"3q2-7w==", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"3q2+7x==", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"3q2+7w==3q2+7w==", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"Hello!", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"Grüße", NULL, -1, "binary=1: the mail's text is not base64", NULL, 0},
    {"3q2+7w==", "BgUEC4Qj8A", -1, "udh: not base64", NULL, 0},
    {"3q2+7w==", "AAUEC4Qj8A==", -1, "udh: the first octet is not the number of octets that follow",
     NULL, 0},
    {"3q2+7w==", "AwD/AQ==", -1, "udh: an information element runs over the header's end", NULL, 0},
    {"", NULL, -1, "there is nothing to send", NULL, 0},
    {"3q2+7w==", NULL, 128, "dcs=128: not for this kind of data", NULL, 0},
    {"3q2+7w==", NULL, 36, "dcs=36: compressed text cannot be sent", NULL, 0},
};

static char *
hex(GBytes *bytes)
{
    GString *text = g_string_new(NULL);
    gsize len;
    const guint8 *octets = g_bytes_get_data(bytes, &len);

    for (gsize i = 0; i < len; i++)
        g_string_append_printf(text, "%02X", octets[i]);
    return g_string_free(text, FALSE);
}

START_TEST(binary)
{
    const struct sms_part *part;
    g_autofree char *data = NULL;
    g_autofree char *udh = NULL;
    struct box box;

    box_begin(&box, "");
    box.addr.binary = true;
    box.addr.udh = (char *)binaries[_i].udh;
    box.addr.dcs = binaries[_i].dcs;
    box.addr.pid = 0x7D;
    box.task.text = binaries[_i].text;
    if (!binaries[_i].header) {
        refused(&box, binaries[_i].want);
        box_end(&box);
        return;
    }
    send(&box);
    ck_assert_uint_eq(box.message->parts->len, 1);
    part = box.message->parts->pdata[0];
    data = hex(part->data);
    udh = hex(part->udh);
    ck_assert_str_eq(data, binaries[_i].want);
    ck_assert_str_eq(udh, binaries[_i].header);
    ck_assert_ptr_null(part->text);
    ck_assert_uint_eq(box.message->dcs, binaries[_i].want_dcs);
    ck_assert_uint_eq(box.message->pid, 0x7D);
    ck_assert_int_eq(box.message->encoding, SMS_8BIT);
    box_end(&box);
}
END_TEST

/* Data are never cut: more of them than allowed are refused, whatever too_long says. */
START_TEST(binary_too_long)
{
    g_autofree char *text = g_strnfill(200, 'A'); /* 150 octets */
    struct box box;

    box_begin(&box, "maxmsgs = 1 too_long = \"truncate\"");
    box.addr.binary = true;
    box.task.text = text;
    refused(&box, "the data need 2 SMS, at most 1 are allowed");
    box.addr.maxmsgs = 2;
    send(&box);
    ck_assert_uint_eq(box.message->parts->len, 2);
    for (guint i = 0; i < 2; i++) {
        const guint8 want[] = {5, 0, 3, 0xA7, 2, (guint8)(i + 1)};
        GBytes *udh = ((struct sms_part *)box.message->parts->pdata[i])->udh;

        ck_assert_uint_eq(g_bytes_get_size(udh), sizeof(want));
        ck_assert_mem_eq(g_bytes_get_data(udh, NULL), want, sizeof(want));
    }
    box_end(&box);
}
END_TEST

/* dcs and pid of a text: flash, UCS-2 asked for, what the text has to overrule. */
static const struct {
    int dcs;
    const char *text, *want; /* a refusal, or NULL */
    enum sms_encoding encoding;
    guint8 want_dcs;
} codings[] = {
    {-1, "Fire!", NULL, SMS_GSM7, 0x00},
    {16, "Fire!", NULL, SMS_GSM7, 0x10},
    {240, "Fire!", NULL, SMS_GSM7, 0xF0},
    {16, "Пожар", NULL, SMS_UCS2, 0x18},
    {240, "Пожар", NULL, SMS_UCS2, 0x18},
    {8, "Fire!", NULL, SMS_UCS2, 0x08},
    {24, "Fire!", NULL, SMS_UCS2, 0x18},
    {0xC8, "Fire!", NULL, SMS_GSM7, 0xC8},
    {0xC8, "Пожар", NULL, SMS_UCS2, 0xE8},
    {4, "Fire!", "dcs=4 is for 8 bit data, with binary=1", SMS_8BIT, 0},
    {245, "Fire!", "dcs=245 is for 8 bit data, with binary=1", SMS_8BIT, 0},
    {32, "Fire!", "dcs=32: compressed text cannot be sent", SMS_GSM7, 0},
};

START_TEST(asked_coding)
{
    g_autoptr(SmsPdu) pdu = NULL;
    g_autoptr(GBytes) tpdu = NULL;
    const guint8 *octets;
    struct box box;
    gsize len;

    box_begin(&box, "");
    box.addr.dcs = codings[_i].dcs;
    box.addr.pid = 0x41;
    box.task.text = codings[_i].text;
    if (codings[_i].want) {
        refused(&box, codings[_i].want);
        box_end(&box);
        return;
    }
    send(&box);
    ck_assert_int_eq(box.message->encoding, codings[_i].encoding);
    ck_assert_uint_eq(box.message->dcs, codings[_i].want_dcs);
    tpdu = sms_tpdu(box.message->parts->pdata[0], box.message->encoding, box.message->pid,
                    box.message->dcs, "+41791234567");
    octets = g_bytes_get_data(tpdu, &len);
    ck_assert_int_eq(sms_pdu_decode(octets, len, false, &pdu, &box.why), 0);
    ck_assert_str_eq(pdu->text, codings[_i].text);
    ck_assert_uint_eq(pdu->dcs, codings[_i].want_dcs);
    ck_assert_uint_eq(pdu->pid, 0x41);
    ck_assert_int_eq(pdu->message_class,
                     codings[_i].want_dcs >> 4 == 1 || codings[_i].want_dcs >= 0xF0 ? 0 : -1);
    box_end(&box);
}
END_TEST

START_TEST(header_without_binary)
{
    struct box box;

    box_begin(&box, "");
    box.addr.udh = (char *)"BgUEC4Qj8A==";
    refused(&box, "udh is for 8 bit data, with binary=1");
    box_end(&box);
}
END_TEST

/* The address overrides the setting, up and down; too long is cut or refused by setting. */
static const struct {
    const char *settings;
    guint asked, letters;
    const char *refused; /* or NULL */
    guint parts, needed;
} limits[] = {
    {"", 0, 1500, NULL, 8, 10},
    {"maxmsgs = 1", 0, 161, NULL, 1, 2},
    {"maxmsgs = 1", 0, 160, NULL, 1, 1},
    {"maxmsgs = 1", 3, 400, NULL, 3, 3},
    {"", 2, 1500, NULL, 2, 10},
    {"maxmsgs = 128", 0, 20000, NULL, 128, 131},
    {"too_long = \"reject\"", 0, 1500, "the text needs 10 SMS, at most 8 are allowed", 0, 0},
    {"too_long = \"reject\"", 1, 161, "the text needs 2 SMS, at most 1 is allowed", 0, 0},
    {"too_long = \"reject\"", 10, 1500, NULL, 10, 10},
};

START_TEST(maxmsgs)
{
    g_autofree char *text = g_strnfill(limits[_i].letters, 'a');
    struct box box;

    box_begin(&box, limits[_i].settings);
    box.addr.maxmsgs = limits[_i].asked;
    box.task.text = text;
    if (limits[_i].refused) {
        refused(&box, limits[_i].refused);
        box_end(&box);
        return;
    }
    send(&box);
    ck_assert_uint_eq(box.message->parts->len, limits[_i].parts);
    ck_assert_uint_eq(box.message->parts_needed, limits[_i].needed);
    ck_assert(box.message->truncated == (limits[_i].parts < limits[_i].needed));
    ck_assert(g_str_has_suffix(box.message->text, box.message->truncated ? "a..." : "aa"));
    ck_assert(box.message->truncated == (strstr(box.notes->str, "text cut to") != NULL));
    box_end(&box);
}
END_TEST

/* In UCS-2 the ellipsis is one character. */
START_TEST(cut_in_ucs2)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct box box;

    for (int i = 0; i < 30; i++)
        g_string_append(text, "поезд ");
    box_begin(&box, "maxmsgs = 2");
    box.task.text = text->str;
    send(&box);
    ck_assert(g_str_has_suffix(box.message->text, "поезд…"));
    ck_assert_str_eq(box.notes->str, "text cut to 2 of 3 parts");
    ck_assert_str_eq(box.message->forced_by, "п");
    box_end(&box);
}
END_TEST

/* The reference is the caller's; one of 16 bits takes room from each part. */
START_TEST(references)
{
    g_autofree char *text = g_strnfill(306, 'a');

    for (int wide = 0; wide < 2; wide++) {
        static const guint8 octet[] = {5, 0, 3, 0xA7, 2, 1};
        static const guint8 sixteen[] = {6, 8, 4, 0x01, 0xA7, 3, 1};
        struct box box;
        GBytes *udh;

        box_begin(&box, "");
        box.task.text = text;
        box.task.reference.wide = wide;
        send(&box);
        ck_assert_uint_eq(box.message->parts->len, wide ? 3 : 2);
        udh = ((struct sms_part *)box.message->parts->pdata[0])->udh;
        ck_assert_uint_eq(g_bytes_get_size(udh), wide ? sizeof(sixteen) : sizeof(octet));
        ck_assert_mem_eq(g_bytes_get_data(udh, NULL), wide ? sixteen : octet,
                         g_bytes_get_size(udh));
        box_end(&box);
    }
}
END_TEST

/* What a gateway can take bounds the parts: its SMS, its characters, its tables. 600 letters are 4
 * parts of 153. */
static const struct {
    int max_parts, max_chars;
    const char *too_long, *want; /* a refusal, or NULL */
    guint parts;
    glong characters; /* at most */
} bounds[] = {
    {0, 0, "truncate", NULL, 4, 600},
    {2, 0, "truncate", NULL, 2, 306},
    {9, 0, "truncate", NULL, 4, 600},
    {2, 0, "reject", "needs 4", 0, 0},
    {0, 600, "truncate", NULL, 4, 600},
    {0, 599, "truncate", NULL, 3, 459},
    {0, 459, "truncate", NULL, 3, 459},
    {0, 458, "truncate", NULL, 2, 306},
    {0, 160, "truncate", NULL, 1, 160},
    {0, 599, "reject", "the text has 600 characters, at most 599 are allowed", 0, 0},
    {0, 600, "reject", NULL, 4, 600},
};

START_TEST(gateway_bounds)
{
    g_autofree char *transport = g_strdup_printf("too_long = \"%s\"", bounds[_i].too_long);
    g_autofree char *text = g_strnfill(600, 'x');
    struct box box;

    box_begin(&box, transport);
    box.gateway.max_parts = bounds[_i].max_parts;
    box.gateway.max_chars = bounds[_i].max_chars;
    box.task.text = text;
    if (bounds[_i].want) {
        ck_assert_int_eq(compose(&box.task, box.notes, &box.message, &box.why), -1);
        ck_assert_str_eq(box.why.dsn, "5.6.0");
        ck_assert_msg(strstr(box.why.text, bounds[_i].want), "%s", box.why.text);
    } else {
        send(&box);
        ck_assert_uint_eq(box.message->parts->len, bounds[_i].parts);
        ck_assert_int_eq(g_utf8_strlen(box.message->text, -1), bounds[_i].characters);
        ck_assert_int_eq(box.message->truncated, bounds[_i].characters < 600);
        ck_assert_uint_eq(box.message->parts_needed, 4);
    }
    box_end(&box);
}
END_TEST

START_TEST(gateway_without_tables)
{
    for (int tables = 0; tables < 2; tables++) {
        struct box box;

        box_begin(&box, "languages = { \"turkish\" }");
        box.gateway.tables = tables;
        box.task.text = "İstanbul ğ ş";
        send(&box);
        ck_assert_int_eq(box.message->encoding, tables ? SMS_GSM7 : SMS_UCS2);
        ck_assert_uint_eq(box.message->language, tables);
        box_end(&box);
    }
}
END_TEST

UNIT_SUITE("compose", tcase_add_loop_test(unit, gateway_bounds, 0, G_N_ELEMENTS(bounds));
           tcase_add_test(unit, gateway_without_tables);
           tcase_add_loop_test(unit, trimming, 0, G_N_ELEMENTS(trimmed));
           tcase_add_test(unit, notes_in_order); tcase_add_test(unit, forwarded);
           tcase_add_loop_test(unit, cheapest, 0, G_N_ELEMENTS(encodings));
           tcase_add_test(unit, encrypted); tcase_add_test(unit, nothing_to_say);
           tcase_add_test(unit, variables);
           tcase_add_loop_test(unit, mixed_names, 0, G_N_ELEMENTS(names));
           tcase_add_loop_test(unit, binary, 0, G_N_ELEMENTS(binaries));
           tcase_add_test(unit, binary_too_long);
           tcase_add_loop_test(unit, asked_coding, 0, G_N_ELEMENTS(codings));
           tcase_add_test(unit, header_without_binary);
           tcase_add_loop_test(unit, maxmsgs, 0, G_N_ELEMENTS(limits));
           tcase_add_test(unit, cut_in_ucs2); tcase_add_test(unit, references))
