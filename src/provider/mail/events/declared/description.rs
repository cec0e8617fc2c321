//! What a description of a mail provider's callbacks says, as written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::super::told::Happened;
use super::super::verdict::Saying;
use crate::domain::fault::{About, Fault};
use crate::domain::returned::ReturnClass;
use crate::provider::kit::callback::Form;
use crate::provider::kit::pointer::Pointers;
use crate::provider::kit::signature::{self, Encoding, KeyEncoding, Signature};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// A short word for the provider, which stands before its words.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Where its facts come from.
    pub sources: Vec<String>,
    /// How a body is written.
    #[serde(default)]
    pub body: Form,
    /// `[proof]`
    pub proof: ProofSection,
    /// `[event]`
    pub event: EventShape,
    /// `[words]`: what the words for an event mean; what is not listed is no fact.
    pub words: BTreeMap<String, Meaning>,
}

/// How a callback proves who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A signature with the provider's private key; `events_key` is its public one.
    Ed25519,
    /// A signature with the shared secret `events_key`.
    HmacSha256,
    /// The same, older.
    HmacSha1,
    /// The same, longer.
    HmacSha512,
    /// The secret itself in a header.
    SharedSecret,
    /// `events_user` and `events_password` (RFC 7617).
    Basic,
    /// Standard Webhooks 1.0.0.
    StandardWebhooks,
}

/// `[proof]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofSection {
    /// Which.
    pub kind: Proof,
    /// The header that holds the signature or the shared secret.
    pub header: Option<String>,
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
    pub signed: Option<String>,
    /// How the key is written.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
}

const fn five_minutes() -> u64 {
    300
}

impl ProofSection {
    /// As a signature; `None` if there is none in the callback.
    pub fn signature(&self) -> Option<Signature<'_>> {
        let proof = match self.kind {
            Proof::Ed25519 => signature::Proof::Ed25519,
            Proof::HmacSha256 => signature::Proof::HmacSha256,
            Proof::HmacSha1 => signature::Proof::HmacSha1,
            Proof::HmacSha512 => signature::Proof::HmacSha512,
            Proof::SharedSecret | Proof::Basic | Proof::StandardWebhooks => return None,
        };
        Some(Signature {
            proof,
            header: self.header.as_deref(),
            encoding: self.encoding,
            prefix: self.prefix.as_deref(),
            part: self.part.as_deref(),
            timestamp_header: self.timestamp_header.as_deref(),
            timestamp_part: self.timestamp_part.as_deref(),
            tolerance: self.tolerance(),
            signed: self.signed.as_deref().unwrap_or(signature::BODY),
        })
    }

    /// How far a signed time may be from ours.
    pub const fn tolerance(&self) -> Duration {
        Duration::from_secs(self.tolerance_seconds)
    }

    /// The key as bytes; `None` if it is not of this kind.
    pub fn key(&self, text: &str) -> Option<Vec<u8>> {
        self.key_encoding.read(text).filter(|key| self.kind != Proof::Ed25519 || key.len() == 32)
    }
}

/// `[event]`: where the parts of an event stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventShape {
    /// Where the event or the list of events stands in the body; the whole body unless given.
    #[serde(default)]
    pub list: Pointers,
    /// Where the words for what it is stand; those that are there are joined with a slash.
    pub word: Pointers,
    /// Whom it names: one address or a list.
    pub recipient: Pointers,
    /// The provider's id of the event, if it has one.
    #[serde(default)]
    pub id: Pointers,
    /// When it happened.
    #[serde(default)]
    pub occurred: Pointers,
    /// The enhanced code.
    #[serde(default)]
    pub status: Pointers,
    /// The server's basic code, where it stands apart from its words.
    #[serde(default)]
    pub code: Pointers,
    /// The server's words.
    #[serde(default)]
    pub diagnostic: Pointers,
    /// Our reference, where the provider repeats it.
    #[serde(default)]
    pub attempt: Pointers,
    /// The mail's `Message-ID`, where the provider keeps ours.
    #[serde(default)]
    pub message_id: Pointers,
    /// The provider's id of the letter.
    #[serde(default)]
    pub reference: Pointers,
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "write delivered, delayed, complaint, opt_out, auto_reply, ignored, bounce, hard, soft, dead or listed, or { class = \"…\", fault = \"…\", about = \"…\" }"
)]
pub enum Meaning {
    /// One of ours.
    Word(Word),
    /// A failure of exactly that class.
    Exactly(Exactly),
}

/// A meaning in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The recipient's server has it.
    Delivered,
    /// It is still tried.
    Delayed,
    /// The recipient reported it as unwanted.
    Complaint,
    /// The recipient wants no more.
    OptOut,
    /// A machine answered.
    AutoReply,
    /// No fact: opened, clicked, sent.
    Ignored,
    /// It failed; the server's words say what follows for the address.
    Bounce,
    /// It failed for good: the address is bad unless the server's words say otherwise.
    Hard,
    /// It failed, and nothing follows for the address.
    Soft,
    /// There is no such address, whatever the server's words.
    Dead,
    /// It stands on the provider's own list, and the provider did not try.
    Listed,
}

/// A failure of which class, reason and object are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exactly {
    /// What follows for the address. With `soft` and without `about` the server's words may say more.
    pub class: ReturnClass,
    /// Why.
    pub fault: Fault,
    /// Whom it is about.
    pub about: Option<About>,
}

impl Meaning {
    /// What happened; none is no fact.
    pub fn happened(&self) -> Option<Happened> {
        let bounced = |saying| Some(Happened::Bounced(saying));
        match *self {
            Self::Word(Word::Ignored) => None,
            Self::Word(Word::Delivered) => Some(Happened::Delivered),
            Self::Word(Word::Delayed) => Some(Happened::Delayed),
            Self::Word(Word::Complaint) => Some(Happened::Complained),
            Self::Word(Word::OptOut) => Some(Happened::OptedOut),
            Self::Word(Word::AutoReply) => Some(Happened::AutoReplied),
            Self::Word(Word::Bounce) => bounced(Saying::Open),
            Self::Word(Word::Hard) => bounced(Saying::Hard),
            Self::Word(Word::Soft) => bounced(Saying::Soft(Fault::Deferred)),
            Self::Word(Word::Dead) => bounced(Saying::Dead),
            Self::Word(Word::Listed) => bounced(Saying::Listed),
            Self::Exactly(Exactly { class: ReturnClass::Soft, fault, about: None }) => bounced(Saying::Soft(fault)),
            Self::Exactly(Exactly { class, fault, about }) => {
                bounced(Saying::Is(fault, about.unwrap_or(About::Recipient), class))
            }
        }
    }
}
