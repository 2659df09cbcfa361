-- [ALLOW-FROM-DOMAIN]: nobody else, the null sender included.
--! [ALLOW-FROM-DOMAIN]
--! @dom.ch;
dofile(common)
for sender, reply in pairs({ ["<usr@dom.ch>"] = SMFIR_CONTINUE, ["<usr@otherdom.ch>"] = SMFIR_REPLYCODE,
                             ["<>"] = SMFIR_REPLYCODE }) do
    conn = open()
    assert(envelope(conn, sender, SMS) == reply, sender)
    mt.disconnect(conn)
end
