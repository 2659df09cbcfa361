-- The first schema. Times are milliseconds since 1970. Text of messages stands in part.text and nowhere else.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('low_water', 1); -- no delivery below this id is open

CREATE TABLE delivery (
    id         INTEGER PRIMARY KEY,
    queue_id   TEXT NOT NULL,    -- under which Postfix offered it first
    k1         BLOB NOT NULL,    -- queue id, input, sender, recipient
    k2         BLOB,             -- Message-ID, Date, From, sender, number, subject, body; null without Message-ID
    state      TEXT NOT NULL CHECK (state IN ('open', 'sent', 'refused', 'failed', 'cancelled', 'gave_up')),
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL, -- last offer or change
    sender     TEXT NOT NULL,
    recipient  TEXT NOT NULL,    -- credentials hidden
    original   TEXT NOT NULL,
    number     TEXT NOT NULL,    -- '' if the recipient is none
    login      TEXT NOT NULL,
    client     TEXT NOT NULL,
    message_id TEXT NOT NULL,
    gateway    TEXT NOT NULL,
    originator TEXT NOT NULL,
    encoding   TEXT NOT NULL,
    dcs        INTEGER NOT NULL,
    truncated  INTEGER NOT NULL,
    parts      INTEGER NOT NULL,
    rule       TEXT NOT NULL,
    dsn        TEXT NOT NULL,    -- of the last verdict
    reason     TEXT NOT NULL
) STRICT;

-- Two identities, two indexes; everything else about open deliveries is found from the low-water mark, because an index
-- on states that change four times per delivery costs more than the rest of the ledger.
CREATE INDEX delivery_queue_id ON delivery (queue_id);
CREATE INDEX delivery_k2 ON delivery (k2) WHERE k2 IS NOT NULL;

-- The same delivery offered again under another queue id: requeued, or reached through an alias.
CREATE TABLE offer (
    queue_id TEXT NOT NULL,
    k1       BLOB NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery,
    PRIMARY KEY (queue_id, k1)
) STRICT, WITHOUT ROWID;

CREATE TABLE part (
    delivery    INTEGER NOT NULL REFERENCES delivery,
    seq         INTEGER NOT NULL, -- 1, 2, …
    state       TEXT NOT NULL CHECK (state IN ('planned', 'submitting', 'accepted', 'unknown', 'delivered',
                                               'undelivered', 'expired', 'failed', 'gave_up', 'cancelled')),
    ref         TEXT NOT NULL,    -- ours, goes along to the gateway
    gateway_ref TEXT NOT NULL,    -- what the gateway called it, '' before
    text        TEXT NOT NULL,
    units       INTEGER NOT NULL,
    udh         BLOB NOT NULL,
    PRIMARY KEY (delivery, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    delivery INTEGER NOT NULL REFERENCES delivery,
    n        INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    part     INTEGER NOT NULL, -- 0: the delivery as a whole
    what     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

-- Readers that died over a mail. Its digest is not known then, so the key is what the envelope says.
CREATE TABLE crash (
    queue_id TEXT NOT NULL,
    envelope BLOB NOT NULL,
    count    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (queue_id, envelope)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER part_final BEFORE UPDATE OF state ON part
WHEN OLD.state IN ('delivered', 'undelivered', 'expired', 'failed', 'cancelled')
    OR (OLD.state = 'gave_up' AND NEW.state <> 'delivered')
    OR (OLD.state = 'accepted' AND NEW.state NOT IN ('delivered', 'undelivered', 'expired'))
BEGIN
    SELECT RAISE(ABORT, 'a part does not go back from its state');
END;

CREATE TRIGGER event_stays BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are only added');
END;
