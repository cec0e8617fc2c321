-- Mailboxes to which returns come.
--
-- One row for each mailbox that a node has read or tried to. owner, claimed_until_ms: the node that reads it, until when it may;
-- then another takes over. known_ms: when it was first tried. read_ms: when it was last read to its end. failed_ms, failure,
-- failure_fault, failure_remedy: since when it cannot be read, the latest reason, and what can be done. taken: returns of ours;
-- passed: other mails, which were left as they were; cut: mails that were too large to be read whole; unreadable: mails that the
-- server would not hand out.
CREATE TABLE mailbox (
    name             TEXT    NOT NULL PRIMARY KEY,
    owner            TEXT,
    claimed_until_ms BIGINT,
    known_ms         BIGINT  NOT NULL,
    read_ms          BIGINT,
    failed_ms        BIGINT,
    failure          TEXT,
    failure_fault    TEXT,
    failure_remedy   TEXT,
    taken            BIGINT  NOT NULL,
    passed           BIGINT  NOT NULL,
    cut              BIGINT  NOT NULL,
    unreadable       BIGINT  NOT NULL
);

-- How far a folder was read by IMAP: its UIDVALIDITY and the last UID. Saved in the transaction in which the mails are recorded.
CREATE TABLE mailbox_place (
    mailbox          TEXT    NOT NULL,
    folder           TEXT    NOT NULL,
    validity         BIGINT  NOT NULL,
    uid              BIGINT  NOT NULL,
    PRIMARY KEY (mailbox, folder)
);

-- Mails by their keys: of POP3 and maildirs all that were read and are still there; of IMAP those with which something is still to
-- be done. finish_ms: recorded then, and to be marked, moved or deleted; NULL once that is done, or if it is not to be.
CREATE TABLE mailbox_mail (
    mailbox          TEXT    NOT NULL,
    folder           TEXT    NOT NULL,
    validity         BIGINT  NOT NULL,
    mail             TEXT    NOT NULL,
    finish_ms        BIGINT,
    PRIMARY KEY (mailbox, folder, validity, mail)
);
CREATE INDEX mailbox_mail_to_finish ON mailbox_mail (mailbox, folder) WHERE finish_ms IS NOT NULL;
