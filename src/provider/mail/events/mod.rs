//! What the providers of relays report by callbacks: delivered, bounced, complained, unsubscribed. Each scheme proves who
//! sent a callback in its own way and has its own words; here they become facts about our letters.
//!
//! - `settings`: the keys of an account's section, and which scheme they open
//! - `told`: what a provider says of one letter, and the fact that it becomes
//! - `verdict`: whether a failure is held against the address
//! - `ses`, `sendgrid`, `postmark`, `mailgun`, `resend`, `standard_webhooks`: the schemes
//! - `declared`: any other, described by a TOML file

mod declared;
mod mailgun;
mod postmark;
mod resend;
mod secret;
mod sendgrid;
mod ses;
mod settings;
mod standard_webhooks;
#[cfg(test)]
mod tests;
mod told;
mod verdict;

use std::time::Duration;

use async_trait::async_trait;

pub use self::declared::{FILE, POSTMARK_EXAMPLE, locate};
pub(super) use self::settings::{SETTINGS, open};

use super::SPEC;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::id::AttemptId;
use crate::provider::{Capabilities, Rejection, Spec, WebhookAuthenticity, WebhookParts};

/// The kind as it is for accounts that take callbacks, by what these prove.
static SIGNED_WITH_TIME: Spec = spec(WebhookAuthenticity::SignedWithTime);
static SIGNED: Spec = spec(WebhookAuthenticity::Signed);
static SHARED_SECRET: Spec = spec(WebhookAuthenticity::SharedSecret);

const fn spec(webhook: WebhookAuthenticity) -> Spec {
    Spec { capabilities: Capabilities { webhook, ..SPEC.capabilities }, ..SPEC }
}

/// What is known about the kind, with what the account's callbacks prove.
pub(super) fn spec_of(events: Option<&dyn MailEvents>) -> &'static Spec {
    match events.map(MailEvents::authenticity) {
        Some(WebhookAuthenticity::SignedWithTime) => &SIGNED_WITH_TIME,
        Some(WebhookAuthenticity::Signed) => &SIGNED,
        Some(WebhookAuthenticity::SharedSecret) => &SHARED_SECRET,
        Some(WebhookAuthenticity::SecretPath | WebhookAuthenticity::NoWebhook) | None => &SPEC,
    }
}

/// How far a signed time may be from ours, either way, unless the account says otherwise.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Most events in one callback; a body with more is not one of theirs.
const EVENTS_MAX: usize = 5_000;

/// One way in which callbacks about mails are proved and written. Its promises are those of [`crate::provider::Provider`].
#[async_trait]
pub(super) trait MailEvents: Send + Sync {
    /// What a callback proves.
    fn authenticity(&self) -> WebhookAuthenticity;

    /// Fetches what the proof of this callback needs, if it is not here yet. Nothing by default.
    async fn prepare(&self, _parts: &WebhookParts, _now: Timestamp) {}

    /// Checks who sent a callback, and when.
    ///
    /// # Errors
    /// Why it was rejected.
    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection>;

    /// A digest of what the sender uses for one callback only, where its proof does not cover the body.
    fn used_once(&self, _parts: &WebhookParts) -> Option<String> {
        None
    }

    /// The header in which callbacks carry a shared secret, if they do.
    fn secret_header(&self) -> Option<&str> {
        None
    }

    /// The facts in a verified callback; an empty list if it is about nothing that is a fact, `None` if it is not one of
    /// theirs.
    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>>;

    /// A header of the mail whose value comes back in every event, where the provider offers that: name and value, ASCII
    /// and short enough for one line. The provider takes it out before the mail goes on.
    fn echo(&self, _attempt: AttemptId) -> Option<(&'static str, String)> {
        None
    }
}
