-- What comes back for emails.
--
-- Mails taken from a mailbox that came back for letters of ours, or may have. fingerprint: the same mail is taken once. body: the mail, packed, as evidence (NULL: not kept, as for people's answers, or no longer).
CREATE TABLE mail_arrival (
    id            UUID    NOT NULL PRIMARY KEY,
    mailbox       TEXT    NOT NULL,
    fingerprint   TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    body          BYTEA,
    octets        BIGINT NOT NULL,
    received_ms   BIGINT NOT NULL,
    taken_ms      BIGINT NOT NULL
);
CREATE UNIQUE INDEX mail_arrival_once ON mail_arrival (fingerprint);
CREATE INDEX mail_arrival_old ON mail_arrival (taken_ms) WHERE body IS NOT NULL;

-- What a mail or a mail provider's event said about one recipient, or what somebody answered.
--
-- arrival_id or inbox_id: the evidence. source: the mailbox or the account. class, reason, automatic, status, diagnostic,
-- verdict_row: how it was read. address_key: the recipient. sender: who wrote it; of a bounce, the domain that was written to.
-- first_line: of an answer. back_on: the day of return (YYYY-MM-DD). matched_by: how it was found to be about the letter; a weak
-- match is a proposal. state: applied, open (a person must look) or done; outcome, done_*: what a person decided.
CREATE TABLE mail_return (
    id            UUID    NOT NULL PRIMARY KEY,
    arrival_id    UUID,
    inbox_id      UUID,
    source        TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    class         TEXT,
    reason        TEXT,
    automatic     TEXT,
    status        TEXT,
    diagnostic    TEXT,
    verdict_row   TEXT,
    recipient     TEXT,
    address_key   TEXT,
    sender        TEXT,
    first_line    TEXT,
    back_on       TEXT,
    matched_by    TEXT,
    attempt_id    UUID,
    message_id    UUID,
    broadcast_id  UUID,
    referrer_id   UUID,
    state         TEXT    NOT NULL,
    received_ms   BIGINT NOT NULL,
    recorded_ms   BIGINT NOT NULL,
    outcome       TEXT,
    done_ms       BIGINT,
    done_by       TEXT,
    CONSTRAINT mail_return_state CHECK (state IN ('applied', 'open', 'done'))
);
CREATE INDEX mail_return_of_message ON mail_return (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX mail_return_of_referrer ON mail_return (referrer_id, received_ms) WHERE referrer_id IS NOT NULL;
CREATE INDEX mail_return_of_address ON mail_return (address_key, received_ms) WHERE address_key IS NOT NULL;
CREATE INDEX mail_return_by_time ON mail_return (received_ms, id);
CREATE INDEX mail_return_open ON mail_return (received_ms) WHERE state = 'open';
CREATE INDEX mail_return_first_lines ON mail_return (received_ms) WHERE first_line IS NOT NULL;
CREATE INDEX mail_return_complaints ON mail_return (broadcast_id) WHERE kind = 'complaint';
CREATE INDEX mail_return_corrected ON mail_return (verdict_row, sender) WHERE outcome = 'not_a_bounce';

-- The return that a suppression follows from, and when one ends that only passes.
ALTER TABLE suppression ADD COLUMN return_id UUID;
ALTER TABLE suppression ADD COLUMN expires_ms BIGINT;
CREATE INDEX suppression_expiring ON suppression (expires_ms) WHERE expires_ms IS NOT NULL AND lifted_ms IS NULL;

-- Until when somebody is away, as was known at at_ms: automatic letters wait. One row for each referrer, from what is known latest.
CREATE TABLE referrer_away (
    referrer_id   UUID    NOT NULL PRIMARY KEY,
    until_ms      BIGINT NOT NULL,
    at_ms         BIGINT NOT NULL,
    return_id     UUID
);

-- Failures are few among a broadcast's messages, and are counted while it runs.
CREATE INDEX message_failed ON message (broadcast_id) WHERE status = 'failed' AND broadcast_id IS NOT NULL;

-- A broadcast that pauses itself because too much of it comes back: when and why; and when a person let it go on.
ALTER TABLE broadcast ADD COLUMN paused_ms BIGINT;
ALTER TABLE broadcast ADD COLUMN paused_reason TEXT;
ALTER TABLE broadcast ADD COLUMN resumed_ms BIGINT;
ALTER TABLE broadcast ADD COLUMN resumed_by TEXT;
