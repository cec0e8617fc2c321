-- No letter twice: a letter that went out again although it had gone to the same referrer a short time before keeps the touch it
-- repeats, and does not count as another touch while that one counts.
ALTER TABLE touch ADD COLUMN repeat_of BLOB;

-- What went to whom: the guard against repeats asks by referrer and letter.
CREATE INDEX message_of_letter ON message (referrer_id, letter);

-- No letter by mistake: until when a submission can be withdrawn (NULL: never), and when that was done and by whom.
ALTER TABLE submission ADD COLUMN undo_until_ms INTEGER;
ALTER TABLE submission ADD COLUMN undone_ms INTEGER;
ALTER TABLE submission ADD COLUMN undone_by TEXT;
CREATE INDEX submission_undoable ON submission (undo_until_ms) WHERE undo_until_ms IS NOT NULL AND undone_ms IS NULL;
CREATE INDEX submission_undone ON submission (undone_ms) WHERE undone_ms IS NOT NULL;
CREATE INDEX message_of_submission ON message (submission_id);
CREATE INDEX broadcast_of_submission ON broadcast (submission_id);
