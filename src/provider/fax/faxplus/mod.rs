//! Fax.Plus (Alohi), API version 3: the document is uploaded, then `POST …/outbox` names it and sends.
//!
//! A fax is an entry of the outbox until it ends and a record afterwards, so its state is asked for in both places. With
//! the service's own retries off, both have the same id. Our attempt travels as the comment; the service puts it into
//! listings, which makes a doubtful hand-over certain. Callbacks are not signed: they only prompt a question.

mod faults;
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
use crate::domain::{Channel, Clock, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::http::{Answer, Verdict};
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::numbers;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{accepted, id, reference, text, unreadable};
use crate::provider::{
    Account, Capabilities, Lookup, Provider, Reconciliation, Rejection, Search, Setting, SettingsError, Spec,
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
         Fax.Plus does this only through its API (POST /hooks with `target` and `event`), so ask whoever installed \
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
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    from: Option<FaxNumber>,
}

/// One ready account.
struct FaxPlus {
    base_url: Url,
    api_token: SecretString,
    from: Option<FaxNumber>,
    secret: PathSecret,
    http: reqwest::Client,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for FaxPlus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaxPlus").finish_non_exhaustive()
    }
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    Ok(Arc::new(FaxPlus {
        base_url: account.base_url(settings.base_url.as_deref(), "https://restapi.fax.plus/v3")?,
        api_token: account.secret("api_token")?,
        from: settings.from,
        secret: PathSecret::of(&account)?,
        http: account.http,
        timeout: account.timeout,
        clock: account.clock,
    }))
}

impl FaxPlus {
    /// A request about the token's own account.
    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let url = http::endpoint(&http::endpoint(&self.base_url, &["accounts", "self"]), path);
        self.http.request(method, url).bearer_auth(self.api_token.expose_secret()).header("accept", "application/json")
    }

    /// Makes a call that changes nothing or can be repeated without harm, and hands back whatever was answered.
    async fn ask(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        http::ask(self.request(method, path).query(query), self.timeout).await
    }

    /// The body of a success; anything else as a failure.
    fn body(&self, answer: &Answer) -> Result<Value, Failure> {
        if answer.is_success() { reading::json(answer) } else { Err(self.failure(answer)) }
    }

    /// Deletes; what is not there is `missing`.
    async fn delete(&self, path: &[&str], missing: Result<(), Failure>) -> Result<(), Failure> {
        let answer = self.ask(Method::DELETE, path, &[]).await?;
        match answer.status {
            404 => missing,
            _ if answer.is_success() => Ok(()),
            _ => Err(self.failure(&answer)),
        }
    }

    /// An answer that is not a success, as a failure: by its status, else by the word it gives.
    fn failure(&self, answer: &Answer) -> Failure {
        let body = answer.json().unwrap_or_default();
        let word = text(&body, "error");
        let fault = match answer.fault() {
            Fault::Unknown => word.as_deref().and_then(faults::of_error).unwrap_or(Fault::Unknown),
            fault => fault,
        };
        let failure = Failure { fault, ..answer.failure() };
        let failure = match &word {
            Some(word) => failure.code(self.without_token(word)),
            None => failure,
        };
        match text(&body, "description") {
            Some(words) => failure.text(self.without_token(&words)),
            None => failure,
        }
    }

    /// A 404 to an upload: the path exists, so it is the address or the account that does not.
    fn misdirected(&self, answer: &Answer) -> Failure {
        Failure { fault: Fault::AccountError, ..self.failure(answer) }
    }

    fn without_token(&self, words: &str) -> String {
        reading::without(words, [&self.api_token])
    }

    /// Upload, then send. Each call has half of the time, so that both together keep the promised limit.
    async fn send(&self, letter: &Letter<'_>) -> Outcome {
        let path = match self.upload(letter).await {
            Ok(path) => path,
            Err(outcome) => return outcome,
        };
        let body = json!({
            "from": letter.from.as_str(),
            "to": [letter.to.as_str()],
            "files": [path],
            "comment": { "tags": [], "text": letter.attempt.to_string() },
            // The page is drawn for fax already, and whether to dial again is not theirs to decide.
            "options": { "enhancement": false, "retry": { "count": 0, "delay": 0 } },
            "return_ids": true,
        });
        let request = self.request(Method::POST, &["outbox"]).json(&body);
        http::act(request, self.timeout / 2, |answer| self.outcome(answer, letter)).await
    }

    /// Puts the document into the service's temporary storage. Whatever goes wrong here, no fax was made.
    async fn upload(&self, letter: &Letter<'_>) -> Result<String, Outcome> {
        let form = Form::new().part("fax_file", letter.part());
        let request = self.request(Method::POST, &["files"]).query(&[("format", "pdf")]).multipart(form);
        let answer = http::ask(request, self.timeout / 2).await.map_err(Outcome::NotSent)?;
        match answer.verdict() {
            Verdict::Done => path(&answer).map_err(Outcome::NotSent),
            Verdict::No if answer.status == 404 => Err(Outcome::Refused(self.misdirected(&answer))),
            Verdict::No => Err(Outcome::Refused(self.failure(&answer))),
            Verdict::Open => Err(Outcome::NotSent(self.failure(&answer))),
        }
    }

    fn outcome(&self, answer: &Answer, letter: &Letter<'_>) -> Outcome {
        match answer.verdict() {
            Verdict::Done => {
                let id = outbox_id(answer, letter.to);
                accepted(answer, id)
            }
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
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
        Some(vec![DeliveryEvent {
            attempt: None,
            dedupe: format!("{}:{}", reference.0, session.stage()),
            reference: Some(reference),
            fact,
            occurred_ms: text(hook, "event_time").as_deref().and_then(fax::time),
            billed: None,
        }])
    }
}

/// Where the upload was put.
fn path(answer: &Answer) -> Result<String, Failure> {
    let path = answer.json().as_ref().and_then(|body| text(body, "path"));
    let fits = |path: &String| path.len() <= PATH_CHARS_MAX && !path.chars().any(char::is_control);
    path.filter(fits).ok_or_else(|| unreadable("the document was uploaded, but the answer holds no path"))
}

/// The id of our only recipient, in an answer that maps numbers to ids.
fn outbox_id(answer: &Answer, to: &FaxNumber) -> Option<ProviderReference> {
    let body = answer.json()?;
    let ids = body["ids"].as_object()?;
    let ours = |number: &str| numbers::is_same(&Value::from(number), to.as_str());
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
        match Letter::of(&SPEC, self.from.as_ref(), envelope) {
            Ok(letter) => self.send(&letter).await,
            Err(failure) => Outcome::NotSent(failure),
        }
    }

    /// The outbox, and once it has left that, the records.
    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let id = id(reference)?;
        let mut answer = self.ask(Method::GET, &["outbox", id], &[]).await?;
        if answer.status == 404 {
            answer = self.ask(Method::GET, &["faxes", id], &[]).await?;
        }
        let fax = Fax::read(&self.body(&answer)?).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(fax.report(reference.clone()))
    }

    async fn find(&self, search: &Search) -> Result<Lookup, Failure> {
        self.scan(search).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let gone = Failure::new(Fault::Unknown).code("404").text("it is no longer in the outbox");
        self.delete(&["outbox", id(reference)?], Err(gone)).await
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.delete(&["faxes", id(reference)?], Ok(())).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.secret.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        Self::events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let body = self.list(now.before(CHECK_WINDOW), now, 0, 1).await?;
        if !body["data"]["records"].is_array() {
            return Err(unreadable("the answer holds no list of faxes"));
        }
        Ok("Fax.Plus accepts the token and lists the account's faxes".to_owned())
    }
}
