//! Referrers: lists to import, who an audience is, and what a person records about one of them.

pub mod audience;
pub mod conflicts;
pub(crate) mod conversation;
mod double;
pub mod edit;
mod entered;
pub mod export;
pub mod fields;
pub mod import;
pub mod locations;
pub mod matching;
pub mod merge;
mod refusals;
pub mod remove;
pub mod sheet;

use std::sync::Arc;

pub use edit::{add, edit, edit_entering, log_touch};

use crate::domain::Clock;
use crate::store::{Store, StoreError};

/// What changing referrers needs.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why referrers could not be found or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReferrersError {
    /// There is no such referrer: what was looked for, in words.
    #[error("{0}")]
    NotFound(String),
    /// Somebody on record looks like the person who was to be added: who, in words. The faces add how to say that it is
    /// another one.
    #[error("{0}")]
    Known(String),
    /// It cannot be done as asked: why, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}
