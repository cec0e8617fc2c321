//! Turn: whether some account could take a message now, asked before anything is rendered, so that the backlog of
//! a paused or rate-limited account is not typeset again and again, and so that no attempt is on record while its call
//! still waits for a free slot. The gate decides again.

use std::time::Duration;

use super::Parts;
use super::choice::{Choice, choose, parcel};
use crate::accounts::layers::Slot;
use crate::domain::message::Message;
use crate::domain::provider_state::ProviderState;
use crate::domain::{Lane, PolicyReason};

/// How long a message waits in place for a slot of its account.
const SLOT_WAIT: Duration = Duration::from_millis(250);
/// The same for a letter someone is waiting for: it keeps its place in line.
const SLOT_WAIT_URGENT: Duration = Duration::from_secs(5);
/// How long it is deferred if there was none, before jitter.
const SLOT_LATER: Duration = Duration::from_millis(500);
/// How long before its end the time of a letter that waits for its account is moved; less than it is moved by.
const MOVED_BEFORE: Duration = Duration::from_secs(12 * 3600);

/// What a message may do now.
pub(super) enum Turn {
    /// Continue to the gate, with the slot of the account that will probably take it.
    Now(Option<Slot>),
    /// Be deferred this long.
    Later(Duration),
}

/// Waits a moment for a turn.
pub(super) async fn turn(parts: &Parts, message: &Message, states: &[ProviderState]) -> Turn {
    let now = parts.clock.now();
    if message.give_up_ms <= now {
        return Turn::Now(None);
    }
    let pages = message.pages.and_then(|pages| u32::try_from(pages).ok());
    let parcel = parcel(&parts.accounts, message, pages);
    let state_of = |name: &str| states.iter().find(|state| state.provider == name);
    match choose(&parts.accounts, &parcel, state_of, now) {
        Choice::Take(account, _) => {
            let wait = if message.lane == Lane::Broadcast { SLOT_WAIT } else { SLOT_WAIT_URGENT };
            let slot = tokio::time::timeout(wait, account.layered.slot(message.lane)).await;
            slot.map_or_else(|_| Turn::Later(spread(SLOT_LATER, 2)), Turn::Now)
        }
        // The gate records why it waits; after that it is deferred without being rendered, until its time is to be moved.
        Choice::Wait(reason, _) if reason.is_for_account() && message.give_up_ms <= now.after(MOVED_BEFORE) => {
            Turn::Now(None)
        }
        Choice::Wait(PolicyReason::RateReached, wait) => Turn::Later(spread(wait, parts.settings.slots)),
        Choice::Wait(reason, wait) if message.reason == Some(reason.into()) => Turn::Later(wait),
        Choice::Wait(..) | Choice::TooDear | Choice::Nobody => Turn::Now(None),
    }
}

/// Spreads a backlog over as many waits as there are other messages waiting.
fn spread(wait: Duration, over: usize) -> Duration {
    let over = u32::try_from(over.clamp(1, 64)).unwrap_or(1);
    wait.mul_f64(1.0 + fastrand::f64() * f64::from(over))
}
