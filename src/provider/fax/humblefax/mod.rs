//! HumbleFax: `POST /quickSendFax` as multipart, US and Canadian numbers only.
//!
//! What is known of its API comes from its customers' programs, so little is taken for certain: our attempt travels as
//! `uuid` and is compared where it comes back, but a repeat with the same `uuid` is not relied on to do nothing.
//! Callbacks are not signed: they only prompt a question.

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
use serde_json::{Value, json};
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
use crate::provider::kit::reading::{accepted, id, reference, text, unreadable};
use crate::provider::{
    Account, Capabilities, Lookup, Provider, Reconciliation, Rejection, Search, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// HumbleFax, as the registry knows it. It takes 5 requests a second from an address; both kinds together stay below.
pub const SPEC: Spec = Spec {
    kind: "humblefax",
    title: "HumbleFax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Heuristic,
        status: true,
        webhook: WebhookAuthenticity::SecretPath,
        redials: true,
        submits_per_minute: Some(60),
        questions_per_minute: Some(60),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("access_key", "The API access key, from the dashboard under API / Developer.", true),
        Setting::secret("secret_key", "The API secret key, from the same page.", true),
        Setting::plain(
            "from",
            "The sending number, which the account must own; the practice's own unless given.",
            false,
        ),
        callback::SETTING,
        Setting::plain("base_url", "The API's address: https://api.humblefax.com unless given.", false),
    ],
    sources: &[
        "https://api.humblefax.com/ (introduction, limits, authentication)",
        "https://github.com/DMontgomery40/Faxbot api/app/humblefax_service.py @0070c8b (QuickSendFax, GetSentFax, GetUser)",
        "customers' programs that call sentFaxes, sentFax and take SentFax.SendComplete (second-hand)",
    ],
    setup: &[
        "In the HumbleFax dashboard, open API / Developer and select New Keys: they are `access_key` and `secret_key`.",
        "Set `from` to the fax number of the account that the keys may send from.",
        "For callbacks, set `callback_secret` and have the callback address registered once for the event \
         SentFax.SendComplete; if the dashboard does not offer that under API / Developer, ask their support.",
    ],
    gaps: &[
        "All beyond the introduction of HumbleFax' documentation is second-hand, read from its customers' programs: try \
         it with one fax to yourself first.",
        "Only numbers in the United States and Canada can be reached.",
        "Whether HumbleFax ignores a repeat with the same `uuid` is not known, so nothing is repeated on that hope.",
        "A doubtful hand-over is looked up only while few faxes lie around it in time; otherwise it waits for a person.",
        "No cancel and no deletion of the document: nothing is known of either.",
        "HumbleFax dials again by itself; how often cannot be set.",
        "Reasons for a failure are free text: those not known are shown as they are and count as unknown.",
        "HumbleFax has been seen to turn away programs that do not look like a browser; Touchline says who it is.",
        "The terms of a business associate agreement were not verified: ask before setting `baa`.",
    ],
    build,
};

/// How long an address stays blocked that asked too often.
const BLOCKED_SECONDS: u64 = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    from: Option<FaxNumber>,
}

/// One ready account.
struct HumbleFax {
    base_url: Url,
    access_key: SecretString,
    secret_key: SecretString,
    from: Option<FaxNumber>,
    secret: PathSecret,
    http: reqwest::Client,
    timeout: Duration,
}

impl fmt::Debug for HumbleFax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HumbleFax").finish_non_exhaustive()
    }
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    if settings.from.as_ref().is_some_and(|from| number(from).is_none()) {
        return Err(account.refuse("from", "must be a number in the United States or Canada"));
    }
    Ok(Arc::new(HumbleFax {
        base_url: account.base_url(settings.base_url.as_deref(), "https://api.humblefax.com")?,
        access_key: account.secret("access_key")?,
        secret_key: account.secret("secret_key")?,
        from: settings.from,
        secret: PathSecret::of(&account)?,
        http: account.http,
        timeout: account.timeout,
    }))
}

/// A number as the service takes it, 1 and ten digits as an integer: only North American ones.
fn number(number: &FaxNumber) -> Option<u64> {
    let digits = number.as_str().strip_prefix('+')?;
    if digits.len() == 11 && digits.starts_with('1') { digits.parse().ok() } else { None }
}

