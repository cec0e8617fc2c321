//! API tokens, without their secrets.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::store::records::access::TokenRow;

/// An API token without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Identifier.
    pub id: Uuid,
    /// Who it was made for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Timestamp>,
    /// Revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

impl From<&TokenRow> for TokenView {
    fn from(token: &TokenRow) -> Self {
        Self {
            id: token.id.0,
            name: token.name.clone(),
            scopes: token.scopes.split(',').map(str::to_owned).collect(),
            created_at: token.created_ms,
            used_at: token.used_ms,
            revoked_at: token.revoked_ms,
        }
    }
}
