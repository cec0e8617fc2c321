-- How a letter travelled to a mail relay, as evidence: the protocol (none: not encrypted; NULL: not known, as for faxes), the
-- cipher suite, and the name that the relay's certificate was checked for (NULL: nobody checked it).
ALTER TABLE attempt ADD COLUMN tls_version TEXT;
ALTER TABLE attempt ADD COLUMN tls_cipher TEXT;
ALTER TABLE attempt ADD COLUMN tls_peer TEXT;

-- What counts against an account's quotas, over all nodes: hand-overs within an hour and within a day that end now, each in 24
-- parts and the one that runs. The number of the newest part, then the counts, newest first; empty: nothing was handed over.
ALTER TABLE provider_state ADD COLUMN hour_counts TEXT NOT NULL DEFAULT '';
ALTER TABLE provider_state ADD COLUMN day_counts TEXT NOT NULL DEFAULT '';

-- How often an account's pace was halved because the provider asked for less, and when last; it grows again by itself.
ALTER TABLE provider_state ADD COLUMN halvings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE provider_state ADD COLUMN slowed_ms BIGINT;

-- Whose turn it is at one mail domain, by one account: the cell-rate limit (theoretical arrival time, GCRA), and the last moment
-- that was given to a letter that must wait. Rows that are no longer of use are removed.
CREATE TABLE domain_turn (
    provider    TEXT    NOT NULL,
    domain      TEXT    NOT NULL,
    arrival_ms  BIGINT  NOT NULL,
    promised_ms BIGINT  NOT NULL,
    PRIMARY KEY (provider, domain)
);
