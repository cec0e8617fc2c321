//! Mailboxes to which returns come: which node reads one, how far, what is still to be done with mails, and how it went. One node
//! has a mailbox at a time; what it writes counts only while it has it ([`Tx::mailbox_hold`]).

use std::time::Duration;

use crate::domain::fault::{Failure, Fault};
use crate::domain::{Remedy, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};
use crate::store::engine::rows::{lists, push_list};

/// A mailbox that nobody could read for so long needs a person.
pub const UNREAD_MAX: Duration = Duration::from_secs(3600);
/// Mails with which something is to be done, in one question.
const TO_FINISH_MAX: i64 = 1000;

const CLAIM: &str = "INSERT INTO mailbox (name, owner, claimed_until_ms, known_ms, taken, passed, cut, unreadable)
    VALUES ($1, $2, $3, $4, 0, 0, 0, 0)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, claimed_until_ms = excluded.claimed_until_ms
    WHERE mailbox.owner IS NULL OR mailbox.owner = excluded.owner OR mailbox.claimed_until_ms <= $4";
const RELEASE: &str = "UPDATE mailbox SET owner = NULL, claimed_until_ms = NULL WHERE name = $1 AND owner = $2";
const HOLD: &str = "UPDATE mailbox SET owner = owner WHERE name = $1 AND owner = $2";
const COUNT: &str = "UPDATE mailbox SET taken = taken + $2, passed = passed + $3, cut = cut + $4,
    unreadable = unreadable + $5 WHERE name = $1";
const READ: &str = "UPDATE mailbox SET read_ms = $3, failed_ms = NULL, failure = NULL, failure_fault = NULL,
    failure_remedy = NULL WHERE name = $1 AND owner = $2";
const READ_IN_PART: &str = "UPDATE mailbox SET read_ms = $3 WHERE name = $1 AND owner = $2";
const FAILED: &str = "UPDATE mailbox SET failed_ms = COALESCE(failed_ms, $3), failure = $4, failure_fault = $5,
    failure_remedy = $6 WHERE name = $1 AND owner = $2";
const STATES: &str =
    "SELECT name, owner, claimed_until_ms, known_ms, since_ms, read_ms, failed_ms, failure, failure_fault,
    failure_remedy, taken, passed, cut, unreadable, (SELECT COUNT(*) FROM mailbox_refused
    WHERE mailbox_refused.mailbox = mailbox.name AND stepped_ms IS NOT NULL) AS to_look_at FROM mailbox ORDER BY name";
const BEGUN: &str = "SELECT known_ms, since_ms, read_ms FROM mailbox WHERE name = $1";
const BEGIN: &str = "UPDATE mailbox SET since_ms = $3 WHERE name = $1 AND owner = $2 AND since_ms IS NULL";
const FIRST_MAILED: &str = "SELECT MIN(attempt.opened_ms) FROM attempt JOIN message ON message.id = attempt.message_id
    WHERE message.channel = 'email'";
const REFUSED: &str = "INSERT INTO mailbox_refused (mailbox, folder, validity, mail, words, tries, first_ms, tried_ms)
    VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
    ON CONFLICT (mailbox, folder, validity, mail) DO UPDATE SET words = excluded.words,
        tries = mailbox_refused.tries + CASE WHEN mailbox_refused.tried_ms <= $7 THEN 1 ELSE 0 END,
        tried_ms = CASE WHEN mailbox_refused.tried_ms <= $7 THEN excluded.tried_ms ELSE mailbox_refused.tried_ms END
    RETURNING tries, first_ms";
const STEPPED: &str = "UPDATE mailbox_refused SET stepped_ms = $5
    WHERE mailbox = $1 AND folder = $2 AND validity = $3 AND mail = $4 AND stepped_ms IS NULL";
