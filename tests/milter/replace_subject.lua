-- [REPLACE-TEXT] 0: the documented example, in a mail with SMS recipients only.
--! [REPLACE-TEXT]
--! 0; Gateway ; GATEWAY ;
dofile(common)
conn, reply = mail({ "Subject", "My Gateway is a Gateway" }, "My Gateway x\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_HDRCHANGE, "Subject", " My GATEWAY is a Gateway"))
assert(mt.eom_check(conn, MT_HDRADD, "X-Postsms-Replaced", " generation 1"))
assert(not mt.eom_check(conn, MT_BODYCHANGE))
mt.disconnect(conn)
