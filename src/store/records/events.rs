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
const AUDITS: &str = "INSERT INTO audit (id, who, action, subject, detail, at_ms) ";
const AUDIT_DETAIL: &str =
    "SELECT detail FROM audit WHERE at_ms = $1 AND action = $2 AND subject = $3 ORDER BY id LIMIT 1";
const LAST_OF_ACT: &str = "SELECT who, MAX(at_ms) FROM audit WHERE at_ms >= $1 AND action = $2 GROUP BY who";

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

impl AuditLine {
    /// A new entry.
    #[must_use]
    pub fn new(
        who: &Actor,
        action: AuditAct,
        subject: Option<String>,
        detail: Option<String>,
        at_ms: Timestamp,
    ) -> Self {
        Self { id: EventId::new(), who: who.clone(), action, subject, detail, at_ms }
    }
}

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

    /// Appends entries to the audit log.
    pub async fn audit_insert(&mut self, lines: &[AuditLine]) -> Result<(), StoreError> {
        for portion in portions(lines) {
            on!(self, |c, d| {
                let mut statement = sqlx::QueryBuilder::<Engine>::new(AUDITS);
                statement.push_values(portion, |mut row, line| {
                    row.push_bind(line.id).push_bind(&line.who).push_bind(line.action);
                    row.push_bind(&line.subject).push_bind(&line.detail).push_bind(line.at_ms);
                });
                statement.build().execute(&mut *c).await?;
            });
        }
        Ok(())
    }

    /// The details of the entry of that act about that subject, of exactly that moment; `None` if there is none.
    pub async fn audit_detail(
        &mut self,
        act: AuditAct,
        subject: &str,
        at: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let found: Option<Option<String>> = on!(self, |c, d| {
            sqlx::query_scalar(AUDIT_DETAIL).bind(at).bind(act).bind(subject).fetch_optional(&mut *c).await?
        });
        Ok(found.flatten())
    }

    /// Who did that since a moment, each with the last time.
    pub async fn audit_last(&mut self, act: AuditAct, since: Timestamp) -> Result<Vec<(Actor, Timestamp)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(LAST_OF_ACT).bind(since).bind(act).fetch_all(&mut *c).await?))
    }
}
