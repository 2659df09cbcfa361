-- Classes, warnings, how long a part has been in its state, mail that postsmsd makes.

ALTER TABLE delivery ADD COLUMN class TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE delivery ADD COLUMN warned INTEGER NOT NULL DEFAULT 0; -- the sender has been told that it is late
ALTER TABLE part ADD COLUMN since INTEGER NOT NULL DEFAULT 0;      -- in its state; 0: not known, before this schema
UPDATE part SET since = (SELECT updated FROM delivery WHERE id = part.delivery);

-- In here before it is handed over, gone after Postfix's 250.
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY,
    created   INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    message   TEXT NOT NULL -- RFC 5322, LF line ends; its Message-ID stays the same over attempts
) STRICT;

INSERT INTO meta VALUES ('blanked', 0);  -- texts of deliveries up to this id are gone

-- Purging may delete events; nothing else may.
