-- TVs that show the wall. Each was paired by somebody who typed the code it showed; only SHA-256 of its secret is kept. A TV is no
-- user: it may see the wall of its mode and nothing else.
CREATE TABLE tv (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never given again: the audit log names it
    hash    BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    name    TEXT    NOT NULL,
    mode    TEXT    NOT NULL CHECK (mode IN ('public', 'duty')),
    by      TEXT    NOT NULL,                           -- who paired it
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL                            -- moved at most once an hour
) STRICT;
