# Arrows point down only (design: programs -> transport | milter -> rules -> spool -> lib). Each row: a folder and the
# folders it may include from. transport/pipe is libc and the envelope's names; foreign headers have few homes.
BEGIN {
    may["lib"] = "lib"
    may["spool"] = "spool lib"
    may["rules"] = "rules spool lib"
    may["milter"] = "milter rules spool lib"
    may["transport/sms"] = "transport/sms lib"
    may["transport/reader"] = "transport/reader lib"
    may["transport/gateway"] = "transport/gateway transport/sms lib"
    may["transport/inbound"] = "transport/inbound transport/gateway transport/sms rules spool lib"
    may["transport/dispatch"] = "transport/dispatch transport/inbound transport/gateway transport/sms transport/reader rules spool lib"
    may["transport/pipe"] = "lib/envelope.h"
    may["admin"] = "admin transport/dispatch transport/gateway transport/sms transport/reader rules spool lib"
    home["confuse.h"] = "lib/conf_value.h"
    home["sqlite3.h"] = "spool/private.h"
    home["libmilter/mfapi.h"] = "milter/"
    home["gmime/gmime.h"] = "transport/reader/"
    home["seccomp.h"] = "transport/reader/sandbox.c"
    home["libxml/HTMLparser.h"] = "transport/reader/html.c transport/reader/html_feed.c"
    home["nettle/sha2.h"] = "transport/reader/ transport/dispatch/identity.c"
    home["systemd/sd-event.h"] = "transport/dispatch/ transport/gateway/ admin/gateway_test.c"
    home["curl/curl.h"] = "transport/gateway/http transport/dispatch/"
    home["jansson.h"] = "admin/ transport/gateway/"
    home["pcre2.h"] = "transport/gateway/regex.c"
}
function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
function allowed(list, path,    n, i, names) {
    n = split(list, names, " ")
    for (i = 1; i <= n; i++)
        if (index(path, names[i]) == 1)
            return 1
    return 0
}
function fault(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
/^#include "/ {
    split($0, part, "\"")
    if (part[2] ~ /\//) {
        from = folder(FILENAME)
        ok = 0
        n = split(may[from], names, " ")
        for (i = 1; i <= n; i++)
            if (folder(part[2]) == names[i] || part[2] == names[i])
                ok = 1
        if (!ok)
            fault(from " must not include " part[2])
    }
}
/^#include </ {
    split($0, part, /[<>]/)
    if (part[2] in home && !allowed(home[part[2]], FILENAME))
        fault(part[2] " belongs to " home[part[2]])
    if (FILENAME ~ /^transport\/pipe\// && part[2] ~ /glib|\//  && part[2] !~ /^sys\//)
        fault("transport/pipe is libc only")
}
# We use X instead of Y.
/[^_a-z](sprintf|strcat|gets|strtok|atoi|atol|system|popen|usleep)\(/ && !/^ *(\/?\*|\/\/)/ { fault("not in this house: " $0) }
FNR == 1 && FILENAME !~ /\.awk$/ && $0 !~ /SPDX-License-Identifier: ISC/ { fault("first line is not the licence") }
FNR == 601 { fault("more than 600 lines") }
END { exit bad }
