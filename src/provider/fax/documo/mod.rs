//! Documo (mFax) version 1: one multipart call, `POST /v1/faxes`, which carries our attempt as `subject`. The key goes into
//! `Authorization: Basic` as it was issued, not encoded. Callbacks prove nothing by themselves, so they only prompt a
//! question, and a hand-over of unknown outcome is looked for among the faxes of its time.

mod fax;
mod find;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::multipart::Form;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

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
use crate::provider::kit::letter::{Letter, ten_digits};
use crate::provider::kit::listing;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{id, text, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
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
    base_url: Option<String>,
    from: Option<FaxNumber>,
    account_id: Option<String>,
}

/// One ready account.
struct Documo {
    client: Client,
    /// `callerId` has ten digits, so only North American numbers can be shown.
    caller_id: Option<String>,
    account_id: Option<String>,
    callback: PathSecret,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let base = account.base_url(settings.base_url.as_deref(), "https://api.documo.com")?;
    let caller_id = settings.from.as_ref().and_then(ten_digits).map(str::to_owned);
    if settings.from.is_some() && caller_id.is_none() {
        return Err(account.refuse("from", "must be a North American number: Documo takes ten digits"));
    }
    if settings.account_id.as_deref().is_some_and(|id| !reading::is_path_safe(id)) {
        return Err(account.refuse("account_id", "must be the account's id: letters, digits and hyphens"));
    }
    let key = SecretString::from(format!("Basic {}", account.secret("api_key")?.expose_secret()));
    Ok(Arc::new(Documo {
        client: Client::new(&account, base, Auth::Header("authorization".to_owned(), key), &DIALECT),
        caller_id,
        account_id: settings.account_id,
        callback: PathSecret::of(&account)?,
    }))
}

/// A number as Documo takes it: the country code and the rest, digits only.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// How Documo words its answers. A success may be a list of faxes and one of refusals, as for several recipients.
const DIALECT: Dialect = Dialect { complaint, denies: Some(holds_refusals_only), ..Dialect::PLAIN };

fn holds_refusals_only(body: &Value) -> bool {
    let is_empty = |key: &str| body[key].as_array().is_none_or(Vec::is_empty);
    is_empty("success") && !is_empty("errors")
}

/// `NotAllowedError: International fax was disabled for account` inside a success, or a message.
fn complaint(_: &Answer, body: &Value) -> Complaint {
    let Some(words) = text(&body["errors"][0], "error") else {
        return Complaint::words(text(&body["error"], "message").or_else(|| text(body, "message")));
    };
    let name = words.split(':').next().unwrap_or_default().trim().to_owned();
    let fault = (name == "NotAllowedError").then_some(Fault::Blocked);
    Complaint { fault, code: Some(name), text: Some(words), ..Complaint::NONE }
}

/// The id of a fax just made.
fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    Fax::read(body).or_else(|| Fax::read(&body["success"][0])).map(|fax| fax.id)
}

impl Documo {
    /// `cf` would hold the reference too, but takes only fields that the account has defined.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, None, envelope)?;
        let mut form = Form::new()
            .text("faxNumber", digits(letter.to.as_str()))
            .text("coverPage", "false")
            .text("subject", letter.attempt.to_string());
        if let Some(caller_id) = &self.caller_id {
            form = form.text("callerId", caller_id.clone());
        }
        Ok(self.client.post(&["v1", "faxes"]).multipart(form.part("attachments", letter.part())))
    }
}

#[async_trait]
impl Provider for Documo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["v1", "fax", id(reference)?, "info"])).await?;
        let fax = Fax::read(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report::new(reference.clone(), self.fact(&fax)))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(parts)
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.client.ask(self.client.get(&["v1", "me"])).await?;
        if !body.is_object() {
            return Err(unreadable("the answer holds no user"));
        }
        Ok("Documo accepts the key".to_owned())
    }
}
