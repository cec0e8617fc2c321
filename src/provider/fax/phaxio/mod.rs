//! Phaxio, API version 2.1: one multipart call per fax, states by question or by callback signed with HMAC-SHA1. Our
//! attempt goes along as a tag, by which Phaxio finds a fax again. The tag is the only thing of ours in any field.

mod answer;
mod fax;
mod find;
mod send;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::Failure;
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::provider::kit::auth::Auth;
use crate::provider::kit::client::Client;
use crate::provider::kit::form_body::FormBody;
use crate::provider::kit::listing;
use crate::provider::kit::reading::{id, unreadable, words};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Phaxio, as the registry knows it. How often it dials a busy line again is a setting of the account in its console,
/// not of a fax: so it redials by itself.
pub const SPEC: Spec = Spec {
    kind: "phaxio",
    title: "Phaxio (Sinch)",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Exact,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::Signed,
        redials: true,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("api_key", "The API key, from the console under API Keys.", true),
        Setting::secret("api_secret", "The API secret, from the same page.", true),
        Setting::secret(
            "callback_token",
            "The webhook token, from the console's webhook settings; without it no callback is asked for or believed.",
            false,
        ),
        Setting::plain("from", "The caller number to show, one of the account's; Phaxio's choice unless given.", false),
        Setting::plain(
            "header_text",
            "What Phaxio prints at the top of each page, 50 characters at most; a hyphen unless given.",
            false,
        ),
        Setting::plain(
            "test_fail",
            "Only with test keys, for rehearsals: the type of error with which every fax fails, one of \
             documentConversionError, lineError, faxError, fatalError, generalError.",
            false,
        ),
        Setting::plain("base_url", "The API's address, if not Phaxio's own.", false),
    ],
    sources: &[
        "https://www.phaxio.com/docs/api/v2.1 (create_and_send_fax, list_faxes, account/status, send_webhooks, objects)",
        "https://www.phaxio.com/docs/errorMessages",
        "https://www.phaxio.com/docs/statuses",
        "https://www.phaxio.com/docs/security/callbacks",
        "github.com/phaxio/phaxio-ruby @c1cb8e46a032d95d1914b4d62823a3700e27e26d: lib/phaxio, recorded exchanges in spec/support/cassettes",
        "github.com/phaxio/phaxio-node @c1ed90f: src/faxes",
        "github.com/phaxio/phaxio-dotnet @1bfaf2d: Phaxio.Tests/Fixtures/Json/V2",
    ],
    setup: &[
        "Sign in to the Phaxio console and open API Keys: put the live key and secret into `api_key` and `api_secret`. \
         With the test key nothing is dialed and every fax is only simulated.",
        "In the fax settings set the number of retries to 0: Touchline plans the next try by itself, and Phaxio's own \
         would come on top of it.",
        "If you want the practice's number to be shown, buy it or have it verified there and put it into `from`.",
        "In the webhook settings choose version 2.1 and generate a webhook token; put it into `callback_token`. The \
         address need not be entered: Touchline tells it with every fax.",
    ],
    gaps: &[
        "Phaxio tells no count of the pages that arrived: of a fax that broke off it is only known that it did.",
        "Phaxio prints a header line of its own on every page; no way to switch it off is published.",
        "Limits of pages, of size and of calls per minute are not published: Phaxio refuses what passes them.",
        "A refusal names no field: its cause is read from Phaxio's words, and where they say nothing it is unknown.",
        "With a test key Phaxio reports faxes as sent that it never dialed; Touchline cannot tell them apart and shows \
         them as delivered.",
        "A callback is signed without a time: an old one could be replayed, which changes nothing that is known already.",
        "Phaxio belongs to Sinch and seems to take no new customers; whether its business associate agreement still \
         holds is not published: ask before setting `baa`.",
    ],
    build,
};

/// Most characters of `header_text`.
const HEADER_CHARS_MAX: usize = 50;

/// The types of error that Phaxio simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum TestFail {
    #[serde(rename = "documentConversionError")]
    Document,
    #[serde(rename = "lineError")]
    Line,
    #[serde(rename = "faxError")]
    Fax,
    #[serde(rename = "fatalError")]
    Fatal,
    #[serde(rename = "generalError")]
    General,
}

impl TestFail {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "documentConversionError",
            Self::Line => "lineError",
            Self::Fax => "faxError",
            Self::Fatal => "fatalError",
            Self::General => "generalError",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    from: Option<FaxNumber>,
    header_text: Option<String>,
    test_fail: Option<TestFail>,
}

/// One ready account.
struct Phaxio {
    client: Client,
    callback_token: Option<SecretString>,
    from: Option<FaxNumber>,
    header_text: Option<String>,
    test_fail: Option<TestFail>,
    /// Only where callbacks can be verified: what cannot be believed is not asked for.
    callback_url: Option<String>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let base = account.base_url(settings.base_url.as_deref(), "https://api.phaxio.com/v2.1")?;
    let callback_token = account.optional_secret("callback_token")?;
    let fits = |text: &String| (1..=HEADER_CHARS_MAX).contains(&text.trim().chars().count());
    if !settings.header_text.iter().all(fits) {
        return Err(account.refuse("header_text", "must have 1 to 50 characters"));
    }
    let auth = Auth::Basic(account.secret("api_key")?.expose_secret().to_owned(), account.secret("api_secret")?);
    Ok(Arc::new(Phaxio {
        client: Client::new(&account, base, auth, &answer::DIALECT),
        callback_url: callback_token.as_ref().and(account.callback_url),
        callback_token,
        from: settings.from,
        header_text: settings.header_text,
        test_fail: settings.test_fail,
    }))
}

#[async_trait]
impl Provider for Phaxio {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["faxes", id(reference)?])).await?;
        let fax = Fax::read(&body["data"]).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report { reference: reference.clone(), ..self.report(&fax) })
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.client.ask(self.client.post_empty(&["faxes", id(reference)?, "cancel"])).await.map(drop)
    }

    /// Deletes the document; the record of the fax stays.
    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.client.delete(&["faxes", id(reference)?, "file"]).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        let token = self.callback_token.as_ref().ok_or(Rejection::Unsupported)?;
        webhook::verify(token, parts).map(drop)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(&FormBody::read(parts)?)
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.client.ask(self.client.get(&["account", "status"])).await?;
        let balance = words(&body["data"]["balance"]).filter(|_| body["data"].is_object());
        let balance = balance.ok_or_else(|| unreadable("the answer holds no state of the account"))?;
        let mut text = format!("Phaxio accepts the key; the balance is {balance} cents");
        if self.callback_token.is_none() {
            text.push_str("; without callback_token no callback is asked for, so states are polled");
        }
        if self.test_fail.is_some() {
            text.push_str("; test_fail is set, so with a test key every fax fails");
        }
        Ok(text)
    }
}
