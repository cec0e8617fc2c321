//! The tower layers around every provider, composed in one place ([`Layered::new`]): tracing, questions a minute, circuit
//! breaker, concurrency, deadline.

mod operation;
mod service;
mod trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, watch};
use tower::limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
use tower::{ServiceBuilder, ServiceExt};

pub(super) use self::operation::Kind;
use self::operation::{Cancel, Check, Find, Operation, Purge, Status, Submit};
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
use crate::domain::{Clock, Lane, Outcome};
use crate::provider::{FindQuery, FindResult, Provider};

/// Questions that may be under way beside the hand-overs of an account.
const QUESTIONS_BESIDE: usize = 2;

/// Limits of one account, as configured.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Hand-overs under way at once.
    pub concurrency: usize,
    /// The longest that one call may take, over all; a little more than the provider's own.
    pub timeout: Duration,
    /// Faults of the provider in a row that open the breaker.
    pub breaker_faults: u32,
    /// How long an open breaker stays open.
    pub breaker_pause: Duration,
}

/// All layers, outermost first. What the limit of questions holds back is no trouble of the provider, so it is outside the
/// breaker.
type Stack = Gated<Trace, Gated<Option<Arc<Questions>>, Gated<Arc<Breaker>, ConcurrencyLimit<Deadline<Direct>>>>>;

/// A provider with all its layers on.
#[derive(Clone)]
pub struct Layered {
    name: Arc<str>,
    provider: Arc<dyn Provider>,
    stack: Stack,
    breaker: Arc<Breaker>,
    slots: Arc<Slots>,
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
        Self { name, provider, stack, breaker, slots, timeout: limits.timeout }
    }

    /// The account's configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The longest that one call takes, whatever becomes of it.
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
    /// call. `None` only if the account is being taken down.
    pub async fn slot(&self, lane: Lane) -> Option<Slot> {
        self.slots.slot(lane).await
    }

    /// A free line, waited for between the record of an attempt and its call: a moment at most, or the account has just
    /// become slow. `None` only if the account is being taken down.
    pub async fn line(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.line().await
    }

    /// The breaker as it stands.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// The breaker's openings and closings, as they happen.
    #[must_use]
    pub fn watch_breaker(&self) -> watch::Receiver<BreakerState> {
        self.breaker.watch()
    }

    /// Puts the breaker where it stood before a restart.
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
    /// As there.
    pub async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        self.call(Status(reference.clone())).await
    }

    /// [`Provider::find`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn find(&self, query: FindQuery) -> Result<FindResult, Failure> {
        self.call(Find(query)).await
    }

    /// [`Provider::cancel`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.call(Cancel(reference.clone())).await
    }

    /// [`Provider::purge`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.call(Purge(reference.clone())).await
    }

    /// [`Provider::check`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn check(&self) -> Result<String, Failure> {
        self.call(Check).await
    }
}
