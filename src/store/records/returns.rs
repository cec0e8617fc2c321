//! What comes back for emails: the mails taken from mailboxes, and what each said about a recipient.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::id::{ArrivalId, AttemptId, BroadcastId, InboxId, MessageId, ReferrerId, ReturnId};
use crate::domain::returned::{Automatic, MatchedBy, ReturnClass, ReturnKind, ReturnState};
use crate::domain::{Actor, AddressKey, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::packing::{pack, unpack};
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const ARRIVAL_INSERT: &str =
    "INSERT INTO mail_arrival (id, mailbox, fingerprint, kind, body, octets, received_ms, taken_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ARRIVALS_KNOWN: &str = "SELECT fingerprint FROM mail_arrival WHERE fingerprint IN (";
const ARRIVAL_BODY: &str = "SELECT body FROM mail_arrival WHERE id = $1";
const ARRIVALS_OLDER: &str = "SELECT id FROM mail_arrival WHERE body IS NOT NULL AND taken_ms < $1 AND id NOT IN
    (SELECT arrival_id FROM mail_return WHERE outcome = 'not_a_bounce' AND arrival_id IS NOT NULL)
    UNION ALL SELECT id FROM mail_return WHERE first_line IS NOT NULL AND received_ms < $1 LIMIT 1";
const ARRIVALS_FORGET: &str = "UPDATE mail_arrival SET body = NULL, purged_ms = $3 WHERE id IN
    (SELECT id FROM mail_arrival WHERE body IS NOT NULL AND taken_ms < $1 AND id NOT IN
        (SELECT arrival_id FROM mail_return WHERE outcome = 'not_a_bounce' AND arrival_id IS NOT NULL)
    ORDER BY taken_ms LIMIT $2)";
const PURGED: &str = "SELECT COALESCE(r.callback_purged_ms, a.purged_ms) FROM mail_return r
    LEFT JOIN mail_arrival a ON a.id = r.arrival_id WHERE r.id = $1";
const INSERT: &str =
    "INSERT INTO mail_return (id, arrival_id, inbox_id, source, kind, class, reason, automatic, status,
    diagnostic, verdict_row, recipient, address_key, sender, first_line, back_on, matched_by, attempt_id, message_id,
    broadcast_id, referrer_id, state, received_ms, recorded_ms) ";
const COLUMNS: &str = "SELECT id, arrival_id, inbox_id, source, kind, class, reason, automatic, status, diagnostic,
    verdict_row, recipient, address_key, sender, first_line, back_on, matched_by, attempt_id, message_id, broadcast_id,
    referrer_id, state, received_ms, recorded_ms, outcome, done_ms, done_by FROM mail_return";
const MATCH: &str = "UPDATE mail_return SET attempt_id = $2, message_id = $3, broadcast_id = $4, referrer_id = $5,
    address_key = $6, sender = $7, matched_by = 'person' WHERE id = $1";
const FINISH: &str = "UPDATE mail_return SET state = 'done', outcome = $2, done_ms = $3, done_by = $4
    WHERE id = $1 AND state <> 'done'";
const RECONSIDER: &str = "UPDATE mail_return SET outcome = $2, done_ms = $3, done_by = $4 WHERE id = $1";
const COUNT_OPEN: &str = "SELECT COUNT(*) FROM mail_return WHERE state = 'open'";
const CORRECTED: &str = "SELECT id FROM mail_return WHERE outcome = 'not_a_bounce' AND verdict_row = $1 AND sender = $2
    LIMIT 1";
const SOFT_COUNT: &str = "SELECT COUNT(DISTINCT message_id) FROM mail_return WHERE address_key = $1
    AND received_ms > $2 AND kind = 'bounce' AND class = 'soft' AND message_id IS NOT NULL
    AND matched_by NOT IN ('recipient', 'sender') AND (outcome IS NULL OR outcome NOT IN ('not_a_bounce', 'dismissed'))";
// By the referrer, whose messages have an index; messages have none on their addresses.
const DELIVERED_SINCE: &str = "SELECT m.id FROM message m WHERE m.channel = 'email' AND m.status = 'delivered'
    AND m.confidence = 'confirmed' AND m.address_key = ";
const RECENT_TO: &str = "SELECT a.id, a.message_id FROM referrer r JOIN message m ON m.referrer_id = r.id
    JOIN attempt a ON a.message_id = m.id
    WHERE r.email_key = $1 AND m.channel = 'email' AND m.address_key = $1 AND a.opened_ms > $2 AND a.opened_ms <= $3
    AND a.status NOT IN ('not_sent', 'calling') ORDER BY a.opened_ms DESC LIMIT 1";
const AWAY_SET: &str = "INSERT INTO referrer_away (referrer_id, until_ms, at_ms, return_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (referrer_id) DO UPDATE SET until_ms = excluded.until_ms, at_ms = excluded.at_ms,
    return_id = excluded.return_id WHERE excluded.at_ms >= referrer_away.at_ms";
const FIRST_LINES_FORGET: &str = "UPDATE mail_return SET first_line = NULL WHERE id IN
    (SELECT id FROM mail_return WHERE first_line IS NOT NULL AND received_ms < $1 ORDER BY received_ms LIMIT $2)";
const AWAY: &str = "SELECT referrer_id, until_ms, at_ms FROM referrer_away WHERE referrer_id IN (";

/// The largest mail that is kept, in octets.
pub const ARRIVAL_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// A mail taken from a mailbox.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Identifier.
    pub id: ArrivalId,
    /// The mailbox.
    pub mailbox: String,
    /// The same mail has the same fingerprint: it is taken once.
    pub fingerprint: String,
    /// What it is.
    pub kind: ReturnKind,
    /// The mail itself, at most [`ARRIVAL_OCTETS_MAX`]; not kept of people's answers.
    pub body: Option<Vec<u8>>,
    /// Its size as it came.
    pub octets: i64,
    /// When the mailbox received it.
    pub received_ms: Timestamp,
}

