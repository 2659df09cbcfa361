-- [SPAM-FILTER-RULES] action 2, spam_action = hold.
--! [SPAM-FILTER-RULES]
--! 2;Subject: Read: WG: Hotelreservation;2;
--= spam_target=spam@mailbox.example
dofile(common)
conn, reply = mail({ "Subject", "Read: WG: Hotelreservation" }, "x\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_QUARANTINE, "smtp.rules:2"))
assert(not mt.eom_check(conn, MT_RCPTDELETE, SMS) and not mt.eom_check(conn, MT_HDRADD))
mt.disconnect(conn)
conn, reply = mail({ "Subject", "Read: WG: Hotelreservation" }, "x\r\n", SMS, MAILBOX)
assert(reply == SMFIR_CONTINUE)
assert(not mt.eom_check(conn, MT_QUARANTINE, "smtp.rules:2"))
assert(mt.eom_check(conn, MT_RCPTDELETE, SMS))
assert(mt.eom_check(conn, MT_RCPTADD, "<spam@mailbox.example>"))
mt.disconnect(conn)
