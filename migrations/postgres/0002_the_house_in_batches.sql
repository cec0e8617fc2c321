-- An attempt keeps the pages of its document, so that opening it need not touch its message.
ALTER TABLE attempt ADD COLUMN pages BIGINT;

-- Work that must not wait behind a broadcast is found without passing over the broadcast's entries.
CREATE INDEX queue_entry_urgent ON queue_entry (kind, rank, id) WHERE state = 'ready' AND lane <> 'broadcast';

-- Callbacks are taken in the order of their looks: a long inbox is not sorted for each batch.
DROP INDEX inbox_waiting;
CREATE INDEX inbox_in_turn ON inbox (looks, received_ms, id) WHERE state = 'waiting';

-- A list is recorded whole and unfolded into messages portion by portion: what they share (JSON), everybody on it (ids of
-- 16 octets, in order), how many are dealt with, and when it last moved. NULL once it is unfolded.
ALTER TABLE broadcast ADD COLUMN plan TEXT;
ALTER TABLE broadcast ADD COLUMN recipients BYTEA;
ALTER TABLE broadcast ADD COLUMN unfolded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE broadcast ADD COLUMN unfolding_ms BIGINT;
CREATE INDEX broadcast_unfolding ON broadcast (unfolding_ms) WHERE unfolding_ms IS NOT NULL;

-- Documents come packed: the server need not try to pack them again.
ALTER TABLE document ALTER COLUMN body SET STORAGE EXTERNAL;
