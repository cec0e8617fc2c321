//! The tower layers around every provider, composed in one place ([`Layered::new`]): tracing, questions a minute, circuit
//! breaker, concurrency, deadline.

mod operation;
mod refusing;
mod service;
mod trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, watch};
use tower::limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
use tower::{ServiceBuilder, ServiceExt};

pub(super) use self::operation::Kind;
use self::operation::{Cancel, Check, Find, Operation, Purge, Status, Submit};
use self::refusing::Refusing;
use self::service::{Deadline, DeadlineLayer, Direct, GateLayer, Gated};
pub(super) use self::service::{End, Gate};
use self::trace::Trace;
use super::breaker::Breaker;
pub use super::breaker::BreakerState;
use super::questions::Questions;
pub use super::slots::Slot;
use super::slots::Slots;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::domain::id::AttemptId;
use crate::domain::{Clock, Lane, Outcome};
use crate::provider::{FindQuery, FindResult, Provider};

/// Questions that may be under way in addition to an account's hand-overs.
const QUESTIONS_BESIDE: usize = 2;

/// Limits of one account, as configured.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Concurrent hand-overs.
    pub concurrency: usize,
    /// The longest that one call may take in total; a little more than the provider's own limit.
    pub timeout: Duration,
    /// Faults of the provider in a row that open the breaker.
    pub breaker_faults: u32,
    /// How long an open breaker stays open.
    pub breaker_pause: Duration,
}

/// All layers, outermost first. A question held back by the limit is not the provider's fault, so that limit is outside
/// the breaker.
type Stack = Gated<Trace, Gated<Option<Arc<Questions>>, Gated<Arc<Breaker>, ConcurrencyLimit<Deadline<Direct>>>>>;

/// A provider with all its layers.
#[derive(Clone)]
pub struct Layered {
    name: Arc<str>,
    provider: Arc<dyn Provider>,
    stack: Stack,
    breaker: Arc<Breaker>,
    slots: Arc<Slots>,
    refusing: Arc<Refusing>,
    timeout: Duration,
}

