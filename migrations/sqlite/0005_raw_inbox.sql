-- A callback is kept as it came and read when it is applied, so that one that was misread can be read again. Rows of earlier
-- versions hold what was read of them, and nothing more; they are kept as they are (form 'event').
--
-- dedupe: the key of the fact (event), or the fingerprint of the content (raw). body: the fact as JSON (event), or the
-- packed content (raw). octets: the body's size as it came. facts: how many facts were read in it.
CREATE TABLE inbox_next (
    id            BLOB    NOT NULL PRIMARY KEY,
    provider      TEXT    NOT NULL,
    form          TEXT    NOT NULL,
    dedupe        TEXT    NOT NULL,
    body          BLOB    NOT NULL,
    octets        INTEGER NOT NULL,
    facts         INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    looks         INTEGER NOT NULL,
    received_ms   INTEGER NOT NULL,
    settled_ms    INTEGER,
    CONSTRAINT inbox_form CHECK (form IN ('event', 'raw')),
    CONSTRAINT inbox_state CHECK (state IN ('waiting', 'applied', 'unmatched', 'unreadable', 'repeated', 'ignored'))
) STRICT;
INSERT INTO inbox_next (id, provider, form, dedupe, body, octets, facts, state, looks, received_ms, settled_ms)
    SELECT id, provider, 'event', dedupe, CAST(body AS BLOB), LENGTH(CAST(body AS BLOB)), 1, state, looks, received_ms,
        settled_ms FROM inbox;

-- Each fact is applied once, whichever callbacks tell of it: the callback that told of it first, a digest of what it said,
-- and when it was applied, where that is not said by the state of the callback itself.
CREATE TABLE inbox_fact (
    provider      TEXT    NOT NULL,
    dedupe        TEXT    NOT NULL,
    inbox_id      BLOB    NOT NULL,
    said          TEXT,
    applied_ms    INTEGER,
    PRIMARY KEY (provider, dedupe)
) STRICT, WITHOUT ROWID;
INSERT INTO inbox_fact (provider, dedupe, inbox_id) SELECT provider, dedupe, id FROM inbox;
CREATE INDEX inbox_fact_of ON inbox_fact (inbox_id);

DROP TABLE inbox;
ALTER TABLE inbox_next RENAME TO inbox;
CREATE UNIQUE INDEX inbox_once ON inbox (provider, dedupe);
CREATE INDEX inbox_in_turn ON inbox (looks, received_ms, id) WHERE state = 'waiting';
CREATE INDEX inbox_by_time ON inbox (received_ms, id);
CREATE INDEX inbox_unreadable ON inbox (received_ms) WHERE state = 'unreadable';
