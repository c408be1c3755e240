-- Phones that are told of cases by Web Push. Times are microseconds since 1970-01-01T00:00:00Z. Address and keys are secrets: whoever
-- has them can write to the phone.
CREATE TABLE push_phone (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never given again: the outbox goes by it
    user       INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    endpoint   TEXT    NOT NULL UNIQUE,                    -- the push service's address for this browser
    p256dh     TEXT    NOT NULL,                           -- base64url: the browser's public key
    auth       TEXT    NOT NULL,                           -- base64url: the secret both share
    label      TEXT    NOT NULL,                           -- what people call it: "Chrome, Android"
    language   TEXT    NOT NULL,                           -- vi or en
    created    INTEGER NOT NULL,
    renewed    INTEGER NOT NULL,                           -- the page was last opened there
    handed     INTEGER,                                    -- something was last handed over to the push service
    expires    INTEGER                                     -- the push service's word; NULL: it said none
) STRICT;
CREATE INDEX push_phone_user ON push_phone (user, renewed);

-- What waits for a phone that is gone is never delivered; a removed person's phones go with the person.
CREATE TRIGGER push_phone_leaves_nothing_waiting AFTER DELETE ON push_phone
BEGIN
    UPDATE outbox SET state = 'gone', settled = due, trouble = 'the phone is signed off'
    WHERE channel = 'push:' || old.id AND state = 'waiting';
END;

-- Noted with the delivery itself, not by a change of its own: each waits for the disk.
CREATE TRIGGER push_phone_was_handed_to AFTER UPDATE OF state ON outbox WHEN new.state = 'done' AND new.channel GLOB 'push:*'
BEGIN UPDATE push_phone SET handed = new.settled WHERE id = CAST(substr(new.channel, 6) AS INTEGER); END;

-- Another password ends what the old one opened: also the phone that was lost.
CREATE TRIGGER push_phone_ends_with_the_password AFTER UPDATE OF password_hash ON user
BEGIN DELETE FROM push_phone WHERE user = new.id; END;
