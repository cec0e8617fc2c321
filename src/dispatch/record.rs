//! Record: the provider's answer, stored together with all that follows from it. An answer is precious: if the
//! database cannot store it now, the write is retried until it can.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::Parts;
use crate::domain::event::EventSource;
use crate::domain::id::AttemptId;
use crate::domain::transport::Transport;
use crate::domain::{Clock, Outcome};
use crate::settle::{self, Evidence, Origin, Rules, Update};
use crate::store::engine::batch::Batcher;
use crate::store::{Store, StoreError};

/// An answer to be recorded.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub attempt: AttemptId,
    pub outcome: Outcome,
    pub account: String,
    /// How the letter travelled, where the provider noted it.
    pub transport: Option<Transport>,
}

impl Answer {
    fn update(self) -> Update {
        let origin = Origin::provider(EventSource::Answer, &self.account);
        let origin = Origin { transport: self.transport.map(Box::new), ..origin };
        Update { attempt: self.attempt, evidence: Evidence::Answer(self.outcome), origin }
    }
}

/// Writes answers in batches.
#[derive(Debug)]
pub(super) struct Recorder {
    batcher: Batcher<Answer, ()>,
    book: Book,
}

/// Where answers are written.
#[derive(Debug, Clone)]
struct Book {
    store: Store,
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
}

impl Recorder {
    pub(super) fn start(parts: &Parts) -> Self {
        let book = Book { store: parts.store.clone(), rules: parts.rules.clone(), clock: parts.clock.clone() };
        let shared = book.clone();
        Self { batcher: Batcher::start(move |items| write(shared.clone(), items)), book }
    }

    /// Records one answer; tries for about ten minutes before it gives up and leaves the attempt to be resolved. A batch
    /// succeeds or fails as a whole, so after a failure each answer is written alone: one that cannot be written must
    /// not block the others. One that the database does not take is not tried again.
    pub(super) async fn record(&self, answer: Answer) -> Result<(), StoreError> {
        if self.batcher.ask(answer.clone()).await.is_ok() {
            return Ok(());
        }
        offer_alone(self.book.clone(), answer).await
    }
}

/// Retries one answer, with growing waits.
async fn offer_alone(book: Book, answer: Answer) -> Result<(), StoreError> {
    let waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(30))
        .with_max_times(30);
    let mut waits = waits.build();
    loop {
        match (write(book.clone(), vec![answer.clone()]).await, waits.next()) {
            (Err(error), Some(wait)) if error.is_passing() => {
                tracing::warn!(%error, ?wait, "an answer could not be recorded yet; trying again");
                book.clock.sleep(wait).await;
            }
            (done, _) => return done.map(drop),
        }
    }
}

async fn write(book: Book, items: Vec<Answer>) -> Result<Vec<()>, StoreError> {
    let now = book.clock.now();
    let count = items.len();
    let updates: Vec<Update> = items.into_iter().map(Answer::update).collect();
    let mut tx = book.store.write().await?;
    settle::apply_all(&mut tx, &book.rules, &updates, now).await?;
    tx.commit().await?;
    Ok(vec![(); count])
}
