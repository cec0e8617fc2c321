//! What is said of requests that anybody can send as often as they like: the first of a matter at once, and then a line a
//! minute with how many there were ([`Tally`]), so that strangers cannot fill the log.

use std::time::Duration;

use axum::http::StatusCode;

use crate::domain::Timestamp;
use crate::domain::tally::Tally;

/// What such a request met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    /// An opt-out link that names no letter to be refused.
    UnknownLink,
    /// A connection that the system did not let us accept.
    NotAccepted,
    /// An error of ours: the route, and the status of the answer.
    Failed(String, u16),
}

/// The latest of a matter, as far as the line says it.
#[derive(Debug, Clone, Default)]
pub(super) struct Latest {
    /// Why, in words that hold nothing of the request.
    pub cause: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What strangers met, counted.
#[derive(Debug, Default)]
pub(super) struct Strangers(Tally<Matter, Latest>);

impl Strangers {
    /// Counts one, and logs it if a line is due.
    pub(super) fn count(&self, matter: &Matter, latest: Latest, now: Timestamp) {
        if let Some(count) = self.0.note(matter, latest.clone(), now) {
            tell(matter, count, &latest);
        }
    }

    /// Logs what was only counted, where a line is due.
    pub(super) fn tell_due(&self, now: Timestamp) {
        for (matter, count, latest) in self.0.due(now) {
            tell(&matter, count, &latest);
        }
    }
}

fn tell(matter: &Matter, count: u64, latest: &Latest) {
    let cause = latest.cause.as_deref().unwrap_or_default();
    match matter {
        Matter::UnknownLink => tracing::warn!(count, "opt-out links were used that name no letter to be refused"),
        Matter::NotAccepted => tracing::warn!(count, cause, "connections could not be accepted"),
        Matter::Failed(route, status) => {
            let took_ms = latest.took.as_millis();
            if *status == StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
                tracing::error!(count, route, status, took_ms, cause, "requests failed");
            } else {
                tracing::warn!(count, route, status, took_ms, cause, "requests could not be carried out");
            }
        }
    }
}
