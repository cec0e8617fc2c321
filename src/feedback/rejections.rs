//! What is said of callbacks that are not accepted. Anybody can send them, so the log gets the first at once and then a line
//! a minute for each account ([`Tally`]); the metric counts every one.

use crate::domain::Timestamp;
use crate::domain::tally::Tally;
use crate::provider::Rejection;

/// Rejected callbacks by account. Only configured accounts get here, so that it stays small.
#[derive(Debug, Default)]
pub(super) struct Rejections(Tally<String, Rejection>);

impl Rejections {
    /// Counts one, and logs it if a line is due.
    pub(super) fn count(&self, provider: &str, rejection: Rejection, now: Timestamp) {
        metrics::counter!("touchline_callbacks_rejected_total", "provider" => provider.to_owned()).increment(1);
        if let Some(count) = self.0.note(&provider.to_owned(), rejection, now) {
            tell(provider, count, rejection);
        }
    }

    /// Logs what was only counted, where a line is due.
    pub(super) fn tell_due(&self, now: Timestamp) {
        for (provider, count, latest) in self.0.due(now) {
            tell(&provider, count, latest);
        }
    }
}

fn tell(provider: &str, count: u64, latest: Rejection) {
    tracing::warn!(provider, count, rejection = %latest, "callbacks were rejected");
}
