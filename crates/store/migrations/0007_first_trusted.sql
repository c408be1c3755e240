-- When a row was first seen by a clock that is trusted, since a person last did something with it; NULL: not yet. A time stamped by
-- a clock that was behind (an empty battery) looks old: nothing is over before its whole time has passed since this, too.
-- Rows of before this schema count from the first such look after it: nobody knows which of their stamps were right, and one period
-- more at most is the cheaper mistake.
ALTER TABLE case_file ADD COLUMN first_trusted INTEGER;
ALTER TABLE kept ADD COLUMN first_trusted INTEGER;
ALTER TABLE export ADD COLUMN first_trusted INTEGER;
CREATE INDEX case_file_unseen ON case_file (id) WHERE first_trusted IS NULL AND gone IS NULL;

-- What a person does may be stamped by the same clock: it is seen anew.
CREATE TRIGGER case_history_is_seen_anew AFTER INSERT ON case_history WHEN new.by != ''
BEGIN UPDATE case_file SET first_trusted = NULL WHERE id = new.case_file; END;
CREATE TRIGGER kept_is_seen_anew AFTER UPDATE OF until ON kept
BEGIN UPDATE kept SET first_trusted = NULL WHERE id = new.id; END;
CREATE TRIGGER export_is_seen_anew AFTER UPDATE OF ended ON export
BEGIN UPDATE export SET first_trusted = NULL WHERE id = new.id; END;