impl std::fmt::Debug for Layered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layered").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Layered {
    /// Puts the layers around a provider.
    #[must_use]
    pub fn new(name: &str, provider: Arc<dyn Provider>, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let name: Arc<str> = Arc::from(name);
        let questions_max = provider.spec().capabilities.questions_per_minute;
        let questions = questions_max.map(|most| Arc::new(Questions::new(most, clock.clone())));
        let breaker = Arc::new(Breaker::new(limits.breaker_faults, limits.breaker_pause, clock));
        let stack = ServiceBuilder::new()
            .layer(GateLayer(Trace { account: name.clone() }))
            .layer(GateLayer(questions))
            .layer(GateLayer(breaker.clone()))
            .layer(ConcurrencyLimitLayer::new(limits.concurrency.max(1) + QUESTIONS_BESIDE))
            .layer(DeadlineLayer(limits.timeout))
            .service(Direct(provider.clone()));
        let slots = Arc::new(Slots::new(limits.concurrency));
        let refusing = Arc::default();
        Self { name, provider, stack, breaker, slots, refusing, timeout: limits.timeout }
    }

    /// The account's configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The longest that one call takes, however it ends.
    #[must_use]
    pub const fn call_max(&self) -> Duration {
        self.timeout
    }

    /// The provider without layers: for what makes no remote call (`spec`, `receive`).
    #[must_use]
    pub fn provider(&self) -> &dyn Provider {
        self.provider.as_ref()
    }

    /// A slot for one hand-over, waited for before its attempt is recorded: an attempt on record must not wait for its
    /// call. `None` only if the account is shutting down.
    pub async fn slot(&self, lane: Lane) -> Option<Slot> {
        self.slots.slot(lane).await
    }

    /// How many slots a message of that lane finds free now.
    #[must_use]
    pub fn free(&self, lane: Lane) -> usize {
        self.slots.free(lane)
    }

    /// How many messages are worth having at hand for it.
    #[must_use]
    pub fn ahead(&self) -> usize {
        self.slots.ahead()
    }

    /// A free line, waited for between the record of an attempt and its call: a moment at most, or the account has just
    /// become slow. `None` only if the account is shutting down.
    pub async fn line(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.line().await
    }

    /// The breaker's current state.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// The breaker's openings and closings, as they happen.
    #[must_use]
    pub fn watch_breaker(&self) -> watch::Receiver<BreakerState> {
        self.breaker.watch()
    }

    /// Restores the breaker's state from before a restart.
    pub fn adopt_breaker(&self, known: BreakerState) {
        self.breaker.adopt(known);
    }

    async fn call<O: Operation>(&self, operation: O) -> O::Answer {
        let Ok(answer) = self.stack.clone().oneshot(operation).await;
        answer
    }

    /// [`Provider::submit`] through the layers. Without an answer in time the outcome is unknown.
    pub async fn submit(&self, envelope: Arc<Envelope>) -> Outcome {
        let began = Instant::now();
        let outcome = self.call(Submit(envelope)).await;
        self.slots.learn(began.elapsed());
        outcome
    }

    /// [`Provider::status`] through the layers.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        self.call(Status(reference.clone())).await
    }

    /// [`Provider::find`] through the layers.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn find(&self, query: FindQuery) -> Result<FindResult, Failure> {
        self.call(Find(query)).await
    }

    /// Learns from a question about a hand-over and its failure, if it failed: whether the provider refuses the account
    /// itself, so that someone has to mend it.
    #[must_use]
    pub fn refuses_us(&self, attempt: AttemptId, failure: Option<&Failure>) -> bool {
        self.refusing.learn(attempt, failure)
    }

    /// [`Provider::cancel`] through the layers.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.call(Cancel(reference.clone())).await
    }

    /// [`Provider::purge`] through the layers.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.call(Purge(reference.clone())).await
    }

    /// [`Provider::check`] through the layers.
    ///
    /// # Errors
    /// Those of that method.
    pub async fn check(&self) -> Result<String, Failure> {
        self.call(Check).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::domain::envelope::Content;
    use crate::domain::fault::Fault;
    use crate::domain::{Address, FaxNumber, PhiClass, Purpose, SystemClock};
    use crate::provider::{Capabilities, SettingsError, Spec};

    static KIND: Spec = Spec {
        kind: "stub",
        title: "Stub",
        channel: crate::domain::Channel::Fax,
        capabilities: Capabilities { questions_per_minute: Some(1), ..Capabilities::NONE },
        settings: &[],
        sources: &[],
        setup: &[],
        gaps: &[],
        build: |_| Err(SettingsError(String::new())),
    };

    /// Never answers a hand-over, fails every question, and counts both.
    #[derive(Default)]
    struct Silent(AtomicU32);

    #[async_trait]
    impl Provider for Silent {
        fn spec(&self) -> &'static Spec {
            &KIND
        }

        async fn submit(&self, _: &Envelope) -> Outcome {
            self.0.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        }

        async fn status(&self, _: &ProviderReference) -> Result<Report, Failure> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(Failure::new(Fault::ProviderError))
        }

        async fn check(&self) -> Result<String, Failure> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok("it answers".to_owned())
        }
    }

    fn layered(breaker_faults: u32) -> (Layered, Arc<Silent>) {
        let provider = Arc::new(Silent::default());
        let timeout = Duration::from_secs(20);
        let limits = Limits { concurrency: 1, timeout, breaker_faults, breaker_pause: Duration::from_secs(30) };
        (Layered::new("stub", provider.clone(), limits, Arc::new(SystemClock)), provider)
    }

    fn envelope() -> Arc<Envelope> {
        let number = |text| FaxNumber::parse(text).expect("a constant number");
        let (from, to) = (number("+13125550100"), Address::Fax(number("+13125550142")));
        let content = Content::Fax { pdf: Vec::new(), pages: 1, from, sender: String::new() };
        let attempt = AttemptId::new();
        Arc::new(Envelope {
            attempt,
            to,
            content,
            purpose: Purpose::Treatment,
            phi: PhiClass::None,
            transport: Default::default(),
        })
    }

    fn calls(provider: &Silent) -> u32 {
        provider.0.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn a_hand_over_without_an_answer_in_time_is_unknown_and_opens_the_breaker() {
        let (account, provider) = layered(1);
        assert!(matches!(account.submit(envelope()).await, Outcome::Unknown(_)), "it may have been written");
        let refused = account.submit(envelope()).await;
        assert!(matches!(&refused, Outcome::NotSent(failure) if failure.retry_after_seconds.is_some()), "{refused:?}");
        assert_eq!(calls(&provider), 1, "an open breaker makes no call");
        assert!(account.check().await.is_ok(), "questions pass an open breaker");
        assert_eq!(account.breaker().faults, 0, "and a good answer closes it");
    }

    #[tokio::test(start_paused = true)]
    async fn questions_beyond_the_providers_limit_are_not_asked_unless_a_person_waits() {
        let (account, provider) = layered(9);
        let reference = ProviderReference::new("17").expect("it can be one");
        let failed = account.status(&reference).await.expect_err("the provider is in trouble");
        assert_eq!((failed.fault, calls(&provider)), (Fault::ProviderError, 1));
        let held = account.status(&reference).await.expect_err("one a minute");
        assert_eq!((held.fault, calls(&provider)), (Fault::RateLimited, 1));
        assert_eq!(account.breaker().faults, 1, "what was not asked is no trouble of the provider");
        assert!(account.check().await.is_ok());
        assert_eq!(calls(&provider), 2);
    }
}
