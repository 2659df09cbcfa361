/* SPDX-License-Identifier: ISC */
/* postsms encode and decode: what a text costs and what a PDU says. Neither configuration nor
 * ledger; nothing is sent. */
#include "admin/admin.h"

#include "lib/hex.h"
#include "transport/sms/pdu.h"
#include "transport/sms/sms.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STDIN_MAX (1024 * 1024) /* octets read */

struct encode {
    const char *number;
    struct sms_limits limits;
    guint8 languages[SMS_LANGUAGES];
};

/* A number from min to max in decimal; -1 if text is none. */
static int
number_within(const char *text, int min, int max)
{
    char *end;
    long value = strtol(text, &end, 10);

    return end == text || *end || value < min || value > max ? -1 : (int)value;
}

/* "1,3" */
static int
read_languages(const char *text, struct encode *encode)
{
    g_auto(GStrv) numbers = g_strsplit(text, ",", -1);

    for (char **number = numbers; *number; number++) {
        int language = number_within(*number, 1, SMS_LANGUAGES);

        if (language < 0 || encode->limits.languages_count == SMS_LANGUAGES)
            return -1;
        encode->languages[encode->limits.languages_count++] = (guint8)language;
    }
    return 0;
}

static int
read_translit(const char *text, struct sms_limits *limits)
{
    static const char *const levels[] = {
        [SMS_TRANSLIT_NONE] = "none",
        [SMS_TRANSLIT_PUNCTUATION] = "punctuation",
        [SMS_TRANSLIT_FULL] = "full",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++)
        if (strcmp(text, levels[i]) == 0) {
            limits->translit = (enum sms_translit)i;
            return 0;
        }
    return -1;
}

static int
read_options(struct admin *admin, struct encode *encode)
{
    struct sms_limits *limits = &encode->limits;
    int option, value;

    *encode = (struct encode){.number = "+10000000"};
    *limits = (struct sms_limits){.maxmsgs = SMS_PARTS_MAX, .translit = SMS_TRANSLIT_PUNCTUATION};
    limits->languages = encode->languages;
    while ((option = getopt(admin->argc, admin->args, "n:l:t:m:a:w")) != -1)
        switch (option) {
        case 'n':
            encode->number = optarg;
            break;
        case 'l':
            if (read_languages(optarg, encode) < 0)
                return -1;
            break;
        case 't':
            if (read_translit(optarg, limits) < 0)
                return -1;
            break;
        case 'm':
            value = number_within(optarg, 1, SMS_PARTS_MAX);
            if (value < 0)
                return -1;
            limits->maxmsgs = (guint)value;
            break;
        case 'a':
            limits->append = optarg;
            break;
        case 'w':
            limits->wide = true;
            break;
        default:
            return -1;
        }
    return admin->argc - optind > 1 ? -1 : 0;
}

/* The argument, or standard input to its end. NULL if it is too long or not UTF-8. */
static char *
read_text(struct admin *admin)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    guint8 buffer[65536];
    size_t got;
    gsize len;

    if (optind < admin->argc)
        return g_utf8_validate(admin->args[optind], -1, NULL) ? g_strdup(admin->args[optind])
                                                              : NULL;
    while ((got = fread(buffer, 1, sizeof(buffer), stdin)) > 0 && input->len <= STDIN_MAX)
        g_byte_array_append(input, buffer, (guint)got);
    len = input->len;
    g_byte_array_append(input, (const guint8 *)"", 1);
    if (len > STDIN_MAX || !g_utf8_validate((const char *)input->data, (gssize)len, NULL))
        return NULL;
    return g_strdup((const char *)input->data);
}

json_t *
admin_parts_json(const struct sms_message *message, const char *number, bool whole)
{
    json_t *array = json_array();

    for (guint i = 0; message && i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu =
            sms_tpdu(part, message->encoding, message->pid, message->dcs, number);
        g_autofree char *udh = hex_of(part->udh);
        g_autofree char *pdu = hex_of(tpdu);

        json_array_append_new(array, json_pack("{s:s?, s:i, s:s, s:s?}", "text", part->text,
                                               "units", (int)part->units, "udh", whole ? "" : udh,
                                               "pdu", whole ? NULL : pdu));
    }
    return array;
}

