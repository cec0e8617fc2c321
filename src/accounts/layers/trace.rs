//! The outermost layer: counts calls, measures them, and logs them.

use std::sync::Arc;

use super::operation::Kind;
use super::service::{End, Gate};

/// Counts the calls of one account.
#[derive(Clone)]
pub struct Trace {
    /// Its configured name.
    pub account: Arc<str>,
}

impl Gate for Trace {
    fn ended(&self, kind: Kind, end: End<'_>) {
        let (account, name, word) = (&self.account, kind.name, end.word);
        let fault = end.failure.map_or("none", |failure| failure.fault.as_str());
        let elapsed_ms = u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(provider = %account, call = name, answer = word, fault, elapsed_ms, "provider called");
        metrics::counter!("touchline_provider_calls_total", "provider" => account.clone(), "call" => name, "answer" => word, "fault" => fault)
            .increment(1);
        metrics::histogram!("touchline_provider_call_seconds", "provider" => account.clone(), "call" => name)
            .record(end.took.as_secs_f64());
    }
}
