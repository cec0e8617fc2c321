//! Feedback: what happened to what was handed over. Callbacks go into the inbox and are answered immediately; a poller
//! asks about what was not reported; both end in one pure fold over facts (`settle`), whatever their order. What has
//! ended and is to be deleted at its provider is deleted here.

mod apply;
mod attempts;
mod callback;
mod hints;
pub mod inbox;
pub mod mailboxes;
mod poller;
mod purger;
mod reading;
mod rejections;
pub mod replay;
pub mod returns;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::domain::Clock;
use crate::queue::Queue;
use crate::settle::Rules;
use crate::store::Store;
pub use poller::poll_some;
pub use purger::purge_some;

/// How long a callback whose attempt is not known yet waits: it may have overtaken the answer to the call.
const WAIT_FOR_ATTEMPT: Duration = Duration::from_secs(15 * 60);

/// Everything feedback works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// This node's end of the queue.
    pub queue: Arc<Queue>,
    /// The provider accounts.
    pub accounts: Arc<Accounts>,
    /// The rules for a message's status.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How often an idle inbox and queue are checked.
    pub poll: Duration,
    /// What reading returns goes by.
    pub returns: returns::ReturnRules,
}

/// Works until shut down.
pub async fn run(parts: Parts, inbox: Arc<inbox::Inbox>, stop: CancellationToken) {
    tokio::join!(inbox.run(stop.clone()), poller::run(parts.clone(), stop.clone()), purger::run(parts, stop));
}
