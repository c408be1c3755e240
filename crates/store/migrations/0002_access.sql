-- What stands for a user afterwards: only SHA-256 of each secret is kept.
CREATE TABLE token (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_user ON token (user);

CREATE TABLE session (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL                                  -- moved at most once an hour
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user, seen);
CREATE INDEX session_seen ON session (seen);

-- Wrong passwords in a row, by folded name, whether or not such a user exists.
CREATE TABLE attempt (
    folded       TEXT    NOT NULL PRIMARY KEY,
    wrong        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    locked_until INTEGER                                      -- NULL: not locked
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_last ON attempt (last);
