-- A pause of an account may end by itself, as when a quota returns (NULL: a person ends it), and says what can be done.
ALTER TABLE provider_state ADD COLUMN resumes_ms BIGINT;
ALTER TABLE provider_state ADD COLUMN paused_remedy TEXT;

-- The refusals of an account since it last accepted a letter: the same one for several recipients in a row is about us.
--
-- words: the refusal's text without what differs from one recipient to the next; never an address. health, strikes,
-- fault: what was known of the address before this refusal was held against it (health NULL: it was not). taken_back_ms:
-- when it turned out to be about us. stands_ms: when a person said that it was right all the same.
CREATE TABLE refusal (
    attempt_id    UUID    NOT NULL PRIMARY KEY,
    provider      TEXT    NOT NULL,
    address_key   TEXT    NOT NULL,
    words         TEXT    NOT NULL,
    health        TEXT,
    strikes       BIGINT NOT NULL,
    fault         TEXT,
    at_ms         BIGINT NOT NULL,
    taken_back_ms BIGINT,
    stands_ms     BIGINT
);
CREATE INDEX refusal_of ON refusal (provider, at_ms);

-- One row for each account that has refusals: whoever adds to them or ends them holds its lock.
CREATE TABLE refusal_turn (
    provider      TEXT    NOT NULL PRIMARY KEY,
    updated_ms    BIGINT NOT NULL
);
