-- A mail that no reader can make a text of: refused while its sender is there, not if others get it too.
--! [REPLACE-TEXT]
--! 1;one;two;
dofile(common)
body = ""
for i = 1, 400 do body = body .. "--b" .. i .. "\r\nContent-Type: multipart/mixed; boundary=b" .. i + 1 .. "\r\n\r\n" end
headers = { "Subject", "x", "MIME-Version", "1.0", "Content-Type", "multipart/mixed; boundary=b1" }
conn, reply = mail(headers, body, SMS)
assert(reply == SMFIR_REPLYCODE)
assert(mt.eom_check(conn, MT_SMTPREPLY, "554", "5.6.0", "the mail cannot be read: parts are nested too deep (limit 32)"))
mt.disconnect(conn)
conn, reply = mail(headers, body, SMS, MAILBOX)
assert(reply == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
