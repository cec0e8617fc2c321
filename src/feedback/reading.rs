//! Reading: from a stored callback to the facts in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ring::digest::{SHA256, digest};

use super::callback;
use crate::accounts::Accounts;
use crate::domain::callback::CallbackForm;
use crate::domain::event::DeliveryEvent;
use crate::domain::storable::unstorable_in;
use crate::provider::{Provider, WebhookParts};
use crate::store::records::inbox::Callback;

/// Longest key of a fact that is stored.
const DEDUPE_CHARS_MAX: usize = 200;
/// Hexadecimal digits of a digest of what is said: 64 bits, enough to notice that it changed.
const SAID_DIGITS: usize = 16;

/// A fact found in a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// What is said.
    pub(super) event: DeliveryEvent,
    /// A digest of all of it.
    pub(super) said: String,
}

/// The facts in a callback as received; `None` if it cannot be read. A parser that panics could not read it.
pub(super) fn translate(provider: &dyn Provider, parts: &WebhookParts) -> Option<Vec<Fact>> {
    let events = catch_unwind(AssertUnwindSafe(|| provider.translate(parts))).ok().flatten()?;
    events.into_iter().map(fact).collect()
}

/// The facts in a stored callback; `None` if it cannot be read, or its account is no longer configured.
pub(super) fn read(accounts: &Accounts, callback: &mut Callback) -> Option<Vec<Fact>> {
    let content = callback.content.take()?;
    match callback.form {
        CallbackForm::Event => Some(vec![fact(serde_json::from_slice(&content).ok()?)?]),
        CallbackForm::Raw => {
            let account = accounts.get(&callback.provider)?;
            translate(account.layered.provider(), &callback::decode(content)?)
        }
    }
}

fn fact(mut event: DeliveryEvent) -> Option<Fact> {
    if let Some((end, _)) = event.dedupe.char_indices().nth(DEDUPE_CHARS_MAX) {
        event.dedupe.truncate(end);
    }
    let told = serde_json::to_value(&event).ok()?;
    // No adapter lets through what no database can hold; one that does has not read the callback.
    if unstorable_in(&told).is_some() {
        return None;
    }
    let mut said = hex::encode(digest(&SHA256, &serde_json::to_vec(&event).ok()?));
    said.truncate(SAID_DIGITS);
    Some(Fact { event, said })
}
