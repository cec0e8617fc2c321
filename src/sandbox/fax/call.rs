//! One call: dial, wait, hang up, and notify the customer on the way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hooks::Hooks;
use super::line::Line;
use super::notice::{Notice, of_beginning, told_at_beginning, told_at_end};
use super::plan::Plan;
use super::record::{Fax, FaxStatus, LineError};
use crate::domain::Clock;

/// More notices than any one fax has.
const NOTICES_MAX: usize = 16;

/// What all calls share.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) line: Arc<Line>,
    pub(super) hooks: Hooks,
    pub(super) plan: Plan,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) call_takes: Duration,
    pub(super) slow_after: Duration,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Calls {
    /// Begins the call of a queued fax. It runs by itself; if the line shuts down during the call, the fax stays
    /// accepted in the journal and is called again after the next start.
    pub(super) fn place(self: &Arc<Self>, fax: &Fax) {
        let calls = Arc::clone(self);
        let fax = fax.clone();
        self.tasks.spawn(async move {
            if calls.run(&fax).await.is_err() {
                tracing::error!("the sandbox's journal cannot be written; a call is left without an end");
            }
        });
    }

    async fn run(self: &Arc<Self>, fax: &Fax) -> Result<(), LineError> {
        let (guise, manners) = (self.hooks.guise, fax.behaviour.manners);
        let notices = self.teller(fax);
        let (fax, ending) = self.line.dial(&fax.id)?;
        let beginning = of_beginning(guise, &fax, self.clock.now());
        if fax.status == FaxStatus::Dialing {
            tell(&notices, told_at_beginning(manners, &beginning)).await;
            if !self.wait(&fax).await {
                return Ok(());
            }
        }
        let ended = self.line.hang_up(&fax.id, ending)?;
        tell(&notices, told_at_end(guise, manners, &beginning, &ended, self.clock.now())).await;
        Ok(())
    }

    /// Waits as long as the call takes, or until it is withdrawn. False when the line shuts down first.
    async fn wait(&self, fax: &Fax) -> bool {
        let takes = if fax.behaviour.slow { self.slow_after } else { self.call_takes };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = fax.withdrawn.cancelled() => true,
            () = tokio::time::sleep(takes) => true,
        }
    }

    /// A queue of notices about one fax, sent one after the other alongside the call, so that a customer who does not
    /// answer does not delay the call.
    fn teller(self: &Arc<Self>, fax: &Fax) -> mpsc::Sender<Notice> {
        let (sender, mut queue) = mpsc::channel::<Notice>(NOTICES_MAX);
        let calls = Arc::clone(self);
        let callback_url = fax.callback_url.clone();
        let late = fax.behaviour.manners.late;
        self.tasks.spawn(async move {
            while let Some(notice) = queue.recv().await {
                if late && !calls.dawdle().await {
                    return;
                }
                calls.hooks.tell(&notice, callback_url.as_deref(), &calls.stop).await;
            }
        });
        sender
    }

    /// Delays a late callback. False when the line shuts down first.
    async fn dawdle(&self) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(self.slow_after) => true,
        }
    }
}

async fn tell(notices: &mpsc::Sender<Notice>, list: Vec<Notice>) {
    for notice in list {
        if notices.send(notice).await.is_err() {
            return;
        }
    }
}
