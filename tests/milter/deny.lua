-- [DENY-FROM-DOMAIN]: that recipient is refused, others are not asked about. (The reply's text: tests/system.)
--! [DENY-FROM-DOMAIN]
--! usr@dom.ch
dofile(common)
conn = open()
assert(envelope(conn, "<Usr@DOM.ch>", SMS) == SMFIR_REPLYCODE)
assert(mt.rcptto(conn, MAILBOX) == nil and mt.getreply(conn) == SMFIR_CONTINUE)
assert(mt.data(conn) == nil and mt.getreply(conn) == SMFIR_ACCEPT)
mt.disconnect(conn)
conn = open()
assert(envelope(conn, "<other@dom.ch>", SMS) == SMFIR_CONTINUE)
mt.disconnect(conn)
