-- What the sender of a callback uses once, such as the token of Mailgun, whose signature does not cover the body: a digest of it, so
-- that a callback with the same token and other content is a replay, on whatever node and after whatever restart it comes. NULL
-- where the proof covers the whole callback. Forgotten with the callback.
ALTER TABLE inbox ADD COLUMN used_once TEXT;
CREATE UNIQUE INDEX inbox_used_once ON inbox (used_once, provider) WHERE used_once IS NOT NULL;

-- refused_ms is from now on the first refusal since tokens were last issued, however often the service is asked again.
-- refused_last_ms: when it last refused.
ALTER TABLE mail_token ADD COLUMN refused_last_ms BIGINT;
UPDATE mail_token SET refused_last_ms = refused_ms;