const HANDED_OUT: &str = "DELETE FROM mailbox_refused WHERE mail IN (";
const STEPPED_OVER: &str = "SELECT folder, mail, words, stepped_ms FROM mailbox_refused
    WHERE mailbox = $1 AND stepped_ms IS NOT NULL ORDER BY stepped_ms, folder, mail LIMIT $2";
const LOOKED_AT: &str = "DELETE FROM mailbox_refused WHERE mailbox = $1 AND stepped_ms IS NOT NULL";
const PLACE: &str = "SELECT validity, uid FROM mailbox_place WHERE mailbox = $1 AND folder = $2";
const SAVE_PLACE: &str = "INSERT INTO mailbox_place (mailbox, folder, validity, uid) VALUES ($1, $2, $3, $4)
    ON CONFLICT (mailbox, folder) DO UPDATE SET validity = excluded.validity, uid = excluded.uid";
const SEEN: &str = "SELECT mail FROM mailbox_mail WHERE mailbox = $1 AND folder = $2";
const ADD: &str = "INSERT INTO mailbox_mail (mailbox, folder, validity, mail, finish_ms) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (mailbox, folder, validity, mail) DO UPDATE SET finish_ms = excluded.finish_ms";
const TO_FINISH: &str = "SELECT validity, mail FROM mailbox_mail WHERE mailbox = $1 AND folder = $2
    AND finish_ms IS NOT NULL ORDER BY validity, finish_ms, mail LIMIT $3";
const FINISHED: &str = "UPDATE mailbox_mail SET finish_ms = NULL WHERE mail IN (";
const FORGET: &str = "DELETE FROM mailbox_mail WHERE mail IN (";

/// What is on record of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxState {
    /// Its name.
    pub name: String,
    /// The node that reads it.
    pub owner: Option<String>,
    /// Until when that node may.
    pub claimed_until_ms: Option<Timestamp>,
    /// When it was first tried.
    pub known_ms: Timestamp,
    /// Since when mail is read; `None` where that was never decided.
    pub since_ms: Option<Timestamp>,
    /// When it was last read to its end.
    pub read_ms: Option<Timestamp>,
    /// Since when it cannot be read.
    pub failed_ms: Option<Timestamp>,
    /// Why, in words without addresses and secrets.
    pub failure: Option<String>,
    /// The class of that.
    pub failure_fault: Option<Fault>,
    /// What can be done about it.
    pub failure_remedy: Option<Remedy>,
    /// Returns of ours.
    pub taken: i64,
    /// Other mails.
    pub passed: i64,
    /// Mails that were too large to be read whole.
    pub cut: i64,
    /// Mails that the server would not hand out, and that were stepped over.
    pub unreadable: i64,
    /// Of these, those that no person has looked at.
    pub to_look_at: i64,
}

record!(MailboxState: "mailbox" by name as String {
    name, owner, claimed_until_ms, known_ms, since_ms, read_ms, failed_ms, failure, failure_fault, failure_remedy, taken,
    passed, cut, unreadable, to_look_at
});

/// What is known of a mailbox's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// When it was first tried.
    pub known_ms: Timestamp,
    /// Since when mail is read, once that is decided.
    pub since_ms: Option<Timestamp>,
    /// When it was last read to its end.
    pub read_ms: Option<Timestamp>,
}

row!(Begun { known_ms, since_ms, read_ms });

/// A mail of a mailbox's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailOf<'a> {
    /// The mailbox.
    pub mailbox: &'a str,
    /// The folder; empty where there are none.
    pub folder: &'a str,
    /// UIDVALIDITY; 0 where there is none.
    pub validity: i64,
    /// The mail's key.
    pub mail: &'a str,
}

/// A mail that was asked for in vain so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// How often.
    pub tries: i64,
    /// When first.
    pub first_ms: Timestamp,
}

row!(Tried { tries, first_ms });

/// A mail that was stepped over because its server does not hand it out, and that a person is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SteppedOver {
    /// Its folder; empty where there are none.
    pub folder: String,
    /// Its key: the UID, or the unique name.
    pub mail: String,
    /// What the server said, without addresses.
    pub words: String,
    /// When it was stepped over.
    pub stepped_ms: Timestamp,
}

