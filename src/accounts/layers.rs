//! The tower layers that stand around every provider, composed in one place: tracing, questions a minute, circuit breaker,
//! concurrency, timeout. A timeout of `submit` is unknown, because the request may have been written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tower::limit::ConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::breaker::Breaker;
pub use super::breaker::BreakerState;
use super::questions::Questions;
pub use super::slots::Slot;
use super::slots::Slots;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::Report;
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Lane, Outcome};
use crate::provider::{Lookup, Provider, Search};

/// Questions (status, look-up, cancel) that may be under way beside the hand-overs of an account.
const QUESTIONS_BESIDE: usize = 2;

/// One remote operation, as it travels through the layers.
#[derive(Debug, Clone)]
pub enum Call {
    /// Hand over.
    Submit(Arc<Envelope>),
    /// Ask for the state.
    Status(ProviderReference),
    /// Look for an unknown hand-over.
    Find(Box<Search>),
    /// Ask to stop.
    Cancel(ProviderReference),
    /// Ask to delete the document.
    Purge(ProviderReference),
    /// Credentials and reachability.
    Check,
}

impl Call {
    const fn name(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit",
            Self::Status(_) => "status",
            Self::Find(_) => "find",
            Self::Cancel(_) => "cancel",
            Self::Purge(_) => "purge",
            Self::Check => "check",
        }
    }

    /// Whether a person waits for the answer.
    const fn is_for_a_person(&self) -> bool {
        matches!(self, Self::Cancel(_) | Self::Check)
    }
}

/// The answer to a [`Call`], of the same name.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Of `submit`.
    Outcome(Outcome),
    /// Of `status`.
    Report(Result<Report, Failure>),
    /// Of `find`.
    Lookup(Result<Lookup, Failure>),
    /// Of `cancel` and `purge`.
    Done(Result<(), Failure>),
    /// Of `check`.
    Checked(Result<String, Failure>),
}

impl Reply {
    /// The same failure, in the form that answers `call`.
    fn of_failure(call: &Call, outcome: fn(Failure) -> Outcome, failure: Failure) -> Self {
        match call {
            Call::Submit(_) => Self::Outcome(outcome(failure)),
            Call::Status(_) => Self::Report(Err(failure)),
            Call::Find(_) => Self::Lookup(Err(failure)),
            Call::Cancel(_) | Call::Purge(_) => Self::Done(Err(failure)),
            Call::Check => Self::Checked(Err(failure)),
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Outcome(outcome) => outcome.failure(),
            Self::Report(Err(failure))
            | Self::Lookup(Err(failure))
            | Self::Done(Err(failure))
            | Self::Checked(Err(failure)) => Some(failure),
            _ => None,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.as_str(),
            other if other.failure().is_some() => "failed",
            _ => "ok",
        }
    }
}

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

/// A provider with all its layers on.
#[derive(Clone)]
pub struct Layered {
    name: Arc<str>,
    provider: Arc<dyn Provider>,
    service: BoxCloneSyncService<Call, Reply, std::convert::Infallible>,
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
    /// Puts the layers around a provider: the outermost counts and traces, then come the provider's limit of questions
    /// (what it holds back is no trouble of the provider, so it stands outside the breaker), the breaker, the slots, and
    /// innermost the clock that ends a call.
    #[must_use]
    pub fn new(name: &str, provider: Arc<dyn Provider>, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let questions_max = provider.spec().capabilities.questions_per_minute;
        let questions = questions_max.map(|most| Arc::new(Questions::new(most, clock.clone())));
        let breaker = Arc::new(Breaker::new(limits.breaker_faults, limits.breaker_pause, clock));
        let inner = Direct { provider: provider.clone() };
        let slots = Arc::new(Slots::new(limits.concurrency));
        let service = ServiceBuilder::new()
            .layer(TraceLayer { account: Arc::from(name) })
            .layer(QuestionLayer { questions })
            .layer(BreakerLayer { breaker: breaker.clone() })
            .layer(ConcurrencyLimitLayer::new(limits.concurrency.max(1) + QUESTIONS_BESIDE))
            .layer(DeadlineLayer { timeout: limits.timeout })
            .service(inner);
        let timeout = limits.timeout;
        Self { name: Arc::from(name), provider, service: BoxCloneSyncService::new(service), breaker, slots, timeout }
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

    async fn ask(&self, call: Call) -> Reply {
        match self.service.clone().oneshot(call).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        }
    }

    /// [`Provider::submit`] through the layers.
    pub async fn submit(&self, envelope: Arc<Envelope>) -> Outcome {
        let began = std::time::Instant::now();
        let reply = self.ask(Call::Submit(envelope)).await;
        self.slots.learn(began.elapsed());
        match reply {
            Reply::Outcome(outcome) => outcome,
            _ => Outcome::Unknown(mismatch()),
        }
    }

