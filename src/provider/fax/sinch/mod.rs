//! Sinch Fax API, version 3: one JSON call per fax with the document in it, states by question. Its callbacks are not
//! signed, so they only prompt a question. Our attempt goes along as a label; the listing is searched for it. The label
//! is the only thing of ours in any field.

mod answer;
mod fax;
mod find;
mod send;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::http::oauth::Grant;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::listing;
use crate::provider::kit::reading::{id, is_path_safe, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Sinch, as the registry knows it. 20 MB per document.
pub const SPEC: Spec = Spec {
    kind: "sinch",
    title: "Sinch Fax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Scan,
        status: true,
        purge: true,
        webhook: WebhookAuthenticity::SecretPath,
        bytes_max: Some(20_000_000),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("project_id", "The project's id, from the Sinch Build dashboard.", true),
        Setting::plain("key_id", "The id of an access key, from the dashboard under Settings, Access Keys.", true),
        Setting::secret("key_secret", "That key's secret, which the dashboard shows only once.", true),
        Setting::plain("service_id", "The fax service that sends; the project's default unless given.", false),
        Setting::plain(
            "from",
            "The caller number, which the account must have; the practice's own unless given.",
            false,
        ),
        Setting::plain(
            "header_text",
            "What Sinch prints at the top of each page, 50 characters at most; Sinch's default unless given.",
            false,
        ),
        callback::SETTING,
        Setting::plain(
            "auth",
            "oauth2 (unless given), or basic for a first trial: Sinch limits its rate heavily.",
            false,
        ),
        Setting::plain("auth_url", "Where tokens are fetched, if not at Sinch's own address.", false),
        Setting::plain("base_url", "The API's address, if not Sinch's own: a region's, for instance.", false),
    ],
    sources: &[
        "https://developers.sinch.com/docs/fax/api-reference/fax (faxes, notifications, error messages, services, authentication)",
        "Sinch's OpenAPI document of the Fax API 3.0, as kept in github.com/api-evangelist/sinch @cc26b0a: openapi/_original/sinch-fax-api-openapi.yaml",
        "github.com/sinch/sinch-sdk-node @affb35e5164993b316915bd780165d704e44689b: packages/fax, packages/sdk-client",
        "github.com/sinch/sinch-sdk-dotnet @f408a0f2a432531904b3e66cfec67ce8e417c020: src/Sinch/Fax, tests/Sinch.Tests/Fax",
        "github.com/sinch/skills @1295a67: skills/sinch-fax-api",
    ],
    setup: &[
        "Sign in to the Sinch Build dashboard, open Settings, Access Keys, and create a key. Copy the project's id, the \
         key's id and the key's secret into `project_id`, `key_id` and `key_secret`.",
        "Get a fax number there, or use one that you have, and assign it to a fax service. It must be the practice's \
         number or stand in `from`.",
        "Open that fax service. Choose no cover page: one chosen there is put before every fax. Switch off saving of \
         sent documents, unless you want Sinch to keep them for 13 months.",
        "If callbacks can reach this installation, make up a long random word and put it into `callback_secret`. The \
         address need not be entered in the dashboard: Touchline tells it with every fax.",
        "For a rehearsal send to +19898989898: it behaves like a fax machine and costs nothing.",
    ],
    gaps: &[
        "No way to stop a fax is published, so one that was handed over cannot be cancelled at Sinch.",
        "Sinch signs no callback: each only makes Touchline ask for the fax at once.",
        "A callback brings the document along: one of more than about 700 kB is turned away, and that fax is asked for later.",
        "The filter of the listing by label is not documented as it must be written: doubtful faxes are looked up by \
         number and time, and their labels are compared.",
        "A cover page that is set in the fax service cannot be refused per fax: `provider check` says if there is one.",
        "Sinch prints a header line of its own with page numbers, above the one that the letter has.",
        "The limits of calls per minute are not published: Sinch answers 429, and Touchline slows down.",
        "Whether 20 MB is the limit of the document or of the whole call is not published: larger ones may be refused.",
        "Sinch says that it works under HIPAA, but its business associate agreement is not published: ask before setting `baa`.",
    ],
    build,
};

/// Most characters of `header_text`.
const HEADER_CHARS_MAX: usize = 50;

