-- What is read of a mailbox at first, and mails that its server does not hand out.
--
-- since_ms: mail received before is not read; decided once, before the first reading. NULL in a mailbox that was read before there was
-- such a rule.
ALTER TABLE mailbox ADD COLUMN since_ms INTEGER;

-- Mails that the server would not hand out. tries: how often they were asked for, counted at most once in a while; first_ms, tried_ms:
-- when first and last; words: what the server said, without addresses. stepped_ms: since when the mail counts as read although it
-- was not, until a person has looked at it.
CREATE TABLE mailbox_refused (
    mailbox          TEXT    NOT NULL,
    folder           TEXT    NOT NULL,
    validity         INTEGER NOT NULL,
    mail             TEXT    NOT NULL,
    words            TEXT    NOT NULL,
    tries            INTEGER NOT NULL,
    first_ms         INTEGER NOT NULL,
    tried_ms         INTEGER NOT NULL,
    stepped_ms       INTEGER,
    PRIMARY KEY (mailbox, folder, validity, mail)
) STRICT;
