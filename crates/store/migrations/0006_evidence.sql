-- Evidence has a size, can be held, and can be gone.
ALTER TABLE case_file ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
ALTER TABLE case_file ADD COLUMN bytes INTEGER;                -- of its files; NULL: made before this schema and not measured yet
ALTER TABLE case_file ADD COLUMN gone INTEGER;                 -- when its evidence was deleted because its time was over
CREATE INDEX case_file_evidence ON case_file (raised) WHERE gone IS NULL AND held = 0 AND state != 'confirmed';
CREATE INDEX case_file_leftover ON case_file (id) WHERE bytes IS NULL OR (gone IS NOT NULL AND bytes > 0);

-- A package can be gone; one that the command line writes lies in a file of its own and is not the box's to count or to delete.
CREATE TABLE export_new (
    id        TEXT    NOT NULL PRIMARY KEY,
    asked     INTEGER NOT NULL,
    by        TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    request   TEXT    NOT NULL,                               -- JSON: cameras, range, purpose, authority, officer, document, case
    state     TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled', 'gone')),
    bytes     INTEGER NOT NULL DEFAULT 0,
    trouble   TEXT    NOT NULL DEFAULT '',
    ended     INTEGER,
    here      INTEGER NOT NULL CHECK (here IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO export_new SELECT id, asked, by, role, request, state, bytes, trouble, ended, role != 'local' FROM export;
DROP TABLE export;
ALTER TABLE export_new RENAME TO export;
CREATE INDEX export_asked ON export (asked);

-- Of kept footage the time alone may be all there was room for.
CREATE TABLE kept_new (
    id          TEXT    NOT NULL PRIMARY KEY,
    asked       INTEGER NOT NULL,
    by          TEXT    NOT NULL,
    cameras     TEXT    NOT NULL,                             -- ids, separated by commas
    wanted_from INTEGER NOT NULL,
    wanted_to   INTEGER NOT NULL,
    note        TEXT    NOT NULL,
    until       INTEGER,                                      -- NULL: held
    state       TEXT    NOT NULL CHECK (state IN ('copying', 'done', 'failed', 'range-only', 'gone')),
    bytes       INTEGER NOT NULL DEFAULT 0,
    trouble     TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO kept_new SELECT id, asked, by, cameras, wanted_from, wanted_to, note, until, state, bytes, trouble FROM kept;
DROP TABLE kept;
ALTER TABLE kept_new RENAME TO kept;

-- How many bytes the evidence store holds: moved with every change, so that nobody walks folders or adds up rows to know.
CREATE TABLE evidence_use (
    part  TEXT    NOT NULL PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO evidence_use VALUES
    ('cases', 0),
    ('kept', (SELECT coalesce(sum(bytes), 0) FROM kept)),
    ('packages', (SELECT coalesce(sum(bytes), 0) FROM export WHERE here = 1));
CREATE TRIGGER evidence_use_cases AFTER UPDATE OF bytes ON case_file
BEGIN UPDATE evidence_use SET bytes = bytes + coalesce(new.bytes, 0) - coalesce(old.bytes, 0) WHERE part = 'cases'; END;
CREATE TRIGGER evidence_use_kept AFTER UPDATE OF bytes ON kept
BEGIN UPDATE evidence_use SET bytes = bytes + new.bytes - old.bytes WHERE part = 'kept'; END;
CREATE TRIGGER evidence_use_packages AFTER UPDATE OF bytes ON export WHEN new.here = 1
BEGIN UPDATE evidence_use SET bytes = bytes + new.bytes - old.bytes WHERE part = 'packages'; END;
