-- A link that shows one case to one person, in the first browser that opens it: for chats, whose own browsers keep nothing and are
-- signed in nowhere. Only SHA-256 of its secrets is kept; an opened one stays until it ends, so that whoever opens it again is told so.
CREATE TABLE case_link (
    hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    case_id  INTEGER NOT NULL REFERENCES case_file (id) ON DELETE CASCADE,
    maker    TEXT    NOT NULL,                                -- who made it: what is done by it says so
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    browser  BLOB    UNIQUE CHECK (length(browser) = 32)      -- what the first browser shows; NULL: nobody opened it yet
) STRICT, WITHOUT ROWID;
CREATE INDEX case_link_user ON case_link (user, case_id);

-- Another password ends what was let in under the old one.
CREATE TRIGGER case_link_ends_with_the_password AFTER UPDATE OF password_hash ON user
BEGIN DELETE FROM case_link WHERE user = new.id; END;
