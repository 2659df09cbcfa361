-- [FILTER-ADDRESSES], filter_addresses = remove: by what is written and by the number.
--! [FILTER-ADDRESSES]
--! 790001122;
--! +41791112233
dofile(common)
NATIONAL = "<079\\ 111\\ 22\\ 33@sms.example.test>"
conn, reply = mail({ "Subject", "x" }, "x\r\n", SMS, SECOND, NATIONAL, "<790001122@mailbox.example>")
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_RCPTDELETE, SECOND))
assert(mt.eom_check(conn, MT_RCPTDELETE, NATIONAL))
assert(not mt.eom_check(conn, MT_RCPTDELETE, SMS))
assert(not mt.eom_check(conn, MT_RCPTDELETE, "<790001122@mailbox.example>"))
mt.disconnect(conn)
conn, reply = mail({ "Subject", "x" }, "x\r\n", SECOND)
assert(reply == SMFIR_DISCARD) -- nobody is left
mt.disconnect(conn)
