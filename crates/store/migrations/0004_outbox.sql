-- Messages that must arrive; written in the transaction that makes them true. Times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE outbox (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    delivery  TEXT    NOT NULL UNIQUE,                      -- a random UUID: the receiver's guard against doubles
    channel   TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    case_file INTEGER NOT NULL REFERENCES case_file (id),
    happened  INTEGER NOT NULL,                             -- when what it tells happened
    first_due INTEGER NOT NULL,                             -- not before
    due       INTEGER NOT NULL,                             -- the next try
    tries     INTEGER NOT NULL DEFAULT 0,
    state     TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'gone', 'expired', 'withdrawn')),
    settled   INTEGER,
    trouble   TEXT    NOT NULL DEFAULT '',                  -- what the last try met; never an address
    body      TEXT    NOT NULL                              -- JSON object
) STRICT;
CREATE INDEX outbox_waiting ON outbox (channel, due) WHERE state = 'waiting';
CREATE INDEX outbox_settled ON outbox (settled) WHERE settled IS NOT NULL;
CREATE INDEX outbox_case ON outbox (case_file) WHERE state = 'waiting';
