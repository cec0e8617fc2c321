//! Operators, without their passwords.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::store::records::operators::OperatorRow;

/// An operator of the dashboard.
#[derive(Debug, Serialize)]
pub struct OperatorView {
    /// Identifier.
    pub id: Uuid,
    /// Login name.
    pub name: String,
    /// Added.
    pub created_at: Timestamp,
    /// Since when they may not log in.
    pub disabled_at: Option<Timestamp>,
}

impl From<&OperatorRow> for OperatorView {
    fn from(operator: &OperatorRow) -> Self {
        Self {
            id: operator.id.0,
            name: operator.name.clone(),
            created_at: operator.created_ms,
            disabled_at: operator.disabled_ms,
        }
    }
}
