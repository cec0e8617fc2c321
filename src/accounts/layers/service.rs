//! The services that the layers are made of: the provider itself, the deadline around it, and gates, which decide before a
//! call whether it is made and observe how it ended.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::operation::{Kind, Operation};
use crate::domain::fault::{Failure, Fault};
use crate::provider::Provider;

/// An operation under way. Layers do not fail: a failure is part of the answer.
type Answering<O> = BoxFuture<'static, Result<<O as Operation>::Answer, Infallible>>;

/// The innermost service: the provider itself.
#[derive(Clone)]
pub struct Direct(pub Arc<dyn Provider>);

impl<O: Operation> Service<O> for Direct {
    type Response = O::Answer;
    type Error = Infallible;
    type Future = Answering<O>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, operation: O) -> Self::Future {
        let provider = self.0.clone();
        Box::pin(async move { Ok(operation.perform(provider).await) })
    }
}

/// Ends a call that takes longer than this.
#[derive(Clone)]
pub struct DeadlineLayer(pub Duration);

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { timeout: self.0, inner }
    }
}

/// The service of [`DeadlineLayer`].
#[derive(Clone)]
pub struct Deadline<S> {
    timeout: Duration,
    inner: S,
}

impl<O, S> Service<O> for Deadline<S>
where
    O: Operation,
    S: Service<O, Response = O::Answer, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = O::Answer;
    type Error = Infallible;
    type Future = Answering<O>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, operation: O) -> Self::Future {
        let answer = tokio::time::timeout(self.timeout, self.inner.call(operation));
        Box::pin(async move {
            answer
                .await
                .unwrap_or_else(|_| Ok(O::unanswered(Failure::new(Fault::ProviderError).text("no answer in time"))))
        })
    }
}

/// Decides before a call whether it is made, and observes how it ended.
pub trait Gate: Clone + Send + 'static {
    /// Lets a call pass.
    ///
    /// # Errors
    /// Why it is not made.
    fn admit(&self, _kind: Kind) -> Result<(), Failure> {
        Ok(())
    }

    /// Observes how a call that it let pass has ended.
    fn ended(&self, kind: Kind, end: End<'_>);
}

/// How a call ended.
pub struct End<'a> {
    /// Its failure, if it was one.
    pub failure: Option<&'a Failure>,
    /// The answer in one word.
    pub word: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// Puts a gate around a service.
#[derive(Clone)]
pub struct GateLayer<G>(pub G);

impl<G: Clone, S> Layer<S> for GateLayer<G> {
    type Service = Gated<G, S>;

    fn layer(&self, inner: S) -> Gated<G, S> {
        Gated { gate: self.0.clone(), inner }
    }
}

/// The service of [`GateLayer`].
#[derive(Clone)]
pub struct Gated<G, S> {
    gate: G,
    inner: S,
}

impl<O, G, S> Service<O> for Gated<G, S>
where
    O: Operation,
    G: Gate,
    S: Service<O, Response = O::Answer, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = O::Answer;
    type Error = Infallible;
    type Future = Answering<O>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, operation: O) -> Self::Future {
        if let Err(failure) = self.gate.admit(O::KIND) {
            return Box::pin(ready(Ok(O::not_made(failure))));
        }
        let (gate, started) = (self.gate.clone(), Instant::now());
        let answer = self.inner.call(operation);
        Box::pin(async move {
            let answer = answer.await?;
            let end = End { failure: O::failure(&answer), word: O::word(&answer), took: started.elapsed() };
            gate.ended(O::KIND, end);
            Ok(answer)
        })
    }
}
