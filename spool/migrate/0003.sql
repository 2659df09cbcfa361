-- What SMTP rules did with mail while its sender was there, and the class they declare.

CREATE TABLE filtered (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    queue_id   TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sender     TEXT NOT NULL,
    recipients TEXT NOT NULL, -- LF between them, credentials hidden
    numbers    TEXT NOT NULL, -- of those that have one, LF between them
    effect     TEXT NOT NULL CHECK (effect IN ('delete', 'hold', 'redirect', 'remove', 'declare')),
    class      TEXT NOT NULL CHECK (class IN ('', 'copy-to', 'list')),
    rule       TEXT NOT NULL,
    detail     TEXT NOT NULL
) STRICT;
CREATE INDEX filtered_queue_id ON filtered (queue_id);

ALTER TABLE delivery ADD COLUMN declared TEXT NOT NULL DEFAULT '';
