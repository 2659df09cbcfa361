/* SPDX-License-Identifier: ISC */
/* The structure of a mail: header fields, content types, parts. Private to the reader. */
#ifndef TRANSPORT_READER_MIME_H
#define TRANSPORT_READER_MIME_H

#include "lib/mailview.h"

/* What one mail may cost; real mail stays far below. */
#define MIME_DEPTH_MAX        32 /* multiparts and messages around a part; the walk recurses that deep */
#define MIME_PARTS_MAX        500 /* each is looked at; a five-octet part costs as much as a real one */
#define MIME_HEADER_LINES_MAX 1000  /* of one message or part */
#define MIME_VALUE_MAX        65536 /* octets of a header value that are looked at */
#define MIME_PARAMETERS_MAX                                                                        \
    8192                      /* octets of a Content-Type: GMime copies and sorts its parameters */
#define MIME_ADDRESS_MAX 8192 /* octets of From: */
#define MIME_DECODE_MAX                                                                            \
    (8 * 1048576) /* encoded octets of a text: more than VIEW_TEXT_MAX can come of */

/* The header fields in front of a body, where they lie in the mail. */
struct fields {
    const guint8 *data;
    gsize len;   /* octets of the header */
    gsize body;  /* where the body begins, behind the empty line */
    guint lines; /* of the header */
};

/* Finds where the header ends: at an empty line, or before the first line that cannot be a
 * header's. */
void fields_scan(const guint8 *data, gsize len, struct fields *ret);

/* Where one field lies in them: its name's first octet, the end of its last line. */
struct field {
    gsize start, end;
};

/* Finds the first field of that name, in any case, at from (0, or another field's end) or behind
 * it. */
bool fields_next(const struct fields *fields, const char *name, gsize from, struct field *ret);

/* Its raw value without NUL, each fold one blank, white space at the ends gone, at most max octets.
 * Newly allocated. */
GString *fields_value(const struct fields *fields, const struct field *field, gsize max);

/* The value of the first field of that name; NULL if there is none. */
GString *fields_get(const struct fields *fields, const char *name, gsize max);

/* What a Content-Type says. */
struct content {
    char *type;     /* "text/plain", lower case, never NULL */
    char *charset;  /* NULL if none */
    char *boundary; /* NULL if none */
    bool flowed;    /* format=flowed (RFC 3676) */
    bool delsp;     /* delsp=yes */
    bool named;     /* it has a file name */
};
void content_clear(struct content *content);
typedef struct content Content;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

/* fallback: the type of a part without a Content-Type. */
void content_read(const struct fields *fields, const char *fallback, struct content *ret);

/* The value of a Content-Type for the same text/plain part in UTF-8, of fixed lines: charset and
 * name, a fold (LF, blank) before the latter. Newly allocated. */
char *content_as_utf8(const struct fields *fields);

/* True if Content-Disposition, there or not, lets the part be shown with the mail. */
bool content_inline(const struct fields *fields);

/* Once, before content_read. */
void content_prepare(void);

/* What Content-Transfer-Encoding says; ENCODING_7BIT if it is not there or says nothing known. */
enum encoding {
    ENCODING_7BIT,
    ENCODING_8BIT, /* binary, too */
    ENCODING_BASE64,
    ENCODING_QUOTED,
    ENCODING_UU, /* no text, for us */
};
enum encoding fields_encoding(const struct fields *fields);

/* Forms in which a part can hold the mail's text, in the order in which they are preferred. */
enum text_kind { TEXT_PLAIN, TEXT_HTML, TEXT_CALENDAR, TEXT_TNEF, TEXT_KINDS };

/* A part that may hold the mail's text: where it lies. */
struct place {
    struct fields fields; /* its header; data points into the mail */
    gsize len;            /* octets of its content, which begins at fields.body */
    char *charset;        /* as labelled; NULL if it is not */
    bool flowed, delsp;
    bool sealed;    /* inside something signed or encrypted */
    guint together; /* parts of one multipart/mixed have the same number; 0: in none, or a file */
};

/* Every such part, in the order of the mail. */
struct places {
    GArray *direct[TEXT_KINDS]; /* struct place: the mail's own */
    GArray *nested[TEXT_KINDS]; /* of messages inside, for want of anything better */
    bool more;                  /* there were more than are kept */
    bool sealed;                /* a part that is not inside a message is signed or encrypted */
    bool encrypted;             /* there is something that nobody here can read */
};
void places_clear(struct places *places);
typedef struct places Places;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Places, places_clear)

/* Walks the whole mail. -1: it breaks a limit, why is DATA and says which. */
int parts_walk(const guint8 *data, gsize len, struct places *ret,
               struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* The text that is the mail's. */
struct chosen {
    GString *text; /* valid UTF-8, cleaned; NULL: no part has one */
    bool cut;      /* not all of it was decoded */
    guint replaced;
    bool sealed;    /* the mail, or what is around the part, is signed or encrypted; set without a
                       text, too */
    bool encrypted; /* there is no text because nobody here can read it */
    bool verbatim;  /* it is that of one text/plain part: */
    struct fields fields; /* its header; data points into the mail */
    gsize len;            /* octets of its content, which begins at fields.body */
};

/* The mail's text: text/plain unless that is empty, a mere hint or a footer below HTML, else HTML,
 * a calendar entry, what Outlook packed; parts of one multipart/mixed together. -1: as parts_walk.
 */
int text_choose(const guint8 *data, gsize len, struct chosen *ret,
                struct outcome *why) G_GNUC_WARN_UNUSED_RESULT;

/* A view without digest (that of no octets), and where its text comes from: ret->text is NULL, the
 * view has it. */
struct mail_view *mail_look(const guint8 *data, gsize len, struct chosen *ret);

#endif
