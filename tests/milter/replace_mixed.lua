-- [REPLACE-TEXT] in a mail that others get too: left to the transport, without a mark.
--! [REPLACE-TEXT]
--! 0;one;two;
--! 1;one;two;
dofile(common)
conn, reply = mail({ "Subject", "one" }, "one\r\n", SMS, MAILBOX)
assert(reply == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
