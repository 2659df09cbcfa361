/* SPDX-License-Identifier: ISC */
/*
 * Owns the reading of text/calendar: unfolding, parameters, escapes, times as they were written.
 * Knows no time zone rules: a time stays in the zone it was given in. Pure.
 */
#include "transport/reader/ical.h"
#include "transport/reader/decode.h"

#include <string.h>

#define LINE_MAX_OCTETS 65536 /* of one unfolded line; more is passed over */
#define DAYS_MAX        36600 /* a duration; also keeps the arithmetic small */

struct moment {
    bool set;
    bool day; /* no time of day */
    int year, month, mday, hour, minute;
    char *zone; /* "" if it floats */
};

struct event {
    GString *method;
    GString *summary;
    GString *location;
    GString *organizer;
    GString *attendee; /* the first */
    GString *partstat; /* and what it answers */
    GString *duration;
    bool cancelled;
    struct moment start;
    struct moment end;
};

/* One content line: name, parameters, value, in one buffer cut up by NUL. */
struct property {
    char *name;
    char *parameters; /* without the first ';', "" if none */
    char *value;
};

/* The next line, unfolded, without its end; false behind the last. A line that is too long is cut.
 */
static bool
next_line(const char **at, const char *end, GString *line)
{
    g_string_truncate(line, 0);
    if (*at >= end)
        return false;
    for (;;) {
        const char *lf = memchr(*at, '\n', (gsize)(end - *at));
        gsize len = (gsize)((lf ? lf : end) - *at);
        gsize use = len > 0 && (*at)[len - 1] == '\r' ? len - 1 : len;

        if (line->len < LINE_MAX_OCTETS)
            g_string_append_len(line, *at, (gssize)MIN(use, LINE_MAX_OCTETS - line->len));
        *at += len + (lf != NULL);
        if (*at >= end || (**at != ' ' && **at != '\t'))
            return true;
        (*at)++;
    }
}

/* Where the name or a parameter ends: at one of stops outside of quotes, or at the end. */
static char *
until(char *c, const char *stops)
{
    bool quoted = false;

    for (; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (!quoted && strchr(stops, *c))
            break;
    }
    return c;
}

static bool
property_split(GString *line, struct property *ret)
{
    char *c = until(line->str, ";:");

    ret->name = line->str;
    ret->parameters = c + strlen(c);
    if (*c == ';') {
        *c++ = '\0';
        ret->parameters = c;
        c = until(c, ":");
    }
    if (*c != ':')
        return false;
    *c++ = '\0';
    ret->value = c;
    return true;
}

/* The value of a parameter, without its quotes and ^-escapes (RFC 6868). NULL if there is none. */
static char *
parameter(const struct property *property, const char *name)
{
    char *c = property->parameters;

    while (*c) {
        char *end = until(c, ";");
        gsize name_len = strcspn(c, "=");
        bool more = *end == ';';

        if ((gsize)(end - c) > name_len && name_len == strlen(name) &&
            g_ascii_strncasecmp(c, name, name_len) == 0) {
            GString *value = g_string_new(NULL);

            for (c += name_len + 1; c < end; c++) {
                if (*c == '^' && c + 1 < end && strchr("n^'", c[1]))
                    g_string_append_c(value, *++c == 'n' ? ' ' : *c == '\'' ? '"' : '^');
                else if (*c != '"')
                    g_string_append_c(value, *c);
            }
            return g_string_free(value, FALSE);
        }
        c = end + more;
    }
    return NULL;
}

/* value as one line of at most ICAL_VALUE_MAX octets. */
static void
take_line(GString *to, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    g_string_assign(to, valid);
    clean_line(to, ICAL_VALUE_MAX);
}

/* The same of a TEXT (section 3.3.11): a line break in it is a blank. */
static void
take_text(GString *to, const char *value)
{
    g_autoptr(GString) plain = g_string_sized_new(strlen(value));

    if (to->len > 0)
        return;
    for (; *value; value++) {
        if (*value == '\\' && value[1])
            g_string_append_c(plain, *++value == 'n' || *value == 'N' ? ' ' : *value);
        else
            g_string_append_c(plain, *value);
    }
    take_line(to, plain->str);
}

static bool
digits(const char **c, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++, (*c)++) {
        if (!g_ascii_isdigit(**c))
            return false;
        *ret = *ret * 10 + (**c - '0');
    }
    return true;
}

/* "Europe/Berlin" of "/mozilla.org/20050126_1/Europe/Berlin": globally unique names carry their
 * registry in front (section 3.8.3.1). */
static char *
zone_name(const char *tzid)
{
    g_autoptr(GString) name = g_string_new(NULL);
    const char *city = strrchr(tzid, '/');
    const char *area = city ? memrchr(tzid, '/', (gsize)(city - tzid)) : NULL;

    take_line(name, *tzid == '/' && area ? area + 1 : tzid);
    return g_strdup(name->str);
}

