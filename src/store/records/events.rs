//! Events: every fact and every decision, append-only; and the audit log of people's acts.

use sqlx::AssertSqlSafe;

use crate::domain::event::{EventKind, EventSource};
use crate::domain::id::{AttemptId, EventId, MessageId};
use crate::domain::{Actor, AuditAct, Fault, Reason, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;
use crate::store::engine::rows::portions;

const COLUMNS: &str = "SELECT id, message_id, attempt_id, kind, source, who, fault, reason, detail, occurred_ms,
    recorded_ms FROM event";
const INSERT: &str = "INSERT INTO event (id, message_id, attempt_id, kind, source, who, fault, reason, detail,
    occurred_ms, recorded_ms) ";
const AUDIT: &str = "INSERT INTO audit (id, who, action, subject, detail, at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
const AUDITED: &str = "SELECT id, who, action, subject, detail, at_ms FROM audit ORDER BY at_ms DESC, id DESC LIMIT $1";

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identifier.
    pub id: EventId,
    /// Which message it concerns.
    pub message_id: Option<MessageId>,
    /// Which attempt it concerns.
    pub attempt_id: Option<AttemptId>,
    /// What happened.
    pub kind: EventKind,
    /// Where it came from.
    pub source: EventSource,
    /// Who did it or said it.
    pub who: Actor,
    /// The fault, if it is a failure.
    pub fault: Option<Fault>,
    /// Why the message has its new status.
    pub reason: Option<Reason>,
    /// Details for people; never an address.
    pub detail: Option<String>,
    /// When it happened.
    pub occurred_ms: Timestamp,
    /// When it was recorded.
    pub recorded_ms: Timestamp,
}

record!(Event: "event" by id as EventId { id, message_id, attempt_id, kind, source, who, fault, reason, detail, occurred_ms, recorded_ms });

impl Event {
    /// An event that happens now; add to it with struct update syntax.
    #[must_use]
    pub fn new(message: MessageId, kind: EventKind, source: EventSource, who: &Actor, now: Timestamp) -> Self {
        Self {
            id: EventId::new(),
            message_id: Some(message),
            attempt_id: None,
            kind,
            source,
            who: who.clone(),
            fault: None,
            reason: None,
            detail: None,
            occurred_ms: now,
            recorded_ms: now,
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Identifier.
    pub id: EventId,
    /// Who.
    pub who: Actor,
    /// The act.
    pub action: AuditAct,
    /// The object of the act.
    pub subject: Option<String>,
    /// Details.
    pub detail: Option<String>,
    /// When.
    pub at_ms: Timestamp,
}

record!(AuditLine: "audit" by id as EventId { id, who, action, subject, detail, at_ms });

impl Tx {
    /// Appends events.
    pub async fn events_insert(&mut self, events: &[Event]) -> Result<(), StoreError> {
        for portion in portions(events) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(INSERT);
                statement.push_values(portion, |mut row, e| {
                    row.push_bind(e.id).push_bind(e.message_id).push_bind(e.attempt_id).push_bind(e.kind);
                    row.push_bind(e.source).push_bind(&e.who).push_bind(e.fault).push_bind(e.reason);
                    row.push_bind(&e.detail);
                    row.push_bind(e.occurred_ms).push_bind(e.recorded_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The events of a message, first to last, at most 1,000.
    pub async fn events_of(&mut self, message: MessageId) -> Result<Vec<Event>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE message_id = $1 ORDER BY recorded_ms, id LIMIT 1000");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(message).fetch_all(&mut *c).await?)
        })
    }

    /// Records what a person did.
    pub async fn audit(
        &mut self,
        who: &Actor,
        act: AuditAct,
        subject: Option<&str>,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(AUDIT)
                .bind(EventId::new())
                .bind(who)
                .bind(act)
                .bind(subject)
                .bind(detail)
                .bind(now)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// The newest entries of the audit log.
    pub async fn audit_list(&mut self, limit: i64) -> Result<Vec<AuditLine>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(AUDITED).bind(limit).fetch_all(&mut *c).await?))
    }
}
