-- What came by, line by line. Times are microseconds since 1970-01-01T00:00:00Z. Read backwards from a moment: the key begins with the time.
CREATE TABLE word (
    id   INTEGER NOT NULL PRIMARY KEY,
    word TEXT    NOT NULL UNIQUE                    -- a camera or a class
) STRICT;

CREATE TABLE sighting (
    first   INTEGER NOT NULL,                       -- the first picture it was on
    camera  INTEGER NOT NULL,                       -- word
    track   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    class   INTEGER NOT NULL,                       -- word
    colour  INTEGER,                                -- place in domain::Colour; NULL: unclear
    heading INTEGER NOT NULL,                       -- place in domain::Heading
    best    INTEGER NOT NULL,                       -- the picture that shows it best
    box     INTEGER NOT NULL,                       -- left, top, right, bottom: 16 bits each, of the picture, from the lowest
    score   INTEGER NOT NULL,                       -- thousandths
    PRIMARY KEY (first, camera, track)
) STRICT, WITHOUT ROWID;
