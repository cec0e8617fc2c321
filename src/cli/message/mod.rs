//! What a person sees of messages and does with them: `touchline status | retry | hold | release | cancel | resolve`.

pub mod act;
pub mod release;
pub mod resolve;
pub mod status;

use crate::domain::message::Message;
use crate::wording;

/// A message's status, in words: `delivered (presumed)`, `held: Someone put it on hold.`
#[must_use]
pub fn standing(message: &Message) -> String {
    let status = wording::status(message.status).1;
    match (message.confidence, message.reason) {
        (Some(confidence), _) => format!("{status} ({confidence})"),
        (None, Some(reason)) => format!("{status}: {}", wording::explain(reason)),
        (None, None) => status.to_owned(),
    }
}
