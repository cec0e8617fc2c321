//! The purger: asks providers to delete their copies of letters that have ended, until they do.

use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::domain::Actor;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{EventKind, EventSource};
use crate::domain::fault::{Failure, Fault};
use crate::store::records::events::Event;
use crate::store::records::purges::Purge;
use crate::store::{StoreError, in_time};

/// How often the copies to be deleted are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Copies of one round, and requests at once.
const ROUND_MAX: i64 = 50;
const REQUESTS_MAX: usize = 4;
/// Nobody else takes a copy of a round before this; deleting twice does no harm.
const CLAIMED: Duration = Duration::from_secs(15 * 60);
/// Requests after which a copy is given up: with the waits between, some three days.
const TRIES_MAX: i64 = 8;
/// The first wait; each further one is three times as long, up to a day.
const WAIT_FIRST: Duration = Duration::from_secs(10 * 60);
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Deletes until shut down; running requests finish first.
pub(super) async fn run(parts: Parts, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let asked = purge_some(&parts).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the copies to be deleted could not be read; trying again");
            0
        });
        if asked == 0 {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Asks for the deletion of copies that are due and records each answer as it arrives. Returns how many there were; one
/// whose answer could not be recorded is asked for again.
///
/// # Errors
/// The database cannot be used; then nothing was asked.
pub async fn purge_some(parts: &Parts) -> Result<usize, StoreError> {
    let claimed = in_time(claim(parts)).await?;
    let asked = claimed.len();
    let answers = claimed.into_iter().map(|(purge, reference)| async move {
        let answer = ask(parts, &purge, reference).await;
        (purge, answer)
    });
    let mut answers = pin!(stream::iter(answers).buffer_unordered(REQUESTS_MAX));
    while let Some((purge, answer)) = answers.next().await {
        if let Err(error) = in_time(record(parts, &purge, answer)).await {
            tracing::warn!(%error, "a deletion could not be recorded; it is requested again");
        }
    }
    Ok(asked)
}

/// Copies that are due, each with the provider's reference.
async fn claim(parts: &Parts) -> Result<Vec<(Purge, Option<ProviderReference>)>, StoreError> {
    let now = parts.clock.now();
    if !parts.store.read().await?.purges_are_due(now).await? {
        return Ok(Vec::new());
    }
    let mut tx = parts.store.write().await?;
    let mut claimed = Vec::new();
    for purge in tx.purges_claim(now, now.after(CLAIMED), ROUND_MAX).await? {
        let attempt = tx.attempt(purge.attempt_id).await?;
        let reference = attempt.and_then(|attempt| attempt.provider_reference);
        claimed.push((purge, reference.as_deref().and_then(ProviderReference::new)));
    }
    tx.commit().await?;
    Ok(claimed)
}

async fn ask(parts: &Parts, purge: &Purge, reference: Option<ProviderReference>) -> Result<(), Failure> {
    let account = parts.accounts.get(&purge.provider).filter(|account| account.capabilities().purge);
    match (account, reference) {
        (Some(account), Some(reference)) => account.layered.purge(&reference).await,
        _ => Err(Failure::new(Fault::AccountError).text("there is no account of that name that can delete it")),
    }
}

async fn record(parts: &Parts, purge: &Purge, answer: Result<(), Failure>) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let who = Actor::provider(&purge.provider);
    let event = |kind| Event {
        attempt_id: Some(purge.attempt_id),
        ..Event::new(purge.message_id, kind, EventSource::Answer, &who, now)
    };
    match answer {
        Ok(()) => {
            tx.purge_done(purge.attempt_id).await?;
            tx.events_insert(&[event(EventKind::Purged)]).await?;
        }
        Err(_) if purge.tries < TRIES_MAX => {
            tx.purge_put_off(purge.attempt_id, now.after(wait(purge.tries))).await?;
        }
        Err(failure) => {
            tx.purge_give_up(purge.attempt_id, now).await?;
            let fault = Some(failure.fault);
            let detail = failure.raw_text.or(failure.raw_code);
            tx.events_insert(&[Event { fault, detail, ..event(EventKind::PurgeFailed) }]).await?;
            raise_given_up(purge);
        }
    }
    tx.commit().await
}

/// The operator should know.
fn raise_given_up(purge: &Purge) {
    let (provider, message) = (purge.provider.as_str(), purge.message_id);
    tracing::error!(provider, %message, "a provider did not delete its copy of a letter; a person must see to it");
    metrics::counter!("touchline_purges_given_up_total", "provider" => purge.provider.clone()).increment(1);
}

/// The wait after that many requests.
fn wait(tries: i64) -> Duration {
    let times = u32::try_from(tries.clamp(1, 10) - 1).unwrap_or(0);
    (WAIT_FIRST * 3_u32.pow(times)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_up_to_a_day_and_last_some_days_in_all() {
        let waits: Vec<u64> = (1..TRIES_MAX).map(|tries| wait(tries).as_secs() / 60).collect();
        assert_eq!(waits, [10, 30, 90, 270, 810, 1440, 1440]);
    }
}
