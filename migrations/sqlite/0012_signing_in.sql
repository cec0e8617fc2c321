-- The tokens of accounts that sign in by OAuth instead of with a password. made_for: what the tokens were issued for (client,
-- scope, mailbox), so that those of earlier settings are not used. The two tokens are sealed (AES-256-GCM) with a key that is
-- not in the database. renew_ms: from when the access token is renewed; access_until_ms: its end. signed_in_*: the person's
-- last sign-in. refused_ms, refusal, refusal_remedy: the last refusal of the service, and what can be done. serial: grows
-- with each change of the tokens. claimed_until_ms: until when one node renews them, so that the others do not. A row whose
-- tokens are forgotten stays, for its serial.
CREATE TABLE mail_token (
    account          TEXT    NOT NULL PRIMARY KEY,
    made_for         TEXT    NOT NULL,
    refresh_sealed   BLOB,
    access_sealed    BLOB,
    renew_ms         INTEGER,
    access_until_ms  INTEGER,
    issued_ms        INTEGER,
    signed_in_as     TEXT,
    signed_in_by     TEXT,
    signed_in_ms     INTEGER,
    refused_ms       INTEGER,
    refusal          TEXT,
    refusal_remedy   TEXT,
    serial           INTEGER NOT NULL,
    claimed_until_ms INTEGER
) STRICT;
