-- [SPAM-FILTER-RULES] action 3: declared, and the search goes on.
--! [SPAM-FILTER-RULES]
--! 1;copy;3;
--! 1;delete;1;
dofile(common)
conn, reply = mail({ "Subject", "copy" }, "x\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_HDRADD, "X-SMS-Class", " copy-to"))
assert(not mt.eom_check(conn, MT_RCPTDELETE, SMS))
mt.disconnect(conn)
conn, reply = mail({ "Subject", "copy delete" }, "x\r\n", SMS)
assert(reply == SMFIR_DISCARD)
mt.disconnect(conn)
conn, reply = mail({ "Subject", "copy" }, "x\r\n", SMS, MAILBOX)
assert(reply == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
