//! Messages.

use sqlx::AssertSqlSafe;

use crate::domain::id::{BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use crate::domain::message::Message;
use crate::domain::{Address, MessageStatus};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::{lists, portions, push_list};

const COLUMNS: &str = "SELECT id, touch_id, submission_id, broadcast_id, referrer_id, address, lane, letter, purpose,
    phi, variables, status, reason, released_ms, any_hour_ms, confidence, due_ms, give_up_ms, tries, dials, document_hash,
    pages, created_ms, updated_ms, settled_ms FROM message";
const INSERT: &str = "INSERT INTO message (id, touch_id, submission_id, broadcast_id, referrer_id, channel, address,
    address_key, lane, letter, purpose, phi, variables, status, reason, released_ms, any_hour_ms, confidence, due_ms,
    give_up_ms, tries, dials, document_hash, pages, created_ms, updated_ms, settled_ms) ";
const CHANGED: &str =
    "WITH changed (id, status, reason, released_ms, any_hour_ms, confidence, due_ms, give_up_ms, tries, dials,
    document_hash, pages, updated_ms, settled_ms, address, address_key) AS (";
const CHANGE: &str = ") UPDATE message SET status = changed.status, reason = changed.reason,
    released_ms = changed.released_ms, any_hour_ms = changed.any_hour_ms, confidence = changed.confidence,
    due_ms = changed.due_ms, give_up_ms = changed.give_up_ms, tries = changed.tries,
    dials = changed.dials, document_hash = changed.document_hash, pages = changed.pages,
    updated_ms = changed.updated_ms, settled_ms = changed.settled_ms, address = changed.address,
    address_key = changed.address_key
    FROM changed WHERE message.id = changed.id";
const STATUSES_OF_TOUCHES: &str = "SELECT touch_id, id, status FROM message WHERE touch_id IN (";

record!(Message: "message" by id as MessageId { id, touch_id, submission_id, broadcast_id, referrer_id, address, lane, letter, purpose, phi, variables, status, reason, released_ms, any_hour_ms, confidence, due_ms, give_up_ms, tries, dials, document_hash, pages, created_ms, updated_ms, settled_ms });

impl Tx {
    /// Stores new messages.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a broadcast already has one for the same referrer and channel.
    pub async fn messages_insert(&mut self, messages: &[Message]) -> Result<(), StoreError> {
        for portion in portions(messages) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, m| {
                    row.push_bind(m.id).push_bind(m.touch_id).push_bind(m.submission_id).push_bind(m.broadcast_id);
                    row.push_bind(m.referrer_id).push_bind(m.channel()).push_bind(&m.address);
                    row.push_bind(m.address.key()).push_bind(m.lane);
                    row.push_bind(&m.letter).push_bind(m.purpose).push_bind(m.phi).push_bind(&m.variables);
                    row.push_bind(m.status).push_bind(m.reason).push_bind(m.released_ms).push_bind(m.any_hour_ms);
                    row.push_bind(m.confidence);
                    row.push_bind(m.due_ms);
                    row.push_bind(m.give_up_ms).push_bind(m.tries).push_bind(m.dials).push_bind(&m.document_hash);
                    row.push_bind(m.pages).push_bind(m.created_ms).push_bind(m.updated_ms).push_bind(m.settled_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// Those messages of the list that exist, in the order of their ids; `lock` keeps them from changing until the end
    /// of the transaction.
    pub async fn messages(&mut self, ids: &[MessageId], lock: bool) -> Result<Vec<Message>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        for list in lists(&ids) {
            let rows: Vec<Message> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE id IN (");
                push_list(&mut statement, list);
                statement.push(") ORDER BY id");
                statement.push(if lock { d.for_update() } else { "" });
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// One message.
    pub async fn message(&mut self, id: MessageId, lock: bool) -> Result<Option<Message>, StoreError> {
        Ok(self.messages(&[id], lock).await?.pop())
    }

    /// Writes back everything about a message that can change. The caller holds it locked.
    pub async fn message_update(&mut self, message: &Message) -> Result<(), StoreError> {
        self.messages_update(std::slice::from_ref(message)).await
    }

    /// The same for many.
    pub async fn messages_update(&mut self, messages: &[Message]) -> Result<(), StoreError> {
        for portion in portions(messages) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(CHANGED);
                statement.push_values(portion, |mut row, m| {
                    row.push_bind(m.id).push_bind(m.status).push_bind(m.reason).push_bind(m.released_ms);
                    row.push_bind(m.any_hour_ms).push_bind(m.confidence);
                    row.push_bind(m.due_ms).push_bind(m.give_up_ms).push_bind(m.tries).push_bind(m.dials);
                    row.push_bind(&m.document_hash).push_bind(m.pages).push_bind(m.updated_ms);
                    row.push_bind(m.settled_ms).push_bind(&m.address).push_bind(m.address.key());
                });
                statement.push(CHANGE);
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The statuses of these touches' messages.
    pub async fn statuses_of_touches(
        &mut self,
        touches: &[TouchId],
    ) -> Result<Vec<(TouchId, MessageId, MessageStatus)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(touches) {
            let rows: Vec<(TouchId, MessageId, MessageStatus)> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(STATUSES_OF_TOUCHES);
                push_list(&mut statement, list);
                statement.push(")");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The messages of a touch.
    pub async fn messages_of_touch(&mut self, touch: TouchId) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE touch_id = $1 ORDER BY channel, id");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(touch).fetch_all(&mut *c).await?)
        })
    }

    /// The messages of these touches, by channel.
    pub async fn messages_of_touches(&mut self, touches: &[TouchId]) -> Result<Vec<Message>, StoreError> {
        let mut found = Vec::new();
        for list in lists(touches) {
            let rows: Vec<Message> = on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
                statement.push(" WHERE touch_id IN (");
                push_list(&mut statement, list);
                statement.push(") ORDER BY channel, id");
                statement.build_query_as().fetch_all(&mut *c).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// The messages of a broadcast, oldest first, at most `limit`.
    pub async fn messages_of_broadcast(
        &mut self,
        broadcast: BroadcastId,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE broadcast_id = $1 ORDER BY id LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(broadcast).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// The messages of a submission that wait for their turn or for a person, oldest first, at most `limit`.
    pub async fn messages_waiting_of(
        &mut self,
        submission: SubmissionId,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text =
                format!("{COLUMNS} WHERE submission_id = $1 AND status IN ('queued', 'held') ORDER BY id LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(submission).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// The messages in one status, most recently changed first, at most `limit`.
    pub async fn messages_in(&mut self, status: MessageStatus, limit: i64) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE status = $1 ORDER BY updated_ms DESC, id DESC LIMIT $2");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(status).bind(limit).fetch_all(&mut *c).await?)
        })
    }

    /// Messages to an address that are not settled, locked.
    pub async fn messages_unsettled_to(&mut self, address: &Address) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text = format!(
                "{COLUMNS} WHERE channel = $1 AND address_key = $2 AND settled_ms IS NULL ORDER BY id{}",
                d.for_update()
            );
            Ok(sqlx::query_as(AssertSqlSafe(text))
                .bind(address.channel())
                .bind(address.key())
                .fetch_all(&mut *c)
                .await?)
        })
    }

    /// A referrer's messages that wait to be handed over; locked, on PostgreSQL, if asked for.
    pub async fn messages_waiting_for(&mut self, referrer: ReferrerId, lock: bool) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let text = format!(
                "{COLUMNS} WHERE referrer_id = $1 AND status IN ('queued', 'held') ORDER BY id{}",
                if lock { d.for_update() } else { "" }
            );
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(referrer).fetch_all(&mut *c).await?)
        })
    }

    /// Messages with that reference on their page ([`crate::domain::id::short`]), the newest first, at most 20. Nearly always
    /// there is one.
    pub async fn messages_by_reference(&mut self, reference: &str) -> Result<Vec<Message>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(COLUMNS);
            statement.push(" WHERE ").push(d.short_id()).push(" = ").push_bind(reference.to_uppercase());
            statement.push(" ORDER BY id DESC LIMIT 20");
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }
}