static json_t *
message_json(const struct sms_message *message, const char *number)
{
    return json_pack("{s:s, s:o, s:s?, s:b, s:b, s:i, s:i, s:s?, s:o}", "encoding",
                     sms_encoding_name(message->encoding), "language",
                     message->language ? json_integer(message->language) : json_null(), "forced_by",
                     message->forced_by, "truncated", message->truncated, "transliterated",
                     message->transliterated, "parts_needed", (int)message->parts_needed,
                     "parts_without", (int)message->parts_unforced, "text", message->text, "parts",
                     admin_parts_json(message, number, false));
}

void
admin_print_encoding(const struct sms_message *message)
{
    printf("encoding: %s%s%s\n", sms_encoding_name(message->encoding),
           message->language ? ", " : "",
           message->language ? sms_language_name(message->language) : "");
    if (message->forced_by)
        printf("forced by: %s, without which it would be %u of %u parts\n", message->forced_by,
               message->parts_unforced, message->parts_needed);
    printf("parts: %u of %u needed\n", message->parts->len, message->parts_needed);
}

static void
print_message(const struct sms_message *message, const char *number)
{
    admin_print_encoding(message);
    for (guint i = 0; i < message->parts->len; i++) {
        const struct sms_part *part = message->parts->pdata[i];
        g_autoptr(GBytes) tpdu =
            sms_tpdu(part, message->encoding, message->pid, message->dcs, number);
        g_autofree char *pdu = hex_of(tpdu);

        printf("--- part %u, %u units\n%s\n%s\n", i + 1, part->units, part->text, pdu);
    }
}

int
admin_encode(struct admin *admin)
{
    g_autoptr(SmsMessage) message = NULL;
    g_autoptr(GBytes) probe = NULL;
    g_autofree char *text = NULL;
    struct encode encode;
    struct outcome why;

    if (read_options(admin, &encode) < 0)
        return ADMIN_USAGE;
    if (!(text = read_text(admin)))
        return admin_fault("the text is not UTF-8, or longer than %d octets", STDIN_MAX);
    if (sms_split(text, &encode.limits, &message, &why) < 0)
        return admin_fault("%s", why.text);
    probe = sms_tpdu(message->parts->pdata[0], message->encoding, message->pid, message->dcs,
                     encode.number);
    if (!probe)
        return admin_fault("\"%s\" is not + and at most 20 digits", encode.number);
    if (admin->json)
        return admin_print_json(message_json(message, encode.number));
    print_message(message, encode.number);
    return ADMIN_DONE;
}

/* decode */

/* Hex, blanks between octets allowed; NULL if it is none. */
static GByteArray *
read_hex(const char *text)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();

    for (; *text; text++) {
        guint8 octet;

        if (g_ascii_isspace(*text))
            continue;
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
            return NULL;
        octet = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        g_byte_array_append(octets, &octet, 1);
        text++;
    }
    return octets->len ? g_steal_pointer(&octets) : NULL;
}

/* A modem's PDU begins with the service centre: nothing (00), or a length and a type of number,
 * whose first bit is set. No first octet of a TPDU is followed by that. */
static bool
begins_with_smsc(const GByteArray *octets)
{
    guint8 len = octets->data[0];

    return len == 0 || (len >= 2 && len <= 11 && octets->len > 1 && octets->data[1] & 0x80);
}

static json_t *
port_json(int port)
{
    return port < 0 ? json_null() : json_integer(port);
}

