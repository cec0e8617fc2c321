//! Telnyx Programmable Fax, API version 2: `POST /faxes` and its relatives, callbacks signed with Ed25519.
//!
//! Two ways to hand the document over. `document = "upload"` is one multipart call, exactly the published schema; that
//! schema has no `client_state`, so a doubtful hand-over is looked up by number and time. `document = "media"` puts
//! the file into Telnyx' media storage first and then creates the fax by JSON, which carries our attempt as
//! `client_state` and makes every look-up and callback certain. The reference is the only thing of ours in any field.

mod answer;
mod faults;
mod fax;
mod find;
mod send;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::provider::kit::auth::Auth;
use crate::provider::kit::client::Client;
use crate::provider::kit::listing;
use crate::provider::kit::reading::{id, is_path_safe, text, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// Telnyx, as the registry knows it. Limits: 20 MB per uploaded file, 350 pages per fax.
pub const SPEC: Spec = Spec {
    kind: "telnyx",
    title: "Telnyx Programmable Fax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Scan,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::SignedWithTime,
        pages_max: Some(350),
        bytes_max: Some(20_000_000),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::secret("api_key", "The API key, from the portal under API Keys.", true),
        Setting::plain("connection_id", "The id of the Fax Application that sends, from the portal under Fax.", true),
        Setting::plain(
            "from",
            "The caller number, which the account must own; the practice's own unless given.",
            false,
        ),
        Setting::plain(
            "public_key",
            "The account's public key (base64), from the portal under API Keys; without it no callback is believed.",
            false,
        ),
        Setting::plain("quality", "normal, high (unless given), very_high, ultra_light or ultra_dark.", false),
        Setting::plain(
            "document",
            "upload (unless given) sends in one call; media puts the file into media storage first, so that the fax \
             carries our reference and nothing stays in doubt for long.",
            false,
        ),
        Setting::plain(
            "base_url",
            "The API's address with its version: https://api.telnyx.com/v2 unless given.",
            false,
        ),
    ],
    sources: &[
        "https://developers.telnyx.com/api-reference/programmable-fax-commands/send-a-fax",
        "https://developers.telnyx.com/api-reference/media-storage-api/upload-media",
        "https://developers.telnyx.com/development/api-fundamentals/api-errors",
        "https://developers.telnyx.com/development/api-fundamentals/reliability/rate-limiting",
        "https://developers.telnyx.com/docs/programmable-fax/receiving-webhooks",
        "github.com/team-telnyx/openapi @ 4f3a6bd: openapi/spec3.yml (faxes, fax applications, webhooks)",
        "https://support.telnyx.com/en/articles/4967498-programmable-fax-errors",
    ],
    setup: &[
        "Sign in to the Mission Control Portal. Under Numbers buy a number that can fax, or move the practice's number there.",
        "Under Fax make a Fax Application and give it an outbound voice profile, without which nothing can be sent. Allow \
         the countries you send to in that profile. The application's id is `connection_id`.",
        "Give the number to the Fax Application, and put it into `from` if it is not the practice's own number.",
        "Under API Keys make a key for `api_key`, and copy the public key from the same page into `public_key`.",
        "Put the callback address into the Fax Application's webhook URL.",
    ],
    gaps: &[
        "An upload carries no reference of ours in the published schema: a doubtful hand-over is found by number and time \
         unless `document = \"media\"`.",
        "The published fax carries no count of pages: of a fax that broke off only the callback tells that some pages \
         arrived. Where callbacks cannot come, such a failure is tried again as a whole.",
        "Telnyx tells no charge with a fax, so none is kept.",
        "Whether Programmable Fax is part of Telnyx' business associate agreement is not published: ask before setting `baa`.",
    ],
    build,
};

/// An Ed25519 public key (RFC 8032 §5.1.5).
const PUBLIC_KEY_BYTES: usize = 32;

/// `quality` of the published schema, same words.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quality {
    Normal,
    #[default]
    High,
    VeryHigh,
    UltraLight,
    UltraDark,
}

impl Quality {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::VeryHigh => "very_high",
            Self::UltraLight => "ultra_light",
            Self::UltraDark => "ultra_dark",
        }
    }
}

