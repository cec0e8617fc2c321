//! Reads the mailboxes to which returns come. One node has a mailbox at a time; it holds a claim in the database that it renews,
//! and another node takes over once the claim has lapsed. Mails are recorded, and the place in the mailbox saved, in one transaction
//! (`round`); only then is anything done in the mailbox, and only with returns of ours. What a process that dies leaves undone stands
//! on record, and the next round does it.

mod beginning;
mod measuring;
mod round;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::measuring::Numbers;
use super::Parts;
use crate::domain::fault::{Failure, Fault};
use crate::provider::mailbox::{Mailbox, Session};
use crate::store::{Store, StoreError, in_time};
pub use beginning::{Beginning, beginning};
pub use round::{Round, Trouble, read_once};

/// How long a claim lasts, and how often it is renewed.
const CLAIMED: Duration = Duration::from_secs(90);
const RENEWED: Duration = Duration::from_secs(30);
/// The shortest wait between two rounds, however often a server says that there is something new.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait before a mailbox that cannot be read is tried again.
const AGAIN_MAX: Duration = Duration::from_secs(15 * 60);
/// The shortest wait after a login was refused: too many in a row lock accounts.
const REFUSED_WAIT: Duration = Duration::from_secs(5 * 60);

/// A mailbox, and how often it is read where it cannot say that there is something new.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The mailbox.
    pub mailbox: Arc<dyn Mailbox>,
    /// How often.
    pub poll: Duration,
}

/// Reads them all until shut down, each on its own.
pub async fn run(parts: Parts, mailboxes: Vec<Watched>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    for watched in mailboxes {
        let (parts, stop) = (parts.clone(), stop.clone());
        tasks.spawn(async move { watch(&parts, &watched, &stop).await });
    }
    tasks.close();
    tasks.wait().await;
}

/// Why reading a mailbox ended.
#[derive(Debug)]
enum Ended {
    /// Another node reads it.
    Elsewhere,
    /// It cannot be read.
    Failed(Failure),
    /// The database cannot be used.
    Unrecorded(StoreError),
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Mailbox(failure) => Self::Failed(failure),
            Trouble::Store(error) => Self::Unrecorded(error),
            Trouble::Lost => Self::Elsewhere,
        }
    }
}

/// How reading a mailbox goes, from one try to the next.
#[derive(Debug, Default)]
struct Course {
    /// Tries in a row that failed.
    failures: u32,
    /// Folders that were missing in the last round.
    missing: usize,
}

impl Course {
    /// Notes a round that went well. That folders are missing is said once, and again when their number changes.
    fn note(&mut self, name: &str, round: Round) {
        self.failures = 0;
        if round.missing > 0 && round.missing != self.missing {
            tracing::warn!(
                mailbox = name,
                folders = round.missing,
                "folders are missing in a mailbox, the others are read; `touchline mailbox check` says which"
            );
        }
        self.missing = round.missing;
        if round.old > 0 {
            tracing::info!(mailbox = name, mails = round.old, "mails that came before the first letter are not read");
        }
        if round.stepped > 0 {
            tracing::warn!(
                mailbox = name,
                mails = round.stepped,
                "mails that the server does not hand out were stepped over; `touchline mailbox list --json` says which"
            );
        }
    }
}

