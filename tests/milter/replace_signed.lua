-- [REPLACE-TEXT] in a signed mail: its octets stay as they are.
--! [REPLACE-TEXT]
--! 1;one;two;
dofile(common)
conn, reply = mail({ "Subject", "x", "MIME-Version", "1.0", "Content-Type",
                     'multipart/signed; protocol="application/pgp-signature"; boundary="s"' },
                   "--s\r\nContent-Type: text/plain\r\n\r\none\r\n--s\r\n" ..
                   "Content-Type: application/pgp-signature\r\n\r\nxxxx\r\n--s--\r\n", SMS)
assert(reply == SMFIR_CONTINUE)
untouched(conn)
mt.disconnect(conn)
