//! What stands against mail to many, for whoever is about to accept it.

use async_trait::async_trait;

use crate::domain::Timestamp;

/// From so many recipients of email on, a broadcast is mail to many. Gmail's rules for bulk begin at about 5,000 a day
/// (support.google.com/a/answer/81126), but receivers watch the same things from the first letter on.
pub const MANY_RECIPIENTS: usize = 50;

/// Finds out what stands against mail to many.
#[async_trait]
pub trait Standing: std::fmt::Debug + Send + Sync {
    /// Why it would break the rules that large receivers have for it, and what to do; `None` if nothing is known. What
    /// cannot be found out stands against nothing.
    async fn breach(&self, now: Timestamp) -> Option<String>;
}

/// Nothing is known, so nothing is refused.
#[derive(Debug, Clone, Copy)]
pub struct NothingKnown;

#[async_trait]
impl Standing for NothingKnown {
    async fn breach(&self, _now: Timestamp) -> Option<String> {
        None
    }
}
