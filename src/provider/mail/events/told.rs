//! What a provider says of one letter to one recipient, and the fact that it becomes.

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::verdict::{Saying, weigh};
use crate::domain::Timestamp;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{DeliveryEvent, Fact};
use crate::domain::fault::Fault;
use crate::domain::id::AttemptId;
use crate::domain::returned::{DIAGNOSTIC_CHARS_MAX, ReturnKind, Returned};
use crate::provider::kit::reading;
use crate::provider::mail::attempt_of;

/// The name under which a provider repeats our reference, where it repeats what a mail carries.
pub(super) const ECHO: &str = "touchline_attempt";
/// The stage of a letter that is still tried.
const DELAYED: &str = "delayed";
/// The stage of a letter that a machine has answered: it says neither that the letter arrived nor that it did not.
const ANSWERED: &str = "auto_reply";
/// Longest address of a recipient that is kept, in characters (RFC 5321 §4.5.3.1).
const RECIPIENT_CHARS_MAX: usize = 320;
/// Longest word of theirs that is kept, in characters.
const WORD_CHARS_MAX: usize = 80;
/// Longest id of theirs that is part of a key, in characters.
const ID_CHARS_MAX: usize = 120;
/// Longest `Message-ID` that is looked at, in octets.
const MESSAGE_ID_OCTETS_MAX: usize = 500;
/// Hexadecimal digits that tell what is said apart within one id: 64 bits.
const DIGEST_DIGITS: usize = 16;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// The recipient's server has it.
    Delivered,
    /// It is still tried.
    Delayed,
    /// It will not arrive.
    Bounced(Saying),
    /// The recipient reported it as unwanted.
    Complained,
    /// The recipient wants no more such letters.
    OptedOut,
    /// A machine answered: out of the office, another address, a challenge.
    AutoReplied,
}

/// What is said of one letter to one recipient.
#[derive(Debug)]
pub(super) struct Told {
    /// What happened.
    pub happened: Happened,
    /// Whose word it is, and the word: `postmark: HardBounce`.
    pub word: String,
    /// Whom it names.
    pub recipient: Option<String>,
    /// The enhanced code (RFC 3463), as written.
    pub status: Option<String>,
    /// The server's words.
    pub diagnostic: String,
    /// The provider's id of the event; the same if the event is reported again.
    pub id: Option<String>,
    /// Our reference, if it comes back.
    pub attempt: Option<AttemptId>,
    /// The provider's id of the letter.
    pub reference: Option<String>,
    /// When it happened.
    pub at: Option<Timestamp>,
}

impl Told {
    /// Something of which only the word is known.
    pub fn new(happened: Happened, provider: &str, word: &str) -> Self {
        Self {
            happened,
            word: format!("{provider}: {}", one_line(word, WORD_CHARS_MAX)),
            recipient: None,
            status: None,
            diagnostic: String::new(),
            id: None,
            attempt: None,
            reference: None,
            at: None,
        }
    }

    /// As a fact. The provider's own id of the letter counts only where ours does not come back.
    pub fn event(self) -> DeliveryEvent {
        let dedupe = self.key();
        let recipient = self.recipient.as_deref().map(|text| one_line(text, RECIPIENT_CHARS_MAX));
        let status = self.status.as_deref().map(|text| one_line(text, WORD_CHARS_MAX)).filter(|text| !text.is_empty());
        let mut returned = Returned {
            recipient: recipient.filter(|text| !text.is_empty()),
            status: status.clone(),
            diagnostic: one_line(&self.diagnostic, DIAGNOSTIC_CHARS_MAX),
            row: Some(self.word.clone()),
            ..Returned::new(self.kind())
        };
        let fact = match self.happened {
            Happened::Delivered | Happened::Complained | Happened::OptedOut => Fact::Delivered { pages: None },
            Happened::Delayed => Fact::Progress { stage: DELAYED.to_owned() },
            Happened::AutoReplied => Fact::Progress { stage: ANSWERED.to_owned() },
            Happened::Bounced(saying) => {
                let weighed = weigh(saying, status.as_deref(), &self.diagnostic);
                returned.class = Some(weighed.class);
                returned.row = weighed.row.or(returned.row);
                Fact::Failed(weighed.failure)
            }
        };
        DeliveryEvent {
            attempt: self.attempt,
            reference: self.reference.as_deref().and_then(ProviderReference::new).filter(|_| self.attempt.is_none()),
            fact,
            occurred_ms: self.at,
            dedupe,
            billed: None,
            returned: Some(returned),
        }
    }

    const fn kind(&self) -> ReturnKind {
        match self.happened {
            Happened::Delivered => ReturnKind::Delivered,
            Happened::Delayed => ReturnKind::Delay,
            // The letter did not arrive, and what was said earlier, of another letter, is what counts.
            Happened::Bounced(Saying::Unwilling) => ReturnKind::OptOut,
            Happened::Bounced(Saying::Is(Fault::Complaint, ..)) => ReturnKind::Complaint,
            Happened::Bounced(_) => ReturnKind::Bounce,
            Happened::Complained => ReturnKind::Complaint,
            Happened::OptedOut => ReturnKind::OptOut,
            Happened::AutoReplied => ReturnKind::AutoReply,
        }
    }

    /// The event's own id where there is one, else the letter's with the time; either way with whom and what it is about,
    /// because one report may name several recipients.
    fn key(&self) -> String {
        let is_plain = |text: &&str| text.len() <= ID_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let id = self.id.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let letter = self.attempt.map(|attempt| attempt.to_string()).or_else(|| self.reference.clone());
        let time = self.at.filter(|_| id.is_none()).map(|at| at.0.to_string());
        let said = [
            self.word.as_str(),
            self.recipient.as_deref().unwrap_or_default(),
            id.unwrap_or_default(),
            letter.as_deref().filter(|_| id.is_none()).unwrap_or_default(),
            time.as_deref().unwrap_or_default(),
        ];
        let mut digits = hex::encode(digest(&SHA256, said.join("\n").to_lowercase().as_bytes()));
        digits.truncate(if id.is_some() { DIGEST_DIGITS } else { 2 * DIGEST_DIGITS });
        match id.filter(is_plain) {
            Some(id) => format!("{id}:{digits}"),
            None => digits,
        }
    }
}

/// One line of at most that many characters, without control characters.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(chars_max).collect()
}

/// Our reference under its own name: a text, or a list of which the first counts.
pub(super) fn echoed(value: &Value) -> Option<AttemptId> {
    let text = value.as_str().or_else(|| value.as_array()?.first()?.as_str())?;
    text.trim().parse().ok()
}

/// Our reference in a `Message-ID` of ours.
pub(super) fn in_message_id(value: &Value) -> Option<AttemptId> {
    value.as_str().filter(|text| text.len() <= MESSAGE_ID_OCTETS_MAX).and_then(attempt_of)
}

/// A text or a number that is there.
pub(super) fn word(value: &Value) -> Option<String> {
    reading::words(value).filter(|_| !value.is_boolean())
}

/// A time: with a zone, or seconds (also with a fraction) or milliseconds since 1970.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let text = word(value)?;
    let whole = text.split_once('.').filter(|(whole, _)| whole.bytes().all(|byte| byte.is_ascii_digit()));
    reading::moment(whole.map_or(text.as_str(), |(whole, _)| whole))
}
