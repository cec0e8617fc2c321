//! Operators and their sessions. Only hashes of passwords and cookies are stored.

use sqlx::AssertSqlSafe;

use crate::domain::Timestamp;
use crate::domain::id::OperatorId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const COLUMNS: &str = "SELECT id, name, password_hash, created_ms, disabled_ms FROM operator";
const ALL: &str = "SELECT id, name, password_hash, created_ms, disabled_ms FROM operator ORDER BY name, id";
const INSERT: &str = "INSERT INTO operator (id, name, password_hash, created_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO NOTHING";
const PASSWORD: &str = "UPDATE operator SET password_hash = $2 WHERE id = $1";
const DISABLED: &str = "UPDATE operator SET disabled_ms = $2 WHERE id = $1";
const REMOVE: &str = "DELETE FROM operator WHERE id = $1";
const COUNT: &str = "SELECT COUNT(*) FROM operator WHERE disabled_ms IS NULL";
const SESSION_INSERT: &str =
    "INSERT INTO session (hash, operator_id, form_key, seen_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)";
const SESSION_FIND: &str = "SELECT s.hash, o.name, s.form_key, s.seen_ms FROM session s
    JOIN operator o ON o.id = s.operator_id
    WHERE s.hash = $1 AND s.expires_ms > $2 AND o.disabled_ms IS NULL";
const SESSION_SEEN: &str = "UPDATE session SET seen_ms = $2 WHERE hash = $1 AND seen_ms < $2";
const SESSION_END: &str = "DELETE FROM session WHERE hash = $1 OR expires_ms <= $2";
const SESSIONS_END_OF: &str = "DELETE FROM session WHERE operator_id = $1";

/// An operator with the hash of the password (Argon2id, PHC string).
#[derive(Clone)]
pub struct OperatorRow {
    /// Identifier.
    pub id: OperatorId,
    /// Login name.
    pub name: String,
    /// PHC string.
    pub password_hash: String,
    /// When the operator was added.
    pub created_ms: Timestamp,
    /// Since when the operator may not log in.
    pub disabled_ms: Option<Timestamp>,
}

record!(OperatorRow: "operator" by id as OperatorId { id, name, password_hash, created_ms, disabled_ms });

/// A session that has not expired, of an operator who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Login name of the operator.
    pub name: String,
    /// What every form of the session sends back.
    pub form_key: String,
    /// When it was last used, as far as it has been written down.
    pub seen_ms: Timestamp,
}

record!(SessionRow: "session" by hash as String { name, form_key, seen_ms });

impl Tx {
    /// Stores an operator. False, and nothing is changed, if there is one of that name.
    pub async fn operator_insert(
        &mut self,
        name: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = OperatorId::new();
        on!(self, |c, d| {
            let insert = sqlx::query(INSERT).bind(id).bind(name).bind(password_hash).bind(now);
            Ok(insert.execute(&mut *c).await?.rows_affected() > 0)
        })
    }

    /// All operators, by name.
    pub async fn operators(&mut self) -> Result<Vec<OperatorRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(ALL).fetch_all(&mut *c).await?))
    }

    /// An operator by login name.
    pub async fn operator_named(&mut self, name: &str) -> Result<Option<OperatorRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE name = $1");
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(name).fetch_optional(&mut *c).await?)
        })
    }

    /// An operator, who stays as they are until the end of the transaction.
    pub async fn operator_unchanging(&mut self, id: OperatorId) -> Result<Option<OperatorRow>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} WHERE id = $1{}", d.for_share());
            Ok(sqlx::query_as(AssertSqlSafe(text)).bind(id).fetch_optional(&mut *c).await?)
        })
    }

    /// Stores another password for an operator.
    pub async fn operator_password(&mut self, id: OperatorId, password_hash: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(PASSWORD).bind(id).bind(password_hash).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Stores since when an operator may not log in; `None`: they may.
    pub async fn operator_disabled(&mut self, id: OperatorId, since: Option<Timestamp>) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(DISABLED).bind(id).bind(since).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Deletes an operator, and with them their sessions.
    pub async fn operator_remove(&mut self, id: OperatorId) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(REMOVE).bind(id).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// How many operators may log in.
    pub async fn operator_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(COUNT).fetch_one(&mut *c).await?))
    }

    /// Opens a session by the hash of its cookie. `form_key` guards forms against other sites.
    pub async fn session_insert(
        &mut self,
        hash: &str,
        operator: OperatorId,
        form_key: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let insert = sqlx::query(SESSION_INSERT).bind(hash).bind(operator).bind(form_key).bind(now).bind(expires);
            insert.execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The session with that hash, if it has not expired and its operator may log in.
    pub async fn session(&mut self, hash: &str, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(SESSION_FIND).bind(hash).bind(now).fetch_optional(&mut *c).await?))
    }

    /// Notes that a session was used. A later use that is known already stays.
    pub async fn session_seen(&mut self, hash: &str, at: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SESSION_SEEN).bind(hash).bind(at).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Ends a session, and all sessions that have expired.
    pub async fn session_end(&mut self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SESSION_END).bind(hash).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Ends all sessions of an operator. Returns how many.
    pub async fn sessions_end_of(&mut self, operator: OperatorId) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(SESSIONS_END_OF).bind(operator).execute(&mut *c).await?.rows_affected()))
    }
}
