-- The life of a violation. Times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE case_file (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never given again: people name it to each other
    camera      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,                           -- the rule's kind, or by-hand
    run         TEXT,                                       -- which run of the core numbered the violation; NULL: by hand
    violation   INTEGER,
    zone        TEXT,
    class       TEXT,
    box         TEXT,                                       -- JSON [x1, y1, x2, y2], fractions of the picture
    start       INTEGER NOT NULL,
    raised      INTEGER NOT NULL,
    ended       INTEGER,
    why_vi      TEXT    NOT NULL,
    why_en      TEXT    NOT NULL,
    measured    TEXT    NOT NULL,                           -- JSON object of numbers
    note        TEXT    NOT NULL,
    state       TEXT    NOT NULL,                           -- what the history leads to
    answered_by TEXT,
    answered    INTEGER,
    still       TEXT    NOT NULL,
    clip        TEXT    NOT NULL,
    clip_from   INTEGER,                                    -- what the file on disk holds
    clip_to     INTEGER,
    wanted_from INTEGER NOT NULL,                           -- what it is to hold
    wanted_to   INTEGER NOT NULL
) STRICT;
CREATE INDEX case_file_state ON case_file (state, id);
CREATE INDEX case_file_raised ON case_file (raised);
CREATE INDEX case_file_violation ON case_file (run, camera, violation);

-- Who did what; never changed, never shortened.
CREATE TABLE case_history (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    case_file INTEGER NOT NULL REFERENCES case_file (id),
    at        INTEGER NOT NULL,
    by        TEXT    NOT NULL,                             -- a user's name; empty: the box itself
    what      TEXT    NOT NULL,
    note      TEXT    NOT NULL
) STRICT;
CREATE INDEX case_history_case ON case_history (case_file, id);
CREATE TRIGGER case_history_is_not_changed BEFORE UPDATE ON case_history
BEGIN SELECT RAISE(ABORT, 'case_history only grows'); END;
CREATE TRIGGER case_history_is_not_shortened BEFORE DELETE ON case_history
BEGIN SELECT RAISE(ABORT, 'case_history only grows'); END;

-- What changed, for screens that follow; the oldest give way.
CREATE TABLE case_event (
    seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    case_file INTEGER NOT NULL REFERENCES case_file (id),
    what      TEXT    NOT NULL
) STRICT;

-- Evidence still to be fetched; a row goes when its job is done or given up.
CREATE TABLE case_work (
    case_file INTEGER NOT NULL REFERENCES case_file (id),
    job       TEXT    NOT NULL,                             -- small, main, early, clip
    tries     INTEGER NOT NULL DEFAULT 0,
    due       INTEGER NOT NULL,
    PRIMARY KEY (case_file, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_work_due ON case_work (due);
