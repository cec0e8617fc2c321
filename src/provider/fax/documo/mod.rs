//! Documo (mFax) version 1: one multipart call, `POST /v1/faxes`, which carries our attempt as `subject`. The key stands in
//! `Authorization: Basic` as it was issued, not encoded. Callbacks prove nothing by themselves, so they only prompt a
//! question, and a hand-over of unknown outcome is looked for among the faxes of its time.

mod fax;
mod find;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::http::{Answer, Verdict};
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{id, text, unreadable};
use crate::provider::{
    Account, Capabilities, Lookup, Provider, Reconciliation, Rejection, Search, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Documo, as the registry knows it. No limit of pages or size is published.
pub const SPEC: Spec = Spec {
    kind: "documo",
    title: "Documo mFax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Heuristic,
        status: true,
        webhook: WebhookAuthenticity::SecretPath,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("api_key", "The API key, from the web app under Settings, API.", true),
        Setting::plain(
            "from",
            "The caller number to show, one of the account's own in North America; the account's default unless given.",
            false,
        ),
        Setting::plain(
            "account_id",
            "The id of the account whose history is looked through after a lost answer; the key's own unless given.",
            false,
        ),
        Setting::plain(
            "base_url",
            "The API's address: https://api.documo.com unless given; https://api.sandbox.documo.com sends nothing for real.",
            false,
        ),
        callback::SETTING,
    ],
    sources: &[
        "https://docs.documo.com",
        "https://help.documo.com/hc/en-us/articles/20760014975643-New-Webhooks",
        "https://help.documo.com/hc/en-us/articles/7790970638107-Legacy-Webhooks",
        "https://support.twilio.com/hc/en-us/articles/1260800821230-Programmable-Fax-Migration-Guide-for-Documo-mFax",
        "https://www.dataphone.cloud/docs/fax-status-api-guide/",
        "https://github.com/jgautsch/documo-elixir at 11050cc",
    ],
    setup: &[
        "Ask Documo for a business associate agreement before any letter about a patient goes this way.",
        "Switch the API on under Settings, API, and make a key.",
        "Under Settings, Webhooks, add a webhook (not a legacy one) with the events fax.v1.outbound.complete, \
         fax.v1.outbound.succeed and fax.v1.outbound.failed.",
        "Give it this account's callback address followed by a slash and your `callback_secret`.",
    ],
    gaps: &[
        "No filter by our reference is published: after a lost answer a fax is found by number and time, or by its subject \
         where Documo repeats it.",
        "The history is limited to eight questions a minute, so an account that sends hundreds of faxes within a quarter of \
         an hour may have to ask a person about a lost answer.",
        "Cancelling a fax and deleting its document are not published: do both in Documo's web app.",
        "Only the result codes 0, 5100, 5200, 6000 and 6100 are known, and those at second hand: other failures show \
         their code and count as unknown.",
        "Whether Documo dials a busy number again by itself is not published.",
        "Some recent pages name POST /v1/fax/send with recipientFax instead: try the sandbox first.",
        "Callbacks are not signed, so each one only makes us ask Documo for the state.",
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
    account_id: Option<String>,
}

/// One ready account.
struct Documo {
    base_url: Url,
    api_key: SecretString,
    /// Ten digits.
    caller_id: Option<String>,
    account_id: Option<String>,
    callback: PathSecret,
    http: reqwest::Client,
    timeout: Duration,
}

impl fmt::Debug for Documo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documo").finish_non_exhaustive()
    }
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let api_key = account.secret("api_key")?;
    let base_url = account.base_url(settings.base_url.as_deref(), "https://api.documo.com")?;
    let caller_id = settings.from.as_ref().map(caller_id).transpose();
    let caller_id = caller_id.map_err(|why| account.refuse("from", why))?;
    if settings.account_id.as_deref().is_some_and(|id| !reading::is_path_safe(id)) {
        return Err(account.refuse("account_id", "must be the account's id: letters, digits and hyphens"));
    }
    let callback = PathSecret::of(&account)?;
    Ok(Arc::new(Documo {
        base_url,
        api_key,
        caller_id,
        account_id: settings.account_id,
        callback,
        http: account.http,
        timeout: account.timeout,
    }))
}