static json_t *
pdu_json(const struct sms_pdu *pdu)
{
    g_autofree char *udh = hex_of(pdu->udh);
    g_autofree char *data = pdu->data ? hex_of(pdu->data) : NULL;

    return json_pack(
        "{s:s, s:s, s:s, s:b, s:i, s:i, s:i, s:s, s:o, s:b, s:b, s:b, s:o, s:s, s:s, s:o, s:s?, "
        "s:s?, "
        "s:i, s:s, s:i, s:i, s:i, s:o, s:o, s:i, s:i}",
        "type", sms_pdu_type_name(pdu->type), "smsc", pdu->smsc, "address", pdu->address,
        "alphanumeric", pdu->alphanumeric, "reference", pdu->reference, "pid", pdu->pid, "dcs",
        pdu->dcs, "encoding", sms_encoding_name(pdu->encoding), "class",
        port_json(pdu->message_class), "report", pdu->report, "more", pdu->more, "reply_path",
        pdu->reply_path, "validity_minutes",
        pdu->validity == SMS_VALIDITY_RELATIVE ? json_integer(pdu->validity_minutes) : json_null(),
        "time", pdu->timestamp, "discharge", pdu->discharge, "status", port_json(pdu->status),
        "text", pdu->text, "data", data, "units", (int)pdu->units, "udh", udh, "concatenation",
        (int)pdu->concatenation, "part", (int)pdu->part, "parts", (int)pdu->parts, "port_to",
        port_json(pdu->port_to), "port_from", port_json(pdu->port_from), "locking_shift", pdu->lock,
        "single_shift", pdu->shift);
}

static void
print_pdu(const struct sms_pdu *pdu)
{
    g_autofree char *udh = hex_of(pdu->udh);

    printf("type: %s\n", sms_pdu_type_name(pdu->type));
    if (*pdu->smsc)
        printf("service centre: %s\n", pdu->smsc);
    printf("%s: %s\n", pdu->type == SMS_PDU_DELIVER ? "from" : "to", pdu->address);
    if (*pdu->timestamp)
        printf("time: %s\n", pdu->timestamp);
    if (*pdu->discharge)
        printf("discharge: %s\n", pdu->discharge);
    if (pdu->status >= 0)
        printf("status: %02X\n", (guint)pdu->status);
    if (pdu->validity == SMS_VALIDITY_RELATIVE)
        printf("valid: %u minutes\n", pdu->validity_minutes);
    printf("pid: %02X\ndcs: %02X, %s", pdu->pid, pdu->dcs, sms_encoding_name(pdu->encoding));
    if (pdu->message_class >= 0)
        printf(", class %d", pdu->message_class);
    printf("\nunits: %u\n", pdu->units);
    if (*udh)
        printf("udh: %s\n", udh);
    if (pdu->parts)
        printf("part: %u of %u, reference %u\n", pdu->part, pdu->parts, pdu->concatenation);
    if (pdu->port_to >= 0)
        printf("ports: %d from %d\n", pdu->port_to, pdu->port_from);
    if (pdu->lock || pdu->shift)
        printf("alphabet: %s\n", sms_language_name(MAX(pdu->lock, pdu->shift)));
    if (pdu->text && *pdu->text)
        printf("---\n%s\n", pdu->text);
    if (pdu->data) {
        g_autofree char *data = hex_of(pdu->data);

        printf("---\n%s\n", data);
    }
}

int
admin_decode(struct admin *admin)
{
    g_autoptr(GByteArray) octets = NULL;
    g_autoptr(SmsPdu) pdu = NULL;
    bool bare = false;
    struct outcome why;
    int option;

    while ((option = getopt(admin->argc, admin->args, "t")) != -1) {
        if (option != 't')
            return ADMIN_USAGE;
        bare = true;
    }
    if (admin->argc - optind != 1)
        return ADMIN_USAGE;
    if (!(octets = read_hex(admin->args[optind])))
        return admin_fault("\"%s\" is not hex", admin->args[optind]);
    if (sms_pdu_decode(octets->data, octets->len, !bare && begins_with_smsc(octets), &pdu, &why) <
        0)
        return admin_fault("%s", why.text);
    if (admin->json)
        return admin_print_json(pdu_json(pdu));
    print_pdu(pdu);
    return ADMIN_DONE;
}
