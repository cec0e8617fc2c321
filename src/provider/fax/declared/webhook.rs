//! Callbacks: proof over the raw bytes first, then what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::answer::Reader;
use super::description::FaxShape;
use super::fax::State;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::clean;
use crate::provider::kit::callback::Form;
use crate::provider::kit::pointer::Pointers;
use crate::provider::kit::reading::moment;
use crate::provider::kit::signature::{self, Encoding, KeyEncoding, Piece, Proof, Signature};
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// Longest word for an event or a state that is part of a key.
const WORD_CHARS_MAX: usize = 60;

/// `[webhook]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// How a callback proves who sent it.
    pub proof: Spanned<Proof>,
    /// The header that holds the signature or the shared secret.
    pub header: Option<Spanned<String>>,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands before it, such as `sha256=`.
    pub prefix: Option<String>,
    /// Its name where the header is a list such as `t=1795446000,v=5f…`.
    pub part: Option<String>,
    /// The header that holds the time.
    pub timestamp_header: Option<String>,
    /// The name of the time in the same list.
    pub timestamp_part: Option<String>,
    /// How far the time may be from ours, either way.
    #[serde(default = "five_minutes")]
    pub tolerance_seconds: u64,
    /// What is signed, of `{timestamp}`, `{body}` and `{url}`: `{body}` unless given.
    pub signed: Option<Spanned<String>>,
    /// The key: `settings.NAME` or `secrets.NAME`.
    pub key: Option<Spanned<String>>,
    /// How the key is written.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// How the body is written.
    #[serde(default)]
    pub body: Form,
    /// Where the fax stands; the whole body unless given.
    #[serde(default)]
    pub at: Pointers,
    /// Where the word for the event stands, where it says more than the fax's own state.
    #[serde(default)]
    pub event: Pointers,
    /// What such a word begins with; others are not about faxes that we send.
    #[serde(default)]
    pub event_prefix: String,
    /// What the events mean; one that is not listed is progress.
    #[serde(default)]
    pub events: BTreeMap<String, State>,
    /// When it happened.
    #[serde(default)]
    pub occurred: Pointers,
}

const fn five_minutes() -> u64 {
    300
}

impl Webhook {
    /// What `signed` says.
    ///
    /// # Errors
    /// As [`signature::pieces`].
    pub fn pieces(&self) -> Result<Vec<Piece>, String> {
        signature::pieces(self.signed())
    }

    /// What such a callback proves.
    #[must_use]
    pub fn authenticity(&self) -> WebhookAuthenticity {
        self.signature().authenticity()
    }

    /// The key as bytes.
    #[must_use]
    pub fn key_bytes(&self, text: &str) -> Option<Vec<u8>> {
        self.key_encoding.read(text)
    }

    /// Checks signature, then age. Without a key nothing can be believed.
    ///
    /// # Errors
    /// As [`Signature::verify`].
    pub fn verify(&self, key: Option<&[u8]>, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        self.signature().verify(key, parts, now)
    }

    fn signature(&self) -> Signature<'_> {
        Signature {
            proof: *self.proof.get_ref(),
            header: self.header.as_ref().map(|header| header.get_ref().as_str()),
            encoding: self.encoding,
            prefix: self.prefix.as_deref(),
            part: self.part.as_deref(),
            timestamp_header: self.timestamp_header.as_deref(),
            timestamp_part: self.timestamp_part.as_deref(),
            tolerance: Duration::from_secs(self.tolerance_seconds),
            signed: self.signed(),
        }
    }

    fn signed(&self) -> &str {
        self.signed.as_ref().map_or(signature::BODY, |signed| signed.get_ref())
    }

    /// The header with the shared secret, where that is the proof.
    pub fn secret_header(&self) -> Option<&str> {
        self.signature().secret_header()
    }

    /// What a verified callback says; an empty list if it is about nothing of ours, `None` if it is not one
    /// of theirs.
    pub fn events(&self, body: &[u8], shape: &FaxShape, reader: &Reader<'_>) -> Option<Vec<DeliveryEvent>> {
        let body = self.body.read(body)?;
        let event = if self.event.is_empty() {
            None
        } else {
            let word = self.event.word(&body).filter(|word| word.chars().count() <= WORD_CHARS_MAX)?;
            if !word.starts_with(&self.event_prefix) {
                return Some(Vec::new());
            }
            Some(word)
        };
        let fax = self.at.part(&body).filter(|fax| fax.is_object())?;
        if shape.is_skipped(fax) {
            return Some(Vec::new());
        }
        let reference = shape.reference(fax)?;
        let (word, fact) = match event {
            Some(word) => {
                let state = self.events.get(&word).copied().unwrap_or(State::Progress);
                let stage = word.strip_prefix(&self.event_prefix).unwrap_or(&word);
                let fact = shape.fact_of(state, stage, fax, reader);
                (word, fact)
            }
            None => {
                let fact = shape.fact(fax, reader)?;
                (shape.state.word(fax).unwrap_or_default(), fact)
            }
        };
        let event = DeliveryEvent {
            attempt: shape.attempt(fax),
            // Not the delivery's own id: the same fact told anew must have the same key.
            dedupe: format!("{}:{}", reference.0, clean(&word, WORD_CHARS_MAX)),
            reference: Some(reference),
            billed: shape.billed(fax, &fact),
            returned: None,
            fact,
            occurred_ms: self.occurred.word(&body).as_deref().and_then(moment),
        };
        Some(vec![event])
    }
}
