//! Record: what the provider answered, written down together with all that follows from it. An answer is precious: if
//! the database cannot take it now, it is offered again until it can.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::Parts;
use super::batch::Batcher;
use crate::domain::event::EventSource;
use crate::domain::id::AttemptId;
use crate::domain::{Clock, Outcome};
use crate::settle::{self, News, Rules, Told};
use crate::store::{Store, StoreError};

/// An answer to be recorded.
#[derive(Debug, Clone)]
struct Answer {
    attempt: AttemptId,
    outcome: Outcome,
    account: String,
}

/// Writes answers in batches.
#[derive(Debug)]
pub(super) struct Recorder {
    batcher: Batcher<Answer, ()>,
}

impl Recorder {
    pub(super) fn start(parts: &Parts) -> Self {
        let (store, rules, clock) = (parts.store.clone(), parts.rules.clone(), parts.clock.clone());
        Self { batcher: Batcher::start(move |items| write(store.clone(), rules.clone(), clock.clone(), items)) }
    }

    /// Records one answer; tries for about ten minutes before it gives up and leaves the attempt to be resolved.
    pub(super) async fn record(&self, attempt: AttemptId, outcome: Outcome, account: &str) -> Result<(), StoreError> {
        let answer = Answer { attempt, outcome, account: account.to_owned() };
        let waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(30);
        (|| self.batcher.ask(answer.clone())).retry(waits).when(StoreError::is_passing).await
    }
}

async fn write(
    store: Store,
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
    mut items: Vec<Answer>,
) -> Result<Vec<()>, StoreError> {
    let now = clock.now();
    let count = items.len();
    items.sort_by_key(|item| item.attempt);
    let mut tx = store.write().await?;
    if count > 1 {
        settle::lock(&mut tx, &items.iter().map(|item| item.attempt).collect::<Vec<_>>()).await?;
    }
    for item in items {
        let told = Told::by_provider(EventSource::Answer, &item.account);
        settle::learn(&mut tx, &rules, item.attempt, &News::Answer(item.outcome), &told, now).await?;
    }
    tx.commit().await?;
    Ok(vec![(); count])
}
