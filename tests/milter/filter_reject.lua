-- [FILTER-ADDRESSES], filter_addresses = reject.
--! [FILTER-ADDRESSES]
--! 790001122;
--= filter_addresses=reject
dofile(common)
conn = open()
assert(envelope(conn, "<anna@allowed.example>", SECOND) == SMFIR_REPLYCODE)
assert(mt.rcptto(conn, SMS) == nil and mt.getreply(conn) == SMFIR_CONTINUE)
assert(content(conn, { "Subject", "x" }, "x\r\n") == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
