//! Amazon SES through SNS (AWS: "Verifying the signatures of Amazon SNS messages"). The signature, the certificate's address,
//! its chain and its name, and the topic are checked; the subscription is confirmed once.
//!
//! - `envelope`: what SNS sends, and what of it is signed
//! - `certificate`: the certificates that it is signed with
//! - `report`: what SES says inside

mod certificate;
mod envelope;
mod report;
#[cfg(test)]
pub(super) mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ring::digest::{SHA256, digest};

pub(super) use self::report::saying;

use self::certificate::{Certificates, Https, Trust, Web, Wrong};
use self::envelope::{Envelope, Kind, Topic};
use super::MailEvents;
use super::told::{ECHO, Told};
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::id::AttemptId;
use crate::domain::tally::Tally;
use crate::provider::{Account, Rejection, SettingsError, WebhookAuthenticity, WebhookParts};

/// How old a message may be: SNS keeps the time of the first sending when it sends again, and tries for an hour at most
/// (AWS: "Amazon SNS message delivery retries", the limit of a custom policy for HTTP).
pub(super) const TOLERANCE: Duration = Duration::from_secs(65 * 60);
/// Most confirmed subscriptions that are remembered.
const CONFIRMED_MAX: usize = 64;

/// One topic.
pub(super) struct Ses {
    account: String,
    topic: Topic,
    tolerance: Duration,
    certificates: Certificates,
    web: Arc<dyn Web>,
    /// Digests of the tokens of subscriptions that were confirmed.
    confirmed: Mutex<VecDeque<[u8; 32]>>,
    /// One confirmation at a time, so that each is made once.
    confirming: tokio::sync::Mutex<()>,
    /// What was told of callbacks that could not be proved: anybody who knows the topic can send them.
    told: Tally<Trouble, String>,
}

/// What keeps a callback from being proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    NotFetched,
    NotTrusted,
}

impl Ses {
    /// The topic of an account, by the machine's authorities.
    ///
    /// # Errors
    /// `events_topic` is no topic.
    pub fn new(account: &Account, topic: &str, tolerance: Duration) -> Result<Self, SettingsError> {
        let topic = Topic::parse(topic).ok_or_else(|| {
            account.refuse("events_topic", "must be the topic's ARN, such as arn:aws:sns:us-east-1:123456789012:mail")
        })?;
        let web = Arc::new(Https::new(account.http.clone()));
        Ok(Self::over(&account.name, topic, tolerance, Trust::of_this_machine(), web))
    }

    fn over(account: &str, topic: Topic, tolerance: Duration, trust: Trust, web: Arc<dyn Web>) -> Self {
        Self {
            account: account.to_owned(),
            topic,
            tolerance,
            certificates: Certificates::new(trust, web.clone()),
            web,
            confirmed: Mutex::default(),
            confirming: tokio::sync::Mutex::default(),
            told: Tally::default(),
        }
    }

    /// The envelope, if it is one of this topic whose certificate comes from where it must.
    fn envelope(&self, parts: &WebhookParts) -> Option<Envelope> {
        let envelope = Envelope::read(&parts.body)?;
        (envelope.topic == self.topic.arn && self.topic.is_certificate(&envelope.certificate)).then_some(envelope)
    }

    /// Whether it is signed, whatever follows from it.
    fn prove(&self, envelope: &Envelope, now: Timestamp) -> Result<(), Rejection> {
        let chain = self.certificates.kept(&envelope.certificate).ok_or(Rejection::Later)?;
        chain.verify(&self.topic, envelope, now).map_err(|wrong| {
            if wrong != Wrong::Signature {
                self.tell(Trouble::NotTrusted, wrong.to_string(), now);
            }
            Rejection::Forged
        })?;
        let sent = envelope.sent.ok_or(Rejection::Forged)?;
        if now.distance(sent) > self.tolerance { Err(Rejection::Stale) } else { Ok(()) }
    }

    fn tell(&self, trouble: Trouble, why: String, now: Timestamp) {
        let Some(count) = self.told.note(&trouble, why.clone(), now) else { return };
        let account = &self.account;
        match trouble {
            Trouble::NotFetched => {
                tracing::warn!(account, count, why, "the certificate that SNS signed with could not be fetched");
            }
            Trouble::NotTrusted => {
                tracing::warn!(account, count, why, "the certificate that SNS signed with is not trusted");
            }
        }
    }

    fn is_confirmed(&self, token: &[u8; 32]) -> bool {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).contains(token)
    }

    /// Visits the address that confirms the subscription, unless that was done.
    async fn confirm(&self, envelope: &Envelope) {
        let _alone = self.confirming.lock().await;
        let token = fingerprint(&envelope.token);
        let Some(url) = self.topic.confirmation(&envelope.subscribe).filter(|_| !self.is_confirmed(&token)) else {
            return;
        };
        match self.web.get(&url).await {
            Ok(_) => {
                let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
                if confirmed.len() >= CONFIRMED_MAX {
                    confirmed.pop_front();
                }
                confirmed.push_back(token);
                tracing::info!(account = self.account, "the subscription to the SNS topic is confirmed");
            }
            Err(why) => {
                tracing::warn!(account = self.account, why, "the subscription to the SNS topic could not be confirmed");
            }
        }
    }
}

fn fingerprint(token: &str) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}

#[async_trait]
impl MailEvents for Ses {
    fn authenticity(&self) -> WebhookAuthenticity {
        WebhookAuthenticity::SignedWithTime
    }

    async fn prepare(&self, parts: &WebhookParts, now: Timestamp) {
        let Some(envelope) = self.envelope(parts) else { return };
        if let Err(why) = self.certificates.fetch(&self.topic, &envelope.certificate, now).await {
            self.tell(Trouble::NotFetched, why, now);
            return;
        }
        if envelope.kind == Kind::Notification || self.prove(&envelope, now).is_err() {
            return;
        }
        if envelope.kind == Kind::SubscriptionConfirmation {
            self.confirm(&envelope).await;
        } else {
            tracing::warn!(
                account = self.account,
                "the subscription to the SNS topic was ended: no more events will come"
            );
        }
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let envelope = self.envelope(parts).ok_or(Rejection::Forged)?;
        self.prove(&envelope, now)?;
        let waits =
            envelope.kind == Kind::SubscriptionConfirmation && !self.is_confirmed(&fingerprint(&envelope.token));
        if waits { Err(Rejection::Later) } else { Ok(()) }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let envelope = Envelope::read(&parts.body)?;
        if envelope.kind != Kind::Notification {
            return Some(Vec::new());
        }
        Some(report::told(&envelope.message)?.into_iter().map(Told::event).collect())
    }

    fn echo(&self, attempt: AttemptId) -> Option<(&'static str, String)> {
        Some(("X-SES-MESSAGE-TAGS", format!("{ECHO}={attempt}")))
    }
}