/* DTSTART or DTEND: 20251103, 20251103T100000, with Z or TZID. */
static void
take_moment(struct moment *to, const struct property *property)
{
    g_autofree char *tzid = parameter(property, "TZID");
    const char *c = property->value;
    struct moment moment = {.set = true, .day = true};

    if (to->set || !digits(&c, 4, &moment.year) || !digits(&c, 2, &moment.month) ||
        !digits(&c, 2, &moment.mday) ||
        !g_date_valid_dmy((GDateDay)moment.mday, (GDateMonth)moment.month, (GDateYear)moment.year))
        return;
    if (*c == 'T' || *c == 't') {
        c++;
        if (!digits(&c, 2, &moment.hour) || !digits(&c, 2, &moment.minute) || moment.hour > 23 ||
            moment.minute > 59)
            return;
        moment.day = false;
        c += strspn(c, "0123456789");
    }
    if (moment.day)
        moment.zone = g_strdup("");
    else if (*c == 'Z' || *c == 'z')
        moment.zone = g_strdup("UTC");
    else
        moment.zone = tzid ? zone_name(tzid) : g_strdup("");
    *to = moment;
}

/* Moves it on; dates without a time of day by whole days. */
static void
moment_add(struct moment *moment, gint64 minutes)
{
    gint64 total = moment->hour * 60 + moment->minute + minutes;
    gint64 days = total >= 0 ? total / 1440 : -((1439 - total) / 1440);
    GDate date;

    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)moment->mday, (GDateMonth)moment->month,
                   (GDateYear)moment->year);
    if (ABS(days) > DAYS_MAX || (gint64)g_date_get_julian(&date) + days < 1)
        return;
    if (days >= 0)
        g_date_add_days(&date, (guint)days);
    else
        g_date_subtract_days(&date, (guint)-days);
    total -= days * 1440;
    moment->year = g_date_get_year(&date);
    moment->month = (int)g_date_get_month(&date);
    moment->mday = g_date_get_day(&date);
    moment->hour = (int)(total / 60);
    moment->minute = (int)(total % 60);
}

/* The minutes of P1DT2H30M or P2W (section 3.3.6); -1: not one. */
static gint64
duration_minutes(const char *c)
{
    gint64 minutes = 0;

    c += *c == '+';
    if (*c++ != 'P')
        return -1;
    while (*c) {
        gint64 number = 0;

        if (*c == 'T') {
            c++;
            continue;
        }
        if (!g_ascii_isdigit(*c))
            return -1;
        for (; g_ascii_isdigit(*c); c++)
            number = MIN(number * 10 + (*c - '0'), DAYS_MAX * 1440);
        switch (*c++) {
        case 'W':
            minutes += number * 7 * 1440;
            break;
        case 'D':
            minutes += number * 1440;
            break;
        case 'H':
            minutes += number * 60;
            break;
        case 'M':
            minutes += number;
            break;
        case 'S':
            break;
        default:
            return -1;
        }
        minutes = MIN(minutes, (gint64)DAYS_MAX * 1440);
    }
    return minutes;
}

/* Whose calendar address it is: CN, else the address. */
static void
take_person(GString *to, const struct property *property)
{
    g_autofree char *name = parameter(property, "CN");
    const char *value = property->value;

    if (to->len > 0)
        return;
    if (name)
        take_line(to, name);
    if (to->len > 0)
        return;
    if (g_ascii_strncasecmp(value, "mailto:", strlen("mailto:")) == 0)
        value += strlen("mailto:");
    take_line(to, value);
}

static void
take_attendee(struct event *event, const struct property *property)
{
    g_autofree char *partstat = parameter(property, "PARTSTAT");

    if (event->attendee->len > 0)
        return;
    take_person(event->attendee, property);
    if (partstat)
        take_line(event->partstat, partstat);
}

static void
take_property(struct event *event, const struct property *property)
{
    if (g_ascii_strcasecmp(property->name, "SUMMARY") == 0)
        take_text(event->summary, property->value);
    else if (g_ascii_strcasecmp(property->name, "LOCATION") == 0)
        take_text(event->location, property->value);
    else if (g_ascii_strcasecmp(property->name, "ORGANIZER") == 0)
        take_person(event->organizer, property);
    else if (g_ascii_strcasecmp(property->name, "ATTENDEE") == 0)
        take_attendee(event, property);
    else if (g_ascii_strcasecmp(property->name, "DTSTART") == 0)
        take_moment(&event->start, property);
    else if (g_ascii_strcasecmp(property->name, "DTEND") == 0)
        take_moment(&event->end, property);
    else if (g_ascii_strcasecmp(property->name, "DURATION") == 0)
        take_text(event->duration, property->value);
    else if (g_ascii_strcasecmp(property->name, "STATUS") == 0)
        event->cancelled = g_ascii_strcasecmp(property->value, "CANCELLED") == 0;
}

