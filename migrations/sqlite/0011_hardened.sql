-- The time at which a submission asked to be sent, if it asked for one: nothing of it goes out earlier, even when a person
-- lets a letter go without waiting for office hours.
ALTER TABLE submission ADD COLUMN at_ms INTEGER;
-- An idempotency key belongs to whoever used it: two programs may use the same one.
DROP INDEX submission_key;
CREATE UNIQUE INDEX submission_key ON submission (who, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- When a person last resumed the account: the refusal of a call that was made before pauses it no more.
ALTER TABLE provider_state ADD COLUMN resumed_ms INTEGER;

-- Entries that compete for the same accounts form a pool, which is claimed by itself: what waits for one account is never
-- in the way of what could go by another. An opaque word, for the entry of a message its channel, purpose and health
-- information (and, for new ones, the country of the number).
ALTER TABLE queue_entry ADD COLUMN pool TEXT NOT NULL DEFAULT '';
UPDATE queue_entry SET pool = COALESCE((SELECT CASE WHEN message.address LIKE '%@%' THEN 'email/' ELSE 'fax/' END
    || message.purpose || ' ' || message.phi FROM message WHERE message.id = queue_entry.subject), '');
DROP INDEX queue_entry_ready;
DROP INDEX queue_entry_urgent;
CREATE INDEX queue_entry_ready ON queue_entry (kind, pool, rank, id) WHERE state = 'ready';
CREATE INDEX queue_entry_urgent ON queue_entry (kind, pool, rank, id) WHERE state = 'ready' AND lane <> 'broadcast';

-- Since when an operator may not log in, and when a session was last used.
ALTER TABLE operator ADD COLUMN disabled_ms INTEGER;
ALTER TABLE session ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;

-- The copies that providers are asked to delete, each by the attempt that handed it over. tries: how often that was asked.
-- due_ms: when it is asked next. given_up_ms: since when it is not asked any more. A row goes when its copy is gone.
CREATE TABLE purge (
    attempt_id    BLOB    NOT NULL PRIMARY KEY,
    message_id    BLOB    NOT NULL,
    provider      TEXT    NOT NULL,
    due_ms        INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    given_up_ms   INTEGER
) STRICT;
CREATE INDEX purge_due ON purge (due_ms) WHERE given_up_ms IS NULL;