/// What came back about one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnRow {
    /// Identifier.
    pub id: ReturnId,
    /// The mail it was read in.
    pub arrival_id: Option<ArrivalId>,
    /// The callback it was read in.
    pub inbox_id: Option<InboxId>,
    /// The mailbox or the account it came to.
    pub source: String,
    /// What it is.
    pub kind: ReturnKind,
    /// What follows for the address, where something failed.
    pub class: Option<ReturnClass>,
    /// Why it failed.
    pub reason: Option<Fault>,
    /// What kind of answer, where no person wrote it.
    pub automatic: Option<Automatic>,
    /// The enhanced code.
    pub status: Option<String>,
    /// The words of the server, the mailer or the provider. May hold addresses.
    pub diagnostic: Option<String>,
    /// What decided.
    pub verdict_row: Option<String>,
    /// Whom it names.
    pub recipient: Option<String>,
    /// The key of the address it is about.
    pub address_key: Option<String>,
    /// Who wrote an answer; of a bounce, the domain that was written to.
    pub sender: Option<String>,
    /// The first line of an answer.
    pub first_line: Option<String>,
    /// The day of return, `YYYY-MM-DD`.
    pub back_on: Option<String>,
    /// How it was found to be about the letter.
    pub matched_by: Option<MatchedBy>,
    /// The attempt it is about.
    pub attempt_id: Option<AttemptId>,
    /// The message it is about.
    pub message_id: Option<MessageId>,
    /// The broadcast of that message.
    pub broadcast_id: Option<BroadcastId>,
    /// The referrer it is about.
    pub referrer_id: Option<ReferrerId>,
    /// What became of it.
    pub state: ReturnState,
    /// When it was received.
    pub received_ms: Timestamp,
    /// When it was recorded.
    pub recorded_ms: Timestamp,
    /// What a person decided: `matched`, `dismissed`, `suppressed`, `not_a_bounce` or `done`.
    pub outcome: Option<String>,
    /// When.
    pub done_ms: Option<Timestamp>,
    /// Who.
    pub done_by: Option<Actor>,
}

record!(ReturnRow: "mail_return" by id as ReturnId { id, arrival_id, inbox_id, source, kind, class, reason, automatic, status, diagnostic, verdict_row, recipient, address_key, sender, first_line, back_on, matched_by, attempt_id, message_id, broadcast_id, referrer_id, state, received_ms, recorded_ms, outcome, done_ms, done_by });

/// Which returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnsOf {
    /// Only those in this state.
    pub state: Option<ReturnState>,
    /// Only these kinds; all if empty.
    pub kinds: Vec<ReturnKind>,
    /// Only those about this message.
    pub message: Option<MessageId>,
    /// Only those about this referrer, under whatever record of theirs.
    pub referrer: Option<ReferrerId>,
}

