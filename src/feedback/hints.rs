//! Hints: what an unsigned callback says counts for nothing, but is a reason to ask the provider immediately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::Parts;
use super::attempts::Attempts;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::settle::POLL;
use crate::store::StoreError;

/// A message is asked about again for a repeated hint no sooner than this: whoever knows the address can send any number.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The messages that were lately hinted at by what had been said before.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    lately: Mutex<HashMap<Uuid, Timestamp>>,
}

impl Repeated {
    /// Asks again about what a callback says that says nothing new: some providers send the same few words at every stage.
    ///
    /// # Errors
    /// The database cannot be used.
    pub(super) async fn follow(
        &self,
        parts: &Parts,
        provider: &str,
        events: &[DeliveryEvent],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let about: Vec<(&str, &DeliveryEvent)> = events.iter().map(|event| (provider, event)).collect();
        let mut tx = parts.store.read().await?;
        let attempts = Attempts::of_events(&mut tx, &about).await?;
        drop(tx);
        let messages = events.iter().filter_map(|event| attempts.of(provider, event)).map(|(_, message)| message.0);
        let due = self.due(messages.collect(), now);
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = parts.store.write().await?;
        tx.queue_hasten_all(POLL, &due, now).await?;
        tx.commit().await?;
        parts.queue.wake();
        Ok(())
    }

    /// Those of these messages that were not hinted at lately; they are now.
    fn due(&self, mut messages: Vec<Uuid>, now: Timestamp) -> Vec<Uuid> {
        messages.sort_unstable();
        messages.dedup();
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back forgets all of them.
        lately.retain(|_, at| *at <= now && now.since(*at) < AGAIN_AFTER);
        messages.retain(|message| !lately.contains_key(message));
        lately.extend(messages.iter().map(|message| (*message, now)));
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_hinted_at_once_in_ten_seconds() {
        let (repeated, one, other) = (Repeated::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let now = Timestamp(1_000_000);
        assert_eq!(repeated.due(vec![one, one], now), [one]);
        assert_eq!(repeated.due(vec![other, one], now), [other]);
        assert!(repeated.due(vec![one], now.after(AGAIN_AFTER / 2)).is_empty());
        assert_eq!(repeated.due(vec![one], now.after(AGAIN_AFTER)), [one]);
    }
}
