//! Notifyre, API of 2022-07-11: the document goes into their conversion as base64, and once it is converted one call,
//! `POST /fax/send`, makes the fax and carries our attempt as `clientReference`. There is no question about one fax: states
//! and lost answers are read from the list of sent faxes. Callbacks are signed with HMAC-SHA256 over a time and the raw body.

mod convert;
mod fax;
mod list;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::Failure;
use crate::domain::{Channel, Clock, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::http::{Answer, Verdict};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{accepted, reference, text};
use crate::provider::{
    Account, Capabilities, Lookup, Provider, Reconciliation, Rejection, Search, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Notifyre, as the registry knows it. No limit of pages or size is published.
pub const SPEC: Spec = Spec {
    kind: "notifyre",
    title: "Notifyre",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Scan,
        status: true,
        webhook: WebhookAuthenticity::SignedWithTime,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("api_token", "The API token, from the dashboard under Settings, API.", true),
        Setting::secret(
            "webhook_secret",
            "The signing secret of the webhook, from the dashboard; without it no callback is believed.",
            false,
        ),
        Setting::plain(
            "from",
            "The caller number, one of the account's own fax numbers; the account's default unless given.",
            false,
        ),
        Setting::plain("high_quality", "true (unless given) sends fine dots, false sends faster and coarser.", false),
        Setting::plain(
            "base_url",
            "The API's address with its version: https://api.notifyre.com/20220711 unless given.",
            false,
        ),
    ],
    sources: &[
        "https://github.com/GoLogic-Group/notifyre-nodejs-sdk at c448a2d: src/services/FaxService.ts, src/utilities.ts",
        "https://github.com/GoLogic-Group/notifyre-dotnet-sdk at 3498c51: src/Notifyre/Services/Fax/FaxSend",
        "https://support.notifyre.com/migrated/fax-status-codes",
    ],
    setup: &[
        "Ask Notifyre for a business associate agreement before any letter about a patient goes this way.",
        "Make an API token in the dashboard.",
        "Buy or port a fax number if a caller number of your own is to be shown.",
        "Add a webhook for the event Fax Sent with this account's callback address, and copy its signing secret.",
    ],
    gaps: &[
        "The name of the signature's header is not published by Notifyre: Notifyre-Signature is what other people's libraries \
         use, and a callback without it is turned away, so that states are polled.",
        "There is no question about a single fax: a poll reads the list of the last two days until the fax is found, so set \
         up the webhook where many faxes are sent.",
        "Why a fax failed is told in words only: busy, no answer, no fax machine and a number to be checked are \
         understood, anything else is shown and counts as unknown.",
        "Notifyre's `Check number and try again` stands for a wrong number and for trouble of the network alike: it is \
         tried again a few times and never marks a number as dead.",
        "How many pages arrived before a failure is not told: a failure for none of the known reasons that names pages is \
         taken for a partial send, which a person looks into.",
        "Cancelling a fax and deleting its document are not in the published libraries: do both in the dashboard.",
        "Whether Notifyre dials a busy number again by itself is not published.",
        "The terms of its business associate agreement are not published: ask before setting `baa`.",
    ],
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    from: Option<FaxNumber>,
    #[serde(default)]
    high_quality: Option<bool>,
}

/// One ready account.
struct Notifyre {
    base_url: Url,
    api_token: SecretString,
    webhook_secret: Option<SecretString>,
    from: Option<FaxNumber>,
    high_quality: bool,
    http: reqwest::Client,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Notifyre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifyre").finish_non_exhaustive()
    }
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let api_token = account.secret("api_token")?;
    let base_url = account.base_url(settings.base_url.as_deref(), "https://api.notifyre.com/20220711")?;
    let has_secret = account.secrets.contains_key("webhook_secret");
    let webhook_secret = has_secret.then(|| account.secret("webhook_secret")).transpose()?;
    Ok(Arc::new(Notifyre {
        base_url,
        api_token,
        webhook_secret,
        from: settings.from,
        high_quality: settings.high_quality.unwrap_or(true),
        http: account.http,
        timeout: account.timeout,
        clock: account.clock,
    }))
}

