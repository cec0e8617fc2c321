//! What a person sees of messages and does with them: `touchline status | retry | hold | release | send-now | cancel |
//! resolve`.

pub mod act;
pub mod release;
pub mod resolve;
pub mod status;

use chrono_tz::Tz;

use crate::domain::message::Message;
use crate::wording;

/// A message's status, in words: `delivered (presumed)`, `held: Someone put it on hold.` Moments are said in the zone.
#[must_use]
pub fn standing(message: &Message, zone: Tz) -> String {
    let status = wording::status(message.status).1;
    if let Some(until) = message.waits_until() {
        return format!("{status}: {}", wording::waits_until(&until.in_zone(zone)));
    }
    match (message.confidence, message.reason) {
        (Some(confidence), _) => format!("{status} ({confidence})"),
        (None, Some(reason)) => format!("{status}: {}", wording::explain(reason)),
        (None, None) => status.to_owned(),
    }
}
