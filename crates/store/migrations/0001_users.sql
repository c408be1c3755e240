-- Who may sign in. Times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never given again: the audit log will name it
    name          TEXT    NOT NULL,
    folded        TEXT    NOT NULL UNIQUE,                    -- the name in lower case: phones capitalise first letters
    role          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,                           -- PHC string, Argon2id
    all_cameras   INTEGER NOT NULL DEFAULT 1 CHECK (all_cameras IN (0, 1)),
    created       INTEGER NOT NULL,
    password_set  INTEGER NOT NULL
) STRICT;

CREATE TABLE user_camera (
    user   INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    camera TEXT    NOT NULL,
    PRIMARY KEY (user, camera)
) STRICT, WITHOUT ROWID;
