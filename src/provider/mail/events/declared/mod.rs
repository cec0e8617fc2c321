//! Any other provider of a relay, described by a TOML file alone: how its callbacks are proved, where in them an event
//! stands, and what its words mean. The file lies in the folder `providers` beside the configuration, as those of fax
//! providers do.

mod check;
mod description;

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use self::description::{Description, Meaning, Proof};
use super::secret::Shared;
use super::standard_webhooks::Key;
use super::told::{Happened, Told, echoed, in_message_id, one_line, time};
use super::{EVENTS_MAX, MailEvents};
use crate::domain::Timestamp;
use crate::domain::event::DeliveryEvent;
use crate::provider::kit::description_file;
use crate::provider::kit::pointer::Pointers;
use crate::provider::kit::problem::DescriptionError;
use crate::provider::{Account, Rejection, SettingsError, WebhookAuthenticity, WebhookParts};

/// The setting that names the description.
pub const FILE: &str = "events_file";
/// Postmark described: an example, which the tests hold against the built-in one.
pub const POSTMARK_EXAMPLE: &str = include_str!("../../../../../config/providers/postmark-events.toml");

/// What separates the words that tell what an event is.
const BETWEEN: &str = "/";
/// Longest of such words, in characters.
const WORD_CHARS_MAX: usize = 120;
/// Most recipients that one event may name.
const RECIPIENTS_MAX: usize = 50;

/// The path of a description, by its name in the folder `providers` beside the configuration.
///
/// # Errors
/// The name could lead elsewhere, or there is no such file, or it is wrong: everything that is, with line and column.
pub fn locate(folder: &Path, name: &str) -> Result<PathBuf, DescriptionError> {
    let path = description_file::locate(&folder.join(description_file::FOLDER), name)?;
    read(&path).map(|_| path)
}

fn read(path: &Path) -> Result<Description, DescriptionError> {
    check::parse(&path.display().to_string(), &description_file::read(path)?)
}

/// One account.
pub(super) struct Declared {
    description: Description,
    proof: Ready,
}

/// What a callback is held against.
enum Ready {
    Signed(Vec<u8>),
    Shared(Shared),
    Standard(Key),
}

impl Declared {
    /// The account of a description.
    ///
    /// # Errors
    /// What is wrong with the description, or which key the account lacks.
    pub fn open(account: &Account, path: &Path, basic: Option<Shared>) -> Result<Self, SettingsError> {
        let description = read(path).map_err(|error| account.refuse(FILE, &error.to_string()))?;
        Self::new(account, description, basic)
    }

    fn new(account: &Account, description: Description, basic: Option<Shared>) -> Result<Self, SettingsError> {
        let key = || account.secret("events_key");
        let unfit = || account.refuse("events_key", "is not a key of the kind that the description names");
        let proof = match description.proof.kind {
            Proof::Basic => Ready::Shared(basic.ok_or_else(|| {
                account
                    .refuse("events_user", "is missing, or events_password is: the description names user and password")
            })?),
            Proof::StandardWebhooks => Ready::Standard(Key::read(key()?.expose_secret()).ok_or_else(unfit)?),
            Proof::SharedSecret => {
                let name = description.proof.header.clone().unwrap_or_default().to_ascii_lowercase();
                let prefix = description.proof.prefix.as_deref().unwrap_or_default();
                let secret = SecretString::from(format!("{prefix}{}", key()?.expose_secret()));
                Ready::Shared(Shared::Header(name, secret))
            }
            _ => Ready::Signed(description.proof.key(key()?.expose_secret()).ok_or_else(unfit)?),
        };
        Ok(Self { description, proof })
    }
}

