//! The sandbox fax line (`sandbox::fax`): a provider for the demo, the tests and staff training. The adapter treats it
//! like any foreign service and knows it only by its HTTP interface.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::{Content, Envelope};
use crate::domain::event::{DeliveryEvent, Fact, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{Address, Channel, Outcome, Timestamp};
use crate::http::{Answer, Trouble, call};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// The largest document the line takes.
const DOCUMENT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// How far the time of a callback's signature may be from ours.
const TOLERANCE: Duration = Duration::from_secs(300);
/// The longest key under which repeats of an event are dropped.
const DEDUPE_CHARS_MAX: usize = 200;

/// What is known of the sandbox before it is configured.
pub const SPEC: Spec = Spec {
    kind: "sandbox",
    title: "Sandbox fax line",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Exact,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::SignedWithTime,
        redials: false,
        stamps_header: false,
        pages_max: None,
        bytes_max: Some(DOCUMENT_BYTES_MAX),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("base_url", "Address of the sandbox, for instance http://127.0.0.1:8026.", true),
        Setting::secret("api_key", "The key the sandbox was started with.", true),
        Setting::secret(
            "webhook_secret",
            "The secret with which the sandbox signs callbacks; without it results are only polled.",
            false,
        ),
    ],
    sources: &["src/sandbox/fax: the sandbox's own code"],
    setup: &[
        "Start it: `touchline demo` does, and says where it listens and with which key.",
        "To rehearse, `touchline init` offers it before there is any provider, and `touchline sandbox` runs it, with a mail \
         catcher beside it; with `--like` it passes for another provider.",
    ],
    gaps: &[],
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: String,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let url = url::Url::parse(&settings.base_url).ok();
    if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()) {
        let text = format!("providers.{}.base_url is not an http or https address without a query", account.name);
        return Err(SettingsError(text));
    }
    let api_key = account.secret("api_key")?;
    let webhook_key = account.secrets.get("webhook_secret");
    let webhook_key = webhook_key.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()));
    Ok(Arc::new(Sandbox {
        base_url: settings.base_url.trim_end_matches('/').to_owned(),
        api_key,
        callback_url: webhook_key.as_ref().and(account.callback_url),
        webhook_key,
        http: account.http,
        timeout: account.timeout,
    }))
}

/// One account at one sandbox.
struct Sandbox {
    base_url: String,
    api_key: SecretString,
    webhook_key: Option<hmac::Key>,
    /// Only where callbacks can be verified: what cannot be believed is not asked for.
    callback_url: Option<String>,
    http: reqwest::Client,
    timeout: Duration,
}

impl Sandbox {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url)).bearer_auth(self.api_key.expose_secret())
    }

    /// A request that changes nothing or is safe to repeat: its answer if it is 2xx, else why not.
    async fn ask(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let answer = call(request, self.timeout).await.map_err(Trouble::failure)?;
        if answer.is_success() { Ok(answer) } else { Err(refusal(&answer)) }
    }

    fn fax_path(reference: &ProviderReference, end: &str) -> Result<String, Failure> {
        let plain = reference.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if plain && !reference.0.is_empty() {
            Ok(format!("/faxes/{}{end}", reference.0))
        } else {
            Err(Failure::new(Fault::ProtocolError).text("this reference is not one of the sandbox"))
        }
    }

    fn form(&self, envelope: &Envelope) -> Result<Form, Failure> {
        let (Content::Fax { pdf, pages, from, .. }, Address::Fax(to)) = (&envelope.content, &envelope.to) else {
            return Err(Failure::new(Fault::DocumentError).text("the sandbox fax line carries faxes only"));
        };
        let document = Part::bytes(pdf.clone()).file_name("fax.pdf").mime_str("application/pdf");
        let document =
            document.map_err(|_| Failure::new(Fault::ProtocolError).text("the upload could not be built"))?;
        let mut form = Form::new()
            .text("to", to.as_str().to_owned())
            .text("from", from.as_str().to_owned())
            .text("reference", envelope.attempt.to_string())
            .text("pages", pages.to_string());
        if let Some(url) = &self.callback_url {
            form = form.text("callback_url", url.clone());
        }
        Ok(form.part("document", document))
    }
}

#[async_trait]
impl Provider for Sandbox {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        let form = match self.form(envelope) {
            Ok(form) => form,
            Err(failure) => return Outcome::NotSent(failure),
        };
        match call(self.request(Method::POST, "/faxes").multipart(form), self.timeout).await {
            Ok(answer) => outcome(&answer, envelope.attempt),
            Err(trouble) => trouble.outcome(),
        }
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let path = Self::fax_path(reference, "")?;
        let answer = self.ask(self.request(Method::GET, &path)).await?;
        let fax: FaxObject = read(&answer)?;
        fax.report()
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        let reference = query.attempt.to_string();
        let request = self.request(Method::GET, "/faxes").query(&[("reference", &reference)]);
        let list: FaxList = read(&self.ask(request).await?)?;
        match list.data.iter().find(|fax| fax.reference == reference) {
            Some(fax) => fax.report().map(FindResult::Found),
            None => Ok(FindResult::Absent),
        }
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let path = Self::fax_path(reference, "/cancel")?;
        self.ask(self.request(Method::POST, &path)).await.map(drop)
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let path = Self::fax_path(reference, "")?;
        self.ask(self.request(Method::DELETE, &path)).await.map(drop)
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        verify(self.webhook_key.as_ref(), parts, now)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let callback: Callback = serde_json::from_slice(&parts.body).ok()?;
        callback.event().map(|event| vec![event])
    }

    async fn check(&self) -> Result<String, Failure> {
        let account: AccountObject = read(&self.ask(self.request(Method::GET, "/account")).await?)?;
        Ok(format!("the sandbox fax line answered; it keeps {} faxes", account.faxes))
    }
}

