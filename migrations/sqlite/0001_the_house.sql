-- The house at its first height. Times are whole milliseconds since 1970 (UTC), always passed in, never the database's
-- own clock. States are words; a nullable time says that something has happened. Postgres has the same file with the
-- same number; a test compares the two schemas.

-- Who may send patients. Optional texts are NULL, never empty. Tags are a JSON array of lower-case words.
CREATE TABLE referrer (
    id            BLOB   NOT NULL PRIMARY KEY,
    npi           TEXT,
    first_name    TEXT,
    last_name     TEXT,
    credentials   TEXT,
    organization  TEXT,
    kind          TEXT   NOT NULL,
    email         TEXT,
    fax           TEXT,
    phone         TEXT,
    time_zone     TEXT,
    state         TEXT   NOT NULL,
    tags          TEXT   NOT NULL,
    source        TEXT,
    notes         TEXT,
    sort_name     TEXT   NOT NULL,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    CONSTRAINT referrer_state CHECK (state IN ('active', 'conversation_open', 'paused', 'do_not_contact'))
) STRICT;
-- Re-import finds a referrer by NPI, then by email, then by fax and name.
CREATE UNIQUE INDEX referrer_npi ON referrer (npi) WHERE npi IS NOT NULL;
CREATE INDEX referrer_email ON referrer (email) WHERE email IS NOT NULL;
CREATE INDEX referrer_fax ON referrer (fax) WHERE fax IS NOT NULL;
CREATE INDEX referrer_by_name ON referrer (sort_name, id);

-- Labels, one row each, so that an audience is found by index on both engines.
CREATE TABLE referrer_tag (
    tag           TEXT   NOT NULL,
    referrer_id   BLOB   NOT NULL REFERENCES referrer (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, referrer_id)
) STRICT;
CREATE INDEX referrer_tag_of ON referrer_tag (referrer_id);

-- What is known of a fax number or mailbox. The row is also the lock that every hand-over to the address takes, and
-- that a suppression takes, so that no call starts after the commit of a suppression.
CREATE TABLE address (
    channel       TEXT   NOT NULL,
    value         TEXT   NOT NULL,
    health        TEXT   NOT NULL,
    strikes       INTEGER NOT NULL,
    fault         TEXT,
    updated_ms    INTEGER NOT NULL,
    PRIMARY KEY (channel, value),
    CONSTRAINT address_health CHECK (health IN ('unverified', 'confirmed', 'doubtful', 'dead'))
) STRICT;

-- Recorded permission or relationship that lets an advertisement be faxed (47 U.S.C. § 227(b)(1)(C)).
CREATE TABLE basis (
    id            BLOB   NOT NULL PRIMARY KEY,
    fax           TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    number_source TEXT,
    obtained_on   TEXT   NOT NULL,
    how           TEXT   NOT NULL,
    by_whom       TEXT   NOT NULL,
    note          TEXT,
    created_ms    INTEGER NOT NULL,
    ended_ms      INTEGER,
    ended_reason  TEXT,
    CONSTRAINT basis_kind CHECK (kind IN ('permission', 'ebr'))
) STRICT;
CREATE INDEX basis_of ON basis (fax, created_ms);

-- Standing refusals. Never deleted: one that ended keeps its row.
CREATE TABLE suppression (
    id            BLOB   NOT NULL PRIMARY KEY,
    channel       TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    scope         TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    evidence      TEXT,
    who           TEXT   NOT NULL,
    created_ms    INTEGER NOT NULL,
    lifted_ms     INTEGER,
    lifted_by     TEXT,
    lifted_reason TEXT,
    CONSTRAINT suppression_scope CHECK (scope IN ('advertisement', 'all'))
) STRICT;
CREATE UNIQUE INDEX suppression_standing ON suppression (channel, address, scope) WHERE lifted_ms IS NULL;

-- Rendered documents by content hash, so that what was sent can always be shown.
CREATE TABLE document (
    hash          TEXT   NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL,
    body          BLOB   NOT NULL,
    created_ms    INTEGER NOT NULL,
    CONSTRAINT document_kind CHECK (kind IN ('pdf', 'mail'))
) STRICT;

