//! Access: API tokens. Only hashes of secrets are stored.

use crate::domain::Timestamp;
use crate::domain::id::TokenId;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const TOKEN_INSERT: &str = "INSERT INTO token (id, name, hash, scopes, created_ms) VALUES ($1, $2, $3, $4, $5)";
const TOKEN_BY_HASH: &str =
    "SELECT id, name, scopes, created_ms, used_ms, revoked_ms FROM token WHERE hash = $1 AND revoked_ms IS NULL";
const TOKENS: &str = "SELECT id, name, scopes, created_ms, used_ms, revoked_ms FROM token ORDER BY created_ms, id";
const TOKEN_USED: &str = "UPDATE token SET used_ms = $2 WHERE id = $1 AND (used_ms IS NULL OR used_ms < $2)";
const TOKEN_REVOKE: &str = "UPDATE token SET revoked_ms = $2 WHERE name = $1 AND revoked_ms IS NULL";

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

    /// Notes that a token was used. A later use that is known already stays.
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
}
