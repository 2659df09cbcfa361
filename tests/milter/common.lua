-- SPDX-License-Identifier: ISC
-- What the scripts share. The harness gives: socket.
SMS = "<+41791234567@sms.example.test>"
SECOND = "<+41790001122@sms.example.test>"
MAILBOX = "<box@mailbox.example>"

-- A connection to the running milter.
function open()
    local conn = mt.connect(socket, 40, 0.05)
    assert(conn, "no connection")
    assert(mt.conninfo(conn, "pc.example.test", "192.0.2.7") == nil)
    return conn
end

-- RCPT for each; what the milter said to the last one.
function envelope(conn, sender, ...)
    assert(mt.mailfrom(conn, sender) == nil)
    for _, recipient in ipairs({ ... }) do
        mt.macro(conn, SMFIC_RCPT, "i", "4LUAQUEUEID")
        assert(mt.rcptto(conn, recipient) == nil)
    end
    return mt.getreply(conn)
end

-- DATA to the end of the message, which has been accepted by RCPT. headers: a list of name,
-- value. In what the milter asks for, the blank behind the colon is part of a value; here it is added.
function content(conn, headers, body)
    assert(mt.data(conn) == nil)
    assert(mt.getreply(conn) == SMFIR_CONTINUE, "header and body are wanted")
    for i = 1, #headers, 2 do
        assert(mt.header(conn, headers[i], headers[i + 1]) == nil)
    end
    -- Fails if no rule wants a body: then there is none to be sent.
    pcall(mt.bodystring, conn, body)
    assert(mt.eom(conn) == nil)
    return mt.getreply(conn)
end

-- One whole mail to these recipients: the connection and the verdict.
function mail(headers, body, ...)
    local conn = open()
    assert(envelope(conn, "<anna@allowed.example>", ...) == SMFIR_CONTINUE)
    return conn, content(conn, headers, body)
end

-- Header, body and place in the queue stay as they are, and so do these recipients.
function untouched(conn, ...)
    for _, change in ipairs({ MT_HDRADD, MT_HDRINSERT, MT_HDRCHANGE, MT_HDRDELETE, MT_BODYCHANGE }) do
        assert(not mt.eom_check(conn, change), "change " .. change)
    end
    for line = 1, 9 do
        assert(not mt.eom_check(conn, MT_QUARANTINE, "smtp.rules:" .. line))
    end
    for _, recipient in ipairs({ SMS, SECOND, MAILBOX, ... }) do
        assert(not mt.eom_check(conn, MT_RCPTDELETE, recipient), recipient)
    end
end
