-- [SPAM-FILTER-RULES] action 1.
--! [SPAM-FILTER-RULES]
--! 7;buy viagra ;1;
dofile(common)
conn, reply = mail({ "Subject", "x" }, "please buy viagra now\r\n", SMS)
assert(reply == SMFIR_DISCARD)
mt.disconnect(conn)
conn, reply = mail({ "Subject", "x" }, "please buy viagra now\r\n", MAILBOX, SMS, SECOND)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_RCPTDELETE, SMS))
assert(mt.eom_check(conn, MT_RCPTDELETE, SECOND))
assert(not mt.eom_check(conn, MT_RCPTDELETE, MAILBOX))
assert(not mt.eom_check(conn, MT_HDRADD))
mt.disconnect(conn)
conn, reply = mail({ "Subject", "x" }, "buy viagra\r\n", SMS) -- the blank at the end counts
assert(reply == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
