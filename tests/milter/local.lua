-- Mail of sendmail(1): nothing is refused for its recipients; at its end the same is done.
--! [DENY-FROM-DOMAIN]
--! denied@allowed.example
--! [SPAM-FILTER-RULES]
--! 1;delete;1;
--! [FILTER-ADDRESSES]
--! 790001122;
--= filter_addresses=reject
dofile(common)
for sender, accept in pairs({ ["denied@allowed.example"] = true, ["anna@allowed.example"] = false }) do
    conn = open()
    mt.macro(conn, SMFIC_MAIL, "i", "4LUAQUEUEID")
    assert(mt.mailfrom(conn, sender) == nil)
    for _, recipient in ipairs({ "+41790001122@sms.example.test", "+41791234567@sms.example.test" }) do
        assert(mt.rcptto(conn, recipient) == nil and mt.getreply(conn) == SMFIR_CONTINUE)
    end
    if accept then
        assert(mt.data(conn) == nil and mt.getreply(conn) == SMFIR_ACCEPT)
    else
        assert(content(conn, { "Subject", "delete" }, "x\r\n") == SMFIR_DISCARD)
    end
    mt.disconnect(conn)
end
