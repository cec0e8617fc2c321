//! Accounts at every registered provider, from the conformance kit's `account.toml`: a provider that is added there is
//! fuzzed here without another line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use touchline::domain::channel::{PhiClass, Purpose};
use touchline::domain::envelope::{Content, Envelope, Mail};
use touchline::domain::{Address, Channel, Clock, EmailAddress, FaxNumber, Timestamp};
use touchline::http;
use touchline::provider::{Account, Provider, Spec};

/// 2026-11-23T15:00:00Z, the kit's present.
pub const NOW: Timestamp = Timestamp(1_795_446_000_000);
/// Our reference in every call.
pub const ATTEMPT: &str = "0199c0de-7a11-7000-8000-00000000c0de";
/// Where faxes go; it must never be seen in what a provider returns.
pub const FAX_TO: &str = "+13125550142";
/// Where mails go; likewise.
pub const EMAIL_TO: &str = "dana.canary@clinic.example";
/// Longer than any loopback answer takes.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A clock that stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A provider with its secrets.
pub struct Ready {
    pub provider: Arc<dyn Provider>,
    pub secrets: BTreeMap<String, String>,
    pub reference: String,
}

impl Ready {
    /// Builds the provider; its far side is at that port of loopback.
    pub fn build(spec: &'static Spec, port: u16) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/fixtures/providers");
        let text = std::fs::read_to_string(folder.join(spec.kind).join("account.toml")).expect("the kit's account");
        let text = text
            .replace("{server}", &format!("http://127.0.0.1:{port}"))
            .replace("{host}", "127.0.0.1")
            .replace("\"{port}\"", &port.to_string());
        let table: toml::Table = toml::from_str(&text).expect("TOML");
        let part = |name: &str| table.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let secrets = part("secrets").into_iter().map(|(key, value)| (key, value.as_str().expect("text").to_owned()));
        let secrets: BTreeMap<String, String> = secrets.collect();
        let account = Account {
            name: "office".to_owned(),
            settings: part("settings"),
            secrets: secrets.iter().map(|(key, value)| (key.clone(), SecretString::from(value.as_str()))).collect(),
            http: http::client().expect("a client"),
            timeout: TIMEOUT,
            concurrency: 4,
            sender: None,
            callback_url: Some("https://touchline.example/hooks/office".to_owned()),
            documents_url: Some("https://touchline.example/documents".to_owned()),
            tokens: Arc::new(touchline::provider::sign_in::Unkept),
            returns: touchline::domain::return_path::ReturnPaths::new(b"key"),
            baa: false,
            clock: Arc::new(Still),
        };
        let provider = (spec.build)(account).expect("the kit's account is good");
        let reference = table.get("reference").and_then(toml::Value::as_str).expect("a reference").to_owned();
        Self { provider, secrets, reference }
    }

    /// The far side's words with the things filled in that must not come back: `{to}` and `{key}`.
    pub fn with_canaries(&self, octets: &[u8]) -> Vec<u8> {
        let to = if self.provider.spec().channel == Channel::Fax { FAX_TO } else { EMAIL_TO };
        // A far side knows our key only after we have given it; the sandbox, which is our own, never repeats it.
        let key = match self.provider.spec().kind {
            "sandbox" | "smtp" => "",
            _ => self.secrets.values().next().map_or("", String::as_str),
        };
        replace(&replace(octets, b"{to}", to.as_bytes()), b"{key}", key.as_bytes())
    }

    /// Panics if a destination or a secret can be read in what the provider returned.
    pub fn no_leak(&self, printed: &str) {
        let digits: String = printed.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        assert!(!digits.contains(&FAX_TO[2..]), "the number came back");
        assert!(!printed.to_lowercase().contains(EMAIL_TO), "the mailbox came back");
        for secret in self.secrets.values() {
            assert!(!printed.contains(secret.as_str()), "a secret came back");
        }
    }
}

/// What every call sends.
pub fn envelope(channel: Channel) -> Envelope {
    let (to, content) = match channel {
        Channel::Fax => {
            let from = FaxNumber::parse("+13125550100").expect("a number");
            (FAX_TO, Content::Fax { pdf: b"%PDF-1.7 %%EOF".to_vec(), pages: 2, from, sender: "Lakeside".to_owned() })
        }
        Channel::Email => {
            let mail = Mail {
                from_name: "Lakeside Recovery".to_owned(),
                from: EmailAddress::parse("letters@practice.example").expect("an address"),
                reply_to: None,
                to_name: "Dana Reyes".to_owned(),
                subject: "Introducing".to_owned(),
                text: "Dear colleague".to_owned(),
                html: "<p>Dear colleague</p>".to_owned(),
                unsubscribe: None,
                automatic: false,
            };
            (EMAIL_TO, Content::Mail(Box::new(mail)))
        }
    };
    let to = Address::parse(channel, to).expect("an address");
    let attempt = ATTEMPT.parse().expect("an attempt");
    Envelope { attempt, to, content, purpose: Purpose::Informational, phi: PhiClass::None, transport: Default::default() }
}

fn replace(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
