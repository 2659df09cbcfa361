-- [REPLACE-TEXT] 1: over line ends, every occurrence; what is in the mail is its whole new body.
--! [REPLACE-TEXT]
--! 1;one^ntwo;three;
dofile(common)
conn, reply = mail({ "Subject", "one" }, "one\r\ntwo one\r\ntwo\r\none\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
assert(mt.eom_check(conn, MT_BODYCHANGE, "three three\r\none\r\n"))
assert(mt.eom_check(conn, MT_HDRADD, "X-Postsms-Replaced"))
mt.disconnect(conn)