/* True when the first VEVENT was read. Components inside it (alarms) have the same properties. */
static bool
read_event(const char *text, gsize len, struct event *event)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const char *end = text + len;
    guint inside = 0; /* components below the VEVENT, itself counted */

    while (next_line(&text, end, line)) {
        struct property property;

        if (!property_split(line, &property))
            continue;
        if (g_ascii_strcasecmp(property.name, "BEGIN") == 0) {
            if (inside > 0 || g_ascii_strcasecmp(property.value, "VEVENT") == 0)
                inside++;
        } else if (g_ascii_strcasecmp(property.name, "END") == 0) {
            if (inside > 0 && --inside == 0)
                return true;
        } else if (inside == 1) {
            take_property(event, &property);
        } else if (inside == 0 && g_ascii_strcasecmp(property.name, "METHOD") == 0) {
            take_text(event->method, property.value);
        }
    }
    return inside > 0; /* cut off: what is there counts */
}

static void
append_day(GString *to, const struct moment *moment)
{
    g_string_append_printf(to, "%04d-%02d-%02d", moment->year, moment->month, moment->mday);
}

static bool
same_day(const struct moment *a, const struct moment *b)
{
    return a->year == b->year && a->month == b->month && a->mday == b->mday;
}

static void
append_zone(GString *to, const struct moment *moment)
{
    if (*moment->zone)
        g_string_append_printf(to, " %s", moment->zone);
}

/* The end of an event, from DTEND or DURATION; of whole days the last one, not the one after it. */
static void
settle_end(struct event *event)
{
    struct moment *end = &event->end;

    if (!end->set && event->start.set && event->duration->len > 0) {
        gint64 minutes = duration_minutes(event->duration->str);

        if (minutes > 0) {
            *end = event->start;
            end->zone = g_strdup(event->start.zone);
            moment_add(end, minutes);
        }
    }
    if (end->set && end->day != event->start.day)
        end->set = false;
    if (end->set && end->day && !same_day(&event->start, end))
        moment_add(end, -1440);
}

static void
append_when(GString *to, const struct event *event)
{
    const struct moment *start = &event->start;
    const struct moment *end = &event->end;
    bool one_zone = end->set && strcmp(start->zone, end->zone) == 0;

    append_day(to, start);
    if (!start->day)
        g_string_append_printf(to, " %02d:%02d", start->hour, start->minute);
    if (end->set && !one_zone)
        append_zone(to, start);
    if (end->set && start->day == end->day) {
        if (!same_day(start, end) || !one_zone) {
            g_string_append(to, " - ");
            append_day(to, end);
            if (!end->day)
                g_string_append_printf(to, " %02d:%02d", end->hour, end->minute);
        } else if (!end->day && (start->hour != end->hour || start->minute != end->minute)) {
            g_string_append_printf(to, "-%02d:%02d", end->hour, end->minute);
        }
        append_zone(to, end);
    } else {
        append_zone(to, start);
    }
    g_string_append_c(to, '\n');
}

static void
append_event(GString *to, const struct event *event)
{
    const char *method = event->method->str;

    if (event->cancelled && (!*method || g_ascii_strcasecmp(method, "PUBLISH") == 0))
        method = "CANCEL";
    if (*method && g_ascii_strcasecmp(method, "PUBLISH") != 0)
        g_string_append_printf(to, "%s:%s", method, event->summary->len > 0 ? " " : "\n");
    if (event->summary->len > 0)
        g_string_append_printf(to, "%s\n", event->summary->str);
    if (event->start.set)
        append_when(to, event);
    if (event->location->len > 0)
        g_string_append_printf(to, "%s\n", event->location->str);
    if (g_ascii_strcasecmp(method, "REPLY") == 0 && event->attendee->len > 0)
        g_string_append_printf(to, "%s: %s\n", event->attendee->str,
                               event->partstat->len > 0 ? event->partstat->str : "?");
    else if (event->organizer->len > 0)
        g_string_append_printf(to, "%s\n", event->organizer->str);
}

bool
ical_text(const char *text, gsize len, GString *to)
{
    g_autoptr(GString) method = g_string_new(NULL);
    g_autoptr(GString) summary = g_string_new(NULL);
    g_autoptr(GString) location = g_string_new(NULL);
    g_autoptr(GString) organizer = g_string_new(NULL);
    g_autoptr(GString) attendee = g_string_new(NULL);
    g_autoptr(GString) partstat = g_string_new(NULL);
    g_autoptr(GString) duration = g_string_new(NULL);
    struct event event = {.method = method,
                          .summary = summary,
                          .location = location,
                          .organizer = organizer,
                          .attendee = attendee,
                          .partstat = partstat,
                          .duration = duration};
    bool found = len > 0 && read_event(text, len, &event) && (summary->len > 0 || event.start.set);

    if (found) {
        settle_end(&event);
        append_event(to, &event);
    }
    g_free(event.start.zone);
    g_free(event.end.zone);
    return found;
}