/// What the answer to a creation means.
fn outcome(answer: &Answer, attempt: AttemptId) -> Outcome {
    match answer.status {
        200..=299 => match read::<Receipt>(answer).ok().and_then(|receipt| receipt.reference_of(attempt)) {
            Some(reference) => Outcome::Accepted { reference },
            None => Outcome::Unknown(unreadable(answer)),
        },
        // A request timeout (408) may come after the fax was recorded; a redirect says nothing about it.
        408 | 500..=599 => Outcome::Unknown(refusal(answer)),
        400..=499 => Outcome::Refused(refusal(answer)),
        _ => Outcome::Unknown(unreadable(answer)),
    }
}

/// The failure that an answer other than 2xx speaks of.
fn refusal(answer: &Answer) -> Failure {
    let error = serde_json::from_slice::<ErrorObject>(&answer.body).ok().map(|object| object.error);
    let named = error.as_ref().and_then(|error| error.code.parse::<Fault>().ok());
    let fault = match answer.status {
        401..=403 => Fault::AccountError,
        413 => Fault::TooLarge,
        422 => named.unwrap_or(Fault::Unknown),
        429 => Fault::RateLimited,
        408 | 500..=599 => Fault::ProviderError,
        400..=499 => Fault::Unknown,
        _ => Fault::ProtocolError,
    };
    let failure = Failure::new(fault).retry_after(answer.retry_after_seconds);
    match error {
        Some(error) => failure.code(format!("{} {}", answer.status, error.code)).text(error.message),
        None => failure.code(answer.status.to_string()),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|_| unreadable(answer))
}

fn unreadable(answer: &Answer) -> Failure {
    Failure::new(Fault::ProtocolError).code(answer.status.to_string()).text("the sandbox's answer cannot be read")
}

/// Signature first, then age: only what the sandbox itself said can be old.
fn verify(key: Option<&hmac::Key>, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
    let key = key.ok_or(Rejection::Unsupported)?;
    let timestamp = parts.header("x-sandbox-timestamp").ok_or(Rejection::Forged)?;
    let signature = parts.header("x-sandbox-signature").and_then(|text| hex::decode(text).ok());
    let signature = signature.ok_or(Rejection::Forged)?;
    let signed = [timestamp.as_bytes(), b".", &parts.body].concat();
    hmac::verify(key, &signed, &signature).map_err(|_| Rejection::Forged)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Rejection::Unreadable)?;
    let tolerance_ms = u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX);
    if now.0.abs_diff(seconds.saturating_mul(1_000)) > tolerance_ms { Err(Rejection::Stale) } else { Ok(()) }
}

#[derive(Deserialize)]
struct Receipt {
    id: String,
    reference: String,
}

impl Receipt {
    fn reference_of(&self, attempt: AttemptId) -> Option<ProviderReference> {
        if self.reference == attempt.to_string() { ProviderReference::new(&self.id) } else { None }
    }
}

#[derive(Deserialize)]
struct ErrorObject {
    error: ErrorWords,
}

#[derive(Deserialize)]
struct ErrorWords {
    code: String,
    message: String,
}

#[derive(Deserialize)]
struct AccountObject {
    faxes: u64,
}

#[derive(Deserialize)]
struct FaxList {
    data: Vec<FaxObject>,
}

/// A fax, as the interface shows it and as callbacks tell of it.
#[derive(Deserialize)]
struct FaxObject {
    id: String,
    reference: String,
    status: String,
    pages: u32,
    pages_confirmed: Option<u32>,
    fault: Option<String>,
}

impl FaxObject {
    fn report(&self) -> Result<Report, Failure> {
        let reference = ProviderReference::new(&self.id);
        let read = reference.zip(self.fact()).map(|(reference, fact)| Report::new(reference, fact));
        read.ok_or_else(|| Failure::new(Fault::ProtocolError).text("the sandbox tells of a fax that makes no sense"))
    }

    /// `None` for a status that is not known here. Delivered with pages missing is a partial send.
    fn fact(&self) -> Option<Fact> {
        let failed = |fault| Some(Fact::Failed(Failure::new(fault).pages(self.pages_confirmed)));
        match self.status.as_str() {
            "queued" | "dialing" => Some(Fact::Progress { stage: self.status.clone() }),
            "delivered" if self.pages_confirmed.is_some_and(|confirmed| confirmed < self.pages) => {
                failed(Fault::PartialSend)
            }
            "delivered" => Some(Fact::Delivered { pages: self.pages_confirmed }),
            "cancelled" => failed(Fault::Cancelled),
            "failed" => {
                let word = self.fault.as_deref().unwrap_or_default();
                let failure = Failure::new(word.parse().unwrap_or(Fault::Unknown)).pages(self.pages_confirmed);
                Some(Fact::Failed(if word.is_empty() { failure } else { failure.code(word) }))
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Callback {
    id: String,
    fax: FaxObject,
    at_ms: i64,
}

impl Callback {
    fn event(&self) -> Option<DeliveryEvent> {
        let dedupe = self.id.trim();
        if dedupe.is_empty() || dedupe.chars().count() > DEDUPE_CHARS_MAX {
            return None;
        }
        Some(DeliveryEvent {
            attempt: self.fax.reference.parse().ok(),
            reference: ProviderReference::new(&self.fax.id),
            fact: self.fax.fact()?,
            occurred_ms: Some(Timestamp(self.at_ms)),
            dedupe: dedupe.to_owned(),
            billed: None,
            returned: None,
        })
    }
}