impl HumbleFax {
    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request = self.http.request(method, http::endpoint(&self.base_url, path));
        let request = request.basic_auth(self.access_key.expose_secret(), Some(self.secret_key.expose_secret()));
        request.header("accept", "application/json")
    }

    /// Makes a call that changes nothing or can be repeated without harm, and hands back whatever was answered.
    async fn ask(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        http::ask(self.request(method, path).query(query), self.timeout).await
    }

    /// What a success holds; anything else as a failure.
    fn data(&self, answer: &Answer) -> Result<Value, Failure> {
        if !answer.is_success() {
            return Err(self.failure(answer));
        }
        match reading::json(answer)? {
            mut body if body["data"].is_object() => Ok(body["data"].take()),
            _ => Err(unreadable("the answer holds no data")),
        }
    }

    async fn fax(&self, id: &str) -> Result<Fax, Failure> {
        let answer = self.ask(Method::GET, &["sentFax", id], &[]).await?;
        let fax = Fax::read(&self.data(&answer)?["sentFax"]).ok_or_else(|| unreadable("the answer holds no fax"))?;
        if fax.id.0 == id { Ok(fax) } else { Err(unreadable("the answer is about another fax")) }
    }

    /// An answer that is not a success, as a failure. Too many requests block the address for a known time.
    fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let mut failure = answer.failure();
        if failure.fault == Fault::RateLimited {
            failure.retry_after_seconds.get_or_insert(BLOCKED_SECONDS);
        }
        match text(&body, "error").or_else(|| text(&body, "message")) {
            Some(words) => failure.text(reading::without(&words, [&self.access_key, &self.secret_key])),
            None => failure,
        }
    }

    /// One multipart call. The cover page is on unless it is switched off.
    async fn send(&self, letter: &Letter<'_>) -> Outcome {
        let Some(to) = number(letter.to) else {
            let words = "HumbleFax reaches only the United States and Canada";
            return Outcome::Refused(Failure::new(Fault::Blocked).text(words));
        };
        let mut data = json!({
            "recipients": [to],
            "includeCoversheet": false,
            "resolution": "Fine",
            "pageSize": "Letter",
            "uuid": letter.attempt.to_string(),
        });
        if let Some(from) = number(letter.from) {
            data["fromNumber"] = json!(from);
        }
        let form = Form::new().text("jsonData", data.to_string()).part("file", letter.part());
        let request = self.request(Method::POST, &["quickSendFax"]).multipart(form);
        http::act(request, self.timeout, |answer| self.outcome(answer)).await
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let id = self.data(answer).ok().as_ref().and_then(created);
                accepted(answer, id)
            }
            // The path exists, so it is the address that does not.
            Verdict::No if answer.status == 404 => {
                Outcome::Refused(Failure { fault: Fault::AccountError, ..self.failure(answer) })
            }
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// Reads a callback that came to the right address. Events that are not about a sent fax give an empty list.
    fn events(body: &[u8]) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(body).ok()?;
        if text(&body, "type")? != "SentFax.SendComplete" {
            return Some(Vec::new());
        }
        let data = &body["data"];
        let named = ["SentFax", "sentFax"].into_iter().map(|name| &data[name]).find(|fax| fax.is_object());
        let fax = Fax::read(named.unwrap_or(data))?;
        Some(vec![DeliveryEvent {
            attempt: fax.attempt(),
            dedupe: format!("{}:{}", fax.id.0, fax.stage()),
            fact: fax.fact(),
            reference: Some(fax.id),
            occurred_ms: None,
            billed: None,
        }])
    }
}

/// The id of a fax just made. Both names are in use.
fn created(data: &Value) -> Option<ProviderReference> {
    ["fax", "sentFax"].into_iter().find_map(|name| reference(&data[name]["id"]))
}

#[async_trait]
impl Provider for HumbleFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        match Letter::of(&SPEC, self.from.as_ref(), envelope) {
            Ok(letter) => self.send(&letter).await,
            Err(failure) => Outcome::NotSent(failure),
        }
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        Ok(self.fax(id(reference)?).await?.report())
    }

    async fn find(&self, search: &Search) -> Result<Lookup, Failure> {
        self.scan(search).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.secret.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        Self::events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        let answer = self.ask(Method::GET, &["user"], &[]).await?;
        if !self.data(&answer)?["user"].is_object() {
            return Err(unreadable("the answer holds no user"));
        }
        Ok("HumbleFax accepts the keys".to_owned())
    }
}
