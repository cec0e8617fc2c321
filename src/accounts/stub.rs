//! An account of a provider that does nothing, for tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::ConfiguredAccount;
use super::layers::{Layered, Limits};
use crate::domain::envelope::Envelope;
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, Outcome, SystemClock};
use crate::provider::{Capabilities, Provider, SettingsError, Spec};

pub(crate) static KIND: Spec = Spec {
    kind: "stub",
    title: "Stub",
    channel: Channel::Fax,
    capabilities: Capabilities { pages_max: Some(9), submits_per_minute: Some(60), ..Capabilities::NONE },
    settings: &[],
    sources: &[],
    setup: &[],
    gaps: &[],
    build: |_| Err(SettingsError(String::new())),
};

#[derive(Debug)]
struct Stub;

#[async_trait]
impl Provider for Stub {
    fn spec(&self) -> &'static Spec {
        &KIND
    }

    async fn submit(&self, _: &Envelope) -> Outcome {
        Outcome::NotSent(Failure::new(Fault::ProviderError))
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok(String::new())
    }
}

/// An account without limits or costs that makes so many calls at once.
pub(crate) fn account(name: &str, concurrency: usize) -> ConfiguredAccount {
    let second = Duration::from_secs(1);
    let limits = Limits { concurrency, timeout: second, breaker_faults: 5, breaker_pause: second * 30 };
    ConfiguredAccount::free(Layered::new(name, Arc::new(Stub), limits, Arc::new(SystemClock)))
}
