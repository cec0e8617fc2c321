//! Fax.Plus (Alohi), API version 3: the document is uploaded, then `POST …/outbox` names it and sends.
//!
//! A fax is an entry of the outbox until it ends and a record afterwards, so its state is asked for in both places. With
//! the service's own retries off, both have the same id. Our attempt travels as the comment; the service puts it into
//! listings, which makes a doubtful hand-over certain. Callbacks are not signed: they only prompt a question.

mod faults;
mod fax;
mod find;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, Clock, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::http::Answer;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing::Window;
use crate::provider::kit::numbers;
use crate::provider::kit::reading::{event, id, reference, text, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Fax.Plus, as the registry knows it. Limits: 30 MB of files per fax (150 MB by newer pages of the documentation).
pub const SPEC: Spec = Spec {
    kind: "faxplus",
    title: "Fax.Plus",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Scan,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::SecretPath,
        bytes_max: Some(30_000_000),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("api_token", "A Personal Access Token with permission to read and send faxes.", true),
        Setting::plain(
            "from",
            "The sending number, which the account must own; the practice's own unless given.",
            false,
        ),
        callback::SETTING,
        Setting::plain(
            "base_url",
            "The API's address with its version: https://restapi.fax.plus/v3 unless given.",
            false,
        ),
    ],
    sources: &[
        "https://apidoc.fax.plus/api-reference/endpoints/outbox/send-a-fax",
        "https://apidoc.fax.plus/api-reference/endpoints/faxes/list-fax-records",
        "https://apidoc.fax.plus/concepts/fax",
        "https://apidoc.fax.plus/concepts/webhook",
        "https://github.com/alohi/faxplus-python @9473706; the package faxplus-api 3.0.5 (offset, sort_by, order)",
        "https://github.com/AlohiHQ/faxplus-python issues 2 and 3 (answers seen by customers)",
    ],
    setup: &[
        "The API belongs to the Enterprise plan: check that the account has it.",
        "In the Fax.Plus dashboard, generate a Personal Access Token with the scopes fax:all:read and fax:all:edit; it is \
         `api_token`.",
        "Make sure that the number in `from` belongs to the user whose token it is.",
        "For callbacks, set `callback_secret` and have the callback address registered once for the event fax_sent: \
         Fax.Plus does this only through its API (POST /hooks with `target` and `event`), so ask the person who installed \
         Touchline, or their support.",
    ],
    gaps: &[
        "Callbacks are not signed by Fax.Plus: they only make Touchline ask for the state at once.",
        "The number of pages is that of the fax: how many arrived of a partly sent one is not told apart from it.",
        "What a fax costs is shown in pages: one page of the documentation says so, another speaks of the user's currency.",
        "No cover page is asked for; whether an account can be set to add one by itself was not found.",
        "A fax that was cancelled disappears from the outbox without a final word: whether it was sent has to be seen in \
         the Fax.Plus dashboard.",
        "Fax.Plus does not explain `failed_fs_49` and `failed_fs_2`: they are read as a dropped call and as machines that did \
         not come together.",
        "Where the plan of an account has no API, Fax.Plus has been seen to answer a fax with an internal error (500): check \
         the plan when every fax of a new account is in doubt.",
        "How Fax.Plus words a refused number is not published: such a refusal is shown with its own word.",
        "The terms of a business associate agreement were not verified: ask before setting `baa`.",
    ],
    build,
};

/// Longest path of an uploaded file that is taken for one.
const PATH_CHARS_MAX: usize = 500;
/// How far back `check` lists, which must be some window.
const CHECK_WINDOW: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    from: Option<FaxNumber>,
}

/// One ready account.
struct FaxPlus {
    /// For paths within the token's own account.
    client: Client,
    from: Option<FaxNumber>,
    secret: PathSecret,
    clock: Arc<dyn Clock>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let base = account.base_url(settings.base_url.as_deref(), "https://restapi.fax.plus/v3")?;
    let own = http::endpoint(&base, &["accounts", "self"]);
    let auth = Auth::Bearer(account.secret("api_token")?);
    Ok(Arc::new(FaxPlus {
        client: Client::new(&account, own, auth, &DIALECT).with_calls_per_fax(2),
        from: settings.from,
        secret: PathSecret::of(&account)?,
        clock: account.clock,
    }))
}

