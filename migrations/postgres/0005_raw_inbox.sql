-- A callback is kept as it came and read when it is applied, so that one that was misread can be read again. Rows of earlier
-- versions hold what was read of them, and nothing more; they are kept as they are (form 'event').
--
-- dedupe: the key of the fact (event), or the fingerprint of the content (raw). body: the fact as JSON (event), or the
-- packed content (raw). octets: the body's size as it came. facts: how many facts were read in it.
ALTER TABLE inbox
    ADD COLUMN form   TEXT   NOT NULL DEFAULT 'event',
    ADD COLUMN octets BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN facts  BIGINT NOT NULL DEFAULT 1,
    ALTER COLUMN body TYPE BYTEA USING convert_to(body, 'UTF8'),
    DROP CONSTRAINT inbox_state;
UPDATE inbox SET octets = LENGTH(body);
ALTER TABLE inbox
    ALTER COLUMN form DROP DEFAULT,
    ALTER COLUMN octets DROP DEFAULT,
    ALTER COLUMN facts DROP DEFAULT,
    ADD CONSTRAINT inbox_form CHECK (form IN ('event', 'raw')),
    ADD CONSTRAINT inbox_state CHECK (state IN ('waiting', 'applied', 'unmatched', 'unreadable', 'repeated', 'ignored'));

-- Each fact is applied once, whichever callbacks tell of it: the callback that told of it first, a digest of what it said,
-- and when it was applied, where that is not said by the state of the callback itself.
CREATE TABLE inbox_fact (
    provider      TEXT   NOT NULL,
    dedupe        TEXT   NOT NULL,
    inbox_id      UUID   NOT NULL,
    said          TEXT,
    applied_ms    BIGINT,
    PRIMARY KEY (provider, dedupe)
);
INSERT INTO inbox_fact (provider, dedupe, inbox_id) SELECT provider, dedupe, id FROM inbox;
CREATE INDEX inbox_fact_of ON inbox_fact (inbox_id);

CREATE INDEX inbox_by_time ON inbox (received_ms, id);
CREATE INDEX inbox_unreadable ON inbox (received_ms) WHERE state = 'unreadable';