impl MailEvents for Declared {
    fn authenticity(&self) -> WebhookAuthenticity {
        match &self.proof {
            Ready::Shared(_) => WebhookAuthenticity::SharedSecret,
            Ready::Standard(_) => WebhookAuthenticity::SignedWithTime,
            Ready::Signed(_) => {
                let signature = self.description.proof.signature();
                signature.map_or(WebhookAuthenticity::NoWebhook, |signature| signature.authenticity())
            }
        }
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let proof = &self.description.proof;
        match &self.proof {
            Ready::Shared(shared) => shared.verify(parts),
            Ready::Standard(key) => key.verify(parts, now, proof.tolerance()),
            Ready::Signed(key) => proof.signature().ok_or(Rejection::Forged)?.verify(Some(key), parts, now),
        }
    }

    fn secret_header(&self) -> Option<&str> {
        match &self.proof {
            Ready::Shared(shared) => Some(shared.header()),
            Ready::Signed(_) | Ready::Standard(_) => None,
        }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let body = self.description.body.read(&parts.body)?;
        let mut facts = Vec::new();
        for event in self.events(&body)? {
            facts.extend(self.told(event)?.into_iter().map(Told::event));
        }
        Some(facts)
    }
}

impl Declared {
    fn events<'v>(&self, body: &'v Value) -> Option<Vec<&'v Value>> {
        match self.description.event.list.part(body)? {
            Value::Array(events) => (events.len() <= EVENTS_MAX).then(|| events.iter().collect()),
            one => Some(vec![one]),
        }
    }

    /// What one event says of each recipient; `None` if it has no word for what it is.
    fn told(&self, event: &Value) -> Option<Vec<Told>> {
        let shape = &self.description.event;
        let words: Vec<String> = shape.word.words(event).iter().map(|word| one_line(word, WORD_CHARS_MAX)).collect();
        if words.is_empty() {
            return None;
        }
        let Some((said, meaning)) = self.meaning(&words) else { return Some(Vec::new()) };
        let Some(happened) = meaning.happened() else { return Some(Vec::new()) };
        let told = recipients(&shape.recipient, event).into_iter().map(|recipient| Told {
            recipient,
            status: shape.status.word(event),
            diagnostic: diagnostic(&shape.code, &shape.diagnostic, event, happened),
            id: shape.id.word(event),
            attempt: shape
                .attempt
                .value(event)
                .and_then(echoed)
                .or_else(|| shape.message_id.value(event).and_then(in_message_id)),
            reference: shape.reference.word(event),
            at: shape.occurred.value(event).and_then(time),
            ..Told::new(happened, &self.description.name, &said)
        });
        Some(told.collect())
    }

    /// What the words together mean; what is not listed means what its beginning means.
    fn meaning(&self, words: &[String]) -> Option<(String, &Meaning)> {
        (1..=words.len()).rev().find_map(|count| {
            let said = words[..count].join(BETWEEN);
            self.description.words.get(&said).map(|meaning| (said, meaning))
        })
    }
}

/// Whom the event names; one nameless recipient if it names none.
fn recipients(at: &Pointers, event: &Value) -> Vec<Option<String>> {
    let named: Vec<Option<String>> = match at.value(event) {
        Some(Value::Array(list)) => {
            list.iter().take(RECIPIENTS_MAX).filter_map(crate::provider::kit::reading::words).map(Some).collect()
        }
        _ => at.word(event).map(Some).into_iter().collect(),
    };
    if named.is_empty() { vec![None] } else { named }
}

/// The server's words, behind its code where that stands apart.
fn diagnostic(code: &Pointers, text: &Pointers, event: &Value, happened: Happened) -> String {
    let text = text.word(event).unwrap_or_default();
    let code = code.word(event).filter(|code| {
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        is_code && matches!(happened, Happened::Bounced(_)) && !text.starts_with(code.as_str())
    });
    code.map_or_else(|| text.clone(), |code| format!("{code} {text}").trim().to_owned())
}

#[cfg(test)]
pub(super) fn of_text(account: &Account, text: &str, basic: Option<Shared>) -> Result<Declared, SettingsError> {
    let description = check::parse("test.toml", text).map_err(|error| SettingsError(error.to_string()))?;
    Declared::new(account, description, basic)
}
