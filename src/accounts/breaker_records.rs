//! Circuit breakers are stored in the database: each opening and closing is recorded, so that a restart does not begin
//! with a burst of calls into the same trouble, and so that other nodes and every screen see it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::accounts::layers::BreakerState;
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::provider_state::ProviderState;
use crate::domain::{Clock, Timestamp};
use crate::store::{Store, StoreError, in_time};

/// How long to wait before writing a state is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Restores the breakers to their last recorded state.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn restore(store: &Store, accounts: &Accounts) -> Result<(), StoreError> {
    for state in store.read().await?.provider_states(false).await? {
        if let Some(account) = accounts.get(&state.provider).filter(|_| state.faulted_ms.is_some()) {
            account.layered.adopt_breaker(as_breaker(state));
        }
    }
    Ok(())
}

/// Records every opening and closing until it is stopped.
pub async fn keep(store: Store, accounts: Arc<Accounts>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let keepers = accounts.iter().map(|(name, account)| keep_one(&store, name, account, clock.as_ref()));
    tokio::select! {
        _ = join_all(keepers) => {}
        () = stop.cancelled() => {}
    }
}

async fn keep_one(store: &Store, name: &str, account: &ConfiguredAccount, clock: &dyn Clock) {
    let mut moves = account.layered.watch_breaker();
    while moves.changed().await.is_ok() {
        loop {
            let state = as_state(name, moves.borrow_and_update().clone());
            match in_time(write(store, &state, clock.now())).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "a circuit breaker could not be recorded; trying again"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn write(store: &Store, state: &ProviderState, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.provider_breaker(state, now).await?;
    tx.commit().await
}

fn as_state(name: &str, breaker: BreakerState) -> ProviderState {
    ProviderState {
        provider: name.to_owned(),
        rests_until_ms: Some(breaker.open_until_ms).filter(|until| *until != Timestamp(0)),
        faults: i64::from(breaker.faults),
        fault: breaker.fault,
        fault_text: breaker.words,
        faulted_ms: breaker.faulted_ms,
        ..ProviderState::default()
    }
}

/// A breaker's recorded state, in the breaker's own terms.
#[must_use]
pub fn as_breaker(state: ProviderState) -> BreakerState {
    BreakerState {
        open_until_ms: state.rests_until_ms.unwrap_or_default(),
        faults: u32::try_from(state.faults).unwrap_or(0),
        fault: state.fault,
        words: state.fault_text,
        faulted_ms: state.faulted_ms,
    }
}