impl Tx {
    /// Stores a mail taken from a mailbox.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it was taken already.
    pub async fn arrival_insert(&mut self, a: &Arrival, now: Timestamp) -> Result<(), StoreError> {
        let body = a.body.clone().map(pack);
        on!(self, |c, d| {
            sqlx::query(ARRIVAL_INSERT)
                .bind(a.id)
                .bind(&a.mailbox)
                .bind(&a.fingerprint)
                .bind(a.kind)
                .bind(&body)
                .bind(a.octets)
                .bind(a.received_ms)
                .bind(now)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Which of these fingerprints belong to mails that were taken before, from whatever mailbox.
    pub async fn arrivals_known(&mut self, fingerprints: &[String]) -> Result<HashSet<String>, StoreError> {
        let mut found = HashSet::new();
        let fingerprints: Vec<&str> = fingerprints.iter().map(String::as_str).collect();
        for list in lists(&fingerprints) {
            let rows: Vec<String> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(ARRIVALS_KNOWN);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The mail that a return was read in, while it is kept.
    pub async fn arrival_body(&mut self, id: ArrivalId) -> Result<Option<Vec<u8>>, StoreError> {
        let body: Option<Option<Vec<u8>>> =
            on!(self, |c, d| sqlx::query_scalar(ARRIVAL_BODY).bind(id).fetch_optional(&mut *c).await?);
        Ok(body.flatten().and_then(|body| unpack(body, ARRIVAL_OCTETS_MAX)))
    }

    /// Whether a mail or the first line of an answer is kept from before a moment, apart from mails that a person called no bounce.
    pub async fn arrivals_have_older(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<ArrivalId> =
                sqlx::query_scalar(ARRIVALS_OLDER).bind(before).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// Forgets the mails that were taken before a moment, the oldest first, at most `limit`, and as many first lines of answers from
    /// before it. What else was read in them stays, since when they are gone, and the mails that a person called no bounce. Returns how
    /// many.
    pub async fn arrivals_forget(&mut self, before: Timestamp, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| {
            let lines =
                sqlx::query(FIRST_LINES_FORGET).bind(before).bind(limit).execute(&mut *c).await?.rows_affected();
            let mails = sqlx::query(ARRIVALS_FORGET).bind(before).bind(limit).bind(now).execute(&mut *c).await?;
            Ok(lines + mails.rows_affected())
        })
    }

    /// Since when the mail or the callback that a return was read in is deleted; `None` if it is kept, or never was.
    pub async fn return_purged(&mut self, id: ReturnId) -> Result<Option<Timestamp>, StoreError> {
        let purged: Option<Option<Timestamp>> =
            on!(self, |c, d| sqlx::query_scalar(PURGED).bind(id).fetch_optional(&mut *c).await?);
        Ok(purged.flatten())
    }

    /// Stores what came back.
    pub async fn returns_insert(&mut self, returns: &[ReturnRow]) -> Result<(), StoreError> {
        for portion in portions(returns) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, r| {
                    row.push_bind(r.id).push_bind(r.arrival_id).push_bind(r.inbox_id).push_bind(&r.source);
                    row.push_bind(r.kind).push_bind(r.class).push_bind(r.reason).push_bind(r.automatic);
                    row.push_bind(&r.status).push_bind(&r.diagnostic).push_bind(&r.verdict_row);
                    row.push_bind(&r.recipient).push_bind(&r.address_key).push_bind(&r.sender);
                    row.push_bind(&r.first_line).push_bind(&r.back_on).push_bind(r.matched_by);
                    row.push_bind(r.attempt_id).push_bind(r.message_id).push_bind(r.broadcast_id);
                    row.push_bind(r.referrer_id).push_bind(r.state).push_bind(r.received_ms);
                    row.push_bind(r.recorded_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// One return, locked on PostgreSQL if it is to be changed.
    pub async fn return_row(&mut self, id: ReturnId, is_to_change: bool) -> Result<Option<ReturnRow>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE id = ").push_bind(id);
            if is_to_change {
                statement.push(d.for_update());
            }
            Ok(statement.build_query_as().fetch_optional(&mut *c).await?)
        })
    }

    /// Returns, newest first, after a cursor (time and id of the last one of the page before). At most `limit`.
    pub async fn returns_page(
        &mut self,
        of: &ReturnsOf,
        after: Option<(Timestamp, ReturnId)>,
        limit: i64,
    ) -> Result<Vec<ReturnRow>, StoreError> {
        let records = match of.referrer {
            Some(referrer) => self.records_of_person(referrer).await?,
            None => Vec::new(),
        };
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE 1 = 1");
            if let Some(state) = of.state {
                statement.push(" AND state = ").push_bind(state);
            }
            if !of.kinds.is_empty() {
                statement.push(" AND kind IN (");
                push_list(&mut statement, &of.kinds);
                statement.push(")");
            }
            if let Some(message) = of.message {
                statement.push(" AND message_id = ").push_bind(message);
            }
            if !records.is_empty() {
                statement.push(" AND referrer_id IN (");
                push_list(&mut statement, &records);
                statement.push(")");
            }
            if let Some((received, id)) = after {
                statement.push(" AND (received_ms, id) < (").push_bind(received);
                statement.push(", ").push_bind(id).push(")");
            }
            statement.push(" ORDER BY received_ms DESC, id DESC LIMIT ").push_bind(limit);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// How many returns wait for a person.
    pub async fn returns_open(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(COUNT_OPEN).fetch_one(&mut *c).await?))
    }

    /// Notes which attempt a person says a return is about.
    pub async fn return_match(
        &mut self,
        id: ReturnId,
        (attempt, message, broadcast, referrer): (AttemptId, MessageId, Option<BroadcastId>, ReferrerId),
        address: &AddressKey,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(MATCH)
                .bind(id)
                .bind(attempt)
                .bind(message)
                .bind(broadcast)
                .bind(referrer)
                .bind(address)
                .bind(address.mailbox().map(|(_, domain)| domain))
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Notes what a person decided about a return. False: that was noted before.
    pub async fn return_finish(
        &mut self,
        id: ReturnId,
        outcome: &str,
        who: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(FINISH).bind(id).bind(outcome).bind(now).bind(who).execute(&mut *c).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    /// Notes that a person has come to another decision.
    pub async fn return_reconsider(
        &mut self,
        id: ReturnId,
        outcome: &str,
        who: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(RECONSIDER).bind(id).bind(outcome).bind(now).bind(who).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Whether a person said of an earlier return that this row of the tables misreads the servers of that domain.
    pub async fn return_is_corrected(&mut self, row: &str, domain: &str) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<ReturnId> =
                sqlx::query_scalar(CORRECTED).bind(row).bind(domain).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }

    /// For how many letters an address of a referrer bounced since then in a way that passes. None if one certainly arrived there since,
    /// under whatever record of theirs.
    pub async fn returns_soft_since(
        &mut self,
        address: &AddressKey,
        referrer: ReferrerId,
        since: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let records = self.records_of_person(referrer).await?;
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(DELIVERED_SINCE);
            statement.push_bind(address).push(" AND m.settled_ms > ").push_bind(since).push(" AND m.referrer_id IN (");
            push_list(&mut statement, &records);
            statement.push(") LIMIT 1");
            let arrived: Option<MessageId> = statement.build_query_scalar().fetch_optional(&mut *c).await?;
            if arrived.is_some() {
                return Ok(None);
            }
            Ok(Some(sqlx::query_scalar(SOFT_COUNT).bind(address).bind(since).fetch_one(&mut *c).await?))
        })
    }

    /// The latest attempt that handed a letter to the address of a referrer over, after `since` and not after `until`.
    pub async fn attempt_recent_to(
        &mut self,
        address: &AddressKey,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<(AttemptId, MessageId)>, StoreError> {
        on!(self, |c, d| {
            Ok(sqlx::query_as(RECENT_TO).bind(address).bind(since).bind(until).fetch_optional(&mut *c).await?)
        })
    }

    /// Notes until when a referrer is away, as was known at `at`: what was known later stays, in whatever order it comes. `until` may be
    /// past, for one who is not.
    pub async fn away_set(
        &mut self,
        referrer: ReferrerId,
        until: Timestamp,
        at: Timestamp,
        because: Option<ReturnId>,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(AWAY_SET).bind(referrer).bind(until).bind(at).bind(because).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Which of these referrers are away now, and until when: what is known latest counts, under whatever record of theirs it was
    /// noted.
    pub async fn away_among(
        &mut self,
        referrers: &[ReferrerId],
        now: Timestamp,
    ) -> Result<Vec<(ReferrerId, Timestamp)>, StoreError> {
        let people = self.records_of_people(referrers).await?;
        let records: BTreeSet<ReferrerId> = people.values().flatten().copied().collect();
        let mut noted: HashMap<ReferrerId, (Timestamp, Timestamp)> = HashMap::new();
        for list in lists(&records.into_iter().collect::<Vec<_>>()) {
            let rows: Vec<(ReferrerId, Timestamp, Timestamp)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(AWAY);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            noted.extend(rows.into_iter().map(|(id, until, at)| (id, (at, until))));
        }
        let latest = |records: &[ReferrerId]| records.iter().filter_map(|record| noted.get(record)).max().copied();
        let away = people.into_iter().filter_map(|(id, records)| Some((id, latest(&records)?.1)));
        Ok(away.filter(|(_, until)| *until > now).collect())
    }
}
