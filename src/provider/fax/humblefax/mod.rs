//! HumbleFax: `POST /quickSendFax` as multipart, US and Canadian numbers only.
//!
//! What is known of its API comes from its customers' programs, so little is taken for certain: our attempt travels as
//! `uuid` and is compared where it comes back, but a repeat with the same `uuid` is not relied on to do nothing.
//! Callbacks are not signed: they only prompt a question.

mod fax;
mod find;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::multipart::Form;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::http::Answer;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing;
use crate::provider::kit::reading::{event, id, reference, taken, text, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
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
    base_url: Option<String>,
    from: Option<FaxNumber>,
}

/// One ready account.
struct HumbleFax {
    client: Client,
    from: Option<FaxNumber>,
    secret: PathSecret,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    if settings.from.as_ref().is_some_and(|from| number(from).is_none()) {
        return Err(account.refuse("from", "must be a number in the United States or Canada"));
    }
    let base = account.base_url(settings.base_url.as_deref(), "https://api.humblefax.com")?;
    let auth = Auth::Basic(account.secret("access_key")?.expose_secret().to_owned(), account.secret("secret_key")?);
    Ok(Arc::new(HumbleFax {
        client: Client::new(&account, base, auth, &DIALECT),
        from: settings.from,
        secret: PathSecret::of(&account)?,
    }))
}

/// A number as the service takes it, 1 and ten digits as an integer: only North American ones.
fn number(number: &FaxNumber) -> Option<u64> {
    let digits = number.as_str().strip_prefix('+')?;
    if digits.len() == 11 && digits.starts_with('1') { digits.parse().ok() } else { None }
}

/// How HumbleFax words its answers: an error or a message. Too many requests block the address for a known time.
const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let text = text(body, "error").or_else(|| text(body, "message"));
    Complaint { text, wait_seconds: Some(BLOCKED_SECONDS), ..Complaint::NONE }
}

impl HumbleFax {
    /// Asks for what a success holds.
    async fn data(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let data = taken(self.client.ask(request).await?, "data");
        if data.is_object() { Ok(data) } else { Err(unreadable("the answer holds no data")) }
    }

    async fn fax(&self, id: &str) -> Result<Fax, Failure> {
        let data = self.data(self.client.get(&["sentFax", id])).await?;
        let fax = Fax::read(&data["sentFax"]).ok_or_else(|| unreadable("the answer holds no fax"))?;
        if fax.id.0 == id { Ok(fax) } else { Err(unreadable("the answer is about another fax")) }
    }

    /// One multipart call. The cover page is on unless it is switched off.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let to = number(letter.to).ok_or_else(|| {
            let words = "HumbleFax reaches only the United States and Canada";
            Outcome::Refused(Failure::new(Fault::Blocked).text(words))
        })?;
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
        Ok(self.client.post(&["quickSendFax"]).multipart(form))
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
        let (attempt, fact) = (fax.attempt(), fax.fact());
        Some(vec![DeliveryEvent { attempt, ..event(fax.id, &fax.status, fact) }])
    }
}

/// The id of a fax just made. Both names are in use.
fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    ["fax", "sentFax"].into_iter().find_map(|name| reference(&body["data"][name]["id"]))
}

#[async_trait]
impl Provider for HumbleFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        Ok(self.fax(id(reference)?).await?.report())
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, &self.listed(query).await?).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.secret.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        Self::events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        if !self.data(self.client.get(&["user"])).await?["user"].is_object() {
            return Err(unreadable("the answer holds no user"));
        }
        Ok("HumbleFax accepts the keys".to_owned())
    }
}