impl Notifyre {
    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request =
            self.http.request(method, http::endpoint(&self.base_url, path)).header("accept", "application/json");
        match reqwest::header::HeaderValue::try_from(self.api_token.expose_secret()) {
            Ok(mut token) => {
                token.set_sensitive(true);
                request.header("x-api-token", token)
            }
            // No token of theirs has such characters; without one the answer is a plain 401.
            Err(_) => request,
        }
    }

    /// The payload of a success.
    async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = inner(http::ask(request, self.timeout).await?);
        if !answer.is_success() {
            return Err(self.failure(&answer));
        }
        Ok(reading::taken(reading::json(&answer)?, "payload"))
    }

    /// The fields of the published library, and no others. An empty `templateName` is no cover page, an empty `sendFrom`
    /// the account's default.
    fn order(&self, letter: &Letter<'_>, file: &str) -> Value {
        let from = self.from.as_ref().map_or("", FaxNumber::as_str);
        json!({
            "templateName": "",
            "faxes": {
                "clientReference": letter.attempt.to_string(),
                "files": [file],
                "header": "",
                "isHighQuality": self.high_quality,
                "recipients": [{ "type": "fax_number", "value": letter.to.as_str() }],
                "scheduledDate": null,
                "sendFrom": from,
                "senderID": from,
                "subject": "",
            }
        })
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let id = answer.json().as_ref().and_then(|body| reference(&body["payload"]["faxID"]));
                accepted(answer, id)
            }
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    fn failure(&self, answer: &Answer) -> Failure {
        let failure = answer.failure();
        let body = answer.json().unwrap_or_default();
        let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let said = text(&body, "message").into_iter().chain(errors.iter().filter_map(reading::words));
        let words = said.collect::<Vec<_>>().join("; ");
        if words.is_empty() { failure } else { failure.text(self.without_secrets(&words)) }
    }

    /// Their words without our secrets, should they repeat them.
    fn without_secrets(&self, words: &str) -> String {
        reading::without(words, self.webhook_secret.iter().chain([&self.api_token]))
    }
}

/// The status that counts: the envelope's own, where it says that what HTTP calls a success was none.
fn inner(answer: Answer) -> Answer {
    let body = answer.json().unwrap_or_default();
    let own = body["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    match own.filter(|_| answer.is_success() && body["success"] == Value::Bool(false)) {
        Some(status) => Answer { status, ..answer },
        None => answer,
    }
}

#[async_trait]
impl Provider for Notifyre {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    /// Conversion has half of the time, the hand-over the other, so that both together keep the promised limit.
    async fn submit(&self, envelope: &Envelope) -> Outcome {
        let letter = match Letter::of(&SPEC, self.from.as_ref(), envelope) {
            Ok(letter) => letter,
            Err(failure) => return Outcome::NotSent(failure),
        };
        let file = match self.convert(&letter, self.timeout / 2).await {
            Ok(file) => file,
            Err(outcome) => return outcome,
        };
        let request = self.request(Method::POST, &["fax", "send"]).json(&self.order(&letter, &file));
        match http::call(request, self.timeout / 2).await {
            Ok(answer) => self.outcome(&inner(answer)),
            Err(trouble) => trouble.outcome(),
        }
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        self.state(reference).await
    }

    async fn find(&self, search: &Search) -> Result<Lookup, Failure> {
        self.look(search).await
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        webhook::verify(self.webhook_secret.as_ref(), parts, now)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        self.ask(self.request(Method::GET, &["fax", "numbers"])).await?;
        Ok(match self.webhook_secret {
            Some(_) => "Notifyre accepts the token".to_owned(),
            None => {
                "Notifyre accepts the token; without webhook_secret every callback is turned away, so states are polled"
                    .to_owned()
            }
        })
    }
}
