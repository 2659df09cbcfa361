-- [SPAM-FILTER-RULES] action 2, spam_action = redirect: the complete mail, not only the matching recipient.
--! [SPAM-FILTER-RULES]
--! 0;790001122@sms.;2;
--= spam_action=redirect
--= spam_target=spam@mailbox.example
dofile(common)
conn, reply = mail({ "Subject", "x" }, "x\r\n", SMS, SECOND)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_RCPTDELETE, SMS) and mt.eom_check(conn, MT_RCPTDELETE, SECOND))
assert(mt.eom_check(conn, MT_RCPTADD, "<spam@mailbox.example>"))
assert(not mt.eom_check(conn, MT_QUARANTINE, "smtp.rules:2") and not mt.eom_check(conn, MT_HDRADD))
mt.disconnect(conn)
