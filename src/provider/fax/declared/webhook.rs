//! Callbacks: proof over the raw bytes first, then what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::answer::Reader;
use super::description::FaxShape;
use super::fax::{State, moment};
use super::pointer::Pointers;
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::domain::fault::clean;
use crate::provider::kit::callback::same;
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

/// How a callback proves who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A signature with the provider's private key; the key here is its public one.
    Ed25519,
    /// A signature with a shared secret.
    HmacSha256,
    /// The same, older.
    HmacSha1,
    /// The same, longer.
    HmacSha512,
    /// The secret itself in a header.
    SharedSecret,
    /// Nothing of the provider's; a secret of ours in the address, and the state is asked for.
    SecretPath,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base64 (RFC 4648 §4).
    Base64,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// The characters are the key.
    #[default]
    Text,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// JSON.
    #[default]
    Json,
    /// application/x-www-form-urlencoded; each field is a member.
    Form,
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Text(String),
    /// The time as it was sent.
    Timestamp,
    /// The raw body.
    Body,
    /// The whole address.
    Url,
}

/// The pieces of `signed`.
///
/// # Errors
/// A brace that opens none of the three names.
pub fn pieces(signed: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = signed;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a { is not closed")?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(match name {
            "timestamp" => Piece::Timestamp,
            "body" => Piece::Body,
            "url" => Piece::Url,
            _ => return Err(format!("there is no {{{name}}}: write {{timestamp}}, {{body}} or {{url}}")),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

impl Webhook {
    /// What `signed` says.
    ///
    /// # Errors
    /// As [`pieces`].
    pub fn pieces(&self) -> Result<Vec<Piece>, String> {
        pieces(self.signed.as_ref().map_or("{body}", |signed| signed.get_ref()))
    }

    /// What such a callback proves.
    #[must_use]
    pub fn authenticity(&self) -> WebhookAuthenticity {
        match self.proof.get_ref() {
            Proof::SecretPath => WebhookAuthenticity::SecretPath,
            Proof::SharedSecret => WebhookAuthenticity::SharedSecret,
            _ if self.pieces().is_ok_and(|pieces| pieces.contains(&Piece::Timestamp)) => {
                WebhookAuthenticity::SignedWithTime
            }
            _ => WebhookAuthenticity::Signed,
        }
    }

    /// The key as bytes.
    #[must_use]
    pub fn key_bytes(&self, text: &str) -> Option<Vec<u8>> {
        match self.key_encoding {
            KeyEncoding::Text => Some(text.as_bytes().to_vec()),
            KeyEncoding::Hex => hex::decode(text.trim()).ok(),
            KeyEncoding::Base64 => BASE64.decode(text.trim()).ok(),
        }
    }

    /// Checks signature, then age. Without a key nothing can be believed.
    ///
    /// # Errors
    /// `Forged` if anything about the signature is missing or wrong, `Stale` if only the time does not fit.
    pub fn verify(&self, key: Option<&[u8]>, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let key = key.filter(|key| !key.is_empty()).ok_or(Rejection::Forged)?;
        let header = self.header.as_ref().map(|header| header.get_ref().to_ascii_lowercase());
        let given = header.and_then(|name| parts.header(&name)).ok_or(Rejection::Forged)?;
        if *self.proof.get_ref() == Proof::SharedSecret {
            let given = given.trim().strip_prefix(self.prefix.as_deref().unwrap_or_default());
            let fits = given.is_some_and(|given| same(given.as_bytes(), key));
            return if fits { Ok(()) } else { Err(Rejection::Forged) };
        }
        let pieces = self.pieces().map_err(|_| Rejection::Forged)?;
        let timestamp = self.timestamp(given, parts);
        let signed = assemble(&pieces, timestamp, parts).ok_or(Rejection::Forged)?;
        let signatures = self.signatures(given);
        if !signatures.iter().any(|signature| self.fits(key, &signed, signature)) {
            return Err(Rejection::Forged);
        }
        if pieces.contains(&Piece::Timestamp) { self.is_of_now(timestamp, now) } else { Ok(()) }
    }

    /// The header with the shared secret, where that is the proof.
    pub fn secret_header(&self) -> Option<&str> {
        let is_secret = *self.proof.get_ref() == Proof::SharedSecret;
        self.header.as_ref().filter(|_| is_secret).map(|header| header.get_ref().as_str())
    }

    fn timestamp<'p>(&self, given: &'p str, parts: &'p WebhookParts) -> Option<&'p str> {
        match (&self.timestamp_header, &self.timestamp_part) {
            (Some(name), _) => parts.header(&name.to_ascii_lowercase()),
            (None, Some(name)) => listed(given, name).next(),
            (None, None) => None,
        }
    }

    /// The signatures given: while a provider changes its key, some send two.
    fn signatures(&self, given: &str) -> Vec<Vec<u8>> {
        let texts: Vec<&str> = match &self.part {
            Some(name) => listed(given, name).take(4).collect(),
            None => vec![given.trim()],
        };
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let decode = |text: &str| match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => BASE64.decode(text).ok(),
        };
        texts.into_iter().filter_map(|text| text.strip_prefix(prefix).and_then(decode)).collect()
    }

    fn fits(&self, key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
        let algorithm = match self.proof.get_ref() {
            Proof::Ed25519 => return UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok(),
            Proof::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Proof::HmacSha512 => hmac::HMAC_SHA512,
            Proof::HmacSha256 => hmac::HMAC_SHA256,
            Proof::SharedSecret | Proof::SecretPath => return false,
        };
        hmac::verify(&hmac::Key::new(algorithm, key), signed, signature).is_ok()
    }

    fn is_of_now(&self, timestamp: Option<&str>, now: Timestamp) -> Result<(), Rejection> {
        let signed_at = timestamp.and_then(moment).ok_or(Rejection::Forged)?;
        if now.distance(signed_at) > Duration::from_secs(self.tolerance_seconds) {
            Err(Rejection::Stale)
        } else {
            Ok(())
        }
    }

    /// What a verified callback says; an empty list if it is about nothing of ours, `None` if it is not one
    /// of theirs.
    pub fn events(&self, body: &[u8], shape: &FaxShape, reader: &Reader<'_>) -> Option<Vec<DeliveryEvent>> {
        let body = self.read(body)?;
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
            fact,
            occurred_ms: self.occurred.word(&body).as_deref().and_then(moment),
        };
        Some(vec![event])
    }

    fn read(&self, body: &[u8]) -> Option<Value> {
        match self.body {
            Form::Json => serde_json::from_slice(body).ok(),
            Form::Form => {
                let fields: serde_json::Map<String, Value> = url::form_urlencoded::parse(body)
                    .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
                    .collect();
                Some(Value::Object(fields))
            }
        }
    }
}

/// The values of a name in a list such as `t=1,v=2`.
fn listed<'t>(list: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    list.split(',').filter_map(move |item| {
        let (key, value) = item.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

fn assemble(pieces: &[Piece], timestamp: Option<&str>, parts: &WebhookParts) -> Option<Vec<u8>> {
    let mut signed = Vec::with_capacity(parts.body.len() + 64);
    for piece in pieces {
        signed.extend_from_slice(match piece {
            Piece::Text(text) => text.as_bytes(),
            Piece::Timestamp => timestamp?.as_bytes(),
            Piece::Body => &parts.body,
            Piece::Url => parts.url.as_bytes(),
        });
    }
    Some(signed)
}
