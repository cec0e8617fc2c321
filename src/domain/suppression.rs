//! A standing refusal to contact an address.

use serde::Serialize;

use super::channel::{Channel, Purpose, words};
use super::clock::Timestamp;
use super::id::SuppressionId;

words! {
    /// How far a refusal goes.
    Scope {
        /// Advertisements and informational letters; treatment correspondence still goes.
        Advertisement = "advertisement",
        /// Everything.
        All = "all",
    }
}

impl Scope {
    /// Whether a letter of that purpose is refused. An opt-out of advertisements never stops a treatment message
    /// (`compliance.md` R2.13).
    #[must_use]
    pub const fn covers(self, purpose: Purpose) -> bool {
        match self {
            Self::All => true,
            Self::Advertisement => matches!(purpose, Purpose::Advertisement | Purpose::Informational),
        }
    }
}

/// A refusal as it is kept. It attaches to the address, not to the person: all who share a fax number are covered
/// (R2.8). Never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Suppression {
    /// Identifier.
    pub id: SuppressionId,
    /// Channel of the address.
    pub channel: Channel,
    /// The address's key (lower case).
    pub address: String,
    /// How far it goes.
    pub scope: Scope,
    /// Why, such as `opt_out`, `complaint`, `bounced`, `do_not_contact`.
    pub reason: String,
    /// Where the request came in: `operator`, `web`, `one_click`, `provider`, `import`.
    pub source: String,
    /// What proves it.
    pub evidence: Option<String>,
    /// Who recorded it.
    pub who: String,
    /// When.
    pub created_ms: Timestamp,
    /// When it ended.
    pub lifted_ms: Option<Timestamp>,
    /// Who ended it.
    pub lifted_by: Option<String>,
    /// Why it ended.
    pub lifted_reason: Option<String>,
}
