//! Intake: from a request to messages on the queue. Everything that can be wrong with a submission is found here, for
//! the whole list, before anything is queued; nothing is half accepted.

pub mod answer;
mod bulk;
pub mod list;
pub mod look_ahead;
mod plan;
pub mod proposal;
mod recorded;
mod repeat;
pub mod request;
mod single;
pub mod unfold;
mod variables;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use answer::Accepted;
use request::Request;
pub use single::SingleBatcher;
pub use variables::Gap;

use crate::accounts::Accounts;
use crate::domain::Clock;
use crate::policy::hours::Hours;
use crate::policy::mail_setup::standing::Standing;
use crate::policy::undo;
use crate::queue::Queue;
use crate::referrers::ReferrersError;
use crate::render::Renderer;
use crate::settle::Rules;
use crate::store::{Store, StoreError};

/// Everything intake works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// This node's end of the queue, to wake it.
    pub queue: Arc<Queue>,
    /// The letters.
    pub renderer: Arc<Renderer>,
    /// The provider accounts.
    pub accounts: Arc<Accounts>,
    /// The rules for a message's status.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a message is tried.
    pub give_up: Duration,
    /// Most entries in the queue before new work is refused.
    pub queue_depth_max: i64,
    /// Whether only permission counts as a basis for faxed advertisements.
    pub permission_only: bool,
    /// The undo windows of sends by a person.
    pub undo: undo::Windows,
    /// When recipients may be written to.
    pub hours: Arc<Hours>,
    /// What stands against mail to many.
    pub mail_standing: Arc<dyn Standing>,
    /// The worker that accepts single letters in batches, started when the first one arrives.
    pub singles: Singles,
}

/// Shared by all who submit through one gateway, so that their letters share transactions.
pub type Singles = Arc<OnceLock<SingleBatcher>>;

/// Accepts a submission from any face: afterwards it is durable and will be carried out. A list is recorded first, then
/// unfolded into messages portion by portion; this returns when all of it is on the queue.
///
/// # Errors
/// See [`IntakeError`]; then nothing was accepted, except that a list whose unfolding was cut off by the store is
/// accepted and continues by itself.
pub async fn submit(parts: &Parts, request: &Request) -> Result<Accepted, IntakeError> {
    match begin(parts, request).await? {
        Begun::Done(accepted) => Ok(accepted),
        Begun::List(list) => list.finish(parts).await,
    }
}

/// The state of a request once it is durable.
#[derive(Debug)]
pub enum Begun {
    /// All of it is on the queue.
    Done(Accepted),
    /// A list is recorded: it is accepted, and still to be unfolded, by [`list::Ready::finish`] or else by itself.
    List(list::Ready),
}

/// Accepts a submission as [`submit`] does, but returns as soon as a list is recorded.
///
/// # Errors
/// See [`IntakeError`]; then nothing was accepted.
pub async fn begin(parts: &Parts, request: &Request) -> Result<Begun, IntakeError> {
    if request.makes_a_broadcast() {
        return list::begin(parts, request).await;
    }
    single::submit(parts, request).await.map(Begun::Done)
}

/// Why a request was not accepted. No part of it was.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It does not exist: what was looked for, in words.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot be carried out as given: why, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// Letters that lack variables or cannot be written for other reasons, each reason once.
    #[error("the letter cannot be written for every recipient:\n{}", .0.iter().map(|gap| format!("  {gap}")).collect::<Vec<_>>().join("\n"))]
    MissingVariables(Vec<Gap>),
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for a different request: use a new key")]
    KeyReused,
    /// The queue is too deep.
    #[error("the queue is full ({depth} entries); try again in {retry_after_seconds} s")]
    QueueFull {
        /// Entries now.
        depth: i64,
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// The same list was accepted and is still being unfolded into messages.
    #[error("this list was accepted and is still being put on the queue; ask again in a few seconds")]
    Unfolding,
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReferrersError> for IntakeError {
    fn from(error: ReferrersError) -> Self {
        match error {
            ReferrersError::NotFound(words) => Self::NotFound(words),
            ReferrersError::Known(words) | ReferrersError::Invalid(words) => Self::Invalid(words),
            ReferrersError::Store(error) => Self::Store(error),
        }
    }
}

impl IntakeError {
    /// The same for another caller.
    fn again(&self) -> Self {
        match self {
            Self::NotFound(words) => Self::NotFound(words.clone()),
            Self::Invalid(words) => Self::Invalid(words.clone()),
            Self::MissingVariables(gaps) => Self::MissingVariables(gaps.clone()),
            Self::KeyReused => Self::KeyReused,
            Self::QueueFull { depth, retry_after_seconds } => {
                Self::QueueFull { depth: *depth, retry_after_seconds: *retry_after_seconds }
            }
            Self::Unfolding => Self::Unfolding,
            Self::Store(error) => Self::Store(error.clone()),
        }
    }
}