/// How requests are authorized: with a token that the key buys, or, for trials, with the key itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthKind {
    #[default]
    Oauth2,
    Basic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    auth_url: Option<String>,
    #[serde(default)]
    auth: AuthKind,
    project_id: String,
    key_id: String,
    service_id: Option<String>,
    from: Option<FaxNumber>,
    header_text: Option<String>,
}

impl Settings {
    fn check(&self, account: &Account) -> Result<(), SettingsError> {
        for (key, value) in [("project_id", Some(&self.project_id)), ("service_id", self.service_id.as_ref())] {
            if value.is_some_and(|value| !is_path_safe(value)) {
                return Err(account.refuse(key, "must be an id: letters, digits and hyphens"));
            }
        }
        if self.key_id.trim().is_empty() {
            return Err(account.refuse("key_id", "is empty"));
        }
        let fits = |text: &String| (1..=HEADER_CHARS_MAX).contains(&text.trim().chars().count());
        if !self.header_text.iter().all(fits) {
            return Err(account.refuse("header_text", "must have 1 to 50 characters"));
        }
        Ok(())
    }

    fn auth(&self, account: &Account) -> Result<Auth, SettingsError> {
        let (id, secret) = (self.key_id.trim().to_owned(), account.secret("key_secret")?);
        if self.auth == AuthKind::Basic {
            return Ok(Auth::Basic(id, secret));
        }
        let url = account.base_url(self.auth_url.as_deref(), "https://auth.sinch.com/oauth2/token");
        let url = url.map_err(|_| account.refuse("auth_url", "must be an http(s) address without user and query"))?;
        let form = vec![("grant_type", SecretString::from("client_credentials"))];
        Ok(Auth::tokens(account, account.http.clone(), url, Grant { form, basic: Some((id, secret)) }))
    }
}

/// One ready account.
struct Sinch {
    /// For paths within the project.
    client: Client,
    service_id: Option<String>,
    from: Option<FaxNumber>,
    header_text: Option<String>,
    path_secret: PathSecret,
    /// Where Sinch shall call, with the secret in it.
    callback_url: Option<SecretString>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    settings.check(&account)?;
    let base = account.base_url(settings.base_url.as_deref(), "https://fax.api.sinch.com/v3")?;
    let project = http::endpoint(&base, &["projects", &settings.project_id]);
    let path_secret = PathSecret::of(&account)?;
    Ok(Arc::new(Sinch {
        client: Client::new(&account, project, settings.auth(&account)?, &answer::DIALECT),
        callback_url: path_secret.address(&account),
        path_secret,
        service_id: settings.service_id,
        from: settings.from,
        header_text: settings.header_text,
    }))
}

#[async_trait]
impl Provider for Sinch {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["faxes", id(reference)?])).await?;
        let fax = Fax::first(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report { reference: reference.clone(), ..self.report(&fax) })
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    /// Deletes the document; the record of the fax stays.
    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.client.delete(&["faxes", id(reference)?, "file"]).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.path_secret.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(parts)
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.client.ask(self.client.get(&["services"]).query(&[("pageSize", "1000")])).await?;
        let services = body["services"].as_array().ok_or_else(|| unreadable("the answer holds no fax services"))?;
        self.describe(services)
    }
}

impl Sinch {
    /// What `check` found, in words for the operator.
    fn describe(&self, services: &[Value]) -> Result<String, Failure> {
        let ours = |service: &&Value| match &self.service_id {
            Some(id) => service["id"].as_str() == Some(id),
            None => service["defaultForProject"] == Value::Bool(true),
        };
        let service = services.iter().find(ours);
        if service.is_none() && self.service_id.is_some() {
            return Err(Failure::new(Fault::AccountError).text("no fax service of the project has this service_id"));
        }
        let mut text = String::from("Sinch accepts the key and knows the project");
        let service = service.unwrap_or(&Value::Null);
        if service["coverPageId"].as_str().is_some_and(|page| !page.is_empty()) {
            text.push_str("; but its fax service puts a cover page before every fax");
        }
        if service["saveOutboundFaxDocuments"] == Value::Bool(true) {
            text.push_str("; its fax service keeps sent documents until they are purged");
        }
        if self.callback_url.is_none() {
            text.push_str(
                "; without callback_secret and a public address no callback is asked for, so states are polled",
            );
        }
        Ok(text)
    }
}
