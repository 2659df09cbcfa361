-- [SPAM-FILTER-RULES]: what each field searches, and in which case.
--! [SPAM-FILTER-RULES]
--! 0;ZERO@sms.;1;
--! 1;subject: ONE;1;
--! 2;Subject: Two;1;
--! 3;grüSSgott THREE;1;
--! 4;grüssgott Four;1;
--! 5;FIVE;1;
--! 6;Six;1;
--! 7;SGVsbG8gc2V2ZW4;1;
--! 8;SGVsbG8gZWlnaHQ;1;
dofile(common)
QP = { "Content-Type", "text/plain; charset=utf-8", "Content-Transfer-Encoding", "quoted-printable" }
B64 = { "Content-Type", "text/plain; charset=utf-8", "Content-Transfer-Encoding", "base64" }
function with(headers, subject)
    local all = { "Subject", subject or "x" }
    for _, text in ipairs(headers) do all[#all + 1] = text end
    return all
end
function found(headers, body, ...)
    local conn, reply = mail(headers, body, ...)
    mt.disconnect(conn)
    return reply == SMFIR_DISCARD
end
assert(found(with({}), "x\r\n", "<zero@sms.example.test>"))
assert(found(with({ "To", "Zero@sms.example.test" }), "x\r\n", SMS), "To counts")
assert(found(with({}, "one"), "x\r\n", SMS))
assert(found(with({}, "Two"), "x\r\n", SMS))
assert(not found(with({}, "two"), "x\r\n", SMS))
assert(found(with(QP), "gr=C3=BCssgott three\r\n", SMS))
assert(found(with(QP), "gr=C3=BCssgott Four\r\n", SMS))
assert(not found(with(QP), "gr=C3=BCssgott four\r\n", SMS))
assert(found(with({ "X-Five", "five" }), "x\r\n", SMS))
assert(found(with(QP), "f=69ve\r\n", SMS))
assert(found(with({ "X-Six", "Six" }), "x\r\n", SMS))
assert(not found(with(QP), "s=69x\r\n", SMS))
assert(found(with(B64), "SGVsbG8gc2V2ZW4=\r\n", SMS))
assert(found(with(B64), "sgvSBg8GC2v2zw4=\r\n", SMS))
assert(found(with(B64), "SGVsbG8gZWlnaHQ=\r\n", SMS))
assert(not found(with(B64), "sgvSBg8GZwLNAhq=\r\n", SMS))
