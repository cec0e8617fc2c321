//! Signatures of callbacks, as a description tells of them: which header holds what, written how, over which bytes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use super::callback::same;
use super::reading::moment;
use crate::domain::Timestamp;
use crate::provider::{Rejection, WebhookAuthenticity, WebhookParts};

/// What is signed unless a description says otherwise.
pub const BODY: &str = "{body}";
/// Most signatures looked at in one header: while a provider changes its key, some send two.
const SIGNATURES_MAX: usize = 4;

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

impl KeyEncoding {
    /// The key as bytes; `None` if it is not written so.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Hex => hex::decode(text.trim()).ok(),
            Self::Base64 => BASE64.decode(text.trim()).ok(),
        }
    }
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

/// How callbacks are signed.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'d> {
    /// How a callback proves who sent it.
    pub proof: Proof,
    /// The header that holds the signature or the shared secret.
    pub header: Option<&'d str>,
    /// How the signature is written.
    pub encoding: Encoding,
    /// What stands before it, such as `sha256=`.
    pub prefix: Option<&'d str>,
    /// Its name where the header is a list such as `t=1795446000,v=5f…`.
    pub part: Option<&'d str>,
    /// The header that holds the time.
    pub timestamp_header: Option<&'d str>,
    /// The name of the time in the same list.
    pub timestamp_part: Option<&'d str>,
    /// How far the time may be from ours, either way.
    pub tolerance: Duration,
    /// What is signed, of `{timestamp}`, `{body}` and `{url}`.
    pub signed: &'d str,
}

impl<'d> Signature<'d> {
    /// What such a callback proves.
    #[must_use]
    pub fn authenticity(&self) -> WebhookAuthenticity {
        match self.proof {
            Proof::SecretPath => WebhookAuthenticity::SecretPath,
            Proof::SharedSecret => WebhookAuthenticity::SharedSecret,
            _ if pieces(self.signed).is_ok_and(|pieces| pieces.contains(&Piece::Timestamp)) => {
                WebhookAuthenticity::SignedWithTime
            }
            _ => WebhookAuthenticity::Signed,
        }
    }

    /// The header with the shared secret, where that is the proof.
    #[must_use]
    pub fn secret_header(&self) -> Option<&'d str> {
        self.header.filter(|_| self.proof == Proof::SharedSecret)
    }

    /// Checks signature, then age. Without a key nothing can be believed.
    ///
    /// # Errors
    /// `Forged` if anything about the signature is missing or wrong, `Stale` if only the time does not fit.
    pub fn verify(&self, key: Option<&[u8]>, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let key = key.filter(|key| !key.is_empty()).ok_or(Rejection::Forged)?;
        let given = self.header.map(str::to_ascii_lowercase);
        let given = given.and_then(|name| parts.header(&name)).ok_or(Rejection::Forged)?;
        if self.proof == Proof::SharedSecret {
            let given = given.trim().strip_prefix(self.prefix.unwrap_or_default());
            let fits = given.is_some_and(|given| same(given.as_bytes(), key));
            return if fits { Ok(()) } else { Err(Rejection::Forged) };
        }
        let pieces = pieces(self.signed).map_err(|_| Rejection::Forged)?;
        let timestamp = self.timestamp(given, parts);
        let signed = assemble(&pieces, timestamp, parts).ok_or(Rejection::Forged)?;
        let signatures = self.signatures(given);
        if !signatures.iter().any(|signature| self.fits(key, &signed, signature)) {
            return Err(Rejection::Forged);
        }
        if pieces.contains(&Piece::Timestamp) { self.is_of_now(timestamp, now) } else { Ok(()) }
    }

    fn timestamp<'p>(&self, given: &'p str, parts: &'p WebhookParts) -> Option<&'p str> {
        match (self.timestamp_header, self.timestamp_part) {
            (Some(name), _) => parts.header(&name.to_ascii_lowercase()),
            (None, Some(name)) => listed(given, name).next(),
            (None, None) => None,
        }
    }

    fn signatures(&self, given: &str) -> Vec<Vec<u8>> {
        let texts: Vec<&str> = match self.part {
            Some(name) => listed(given, name).take(SIGNATURES_MAX).collect(),
            None => vec![given.trim()],
        };
        let prefix = self.prefix.unwrap_or_default();
        let decode = |text: &str| match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => BASE64.decode(text).ok(),
        };
        texts.into_iter().filter_map(|text| text.strip_prefix(prefix).and_then(decode)).collect()
    }

    fn fits(&self, key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
        let algorithm = match self.proof {
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
        if now.distance(signed_at) > self.tolerance { Err(Rejection::Stale) } else { Ok(()) }
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
