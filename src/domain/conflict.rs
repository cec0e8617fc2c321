//! A difference between a correction by hand and a list.

use super::actor::Actor;
use super::clock::Timestamp;
use super::id::{ConflictId, ReferrerId};
use super::provenance::RecordField;
use super::words::words;

words! {
    /// How a person settled it.
    Choice {
        /// The correction stays; the same value is not offered again.
        Keep = "keep",
        /// The list's value replaces it.
        Accept = "accept",
    }
}

/// A list says something else than a correction by hand. The correction stands until a person accepts the list's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Identifier.
    pub id: ConflictId,
    /// Whose record.
    pub referrer_id: ReferrerId,
    /// Which field.
    pub field: RecordField,
    /// What a person entered; none if it was emptied.
    pub kept: Option<String>,
    /// What the list says.
    pub offered: String,
    /// The list's name.
    pub list: String,
    /// When it was found.
    pub created_ms: Timestamp,
    /// When it was settled.
    pub settled_ms: Option<Timestamp>,
    /// Who settled it.
    pub settled_by: Option<Actor>,
    /// How.
    pub choice: Option<Choice>,
}