    /// [`Provider::status`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        match self.ask(Call::Status(reference.clone())).await {
            Reply::Report(report) => report,
            _ => Err(mismatch()),
        }
    }

    /// [`Provider::find`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn find(&self, search: Search) -> Result<Lookup, Failure> {
        match self.ask(Call::Find(Box::new(search))).await {
            Reply::Lookup(lookup) => lookup,
            _ => Err(mismatch()),
        }
    }

    /// [`Provider::cancel`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        match self.ask(Call::Cancel(reference.clone())).await {
            Reply::Done(done) => done,
            _ => Err(mismatch()),
        }
    }

    /// [`Provider::purge`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        match self.ask(Call::Purge(reference.clone())).await {
            Reply::Done(done) => done,
            _ => Err(mismatch()),
        }
    }

    /// [`Provider::check`] through the layers.
    ///
    /// # Errors
    /// As there.
    pub async fn check(&self) -> Result<String, Failure> {
        match self.ask(Call::Check).await {
            Reply::Checked(checked) => checked,
            _ => Err(mismatch()),
        }
    }
}

fn mismatch() -> Failure {
    Failure::new(Fault::ProtocolError).text("the layers answered another question")
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply, std::convert::Infallible>> + Send>>;

/// The innermost service: the provider itself.
#[derive(Clone)]
struct Direct {
    provider: Arc<dyn Provider>,
}

impl Service<Call> for Direct {
    type Response = Reply;
    type Error = std::convert::Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let provider = self.provider.clone();
        Box::pin(async move {
            Ok(match call {
                Call::Submit(envelope) => Reply::Outcome(provider.submit(&envelope).await),
                Call::Status(reference) => Reply::Report(provider.status(&reference).await),
                Call::Find(search) => Reply::Lookup(provider.find(&search).await),
                Call::Cancel(reference) => Reply::Done(provider.cancel(&reference).await),
                Call::Purge(reference) => Reply::Done(provider.purge(&reference).await),
                Call::Check => Reply::Checked(provider.check().await),
            })
        })
    }
}

macro_rules! layer {
    ($layer:ident { $($field:ident: $type:ty),+ } => $service:ident, |$self:ident, $call:ident, $next:ident| $body:expr) => {
        #[derive(Clone)]
        struct $layer { $($field: $type,)+ }
        #[derive(Clone)]
        struct $service<S> { $($field: $type,)+ inner: S }

        impl<S> Layer<S> for $layer {
            type Service = $service<S>;
            fn layer(&self, inner: S) -> Self::Service {
                $service { $($field: self.$field.clone(),)+ inner }
            }
        }

        impl<S> Service<Call> for $service<S>
        where
            S: Service<Call, Response = Reply, Error = std::convert::Infallible>,
            S::Future: Send + 'static,
        {
            type Response = Reply;
            type Error = std::convert::Infallible;
            type Future = Answering;

            fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                self.inner.poll_ready(context)
            }

            fn call(&mut self, $call: Call) -> Self::Future {
                let $self = &mut *self;
                let $next = |call: Call, inner: &mut S| inner.call(call);
                $body
            }
        }
    };
}

layer!(DeadlineLayer { timeout: Duration } => Deadline, |this, call, next| {
    let asked = call.clone();
    let timeout = this.timeout;
    let answer = next(call, &mut this.inner);
    Box::pin(async move {
        match tokio::time::timeout(timeout, answer).await {
            Ok(reply) => reply,
            Err(_) => {
                let failure = Failure::new(Fault::ProviderError).text("no answer in time");
                Ok(Reply::of_failure(&asked, Outcome::Unknown, failure))
            }
        }
    })
});

layer!(BreakerLayer { breaker: Arc<Breaker> } => Breaking, |this, call, next| {
    let breaker = this.breaker.clone();
    // Questions are always allowed: they can do no harm.
    let refused = if matches!(call, Call::Submit(_)) { breaker.refuses() } else { None };
    if let Some(wait_seconds) = refused {
        let failure = Failure::new(Fault::ProviderError).text("paused after repeated trouble").retry_after(Some(wait_seconds));
        let reply = Reply::of_failure(&call, Outcome::NotSent, failure);
        return Box::pin(async move { Ok(reply) });
    }
    let answer = next(call, &mut this.inner);
    Box::pin(async move {
        let reply = answer.await?;
        breaker.observe(reply.failure());
        Ok(reply)
    })
});

layer!(QuestionLayer { questions: Option<Arc<Questions>> } => Questioning, |this, call, next| {
    let questions = this.questions.as_ref().filter(|_| !matches!(call, Call::Submit(_)));
    if let Some(Err(wait)) = questions.map(|questions| questions.turn(call.is_for_a_person())) {
        let failure = Failure::new(Fault::RateLimited).text("not asked: the provider's limit of questions is reached");
        let reply = Reply::of_failure(&call, Outcome::NotSent, failure.retry_after(Some(wait.as_secs() + 1)));
        return Box::pin(async move { Ok(reply) });
    }
    let answer = next(call, &mut this.inner);
    Box::pin(answer)
});

layer!(TraceLayer { account: Arc<str> } => Tracing, |this, call, next| {
    let account = this.account.clone();
    let name = call.name();
    let started = std::time::Instant::now();
    let answer = next(call, &mut this.inner);
    Box::pin(async move {
        let reply = answer.await?;
        let fault = reply.failure().map_or("none", |failure| failure.fault.as_str());
        let word = reply.word();
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(provider = %account, call = name, answer = word, fault, elapsed_ms, "provider called");
        metrics::counter!("touchline_provider_calls_total", "provider" => account.clone(), "call" => name, "answer" => word, "fault" => fault)
            .increment(1);
        metrics::histogram!("touchline_provider_call_seconds", "provider" => account.clone(), "call" => name)
            .record(started.elapsed().as_secs_f64());
        Ok(reply)
    })
});
