-- Binary messages, protocol identifiers, and concatenation references that a number has seen lately.

ALTER TABLE delivery ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE part ADD COLUMN data BLOB NOT NULL DEFAULT x''; -- of 8bit parts, whose text is ''

-- A phone joins parts by sender and reference: within a day none may come twice for one number.
CREATE TABLE reference (
    number    TEXT NOT NULL,
    reference INTEGER NOT NULL, -- 16 bit ones with 65536 added
    at        INTEGER NOT NULL,
    PRIMARY KEY (number, reference)
) STRICT, WITHOUT ROWID;
