//! The remote operations of a provider, as they pass through the layers. Each is a type that names its own answer, so
//! that no layer can answer one with another's.

use std::future::Future;
use std::sync::Arc;

use crate::domain::Outcome;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::provider::{FindQuery, FindResult, Provider};

/// What layers may know of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name in metrics and logs.
    pub name: &'static str,
    /// Whether it hands something over; everything else is a question, which can do no harm.
    pub is_hand_over: bool,
    /// Whether a person waits for the answer.
    pub is_for_a_person: bool,
}

/// One remote operation.
pub trait Operation: Send + 'static {
    /// Its result.
    type Answer: Send + 'static;
    /// What layers may know of it.
    const KIND: Kind;

    /// Makes the call.
    fn perform(self, provider: Arc<dyn Provider>) -> impl Future<Output = Self::Answer> + Send;

    /// Its result when the call is not made.
    fn not_made(failure: Failure) -> Self::Answer;

    /// Its result when the call was made and no answer came in time.
    fn unanswered(failure: Failure) -> Self::Answer;

    /// The failure in an answer, if it is one.
    fn failure(answer: &Self::Answer) -> Option<&Failure>;

    /// The answer in one word, for metrics and logs.
    fn word(answer: &Self::Answer) -> &'static str;
}

/// [`Provider::submit`].
pub struct Submit(pub Arc<Envelope>);

impl Operation for Submit {
    type Answer = Outcome;
    const KIND: Kind = Kind { name: "submit", is_hand_over: true, is_for_a_person: false };

    async fn perform(self, provider: Arc<dyn Provider>) -> Outcome {
        provider.submit(&self.0).await
    }

    fn not_made(failure: Failure) -> Outcome {
        Outcome::NotSent(failure)
    }

    /// The request may have been written.
    fn unanswered(failure: Failure) -> Outcome {
        Outcome::Unknown(failure)
    }

    fn failure(answer: &Outcome) -> Option<&Failure> {
        answer.failure()
    }

    fn word(answer: &Outcome) -> &'static str {
        answer.as_str()
    }
}

/// An operation that can do no harm: it either returns something or fails.
pub trait Question: Send + 'static {
    /// What it returns.
    type Told: Send + 'static;
    /// Its name in metrics and logs.
    const NAME: &'static str;
    /// Whether a person waits for the answer.
    const IS_FOR_A_PERSON: bool = false;

    /// Asks the provider.
    fn ask(self, provider: Arc<dyn Provider>) -> impl Future<Output = Result<Self::Told, Failure>> + Send;
}

impl<Q: Question> Operation for Q {
    type Answer = Result<Q::Told, Failure>;
    const KIND: Kind = Kind { name: Q::NAME, is_hand_over: false, is_for_a_person: Q::IS_FOR_A_PERSON };

    fn perform(self, provider: Arc<dyn Provider>) -> impl Future<Output = Self::Answer> + Send {
        self.ask(provider)
    }

    fn not_made(failure: Failure) -> Self::Answer {
        Err(failure)
    }

    fn unanswered(failure: Failure) -> Self::Answer {
        Err(failure)
    }

    fn failure(answer: &Self::Answer) -> Option<&Failure> {
        answer.as_ref().err()
    }

    fn word(answer: &Self::Answer) -> &'static str {
        if answer.is_ok() { "ok" } else { "failed" }
    }
}

/// [`Provider::status`].
pub struct Status(pub ProviderReference);

impl Question for Status {
    type Told = Report;
    const NAME: &'static str = "status";

    async fn ask(self, provider: Arc<dyn Provider>) -> Result<Report, Failure> {
        provider.status(&self.0).await
    }
}

/// [`Provider::find`].
pub struct Find(pub FindQuery);

impl Question for Find {
    type Told = FindResult;
    const NAME: &'static str = "find";

    async fn ask(self, provider: Arc<dyn Provider>) -> Result<FindResult, Failure> {
        provider.find(&self.0).await
    }
}

/// [`Provider::cancel`].
pub struct Cancel(pub ProviderReference);

impl Question for Cancel {
    type Told = ();
    const NAME: &'static str = "cancel";
    const IS_FOR_A_PERSON: bool = true;

    async fn ask(self, provider: Arc<dyn Provider>) -> Result<(), Failure> {
        provider.cancel(&self.0).await
    }
}

/// [`Provider::purge`].
pub struct Purge(pub ProviderReference);

impl Question for Purge {
    type Told = ();
    const NAME: &'static str = "purge";

    async fn ask(self, provider: Arc<dyn Provider>) -> Result<(), Failure> {
        provider.purge(&self.0).await
    }
}

/// [`Provider::check`].
pub struct Check;

impl Question for Check {
    type Told = String;
    const NAME: &'static str = "check";
    const IS_FOR_A_PERSON: bool = true;

    async fn ask(self, provider: Arc<dyn Provider>) -> Result<String, Failure> {
        provider.check().await
    }
}
