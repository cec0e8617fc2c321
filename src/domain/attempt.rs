//! An attempt: one hand-over to a provider, recorded before it is made; and the outcome the provider answered.

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::clock::Timestamp;
use super::event::Billed;
use super::fault::{Failure, Fault};
use super::id::{AttemptId, MessageId};
use super::transport::Transport;
use super::words::words;

words! {
    /// The status of an attempt. Calling, in doubt and accepted are open; at most one of a message's attempts is open.
    AttemptStatus {
        /// Recorded; the call may be under way.
        Calling = "calling",
        /// It may or may not have taken effect.
        InDoubt = "in_doubt",
        /// The provider accepted it.
        Accepted = "accepted",
        /// The provider certainly never accepted it.
        NotSent = "not_sent",
        /// The provider refused it.
        Refused = "refused",
        /// The recipient's machine or server has it.
        Delivered = "delivered",
        /// Accepted, tried, and not delivered.
        Failed = "failed",
    }
}

impl AttemptStatus {
    /// Whether another attempt of the same message must wait.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Calling | Self::InDoubt | Self::Accepted)
    }
}

/// The provider's reference for what it accepted (its fax id, the Message-ID). At most 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderReference(pub String);

impl ProviderReference {
    /// Longest reference kept.
    pub const CHARS_MAX: usize = 200;

    /// A reference, if the text can be one: not empty, no control characters, not too long.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= Self::CHARS_MAX && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }
}

/// What a provider answered to `submit`. Exactly one of four things happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took responsibility and returned a reference.
    Accepted {
        /// Its reference.
        reference: ProviderReference,
    },
    /// The provider understood and refused.
    Refused(Failure),
    /// The request certainly never took effect: nothing was connected, or nothing was written.
    NotSent(Failure),
    /// It may or may not have taken effect. Never repeated blindly.
    Unknown(Failure),
}

impl Outcome {
    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused(_) => "refused",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The failure, unless it was accepted.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused(failure) | Self::NotSent(failure) | Self::Unknown(failure) => Some(failure),
        }
    }
}

/// An attempt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Identifier, and our reference at the provider.
    pub id: AttemptId,
    /// The message it belongs to.
    pub message_id: MessageId,
    /// 1 for the first attempt of its message.
    pub number: i64,
    /// Configured name of the provider account.
    pub provider: String,
    /// Status.
    pub status: AttemptStatus,
    /// The provider's reference.
    pub provider_reference: Option<String>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// The provider's own code.
    pub raw_code: Option<String>,
    /// The provider's own words, cleaned of addresses.
    pub raw_text: Option<String>,
    /// Pages the far end confirmed.
    pub pages_confirmed: Option<i64>,
    /// SHA-256 of the document, hex.
    pub document_hash: String,
    /// Pages of that document; unknown for attempts made before this was recorded.
    pub pages: Option<i64>,
    /// The address as it was handed over; unknown for attempts made before this was recorded.
    pub dialled: Option<Address>,
    /// What the provider charged for it: a decimal number, as the provider wrote it.
    pub billed_amount: Option<String>,
    /// The unit of the charge: a currency, or the provider's word.
    pub billed_unit: Option<String>,
    /// The protocol by which it travelled to a mail relay; [`Transport::PLAIN`] if it was not encrypted. None: not known.
    pub tls_version: Option<String>,
    /// The cipher suite.
    pub tls_cipher: Option<String>,
    /// The name that the relay's certificate was checked for.
    pub tls_peer: Option<String>,
    /// When it was recorded, which is before the call.
    pub opened_ms: Timestamp,
    /// When the provider answered.
    pub answered_ms: Option<Timestamp>,
    /// When it stopped being open.
    pub settled_ms: Option<Timestamp>,
    /// How often it was looked up, in doubt or for its state.
    pub looks: i64,
    /// When a doubt is left to a person.
    pub doubt_deadline_ms: Option<Timestamp>,
}

impl Attempt {
    /// What the provider charged for it, if it said so.
    #[must_use]
    pub fn billed(&self) -> Option<Billed> {
        self.billed_amount.clone().zip(self.billed_unit.clone()).map(|(amount, unit)| Billed { amount, unit })
    }

    /// How it travelled, if that is known.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        let version = self.tls_version.clone()?;
        Some(Transport { version, cipher: self.tls_cipher.clone(), peer: self.tls_peer.clone() })
    }

    /// Records how it travelled.
    pub fn travelled(&mut self, transport: &Transport) {
        self.tls_version = Some(transport.version.clone());
        self.tls_cipher.clone_from(&transport.cipher);
        self.tls_peer.clone_from(&transport.peer);
    }

    /// Records a charge. A provider's charge grows while it works and is reported in any order, so the larger one
    /// stays.
    pub fn bill(&mut self, charge: &Billed) {
        if self.billed().is_none_or(|known| charge.outweighs(&known)) {
            self.billed_amount = Some(charge.amount.clone());
            self.billed_unit = Some(charge.unit.clone());
        }
    }
}
