-- A link that binds one phone to a person, once. Only SHA-256 of its secret is kept; a used one stays until it would have ended, so
-- that whoever opens it again is told so.
CREATE TABLE invitation (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used    INTEGER                                           -- NULL: not yet
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_user ON invitation (user);

-- What the browser of a session is, in few words; and whether an invitation bound it, not a password: then it lasts longer.
ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN bound INTEGER NOT NULL DEFAULT 0 CHECK (bound IN (0, 1));