async fn watch(parts: &Parts, watched: &Watched, stop: &CancellationToken) {
    let name = watched.mailbox.name();
    let mut course = Course::default();
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            ended = take_turn(parts, watched, &mut course) => ended,
            () = stop.cancelled() => break,
        };
        course.failures += 1;
        let wait = match &ended {
            Ended::Elsewhere => {
                course.failures = 0;
                watched.poll
            }
            Ended::Failed(failure) => {
                Numbers(watched.mailbox.as_ref()).failed(failure.fault);
                note(parts, name, failure).await;
                again(watched.poll, course.failures, failure.fault)
            }
            Ended::Unrecorded(error) => {
                tracing::warn!(mailbox = name, %error, "returns could not be recorded; trying again");
                again(watched.poll, course.failures, Fault::ProviderError)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
    release(parts, name).await;
}

/// Claims the mailbox and reads it for as long as that goes well.
async fn take_turn(parts: &Parts, watched: &Watched, course: &mut Course) -> Ended {
    match claim(parts, watched.mailbox.name()).await {
        Ok(true) => {}
        Ok(false) => return Ended::Elsewhere,
        Err(error) => return Ended::Unrecorded(error),
    }
    tokio::select! {
        ended = read_on(parts, watched, course) => ended,
        ended = keep_claim(parts, watched.mailbox.name()) => ended,
    }
}

async fn read_on(parts: &Parts, watched: &Watched, course: &mut Course) -> Ended {
    let mailbox = watched.mailbox.as_ref();
    let mut session = match mailbox.open().await {
        Ok(session) => session,
        Err(failure) => return Ended::Failed(failure),
    };
    loop {
        let began = Instant::now();
        // Boxed: what follows from a mail is a large future.
        match Box::pin(read_once(parts, mailbox, session.as_mut())).await {
            Ok(round) => {
                Numbers(mailbox).took(began.elapsed());
                course.note(mailbox.name(), round);
            }
            Err(trouble) => {
                leave(session).await;
                return trouble.into();
            }
        }
        if let Err(failure) = session.wait(watched.poll).await {
            leave(session).await;
            return Ended::Failed(failure);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A server that is not told goodbye may keep the mailbox locked for a while.
async fn leave(mut session: Box<dyn Session>) {
    session.close().await;
}

/// Renews the claim until it is lost.
async fn keep_claim(parts: &Parts, name: &str) -> Ended {
    loop {
        parts.clock.sleep(RENEWED).await;
        match claim(parts, name).await {
            Ok(true) => {}
            Ok(false) => return Ended::Elsewhere,
            // The claim may lapse meanwhile; what is written without it is not committed.
            Err(error) => tracing::warn!(mailbox = name, %error, "the claim of a mailbox could not be renewed"),
        }
    }
}

/// Claims a mailbox for this node, or keeps it; whether this node has it.
///
/// # Errors
/// The database cannot be used.
pub async fn claim(parts: &Parts, name: &str) -> Result<bool, StoreError> {
    in_time(async {
        let now = parts.clock.now();
        let mut tx = parts.store.write().await?;
        let claimed = tx.mailbox_claim(name, parts.queue.node(), now.after(CLAIMED), now).await?;
        tx.commit().await.map(|()| claimed)
    })
    .await
}

/// Notes that a person has looked at the mails of a mailbox that were stepped over; how many there were.
///
/// # Errors
/// The database cannot be used.
pub async fn looked_at(store: &Store, name: &str) -> Result<u64, StoreError> {
    in_time(async {
        let mut tx = store.write().await?;
        let mails = tx.mailbox_looked_at(name).await?;
        tx.commit().await.map(|()| mails)
    })
    .await
}

async fn release(parts: &Parts, name: &str) {
    let released = in_time(async {
        let mut tx = parts.store.write().await?;
        tx.mailbox_release(name, parts.queue.node()).await?;
        tx.commit().await
    });
    if let Err(error) = released.await {
        tracing::warn!(mailbox = name, %error, "a mailbox could not be given back; others wait until the claim lapses");
    }
}

async fn note(parts: &Parts, name: &str, failure: &Failure) {
    let why = failure.raw_text.as_deref().unwrap_or_default();
    tracing::warn!(mailbox = name, fault = %failure.fault, why, "a mailbox cannot be read; trying again");
    let noted = in_time(async {
        let mut tx = parts.store.write().await?;
        tx.mailbox_failed(name, parts.queue.node(), failure, parts.clock.now()).await?;
        tx.commit().await
    });
    if let Err(error) = noted.await {
        tracing::warn!(mailbox = name, %error, "that could not be recorded");
    }
}

/// The wait after so many failures in a row: it doubles, up to a quarter of an hour, and differs between nodes.
fn again(poll: Duration, failures: u32, fault: Fault) -> Duration {
    let wait = poll.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(AGAIN_MAX);
    let wait = if fault == Fault::AccountError { wait.max(REFUSED_WAIT) } else { wait };
    wait.mul_f64(0.75 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let poll = Duration::from_secs(60);
        for failures in 0..100 {
            let wait = again(poll, failures, Fault::ProviderError);
            assert!(wait >= poll.mul_f64(0.7) && wait <= AGAIN_MAX.mul_f64(1.3), "{failures}: {wait:?}");
        }
        assert!(again(poll, 5, Fault::ProviderError) > again(poll, 1, Fault::ProviderError));
        assert!(again(poll, 1, Fault::AccountError) >= REFUSED_WAIT.mul_f64(0.7));
    }
}