/// How Fax.Plus words its answers: a word and a description.
const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let word = text(body, "error");
    let fault = word.as_deref().and_then(faults::of_error);
    Complaint { fault, code: word, text: text(body, "description"), ..Complaint::NONE }
}

impl FaxPlus {
    /// Uploads the document into the service's temporary storage, and names it in the call that sends.
    async fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let form = Form::new().part("fax_file", letter.part());
        let upload = self.client.post(&["files"]).query(&[("format", "pdf")]).multipart(form);
        let path = path(&self.client.prepare(upload, self.client.share()).await?).map_err(Outcome::NotSent)?;
        Ok(self.client.post(&["outbox"]).json(&json!({
            "from": letter.from.as_str(),
            "to": [letter.to.as_str()],
            "files": [path],
            "comment": { "tags": [], "text": letter.attempt.to_string() },
            // The page is drawn for fax already, and whether to dial again is not theirs to decide.
            "options": { "enhancement": false, "retry": { "count": 0, "delay": 0 } },
            "return_ids": true,
        })))
    }

    /// Reads a callback that came to the right address. Events that are not about a sent fax give an empty list.
    fn events(body: &[u8]) -> Option<Vec<DeliveryEvent>> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let (hook, data) = (&body["hook"], &body["data"]);
        if text(hook, "event")? != "fax_sent" {
            return Some(Vec::new());
        }
        let session = Fax::read(data)?;
        // `hook.id` is the fax; `data.id` is the session, another one only where the service dials again.
        let reference = reference(&hook["id"]).unwrap_or_else(|| session.id.clone());
        let fact = session.fact();
        let occurred_ms = text(hook, "event_time").as_deref().and_then(fax::time);
        Some(vec![DeliveryEvent { occurred_ms, ..event(reference, &session.status, fact) }])
    }
}

/// Where the upload was put.
fn path(body: &Value) -> Result<String, Failure> {
    let fits = |path: &String| path.len() <= PATH_CHARS_MAX && !path.chars().any(char::is_control);
    let path = text(body, "path").filter(fits);
    path.ok_or_else(|| unreadable("the document was uploaded, but the answer holds no path"))
}

/// The id of our only recipient, in an answer that maps numbers to ids.
fn outbox_id(body: &Value, to: &str) -> Option<ProviderReference> {
    let ids = body["ids"].as_object()?;
    let ours = |number: &str| numbers::is_same(&Value::from(number), to);
    let by_number = ids.iter().find(|(number, _)| ours(number)).map(|(_, id)| id);
    let only = || ids.values().next().filter(|_| ids.len() == 1);
    reference(by_number.or_else(only)?)
}

#[async_trait]
impl Provider for FaxPlus {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        let order = self.order(envelope).await;
        self.client.act(order, |_, body| outbox_id(body, envelope.to.as_str())).await
    }

    /// The outbox, and once it has left that, the records.
    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let id = id(reference)?;
        let mut answer = self.client.answer(self.client.get(&["outbox", id])).await?;
        if answer.status == 404 {
            answer = self.client.answer(self.client.get(&["faxes", id])).await?;
        }
        let fax = Fax::read(&self.client.body(&answer)?).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(fax.report(reference.clone()))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        self.find_in_both(query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let request = self.client.request(Method::DELETE, &["outbox", id(reference)?]);
        let answer = self.client.answer(request).await?;
        if answer.status == 404 {
            return Err(Failure::new(Fault::Unknown).code("404").text("it is no longer in the outbox"));
        }
        self.client.done(&answer)
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.client.delete(&["faxes", id(reference)?]).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.secret.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        Self::events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let window = Window { from: now.before(CHECK_WINDOW), until: now };
        let body = self.client.ask(self.records(window, 0, 1)).await?;
        if !body["data"]["records"].is_array() {
            return Err(unreadable("the answer holds no list of faxes"));
        }
        Ok("Fax.Plus accepts the token and lists the account's faxes".to_owned())
    }
}
