-- Gateways that split texts themselves, the sender's own number, and parameters for the gateway out of the address.

ALTER TABLE delivery ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN extra TEXT NOT NULL DEFAULT '';   -- of value= in the address, '&name=value'

-- The table of parts again, with sms; and with conditions for which SQLite makes no table of its own at each write, as
-- it does for IN.
CREATE TABLE part_now (
    delivery    INTEGER NOT NULL REFERENCES delivery,
    seq         INTEGER NOT NULL, -- 1, 2, …
    state       TEXT NOT NULL CHECK (state = 'planned' OR state = 'submitting' OR state = 'accepted' OR
                                     state = 'unknown' OR state = 'delivered' OR state = 'undelivered' OR
                                     state = 'expired' OR state = 'failed' OR state = 'gave_up' OR
                                     state = 'cancelled'),
    ref         TEXT NOT NULL,    -- ours, goes along to the gateway
    gateway_ref TEXT NOT NULL,    -- what the gateway called it, '' before
    text        TEXT NOT NULL,
    units       INTEGER NOT NULL,
    udh         BLOB NOT NULL,
    since       INTEGER NOT NULL DEFAULT 0,
    data        BLOB NOT NULL DEFAULT x'',
    sms         INTEGER NOT NULL DEFAULT 1, -- that this part is: more where the gateway splits
    PRIMARY KEY (delivery, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO part_now SELECT delivery, seq, state, ref, gateway_ref, text, units, udh, since, data, 1 FROM part;
DROP TABLE part;
ALTER TABLE part_now RENAME TO part;

CREATE TRIGGER part_final BEFORE UPDATE OF state ON part
WHEN OLD.state = 'delivered' OR OLD.state = 'undelivered' OR OLD.state = 'expired' OR OLD.state = 'failed'
    OR OLD.state = 'cancelled' OR (OLD.state = 'gave_up' AND NEW.state <> 'delivered')
    OR (OLD.state = 'accepted' AND NEW.state <> 'delivered' AND NEW.state <> 'undelivered' AND NEW.state <> 'expired')
BEGIN
    SELECT RAISE(ABORT, 'a part does not go back from its state');
END;