-- Requests accepted by intake. The answer is kept so that a repeat with the same key gets the same answer.
CREATE TABLE submission (
    id              BLOB   NOT NULL PRIMARY KEY,
    idempotency_key TEXT,
    request_hash    TEXT   NOT NULL,
    answer          TEXT   NOT NULL,
    who             TEXT   NOT NULL,
    created_ms      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX submission_key ON submission (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Standing plans. `next_ms` is the next planned run; NULL when there is none.
CREATE TABLE campaign (
    id            BLOB   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    letter        TEXT   NOT NULL,
    variables     TEXT   NOT NULL,
    audience      TEXT   NOT NULL,
    channels      TEXT   NOT NULL,
    schedule      TEXT   NOT NULL,
    zone          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    next_ms       INTEGER,
    who           TEXT   NOT NULL,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    CONSTRAINT campaign_state CHECK (state IN ('active', 'paused', 'done'))
) STRICT;
CREATE UNIQUE INDEX campaign_name ON campaign (name);
CREATE INDEX campaign_due ON campaign (next_ms) WHERE state = 'active' AND next_ms IS NOT NULL;

-- One run of a campaign, or one send to a list. A campaign has at most one broadcast per planned moment, which is what
-- makes it fire exactly once however many nodes see that it is due.
CREATE TABLE broadcast (
    id            BLOB   NOT NULL PRIMARY KEY,
    submission_id BLOB   NOT NULL REFERENCES submission (id),
    campaign_id   BLOB   REFERENCES campaign (id),
    planned_ms    INTEGER,
    name          TEXT   NOT NULL,
    letter        TEXT   NOT NULL,
    total         INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    finished_ms   INTEGER
) STRICT;
CREATE UNIQUE INDEX broadcast_run ON broadcast (campaign_id, planned_ms) WHERE campaign_id IS NOT NULL;

-- One communication in a referrer's history.
CREATE TABLE touch (
    id            BLOB   NOT NULL PRIMARY KEY,
    referrer_id   BLOB   NOT NULL REFERENCES referrer (id),
    submission_id BLOB   REFERENCES submission (id),
    broadcast_id  BLOB   REFERENCES broadcast (id),
    kind          TEXT   NOT NULL,
    letter        TEXT,
    title         TEXT   NOT NULL,
    category      TEXT,
    disposition   TEXT   NOT NULL,
    occurred_ms   INTEGER NOT NULL,
    delivered_ms  INTEGER,
    actor         TEXT   NOT NULL,
    notes         TEXT
) STRICT;
CREATE INDEX touch_of ON touch (referrer_id, occurred_ms);

-- One recipient, one channel, one rendered content.
CREATE TABLE message (
    id            BLOB   NOT NULL PRIMARY KEY,
    touch_id      BLOB   NOT NULL REFERENCES touch (id),
    submission_id BLOB   NOT NULL REFERENCES submission (id),
    broadcast_id  BLOB   REFERENCES broadcast (id),
    referrer_id   BLOB   NOT NULL REFERENCES referrer (id),
    channel       TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    lane          TEXT   NOT NULL,
    letter        TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    phi           TEXT   NOT NULL,
    variables     TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    reason        TEXT,
    confidence    TEXT,
    due_ms        INTEGER NOT NULL,
    give_up_ms    INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    dials         INTEGER NOT NULL,
    document_hash TEXT,
    pages         INTEGER,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    settled_ms    INTEGER,
    CONSTRAINT message_status CHECK (status IN ('queued', 'held', 'accepted', 'in_doubt', 'delivered', 'failed',
        'suppressed', 'cancelled', 'expired')),
    CONSTRAINT message_channel CHECK (channel IN ('fax', 'email')),
    CONSTRAINT message_settled CHECK ((settled_ms IS NOT NULL) =
        (status IN ('delivered', 'failed', 'suppressed', 'cancelled', 'expired')))
) STRICT;
CREATE INDEX message_of_touch ON message (touch_id);
-- A broadcast has one message for each recipient and channel, and one copy for each address.
CREATE UNIQUE INDEX message_once ON message (broadcast_id, referrer_id, channel) WHERE broadcast_id IS NOT NULL;
CREATE INDEX message_unsettled ON message (channel, address) WHERE settled_ms IS NULL;
CREATE INDEX message_by_status ON message (status, updated_ms);

-- One hand-over, recorded before it is made. At most one of a message's attempts is open.
CREATE TABLE attempt (
    id                 BLOB   NOT NULL PRIMARY KEY,
    message_id         BLOB   NOT NULL REFERENCES message (id),
    number             INTEGER NOT NULL,
    provider           TEXT   NOT NULL,
    status             TEXT   NOT NULL,
    provider_reference TEXT,
    fault              TEXT,
    raw_code           TEXT,
    raw_text           TEXT,
    pages_confirmed    INTEGER,
    document_hash      TEXT   NOT NULL,
    opened_ms          INTEGER NOT NULL,
    answered_ms        INTEGER,
    settled_ms         INTEGER,
    looks              INTEGER NOT NULL,
    doubt_deadline_ms  INTEGER,
    CONSTRAINT attempt_status CHECK (status IN ('calling', 'in_doubt', 'accepted', 'not_sent', 'refused', 'delivered',
        'failed'))
) STRICT;
CREATE UNIQUE INDEX attempt_open ON attempt (message_id) WHERE status IN ('calling', 'in_doubt', 'accepted');
CREATE UNIQUE INDEX attempt_number ON attempt (message_id, number);
CREATE UNIQUE INDEX attempt_reference ON attempt (provider, provider_reference) WHERE provider_reference IS NOT NULL;

-- Every fact and every decision, with who or what brought it. Append only.
CREATE TABLE event (
    id            BLOB   NOT NULL PRIMARY KEY,
    message_id    BLOB   REFERENCES message (id),
    attempt_id    BLOB   REFERENCES attempt (id),
    kind          TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    who           TEXT   NOT NULL,
    fault         TEXT,
    detail        TEXT,
    occurred_ms   INTEGER NOT NULL,
    recorded_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX event_of_message ON event (message_id, recorded_ms);

-- Callbacks as they came in, verified, deduplicated by (provider, dedupe), applied later.
CREATE TABLE inbox (
    id            BLOB   NOT NULL PRIMARY KEY,
    provider      TEXT   NOT NULL,
    dedupe        TEXT   NOT NULL,
    body          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    looks         INTEGER NOT NULL,
    received_ms   INTEGER NOT NULL,
    settled_ms    INTEGER,
    CONSTRAINT inbox_state CHECK (state IN ('waiting', 'applied', 'unmatched'))
) STRICT;
CREATE UNIQUE INDEX inbox_once ON inbox (provider, dedupe);
CREATE INDEX inbox_waiting ON inbox (received_ms) WHERE state = 'waiting';

-- The hot table: narrow, and a row is deleted when its work is done. Ids are never reused; fences only grow.
CREATE TABLE queue_entry (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind           TEXT   NOT NULL,
    subject        BLOB   NOT NULL,
    lane           TEXT   NOT NULL,
    flow           BLOB   NOT NULL,
    rank           INTEGER NOT NULL,
    due_ms         INTEGER NOT NULL,
    state          TEXT   NOT NULL,
    fence          INTEGER NOT NULL,
    owner          TEXT,
    lease_until_ms INTEGER,
    claims         INTEGER NOT NULL,
    CONSTRAINT queue_entry_state CHECK (state IN ('waiting', 'ready', 'leased'))
) STRICT;
-- A message has one next step.
CREATE UNIQUE INDEX queue_entry_subject ON queue_entry (subject);
CREATE INDEX queue_entry_ready ON queue_entry (kind, rank, id) WHERE state = 'ready';
CREATE INDEX queue_entry_waiting ON queue_entry (due_ms) WHERE state = 'waiting';
CREATE INDEX queue_entry_leased ON queue_entry (lease_until_ms) WHERE state = 'leased';

-- Start-time fair queueing: the last rank given to each flow, and (flow of zeroes) the virtual time.
CREATE TABLE queue_flow (
    flow           BLOB   NOT NULL PRIMARY KEY,
    rank           INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL
) STRICT;

-- Pauses of provider accounts, and the cell-rate limit of each (theoretical arrival time, GCRA).
CREATE TABLE provider_state (
    provider       TEXT   NOT NULL PRIMARY KEY,
    paused_ms      INTEGER,
    paused_reason  TEXT,
    arrival_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL
) STRICT;

-- Who may use the API; only a hash of the token is kept.
CREATE TABLE token (
    id            BLOB   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    hash          TEXT   NOT NULL,
    scopes        TEXT   NOT NULL,
    created_ms    INTEGER NOT NULL,
    used_ms       INTEGER,
    revoked_ms    INTEGER
) STRICT;
CREATE UNIQUE INDEX token_hash ON token (hash);

-- Who may log in to the dashboard (Argon2id), and their sessions (hash of a random cookie).
CREATE TABLE operator (
    id            BLOB   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX operator_name ON operator (name);

CREATE TABLE session (
    hash          TEXT   NOT NULL PRIMARY KEY,
    operator_id   BLOB   NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
    form_key      TEXT   NOT NULL,
    expires_ms    INTEGER NOT NULL
) STRICT;

-- Who did what, append only.
CREATE TABLE audit (
    id            BLOB   NOT NULL PRIMARY KEY,
    who           TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    subject       TEXT,
    detail        TEXT,
    at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at_ms);

-- What this installation made up for itself once, such as the key that signs opt-out links.
CREATE TABLE setting (
    name          TEXT   NOT NULL PRIMARY KEY,
    value         TEXT   NOT NULL
) STRICT;
