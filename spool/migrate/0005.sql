-- Parts that a provider splits into several SMS, and what a gateway gets beside them.

ALTER TABLE part ADD COLUMN sms INTEGER NOT NULL DEFAULT 1;      -- that it is
ALTER TABLE delivery ADD COLUMN phone TEXT NOT NULL DEFAULT '';  -- the sender's own number, '' if none is known
ALTER TABLE delivery ADD COLUMN extra TEXT NOT NULL DEFAULT '';  -- what the address adds to a request: '&name=value'
