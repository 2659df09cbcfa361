-- Header fields that only we may write are taken out, all of them, also for others.
dofile(common)
for _, recipients in ipairs({ { SMS }, { SMS, MAILBOX } }) do
    conn, reply = mail({ "X-SMS-Class", "list", "x-postsms-replaced", "generation 1", "X-Postsms-Replaced", "2" },
                       "x\r\n", table.unpack(recipients))
    assert(reply == SMFIR_CONTINUE)
    assert(mt.eom_check(conn, MT_HDRDELETE, "X-SMS-Class"))
    assert(mt.eom_check(conn, MT_HDRDELETE, "X-Postsms-Replaced"))
    assert(not mt.eom_check(conn, MT_HDRADD))
    mt.disconnect(conn)
end
