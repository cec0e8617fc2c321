//! The letter that every exchange sends, and the things that must never come back out of a provider.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use touchline::domain::channel::{PhiClass, Purpose};
use touchline::domain::envelope::{Content, Envelope, Mail};
use touchline::domain::id::AttemptId;
use touchline::domain::{Address, Channel, Clock, EmailAddress, FaxNumber};
use touchline::http;
use touchline::provider::Account;

/// Our reference in every exchange.
pub const ATTEMPT: &str = "0199c0de-7a11-7000-8000-00000000c0de";
/// When the attempt was opened, and what time it is, unless a file says otherwise.
pub const NOW: &str = "2026-11-23T15:00:00Z";
/// Where every letter goes.
pub const FAX_TO: &str = "+13125550142";
/// Where every mail goes.
pub const EMAIL_TO: &str = "dana.canary@clinic.example";
/// A word of the document, which must not be seen again.
pub const DOCUMENT_WORD: &str = "CANARY-DIAGNOSIS";

/// Ways in which the destination could be written by a provider that repeats it.
const FAX_TO_FORMS: [&str; 4] = ["5550142", "555-0142", "555 0142", "555.0142"];

pub fn attempt() -> AttemptId {
    ATTEMPT.parse().expect("a constant UUID")
}

pub fn to(channel: Channel) -> Address {
    let text = if channel == Channel::Fax { FAX_TO } else { EMAIL_TO };
    Address::parse(channel, text).expect("a constant address")
}

pub fn envelope(channel: Channel) -> Envelope {
    let content = match channel {
        Channel::Fax => Content::Fax {
            pdf: format!("%PDF-1.7 {DOCUMENT_WORD} %%EOF").into_bytes(),
            pages: 2,
            from: FaxNumber::parse("+13125550100").expect("a constant number"),
            sender: "Lakeside Recovery".to_owned(),
        },
        Channel::Email => Content::Mail(Box::new(Mail {
            from_name: "Lakeside Recovery".to_owned(),
            from: EmailAddress::parse("letters@practice.example").expect("a constant address"),
            reply_to: None,
            to_name: "Dana Reyes".to_owned(),
            subject: "Introducing Lakeside Recovery".to_owned(),
            text: DOCUMENT_WORD.to_owned(),
            html: format!("<p>{DOCUMENT_WORD}</p>"),
            unsubscribe: None,
            automatic: false,
        })),
    };
    let (purpose, phi) = (Purpose::Informational, PhiClass::None);
    Envelope { attempt: attempt(), to: to(channel), content, purpose, phi, transport: Default::default() }
}

/// An account named `office`, with a client of its own: pooled connections belong to the runtime of one test.
pub fn account(
    settings: toml::Table,
    secrets: &BTreeMap<String, String>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
) -> Account {
    // Only the first of the tests that share a process can install it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Account {
        name: "office".to_owned(),
        settings,
        secrets: secrets.iter().map(|(key, value)| (key.clone(), SecretString::from(value.as_str()))).collect(),
        http: http::client().expect("the machine has a trust store"),
        timeout,
        concurrency: 4,
        sender: None,
        callback_url: Some("https://touchline.example/hooks/office".to_owned()),
        documents_url: Some("https://touchline.example/documents".to_owned()),
        tokens: Arc::new(touchline::provider::sign_in::Unkept),
        returns: touchline::domain::return_path::ReturnPaths::new(b"key"),
        baa: false,
        clock,
    }
}

/// The first thing in `text` that should have stayed inside: destination, document word, or a secret.
pub fn leak<'a>(text: &str, secrets: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let constants = FAX_TO_FORMS.into_iter().chain([DOCUMENT_WORD, EMAIL_TO, "canary@"]);
    let known = constants.chain(secrets.values().map(String::as_str));
    known.into_iter().find(|word| lower.contains(&word.to_lowercase()))
}
