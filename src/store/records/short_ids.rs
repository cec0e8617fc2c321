//! Records by the short form of their ids, as people read them off tables and pages ([`crate::domain::id::short`]).

use uuid::Uuid;

use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

/// The most records of one short id that are named.
const FOUND_MAX: i64 = 20;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A message.
    Message,
    /// A submission.
    Submission,
    /// A suppression.
    Suppression,
    /// A provider's callback.
    Callback,
    /// An import of a list.
    Import,
    /// A difference between a list and a correction.
    Conflict,
    /// A merge of two referrers.
    Merge,
    /// A referrer.
    Referrer,
    /// Something that came back for an email.
    Return,
    /// A broadcast.
    Broadcast,
}

impl Kept {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Submission => "submission",
            Self::Suppression => "suppression",
            Self::Callback => "callback",
            Self::Import => "import",
            Self::Conflict => "conflict",
            Self::Merge => "merge",
            Self::Referrer => "referrer",
            Self::Return => "return",
            Self::Broadcast => "broadcast",
        }
    }

    const fn query(self) -> &'static str {
        match self {
            Self::Message => "SELECT id FROM message WHERE ",
            Self::Submission => "SELECT id FROM submission WHERE ",
            Self::Suppression => "SELECT id FROM suppression WHERE ",
            Self::Callback => "SELECT id FROM inbox WHERE ",
            Self::Import => "SELECT id FROM list_import WHERE ",
            Self::Conflict => "SELECT id FROM referrer_conflict WHERE ",
            Self::Merge => "SELECT id FROM referrer_merge WHERE ",
            Self::Referrer => "SELECT id FROM referrer WHERE ",
            Self::Return => "SELECT id FROM mail_return WHERE ",
            Self::Broadcast => "SELECT id FROM broadcast WHERE ",
        }
    }
}

impl Tx {
    /// The ids that end with that reference, the newest first, at most 20. Nearly always there is one.
    pub async fn ids_ending(&mut self, kept: Kept, reference: &str) -> Result<Vec<Uuid>, StoreError> {
        on!(self, |c, d| {
            let mut statement = sqlx::QueryBuilder::<Engine>::new(kept.query());
            statement.push(d.short_id()).push(" = ").push_bind(reference.to_uppercase());
            statement.push(" ORDER BY id DESC LIMIT ").push_bind(FOUND_MAX);
            Ok(statement.build_query_scalar().fetch_all(&mut *c).await?)
        })
    }
}
