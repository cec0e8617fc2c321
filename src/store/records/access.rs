//! Access: API tokens, operators and their sessions. Only hashes of secrets are stored.

use crate::domain::Timestamp;
use crate::domain::id::{OperatorId, TokenId};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const TOKEN_INSERT: &str = "INSERT INTO token (id, name, hash, scopes, created_ms) VALUES ($1, $2, $3, $4, $5)";
const TOKEN_BY_HASH: &str =
    "SELECT id, name, scopes, created_ms, used_ms, revoked_ms FROM token WHERE hash = $1 AND revoked_ms IS NULL";
const TOKENS: &str = "SELECT id, name, scopes, created_ms, used_ms, revoked_ms FROM token ORDER BY created_ms, id";
const TOKEN_USED: &str = "UPDATE token SET used_ms = $2 WHERE id = $1";
const TOKEN_REVOKE: &str = "UPDATE token SET revoked_ms = $2 WHERE name = $1 AND revoked_ms IS NULL";
const OPERATOR_PUT: &str = "INSERT INTO operator (id, name, password_hash, created_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash";
const OPERATOR_BY_NAME: &str = "SELECT id, name, password_hash FROM operator WHERE name = $1";
const OPERATOR_COUNT: &str = "SELECT COUNT(*) FROM operator";
const SESSION_INSERT: &str = "INSERT INTO session (hash, operator_id, form_key, expires_ms) VALUES ($1, $2, $3, $4)";
const SESSION_FIND: &str = "SELECT o.name, s.form_key FROM session s JOIN operator o ON o.id = s.operator_id
    WHERE s.hash = $1 AND s.expires_ms > $2";
const SESSION_END: &str = "DELETE FROM session WHERE hash = $1 OR expires_ms <= $2";

/// An API token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Identifier.
    pub id: TokenId,
    /// Who it was created for.
    pub name: String,
    /// What it may do, comma-separated.
    pub scopes: String,
    /// When it was created.
    pub created_ms: Timestamp,
    /// When it was last used.
    pub used_ms: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_ms: Option<Timestamp>,
}

record!(TokenRow: "token" by id as TokenId { id, name, scopes, created_ms, used_ms, revoked_ms });

/// An operator with the hash of the password (Argon2id, PHC string).
#[derive(Clone)]
pub struct OperatorRow {
    /// Identifier.
    pub id: OperatorId,
    /// Login name.
    pub name: String,
    /// PHC string.
    pub password_hash: String,
}

record!(OperatorRow: "operator" by id as OperatorId { id, name, password_hash });

impl Tx {
    /// Stores a token by the hash of its secret.
    pub async fn token_insert(
        &mut self,
        name: &str,
        hash: &str,
        scopes: &str,
        now: Timestamp,
    ) -> Result<TokenId, StoreError> {
        let id = TokenId::new();
        on!(self, |c, d| {
            sqlx::query(TOKEN_INSERT).bind(id).bind(name).bind(hash).bind(scopes).bind(now).execute(&mut *c).await?;
        });
        Ok(id)
    }

    /// The live token with that hash.
    pub async fn token_by_hash(&mut self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(TOKEN_BY_HASH).bind(hash).fetch_optional(&mut *c).await?))
    }

    /// All tokens.
    pub async fn tokens(&mut self) -> Result<Vec<TokenRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(TOKENS).fetch_all(&mut *c).await?))
    }

    /// Notes that a token was used.
    pub async fn token_used(&mut self, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(TOKEN_USED).bind(id).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Revokes the tokens of that name. Returns how many.
    pub async fn token_revoke(&mut self, name: &str, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(TOKEN_REVOKE).bind(name).bind(now).execute(&mut *c).await?.rows_affected()))
    }

    /// Stores an operator, or a new password for one.
    pub async fn operator_put(&mut self, name: &str, password_hash: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(OPERATOR_PUT)
                .bind(OperatorId::new())
                .bind(name)
                .bind(password_hash)
                .bind(now)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// An operator by login name.
    pub async fn operator_named(&mut self, name: &str) -> Result<Option<OperatorRow>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(OPERATOR_BY_NAME).bind(name).fetch_optional(&mut *c).await?))
    }

    /// How many operators there are.
    pub async fn operator_count(&mut self) -> Result<i64, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_scalar(OPERATOR_COUNT).fetch_one(&mut *c).await?))
    }

    /// Opens a session by the hash of its cookie. `form_key` guards forms against other sites.
    pub async fn session_insert(
        &mut self,
        hash: &str,
        operator: OperatorId,
        form_key: &str,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SESSION_INSERT).bind(hash).bind(operator).bind(form_key).bind(expires).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Operator name and form key of a live session.
    pub async fn session(&mut self, hash: &str, now: Timestamp) -> Result<Option<(String, String)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(SESSION_FIND).bind(hash).bind(now).fetch_optional(&mut *c).await?))
    }

    /// Ends a session, and all sessions that have expired.
    pub async fn session_end(&mut self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(SESSION_END).bind(hash).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }
}
