//! Turn: whether some account could take a message now, asked before anything is rendered, so that a paused or
//! rate-limited account does not have its backlog typeset again and again, and so that no attempt is on record while its
//! call still waits for a free slot. The gate decides again.

use std::time::Duration;

use super::Parts;
use crate::domain::message::Message;
use crate::domain::{Lane, Timestamp};
use crate::policy::Reason;
use crate::provider::layers::Slot;
use crate::store::provider_state::ProviderState;

/// How long a message waits in place for a slot of its account.
const SLOT_WAIT: Duration = Duration::from_millis(250);
/// The same for a letter that somebody waits for: it keeps its place in the line.
const SLOT_WAIT_URGENT: Duration = Duration::from_secs(5);
/// How long it is put off when there was none, before jitter.
const SLOT_LATER: Duration = Duration::from_millis(500);
/// How long it is put off when every account is paused or resting.
const ACCOUNT_LATER: Duration = Duration::from_secs(30);

/// What a message may do now.
pub(super) enum Turn {
    /// Go on to the gate, with the slot of the account that will probably take it.
    Now(Option<Slot>),
    /// Be put off this long.
    Later(Duration),
}

/// Waits a moment for a turn.
pub(super) async fn turn(parts: &Parts, message: &Message, states: &[ProviderState]) -> Turn {
    let now = parts.clock.now();
    if message.give_up_ms <= now {
        return Turn::Now(None);
    }
    let mut soonest: Option<Duration> = None;
    let mut paused = false;
    for account in parts.accounts.route(message.channel, message.phi) {
        let state = states.iter().find(|state| state.provider == account.layered.name());
        if state.is_some_and(|state| state.paused_ms.is_some()) || account.layered.breaker().open_until_ms > now {
            paused = true;
            continue;
        }
        match account.permit(state.map_or(Timestamp(0), |state| state.arrival_ms), now) {
            Ok(_) => {
                let wait = if message.lane == Lane::Broadcast { SLOT_WAIT } else { SLOT_WAIT_URGENT };
                let slot = tokio::time::timeout(wait, account.layered.slot(message.lane)).await;
                return slot.map_or_else(|_| Turn::Later(spread(SLOT_LATER, 2)), Turn::Now);
            }
            Err(wait) => soonest = Some(soonest.map_or(wait, |other| other.min(wait))),
        }
    }
    match soonest {
        Some(wait) => Turn::Later(spread(wait, parts.settings.slots)),
        // The gate writes down why it waits; after that it is put off without being rendered.
        None if paused && message.reason.as_deref() == Some(Reason::ProviderPaused.as_str()) => {
            Turn::Later(ACCOUNT_LATER)
        }
        None => Turn::Now(None),
    }
}

/// Spreads a backlog over as many waits as there are others waiting beside it.
fn spread(wait: Duration, over: usize) -> Duration {
    let over = u32::try_from(over.clamp(1, 64)).unwrap_or(1);
    wait.mul_f64(1.0 + fastrand::f64() * f64::from(over))
}