/// How the document travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Document {
    /// In the create call itself.
    #[default]
    Upload,
    /// Into media storage, then named by the create call.
    Media,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    connection_id: String,
    from: Option<FaxNumber>,
    public_key: Option<String>,
    #[serde(default)]
    quality: Quality,
    #[serde(default)]
    document: Document,
}

/// One ready account.
struct Telnyx {
    client: Client,
    connection_id: String,
    from: Option<FaxNumber>,
    public_key: Option<[u8; PUBLIC_KEY_BYTES]>,
    quality: Quality,
    document: Document,
    callback_url: Option<String>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    if !is_path_safe(&settings.connection_id) {
        return Err(account.refuse("connection_id", "must be the application's id: letters, digits and hyphens"));
    }
    let base = account.base_url(settings.base_url.as_deref(), "https://api.telnyx.com/v2")?;
    let public_key = settings.public_key.as_deref().map(public_key).transpose();
    let public_key = public_key.map_err(|why| account.refuse("public_key", why))?;
    let calls = if settings.document == Document::Media { 2 } else { 1 };
    let auth = Auth::Bearer(account.secret("api_key")?);
    Ok(Arc::new(Telnyx {
        client: Client::new(&account, base, auth, &answer::DIALECT).with_calls_per_fax(calls),
        connection_id: settings.connection_id,
        from: settings.from,
        public_key,
        quality: settings.quality,
        document: settings.document,
        callback_url: account.callback_url,
    }))
}

fn public_key(text: &str) -> Result<[u8; PUBLIC_KEY_BYTES], &'static str> {
    let bytes = BASE64.decode(text.trim()).map_err(|_| "is not base64")?;
    bytes.try_into().map_err(|_| "is not an Ed25519 public key of 32 bytes")
}

impl Telnyx {
    /// Deletes the file that this adapter put into media storage for a fax. Files that others put there stay, and a
    /// fax that is gone no longer tells which file was its own: that one ends with its time to live.
    async fn purge_media(&self, id: &str) -> Result<(), Failure> {
        let answer = self.client.answer(self.client.get(&["faxes", id])).await?;
        if answer.status == 404 {
            return Ok(());
        }
        let name = text(&self.client.body(&answer)?["data"], "media_name").filter(|name| send::is_our_media(name));
        match name {
            Some(name) => self.client.delete(&["media", &name]).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Provider for Telnyx {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope).await, answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["faxes", id(reference)?])).await?;
        let fax = Fax::read(&body["data"]).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report::new(reference.clone(), self.fact(&fax)))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let request = self.client.post_empty(&["faxes", id(reference)?, "actions", "cancel"]);
        self.client.done(&self.client.answer(request).await?)
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let id = id(reference)?;
        if self.document == Document::Media {
            self.purge_media(id).await?;
        }
        self.client.delete(&["faxes", id]).await
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        webhook::verify(self.public_key.as_ref(), parts, now)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(&parts.body)
    }

    async fn check(&self) -> Result<String, Failure> {
        let answer = self.client.answer(self.client.get(&["fax_applications", &self.connection_id])).await?;
        if answer.status == 404 {
            return Err(Failure::new(Fault::AccountError)
                .code("404")
                .text("no Fax Application has this connection_id"));
        }
        let body = self.client.body(&answer)?;
        if !body["data"].is_object() {
            return Err(unreadable("the answer holds no Fax Application"));
        }
        Ok(self.describe(&body["data"]))
    }
}

impl Telnyx {
    /// What `check` found, in words for the operator.
    fn describe(&self, application: &Value) -> String {
        let mut text = String::from("Telnyx accepts the key and knows the Fax Application");
        if application["active"] == Value::Bool(false) {
            text.push_str("; but the application is switched off");
        }
        if application["outbound"]["outbound_voice_profile_id"].as_str().is_none_or(str::is_empty) {
            text.push_str("; but it has no outbound voice profile, without which it cannot send");
        }
        if self.public_key.is_none() {
            text.push_str("; without public_key every callback is turned away, so states are polled");
        }
        text
    }
}
