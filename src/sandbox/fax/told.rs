//! The callbacks sent about each fax and how the customer answered, for the page.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notice::{Notice, Truth};
use crate::domain::Timestamp;

/// Faxes remembered; the oldest are forgotten first.
const FAXES_MAX: usize = 1_000;
/// Callbacks remembered for each.
const CALLBACKS_MAX: usize = 24;

/// One callback that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The event, in the guise's word.
    pub stage: &'static str,
    /// Whether it was genuine.
    pub truth: Truth,
    /// When it was sent.
    pub at: Timestamp,
    /// The status of the answer; none if there was none.
    pub answer: Option<u16>,
}

/// Callbacks by the fax's id. Ids sort by age.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeMap<String, Vec<Callback>>>);

impl Told {
    pub(super) fn note(&self, notice: &Notice, at: Timestamp, answer: Option<u16>) {
        let mut told = self.lock();
        while told.len() >= FAXES_MAX && !told.contains_key(&notice.fax.id) {
            told.pop_first();
        }
        let callbacks = told.entry(notice.fax.id.clone()).or_default();
        if callbacks.len() < CALLBACKS_MAX {
            callbacks.push(Callback { stage: notice.stage, truth: notice.truth, at, answer });
        }
    }

    pub(super) fn of(&self, id: &str) -> Vec<Callback> {
        self.lock().get(id).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Callback>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