row!(SteppedOver { folder, mail, words, stepped_ms });

impl MailboxState {
    /// Whether a person is needed: its login is refused, or nobody could read it for an hour.
    #[must_use]
    pub fn needs_person(&self, now: Timestamp) -> bool {
        self.is_refused() || now.since(self.read_ms.unwrap_or(self.known_ms)) >= UNREAD_MAX
    }

    /// Whether the login is refused, which time does not change.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.failed_ms.is_some() && self.failure_fault == Some(Fault::AccountError)
    }
}

/// Mails of a round, by what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// Returns of ours.
    pub taken: i64,
    /// Other mails.
    pub passed: i64,
    /// Read in part.
    pub cut: i64,
    /// Not handed out.
    pub unreadable: i64,
}

impl Tx {
    /// Claims a mailbox for a node until then, or keeps it for longer; whether the node has it.
    pub async fn mailbox_claim(
        &mut self,
        name: &str,
        owner: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(CLAIM).bind(name).bind(owner).bind(until).bind(now).execute(&mut *c).await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Gives a mailbox back.
    pub async fn mailbox_release(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(RELEASE).bind(name).bind(owner).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Keeps other nodes from claiming a mailbox until the end of this transaction; whether this node still has it.
    pub async fn mailbox_hold(&mut self, name: &str, owner: &str) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(HOLD).bind(name).bind(owner).execute(&mut *c).await?.rows_affected() > 0))
    }

    /// Adds to what a mailbox held.
    pub async fn mailbox_count(&mut self, name: &str, counts: MailCounts) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(COUNT).bind(name).bind(counts.taken).bind(counts.passed);
            query.bind(counts.cut).bind(counts.unreadable).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Notes that a mailbox was read to its end; whether the node still has it. With `is_good` nothing keeps it from being read and
    /// dealt with any more.
    pub async fn mailbox_read(
        &mut self,
        name: &str,
        owner: &str,
        is_good: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let statement = if is_good { READ } else { READ_IN_PART };
            let done = sqlx::query(statement).bind(name).bind(owner).bind(now).execute(&mut *c).await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Notes why a mailbox cannot be read.
    pub async fn mailbox_failed(
        &mut self,
        name: &str,
        owner: &str,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(FAILED).bind(name).bind(owner).bind(now).bind(failure.raw_text.as_deref());
            query.bind(failure.fault).bind(failure.remedy).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// What is on record of all mailboxes, by name; of those that are no longer configured too.
    pub async fn mailbox_states(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(STATES).fetch_all(&mut *c).await?))
    }

    /// What is known of a mailbox's beginning; `None` if no node has claimed it yet.
    pub async fn mailbox_begun(&mut self, name: &str) -> Result<Option<Begun>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(BEGUN).bind(name).fetch_optional(&mut *c).await?))
    }

    /// Decides since when mail is read, unless that was decided, or another node has the mailbox.
    pub async fn mailbox_begin(&mut self, name: &str, owner: &str, since: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(BEGIN).bind(name).bind(owner).bind(since).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// When the first letter was handed to a relay; `None` if none ever was. Looks at all attempts: not for every round.
    pub async fn first_mailed(&mut self) -> Result<Option<Timestamp>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(FIRST_MAILED).fetch_one(&mut *c).await?))
    }

    /// Notes that a mail was asked for in vain, which counts as another try if the last one that counted was made by `last`.
    pub async fn mailbox_refused(
        &mut self,
        of: MailOf<'_>,
        words: &str,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query_as(REFUSED).bind(of.mailbox).bind(of.folder).bind(of.validity).bind(of.mail);
            Ok(query.bind(words).bind(now).bind(last).fetch_one(&mut *c).await?)
        })
    }

    /// Notes that a mail is stepped over, which was noted as refused. A person is to look at it.
    pub async fn mailbox_stepped_over(&mut self, of: MailOf<'_>, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(STEPPED).bind(of.mailbox).bind(of.folder).bind(of.validity).bind(of.mail);
            query.bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Forgets of mails of a folder that they were refused: they were handed out.
    pub async fn mailbox_handed_out(&mut self, name: &str, folder: &str, mails: &[&str]) -> Result<(), StoreError> {
        on!(self, |c, d| {
            for keys in lists(mails) {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(HANDED_OUT);
                push_list(&mut statement, keys);
                statement.push(") AND mailbox = ").push_bind(name).push(" AND folder = ").push_bind(folder);
                statement.build().execute(&mut *c).await?;
            }
            Ok(())
        })
    }

    /// The mails that a person is to look at, the oldest first, at most so many.
    pub async fn mailbox_to_look_at(&mut self, name: &str, most: i64) -> Result<Vec<SteppedOver>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(STEPPED_OVER).bind(name).bind(most).fetch_all(&mut *c).await?))
    }

    /// Notes that a person has looked at them; how many there were.
    pub async fn mailbox_looked_at(&mut self, name: &str) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(LOOKED_AT).bind(name).execute(&mut *c).await?.rows_affected()))
    }

    /// How far a folder was read by IMAP: UIDVALIDITY and UID.
    pub async fn mailbox_place(&mut self, name: &str, folder: &str) -> Result<Option<(i64, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(PLACE).bind(name).bind(folder).fetch_optional(&mut *c).await?))
    }

    /// Saves how far a folder was read.
    pub async fn mailbox_place_save(
        &mut self,
        name: &str,
        folder: &str,
        validity: i64,
        uid: i64,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SAVE_PLACE).bind(name).bind(folder).bind(validity).bind(uid).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The keys of all mails on record of a folder.
    pub async fn mailbox_seen(&mut self, name: &str, folder: &str) -> Result<Vec<String>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(SEEN).bind(name).bind(folder).fetch_all(&mut *c).await?))
    }

    /// Records mails of a folder by their keys, each with when it was recorded if something is to be done with it.
    pub async fn mailbox_mails_add(
        &mut self,
        name: &str,
        folder: &str,
        validity: i64,
        mails: &[(String, Option<Timestamp>)],
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            for (mail, finish_ms) in mails {
                let query = sqlx::query(ADD).bind(name).bind(folder).bind(validity).bind(mail).bind(finish_ms);
                query.execute(&mut *c).await?;
            }
            Ok(())
        })
    }

    /// UIDVALIDITY and key of the mails with which something is to be done, those of one validity together, at most 1,000.
    pub async fn mailbox_to_finish(&mut self, name: &str, folder: &str) -> Result<Vec<(i64, String)>, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query_as(TO_FINISH).bind(name).bind(folder).bind(TO_FINISH_MAX);
            Ok(query.fetch_all(&mut *c).await?)
        })
    }

    /// Notes that nothing is to be done with these mails any more.
    pub async fn mailbox_mails_finished(&mut self, name: &str, folder: &str, mails: &[&str]) -> Result<(), StoreError> {
        on!(self, |c, d| {
            for keys in lists(mails) {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(FINISHED);
                push_list(&mut statement, keys);
                statement.push(") AND mailbox = ").push_bind(name).push(" AND folder = ").push_bind(folder);
                statement.build().execute(&mut *c).await?;
            }
            Ok(())
        })
    }

    /// Forgets these mails of a folder.
    pub async fn mailbox_mails_forget(&mut self, name: &str, folder: &str, mails: &[&str]) -> Result<(), StoreError> {
        on!(self, |c, d| {
            for keys in lists(mails) {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(FORGET);
                push_list(&mut statement, keys);
                statement.push(") AND mailbox = ").push_bind(name).push(" AND folder = ").push_bind(folder);
                statement.build().execute(&mut *c).await?;
            }
            Ok(())
        })
    }
}
