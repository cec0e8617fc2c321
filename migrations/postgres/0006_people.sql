-- People: who is who, where each field came from, every place where somebody works, and what each import changed.

-- Where the office is; by what the same person is looked up (name_key); by what a person searches (search_text, without
-- accents); where each field came from (JSON); when the record was taken off all lists, its history staying.
-- name_key and search_text of rows of earlier versions are filled in by the program right after this migration.
ALTER TABLE referrer ADD COLUMN street TEXT;
ALTER TABLE referrer ADD COLUMN city TEXT;
ALTER TABLE referrer ADD COLUMN region TEXT;
ALTER TABLE referrer ADD COLUMN postal_code TEXT;
ALTER TABLE referrer ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE referrer ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
ALTER TABLE referrer ADD COLUMN provenance TEXT NOT NULL DEFAULT '{}';
ALTER TABLE referrer ADD COLUMN removed_ms BIGINT;
DROP INDEX referrer_npi;
CREATE UNIQUE INDEX referrer_npi ON referrer (npi) WHERE npi IS NOT NULL AND removed_ms IS NULL;
CREATE INDEX referrer_by_name_key ON referrer (name_key);
CREATE INDEX referrer_phone ON referrer (phone) WHERE phone IS NOT NULL;

-- Further places where a referrer works. The preferred one is on the referrer itself.
CREATE TABLE referrer_location (
    id            UUID   NOT NULL PRIMARY KEY,
    referrer_id   UUID   NOT NULL REFERENCES referrer (id) ON DELETE CASCADE,
    organization  TEXT,
    street        TEXT,
    city          TEXT,
    region        TEXT,
    postal_code   TEXT,
    email         TEXT,
    email_key     TEXT,
    fax           TEXT,
    phone         TEXT,
    source        TEXT,
    created_ms    BIGINT NOT NULL,
    updated_ms    BIGINT NOT NULL
);
CREATE INDEX referrer_location_of ON referrer_location (referrer_id, created_ms);
CREATE INDEX referrer_location_email ON referrer_location (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX referrer_location_fax ON referrer_location (fax) WHERE fax IS NOT NULL;

-- Each import of a list, so that it can be undone.
CREATE TABLE list_import (
    id            UUID   NOT NULL PRIMARY KEY,
    list          TEXT   NOT NULL,
    who           TEXT   NOT NULL,
    added         BIGINT NOT NULL,
    updated       BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL,
    undone_ms     BIGINT
);
CREATE INDEX list_import_at ON list_import (created_ms);

-- What an import changed: the record as it was before (JSON; NULL if the import added it), and the bases it recorded.
CREATE TABLE list_import_change (
    import_id     UUID   NOT NULL REFERENCES list_import (id) ON DELETE CASCADE,
    referrer_id   UUID   NOT NULL REFERENCES referrer (id) ON DELETE CASCADE,
    before        TEXT,
    bases         TEXT   NOT NULL,
    PRIMARY KEY (import_id, referrer_id)
);
CREATE INDEX list_import_change_of ON list_import_change (referrer_id);

-- A list says something else than a correction by hand: a person keeps the one or accepts the other.
CREATE TABLE referrer_conflict (
    id            UUID   NOT NULL PRIMARY KEY,
    referrer_id   UUID   NOT NULL REFERENCES referrer (id) ON DELETE CASCADE,
    field         TEXT   NOT NULL,
    kept          TEXT,
    offered       TEXT   NOT NULL,
    list          TEXT   NOT NULL,
    created_ms    BIGINT NOT NULL,
    settled_ms    BIGINT,
    settled_by    TEXT,
    choice        TEXT,
    CONSTRAINT referrer_conflict_choice CHECK (choice IN ('keep', 'accept'))
);
CREATE UNIQUE INDEX referrer_conflict_open ON referrer_conflict (referrer_id, field) WHERE settled_ms IS NULL;
CREATE INDEX referrer_conflict_at ON referrer_conflict (created_ms) WHERE settled_ms IS NULL;

-- Two referrers who are one: both records as they were (JSON), and the touches that were joined, so that it can be undone.
CREATE TABLE referrer_merge (
    id            UUID   NOT NULL PRIMARY KEY,
    kept_id       UUID   NOT NULL REFERENCES referrer (id),
    merged_id     UUID   NOT NULL REFERENCES referrer (id),
    before        TEXT   NOT NULL,
    touches       TEXT   NOT NULL,
    who           TEXT   NOT NULL,
    created_ms    BIGINT NOT NULL,
    undone_ms     BIGINT
);
CREATE INDEX referrer_merge_of ON referrer_merge (merged_id);
CREATE INDEX referrer_merge_into ON referrer_merge (kept_id);
