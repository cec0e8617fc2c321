//! Attempts: written before the call, corrected by what is learned.

use sqlx::AssertSqlSafe;

use crate::domain::attempt::{Attempt, ProviderReference};
use crate::domain::health::AddressHealth;
use crate::domain::id::{AttemptId, MessageId};
use crate::domain::message::Message;
use crate::domain::{Address, AddressKey, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const COLUMNS: &str = "SELECT id, message_id, number, provider, status, provider_reference, fault, raw_code, raw_text,
    pages_confirmed, document_hash, pages, dialled, billed_amount, billed_unit, tls_version, tls_cipher, tls_peer,
    opened_ms, answered_ms, settled_ms, looks, doubt_deadline_ms FROM attempt";
const INSERT: &str = "INSERT INTO attempt (id, message_id, number, provider, status, document_hash, pages, dialled,
    opened_ms, looks) ";
const CHANGED: &str = "WITH changed (id, status, provider_reference, fault, raw_code, raw_text, pages_confirmed,
    billed_amount, billed_unit, tls_version, tls_cipher, tls_peer, answered_ms, settled_ms, looks, doubt_deadline_ms) AS (";
const CHANGE: &str = ") UPDATE attempt SET status = changed.status, provider_reference = changed.provider_reference,
    fault = changed.fault, raw_code = changed.raw_code, raw_text = changed.raw_text,
    pages_confirmed = changed.pages_confirmed, billed_amount = changed.billed_amount, billed_unit = changed.billed_unit,
    tls_version = changed.tls_version, tls_cipher = changed.tls_cipher, tls_peer = changed.tls_peer,
    answered_ms = changed.answered_ms, settled_ms = changed.settled_ms,
    looks = changed.looks, doubt_deadline_ms = changed.doubt_deadline_ms FROM changed WHERE attempt.id = changed.id";
const LOOKS: &str = "UPDATE attempt SET looks = $2 WHERE id = $1";
const NUMBERS: &str = "SELECT message_id, MAX(number) FROM attempt WHERE message_id IN (";
const NUMBERS_BUSY: &str = "SELECT DISTINCT m.address_key FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE m.channel = 'fax' AND m.settled_ms IS NULL AND a.status IN ('calling', 'in_doubt', 'accepted') AND a.opened_ms > ";
const MESSAGES_OF: &str = "SELECT m.id, m.address, a.dialled FROM message m
    JOIN attempt a ON a.message_id = m.id WHERE a.id IN (";
const HOMES: &str = "SELECT id, provider, message_id FROM attempt WHERE id IN (";
const CLAIMED_REFERENCE: &str = "SELECT id FROM attempt WHERE provider = $1 AND provider_reference = $2";
// Reference by reference: for a list of them, a plan made while the table was empty reads all that the account ever had.
const BROUGHT: &str = "WITH brought (reference) AS (";
const CLAIMED: &str =
    ") SELECT reference, (SELECT id FROM attempt WHERE provider_reference = brought.reference AND provider = ";

record!(Attempt: "attempt" by id as AttemptId { id, message_id, number, provider, status, provider_reference, fault, raw_code, raw_text, pages_confirmed, document_hash, pages, dialled, billed_amount, billed_unit, tls_version, tls_cipher, tls_peer, opened_ms, answered_ms, settled_ms, looks, doubt_deadline_ms });

impl Tx {
    /// Records attempts that are about to be made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a message has an open attempt already: the index is the last line of defense.
    pub async fn attempts_insert(&mut self, attempts: &[Attempt]) -> Result<(), StoreError> {
        for portion in portions(attempts) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, a| {
                    row.push_bind(a.id).push_bind(a.message_id).push_bind(a.number).push_bind(&a.provider);
                    row.push_bind(a.status).push_bind(&a.document_hash).push_bind(a.pages).push_bind(&a.dialled);
                    row.push_bind(a.opened_ms).push_bind(a.looks);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Writes back everything about attempts that can change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another attempt has the same provider reference.
    pub async fn attempts_update(&mut self, attempts: &[Attempt]) -> Result<(), StoreError> {
        for portion in portions(attempts) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CHANGED);
                statement.push_values(portion, |mut row, a| {
                    row.push_bind(a.id).push_bind(a.status).push_bind(&a.provider_reference).push_bind(a.fault);
                    row.push_bind(&a.raw_code).push_bind(&a.raw_text).push_bind(a.pages_confirmed);
                    row.push_bind(&a.billed_amount).push_bind(&a.billed_unit);
                    row.push_bind(&a.tls_version).push_bind(&a.tls_cipher).push_bind(&a.tls_peer);
                    row.push_bind(a.answered_ms).push_bind(a.settled_ms).push_bind(a.looks);
                    row.push_bind(a.doubt_deadline_ms);
                });
                statement.push(CHANGE);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Counts a lookup of an attempt without touching anything that evidence may have changed meanwhile.
    pub async fn attempt_update_looks(&mut self, id: AttemptId, looks: i64) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(LOOKS).bind(id).bind(looks).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Takes the locks of the addresses and messages that events about these attempts may change, in the one order in
    /// which they are always taken, and returns them. Call this first when one transaction applies events of several
    /// attempts: locks taken attempt by attempt could deadlock.
    pub async fn attempts_lock(
        &mut self,
        attempts: &[AttemptId],
    ) -> Result<(Vec<AddressHealth>, Vec<Message>), StoreError> {
        let mut about: Vec<(MessageId, Address, Option<Address>)> = Vec::with_capacity(attempts.len());
        for list in lists(attempts) {
            let rows: Vec<(MessageId, Address, Option<Address>)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(MESSAGES_OF);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            about.extend(rows);
        }
        // A message's address may have been corrected since: what is learned concerns the one that was called.
        let keys =
            about.iter().flat_map(|(_, address, dialled)| [Some(address), dialled.as_ref()].into_iter().flatten());
        let keys: Vec<AddressKey> = keys.map(Address::key).collect();
        let known = self.addresses_lock(&keys).await?;
        let mut ids: Vec<MessageId> = about.into_iter().map(|(id, ..)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok((known, self.messages(&ids, true).await?))
    }

    /// One attempt.
    pub async fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// All attempts of these messages, each message's first to last.
    pub async fn attempts_of_messages(&mut self, messages: &[MessageId]) -> Result<Vec<Attempt>, StoreError> {
        let mut found = Vec::new();
        for list in lists(messages) {
            let rows: Vec<Attempt> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE message_id IN (");
                push_list(&mut statement, list);
                statement.push(") ORDER BY message_id, number");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The account that each of these attempts was handed to, and its message.
    pub async fn attempt_homes(
        &mut self,
        ids: &[AttemptId],
    ) -> Result<Vec<(AttemptId, String, MessageId)>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for list in lists(ids) {
            let rows: Vec<(AttemptId, String, MessageId)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(HOMES);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// All attempts of a message, first to last.
    pub async fn attempts_of(&mut self, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE message_id = $1 ORDER BY number");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(message).fetch_all(&mut *c).await?)
        })
    }

    /// The open attempts among these messages.
    pub async fn attempts_open(&mut self, messages: &[MessageId]) -> Result<Vec<Attempt>, StoreError> {
        let mut found = Vec::new();
        for list in lists(messages) {
            let rows: Vec<Attempt> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE status IN ('calling', 'in_doubt', 'accepted') AND message_id IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The highest attempt number of each of these messages that has one.
    pub async fn attempt_numbers(&mut self, messages: &[MessageId]) -> Result<Vec<(MessageId, i64)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(messages) {
            let rows: Vec<(MessageId, i64)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(NUMBERS);
                push_list(&mut statement, list);
                statement.push(") GROUP BY message_id");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Which of these fax numbers are being called now, by an attempt opened after `since`.
    pub async fn numbers_being_called(
        &mut self,
        numbers: &[AddressKey],
        since: Timestamp,
    ) -> Result<Vec<AddressKey>, StoreError> {
        let numbers: Vec<&str> = numbers.iter().map(AddressKey::as_str).collect();
        let mut found = Vec::new();
        for list in lists(&numbers) {
            let rows: Vec<AddressKey> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(NUMBERS_BUSY);
                statement.push_bind(since).push(" AND m.address_key IN (");
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_scalar().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Those of an account's references that an attempt already has, each with that attempt.
    pub async fn references_claimed(
        &mut self,
        provider: &str,
        references: &[&str],
    ) -> Result<Vec<(String, AttemptId)>, StoreError> {
        let mut found = Vec::new();
        for portion in portions(references) {
            let rows: Vec<(String, Option<AttemptId>)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(BROUGHT);
                statement.push_values(portion, |mut row, reference| {
                    row.push_bind(*reference);
                });
                statement.push(CLAIMED).push_bind(provider).push(") FROM brought");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows.into_iter().filter_map(|(reference, id)| Some((reference, id?))));
        }
        Ok(found)
    }

    /// Whether an attempt already has that provider reference.
    pub async fn reference_is_claimed(
        &mut self,
        provider: &str,
        reference: &ProviderReference,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let found: Option<AttemptId> =
                sqlx::query_scalar(CLAIMED_REFERENCE).bind(provider).bind(&reference.0).fetch_optional(&mut *c).await?;
            Ok(found.is_some())
        })
    }
}
