-- Who saw and did what. Each row's hash covers the row before it: what is changed or taken out later is found.
CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY,                     -- 1, 2, 3, … without holes
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,                                 -- empty: the box itself, or nobody it knows
    role    TEXT    NOT NULL,
    what    TEXT    NOT NULL,                                 -- a word of domain::Audited
    subject TEXT    NOT NULL,                                 -- camera, case, export, name
    detail  TEXT    NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;

-- One line a day over the heads of the audit log and of all rings.
CREATE TABLE fingerprint (
    day       TEXT    NOT NULL PRIMARY KEY,                   -- of the village: 2026-11-26
    at        INTEGER NOT NULL,
    audit_seq INTEGER NOT NULL,
    content   TEXT    NOT NULL,                               -- what was hashed, line by line
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER fingerprint_is_not_changed BEFORE UPDATE ON fingerprint BEGIN SELECT RAISE(ABORT, 'fingerprints are never changed'); END;
CREATE TRIGGER fingerprint_is_not_deleted BEFORE DELETE ON fingerprint BEGIN SELECT RAISE(ABORT, 'fingerprints are never changed'); END;

-- Packages for authorities: who asked for what, and what became of it.
CREATE TABLE export (
    id        TEXT    NOT NULL PRIMARY KEY,
    asked     INTEGER NOT NULL,
    by        TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    request   TEXT    NOT NULL,                               -- JSON: cameras, range, purpose, authority, officer, document, case
    state     TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    bytes     INTEGER NOT NULL DEFAULT 0,
    trouble   TEXT    NOT NULL DEFAULT '',
    ended     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX export_asked ON export (asked);

-- Footage somebody had kept: copied out of the ring at once.
CREATE TABLE kept (
    id          TEXT    NOT NULL PRIMARY KEY,
    asked       INTEGER NOT NULL,
    by          TEXT    NOT NULL,
    cameras     TEXT    NOT NULL,                             -- ids, separated by commas
    wanted_from INTEGER NOT NULL,
    wanted_to   INTEGER NOT NULL,
    note        TEXT    NOT NULL,
    until       INTEGER,                                      -- NULL: held
    state       TEXT    NOT NULL CHECK (state IN ('copying', 'done', 'failed', 'gone')),
    bytes       INTEGER NOT NULL DEFAULT 0,
    trouble     TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- When a stream's connection was in which state, and when the box ran: the reasons of gaps.
CREATE TABLE link_change (
    id      INTEGER NOT NULL PRIMARY KEY,
    camera  TEXT    NOT NULL,
    channel TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    link    TEXT    NOT NULL
) STRICT;
CREATE INDEX link_change_of ON link_change (camera, channel, at);
CREATE TABLE box_run (
    id      INTEGER NOT NULL PRIMARY KEY,
    boot    TEXT    NOT NULL,
    started INTEGER NOT NULL,
    seen    INTEGER NOT NULL                                  -- moved every few seconds while the core runs
) STRICT;
CREATE INDEX box_run_started ON box_run (started);

-- A message may also be about something that is no case.
CREATE TABLE outbox_new (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    delivery  TEXT    NOT NULL UNIQUE,                      -- a random UUID: the receiver's guard against doubles
    channel   TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    case_file INTEGER          REFERENCES case_file (id),
    happened  INTEGER NOT NULL,                             -- when what it tells happened
    first_due INTEGER NOT NULL,                             -- not before
    due       INTEGER NOT NULL,                             -- the next try
    tries     INTEGER NOT NULL DEFAULT 0,
    state     TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'gone', 'expired', 'withdrawn')),
    settled   INTEGER,
    trouble   TEXT    NOT NULL DEFAULT '',                  -- what the last try met; never an address
    body      TEXT    NOT NULL                              -- JSON object
) STRICT;
INSERT INTO outbox_new SELECT id, delivery, channel, event, case_file, happened, first_due, due, tries, state, settled, trouble, body FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (channel, due) WHERE state = 'waiting';
CREATE INDEX outbox_settled ON outbox (settled) WHERE settled IS NOT NULL;
CREATE INDEX outbox_case ON outbox (case_file) WHERE state = 'waiting';
