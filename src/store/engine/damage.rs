//! A database that was found damaged is remembered for a while, wherever that was noticed: a check that reads little may
//! not meet the damage itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::db::Store;
use super::error::StoreError;

/// How long it is remembered. Whoever works with the database meets it again sooner.
const REMEMBERED: Duration = Duration::from_secs(60);

/// When damage was last met.
#[derive(Debug, Clone, Default)]
pub(super) struct Damage(Arc<Mutex<Option<Instant>>>);

impl Store {
    /// Remembers an error if it says that the database is damaged or not ours.
    pub fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Unusable(_)) {
            self.note_damage();
        }
    }

    /// Remembers that the database was found damaged.
    pub fn note_damage(&self) {
        *self.damage().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it was found damaged within the last minute.
    #[must_use]
    pub fn was_found_damaged(&self) -> bool {
        let met = *self.damage().0.lock().unwrap_or_else(PoisonError::into_inner);
        met.is_some_and(|met| met.elapsed() < REMEMBERED)
    }
}