/// `callerId` has ten digits, so only North American numbers can be shown.
fn caller_id(number: &FaxNumber) -> Result<String, &'static str> {
    let national = number.as_str().strip_prefix("+1").filter(|digits| digits.len() == 10);
    national.map(str::to_owned).ok_or("must be a North American number: Documo takes ten digits")
}

/// A number as Documo takes it: the country code and the rest, digits only.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

impl Documo {
    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut key = reqwest::header::HeaderValue::try_from(format!("Basic {}", self.api_key.expose_secret()));
        if let Ok(key) = &mut key {
            key.set_sensitive(true);
        }
        let request =
            self.http.request(method, http::endpoint(&self.base_url, path)).header("accept", "application/json");
        match key {
            Ok(key) => request.header("authorization", key),
            // No key of theirs has such characters; without one the answer is a plain 401.
            Err(_) => request,
        }
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = http::ask(request, self.timeout).await?;
        if answer.is_success() { reading::json(&answer) } else { Err(self.failure(&answer)) }
    }

    /// What the answer to a create call means: a fax, a list of faxes and refusals (as for several recipients), or neither.
    fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => self.created(answer),
            // The path is fixed, so what is missing is the API itself: `base_url` is wrong.
            Verdict::No if answer.status == 404 => {
                Outcome::Refused(Failure { fault: Fault::AccountError, ..self.failure(answer) })
            }
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    fn created(&self, answer: &Answer) -> Outcome {
        let body = answer.json().unwrap_or_default();
        if let Some(fax) = Fax::read(&body).or_else(|| Fax::read(&body["success"][0])) {
            return Outcome::Accepted { reference: fax.id };
        }
        let none_made = body["success"].as_array().is_none_or(Vec::is_empty);
        match body["errors"].as_array().and_then(|errors| errors.first()).filter(|_| none_made) {
            Some(error) => Outcome::Refused(self.refused(error)),
            None => {
                Outcome::Unknown(unreadable("accepted, but the answer holds no id").code(answer.status.to_string()))
            }
        }
    }

    /// A refusal inside a success: `NotAllowedError: International fax was disabled for account`.
    fn refused(&self, error: &Value) -> Failure {
        let words = text(error, "error").unwrap_or_default();
        let name = words.split(':').next().unwrap_or_default().trim().to_owned();
        let fault = if name == "NotAllowedError" { Fault::Blocked } else { Fault::Unknown };
        Failure::new(fault).code(self.without_key(&name)).text(self.without_key(&words))
    }

    fn failure(&self, answer: &Answer) -> Failure {
        let failure = answer.failure();
        let body = answer.json().unwrap_or_default();
        let words = text(&body["error"], "message").or_else(|| text(&body, "message"));
        match words {
            Some(words) => failure.text(self.without_key(&words)),
            None => failure,
        }
    }

    /// Their words without our key, should they repeat it.
    fn without_key(&self, words: &str) -> String {
        reading::without(words, [&self.api_key])
    }
}

#[async_trait]
impl Provider for Documo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        let letter = match Letter::of(&SPEC, None, envelope) {
            Ok(letter) => letter,
            Err(failure) => return Outcome::NotSent(failure),
        };
        // `cf` would hold the reference too, but takes only fields that the account has defined.
        let mut form = Form::new()
            .text("faxNumber", digits(letter.to.as_str()))
            .text("coverPage", "false")
            .text("subject", letter.attempt.to_string());
        if let Some(caller_id) = &self.caller_id {
            form = form.text("callerId", caller_id.clone());
        }
        let form = form.part("attachments", letter.part());
        let request = self.request(Method::POST, &["v1", "faxes"]).multipart(form);
        http::act(request, self.timeout, |answer| self.outcome(answer)).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.ask(self.request(Method::GET, &["v1", "fax", id(reference)?, "info"])).await?;
        let fax = Fax::read(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report::new(reference.clone(), self.fact(&fax)))
    }

    async fn find(&self, search: &Search) -> Result<Lookup, Failure> {
        self.look(search).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(parts)
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.ask(self.request(Method::GET, &["v1", "me"])).await?;
        if !body.is_object() {
            return Err(unreadable("the answer holds no user"));
        }
        Ok("Documo accepts the key".to_owned())
    }
}
