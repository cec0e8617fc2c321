-- Letters to win a referrer wait for the recipient's office hours (reason outside_office_hours, due_ms the moment they open).
-- When a person decided that a message may go at any hour: it is asked no more, until it ends or is held.
ALTER TABLE message ADD COLUMN any_hour_ms BIGINT;
