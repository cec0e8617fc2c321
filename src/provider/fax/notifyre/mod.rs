//! Notifyre, API of 2022-07-11: the document goes into their conversion as base64, and once it is converted one call,
//! `POST /fax/send`, makes the fax and carries our attempt as `clientReference`. There is no question about one fax: states
//! and lost answers are read from the list of sent faxes. Callbacks are signed with HMAC-SHA256 over a time and the raw body.

mod convert;
mod fax;
mod find;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, Clock, FaxNumber, Outcome, Timestamp};
use crate::http::Answer;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::client::Client;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{reference, text};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
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
    base_url: Option<String>,
    from: Option<FaxNumber>,
    high_quality: Option<bool>,
}

/// One ready account.
struct Notifyre {
    client: Client,
    webhook_secret: Option<SecretString>,
    from: Option<FaxNumber>,
    high_quality: bool,
    clock: Arc<dyn Clock>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let base = account.base_url(settings.base_url.as_deref(), "https://api.notifyre.com/20220711")?;
    let auth = Auth::Header("x-api-token".to_owned(), account.secret("api_token")?);
    Ok(Arc::new(Notifyre {
        // Conversion has half of the time, the hand-over the other.
        client: Client::new(&account, base, auth, &DIALECT).with_calls_per_fax(2),
        webhook_secret: account.optional_secret("webhook_secret")?,
        from: settings.from,
        high_quality: settings.high_quality.unwrap_or(true),
        clock: account.clock,
    }))
}

/// How Notifyre words its answers. What HTTP calls a success may have a status of its own that says otherwise.
const DIALECT: Dialect = Dialect { complaint, status: Some(own_status), ..Dialect::PLAIN };

fn own_status(body: &Value) -> Option<u16> {
    let is_denied = body["success"] == Value::Bool(false);
    body["statusCode"].as_u64().filter(|_| is_denied).and_then(|status| u16::try_from(status).ok())
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let said = text(body, "message").into_iter().chain(errors.iter().filter_map(reading::words));
    Complaint::words(Some(said.collect::<Vec<_>>().join("; ")))
}

/// The id of a fax just made.
fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    reference(&body["payload"]["faxID"])
}

impl Notifyre {
    /// Converts the document and makes the order: the fields of the published library, and no others. An empty
    /// `templateName` is no cover page, an empty `sendFrom` the account's default.
    async fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let file = self.convert(&letter, self.client.share()).await?;
        let from = self.from.as_ref().map_or("", FaxNumber::as_str);
        Ok(self.client.post(&["fax", "send"]).json(&json!({
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
        })))
    }
}

#[async_trait]
impl Provider for Notifyre {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope).await, created).await
    }

    /// There is no question about one fax: it is found in the list.
    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        match listing::find(self, &self.by_id(reference)).await? {
            FindResult::Found(report) => Ok(report),
            _ => Err(Failure::new(Fault::Unknown).text("the list of the last two days does not hold this fax")),
        }
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, &find::Sought::of(query)).await
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        webhook::verify(self.webhook_secret.as_ref(), parts, now)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        self.client.ask(self.client.get(&["fax", "numbers"])).await?;
        Ok(match self.webhook_secret {
            Some(_) => "Notifyre accepts the token".to_owned(),
            None => {
                "Notifyre accepts the token; without webhook_secret every callback is turned away, so states are polled"
                    .to_owned()
            }
        })
    }
}
