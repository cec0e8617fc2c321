//! The poller: the safety net under the callbacks. It asks about every accepted message until there is a final word.

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::domain::Channel;
use crate::domain::attempt::{Attempt, AttemptStatus, ProviderReference};
use crate::domain::event::{EventSource, Fact};
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::queue::Lease;
use crate::settle::{self, News, POLL, SUBMIT, Told};
use crate::store::StoreError;

/// Questions under way at once; the account's own concurrency limit bounds them further.
const QUESTIONS_MAX: usize = 16;

/// Asks until told to stop; running questions are let end.
pub(super) async fn run(parts: Parts, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let asked = poll_some(&parts, QUESTIONS_MAX).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the queue could not be read; trying again");
            0
        });
        if asked == 0 {
            tokio::select! {
                () = parts.queue.wait(parts.poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Asks about up to `limit` accepted messages whose time has come, all at once, and writes down what is learnt.
/// Answers how many there were; one that could not be written down is asked for again when its lease ends.
///
/// # Errors
/// As every store function; then nothing was asked.
pub async fn poll_some(parts: &Parts, limit: usize) -> Result<usize, StoreError> {
    let claimed = parts.queue.claim(POLL, limit, parts.clock.now()).await?;
    for answer in join_all(claimed.iter().map(|entry| look(parts, entry))).await {
        if let Err(error) = answer {
            tracing::warn!(%error, "a report could not be written down; it is asked for again");
        }
    }
    Ok(claimed.len())
}

/// Looks after one accepted message.
async fn look(parts: &Parts, claimed: &Lease) -> Result<(), StoreError> {
    let mut tx = parts.store.read().await?;
    let message = tx.message(MessageId(claimed.subject), false).await?;
    let open = tx.attempts_open(&[MessageId(claimed.subject)]).await?.pop();
    drop(tx);
    let (Some(message), Some(attempt)) = (message, open) else { return back(parts, claimed).await };
    if attempt.status != AttemptStatus::Accepted {
        return back(parts, claimed).await;
    }
    let news = ask(parts, message.channel, &attempt).await;
    write(parts, claimed, &message, attempt, news).await
}

/// What the provider says now; `None` when there is nothing new. Where nobody can be asked, mail without a bounce counts
/// as delivered; a fax never does without a word from its provider.
async fn ask(parts: &Parts, channel: Channel, attempt: &Attempt) -> Option<News> {
    let late = parts.clock.now().since(attempt.opened_ms) > parts.rules.report_deadline;
    let account = parts.accounts.get(&attempt.provider).filter(|account| account.capabilities().status);
    let reference = attempt.provider_reference.as_deref().and_then(ProviderReference::new);
    let (account, reference) = match (account, reference) {
        (Some(account), Some(reference)) => (account, reference),
        (None, _) if channel == Channel::Email => return Some(News::Presumed),
        _ => return late.then_some(News::Silent),
    };
    match account.layered.status(&reference).await {
        Ok(report) if !matches!(report.fact, Fact::Progress { .. }) => Some(News::Fact(report.fact, None)),
        Ok(_) | Err(_) => late.then_some(News::Silent),
    }
}

async fn write(
    parts: &Parts,
    claimed: &Lease,
    message: &Message,
    mut attempt: Attempt,
    news: Option<News>,
) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    match news {
        Some(news) => {
            let told = match news {
                News::Presumed => Told::by_policy("no bounce came in time"),
                News::Silent => Told::by_policy("no final report came in time"),
                _ => Told::by_provider(EventSource::Poll, &attempt.provider),
            };
            settle::learn(&mut tx, &parts.rules, attempt.id, &news, &told, now).await?;
        }
        None => {
            attempt.looks += 1;
            let due = now.after(parts.rules.next_look(message.channel, &attempt.provider, attempt.looks));
            if tx.queue_snooze(claimed.id, claimed.fence, POLL, due).await? {
                tx.attempt_update_looks(attempt.id, attempt.looks).await?;
            }
        }
    }
    tx.commit().await?;
    parts.queue.wake();
    Ok(())
}

/// The entry does not fit its message any more: the dispatcher finds out what does.
async fn back(parts: &Parts, claimed: &Lease) -> Result<(), StoreError> {
    let mut tx = parts.store.write().await?;
    tx.queue_snooze(claimed.id, claimed.fence, SUBMIT, parts.clock.now()).await?;
    tx.commit().await
}
