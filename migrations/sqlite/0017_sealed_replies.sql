-- What people answer, where the setting says that all of it is kept: sealed (AES-256-GCM under a key that is not in the database, with
-- the return's id as associated data). octets: the text's size before it was cut to what is kept. sealed is NULL once its time is over;
-- purged_ms: since when. What else is known of the answer stays in mail_return.
CREATE TABLE mail_reply (
    return_id     BLOB    NOT NULL PRIMARY KEY,
    sealed        BLOB,
    octets        INTEGER NOT NULL,
    received_ms   INTEGER NOT NULL,
    purged_ms     INTEGER
) STRICT;
CREATE INDEX mail_reply_old ON mail_reply (received_ms) WHERE sealed IS NOT NULL;

-- Since when the mail is no longer kept (NULL: it is kept, or never was).
ALTER TABLE mail_arrival ADD COLUMN purged_ms INTEGER;

-- Since when the callback that a return was read in is no longer kept.
ALTER TABLE mail_return ADD COLUMN callback_purged_ms INTEGER;
CREATE INDEX mail_return_of_callback ON mail_return (inbox_id) WHERE inbox_id IS NOT NULL;
