-- [SPAM-FILTER-RULES] action 4: stronger than 3; Postfix shall not report about it either.
--! [SPAM-FILTER-RULES]
--! 1;list;4;
--! 1;list;3;
dofile(common)
conn, reply = mail({ "Subject", "list" }, "x\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_HDRADD, "X-SMS-Class", " list"))
assert(mt.eom_check(conn, MT_RCPTDELETE, SMS))
mt.disconnect(conn)
