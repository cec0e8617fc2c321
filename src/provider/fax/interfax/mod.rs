//! InterFAX (Upland), REST API: the document is the body of `POST /outbound/faxes`, everything else is in the query.
//!
//! Our attempt travels as `reference`, by which `GET /outbound/search` finds the fax again, so that a lost answer leaves
//! no lasting doubt. The account may ask six questions a minute, so callbacks are worth having: they are set in the
//! account, sign nothing, and here only make us ask.

mod answer;
mod faults;
mod fax;
mod find;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use serde::Deserialize;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::Failure;
use crate::domain::{Channel, Outcome, Timestamp};
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading::{event, id, unreadable, words};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// InterFAX, as the registry knows it. Limits: 100 pages, 4 MB in one request, six questions a minute.
pub const SPEC: Spec = Spec {
    kind: "interfax",
    title: "InterFAX",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Exact,
        status: true,
        cancel: true,
        webhook: WebhookAuthenticity::SecretPath,
        pages_max: Some(100),
        bytes_max: Some(4_000_000),
        questions_per_minute: Some(6),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("username", "The user name of the InterFAX account.", true),
        Setting::secret("password", "Its password.", true),
        Setting::plain(
            "page_header",
            "The line that InterFAX prints above each page, such as \"To: {To} From: {From}\"; nothing (N) unless given, \
             for the letter brings its own.",
            false,
        ),
        Setting::plain("resolution", "fine (unless given) or standard.", false),
        Setting::plain("rendering", "bw (unless given) or grayscale.", false),
        Setting::plain(
            "currency",
            "The account's currency (ISO 4217), in which charges are then kept; in InterFAX' units unless given.",
            false,
        ),
        callback::SETTING,
        Setting::plain("base_url", "The API's address: https://rest.interfax.net unless given.", false),
    ],
    sources: &[
        "https://help.uplandsoftware.com/interfax/devdocs/dev-doc/api/rest%20-api/send-faxes/send-fax.htm",
        "https://help.uplandsoftware.com/interfax/en/send-faxes/fax-status-codes.htm",
        "https://help.uplandsoftware.com/interfax/devdocs/dev-doc/api/web-service-return-codes.htm",
        "https://help.uplandsoftware.com/interfax/devdocs/dev-doc/developers-guide/outgoing-fax-confirmations.htm",
        "https://help.uplandsoftware.com/interfax/en/system-limitations.htm",
        "github.com/interfax/interfax-java @ 1105712 (recorded exchanges)",
    ],
    setup: &[
        "Ask InterFAX for a business associate agreement before sending anything about patients.",
        "In the account under Settings, Outbound Settings, switch on the deletion of faxes after completion, so that \
         InterFAX keeps no image.",
        "On the tab Feedback, under Advanced Options, Web Feedback: choose Always, HTTP POST, and the callback address \
         with your `callback_secret` as its last part. InterFAX calls only addresses on port 443.",
        "A developer account may fax to one number only; have the account made a full one first.",
    ],
    gaps: &[
        "Documents cannot be deleted by a call: `hide` only hides them. Deletion after completion is a switch in the account.",
        "Documents above 4 MB are refused: the upload in pieces is left out.",
        "The fax status codes above 12 come from two agreeing copies of InterFAX' table, for its page was not at hand whole: \
         a number missing there is kept and called unknown.",
        "That `retriesToPerform=1` means a single attempt is how the documentation reads; the record of a sent fax shows it.",
        "Which currency an account is billed in is nowhere told, so money is only named where `currency` is set.",
        "A fax that is being transmitted cannot be cancelled any more.",
        "The terms of a business associate agreement are not published: ask before setting `baa`.",
    ],
    build,
};

/// `resolution` of the published arguments.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Resolution {
    #[default]
    Fine,
    Standard,
}

/// `rendering` of the published arguments.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rendering {
    #[default]
    Bw,
    Grayscale,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    username: String,
    page_header: Option<String>,
    #[serde(default)]
    resolution: Resolution,
    #[serde(default)]
    rendering: Rendering,
    currency: Option<String>,
}

/// One ready account.
struct InterFax {
    client: Client,
    page_header: String,
    resolution: Resolution,
    rendering: Rendering,
    currency: Option<String>,
    callback: PathSecret,
}

/// What tells InterFAX to print no line of its own.
const NO_HEADER: &str = "N";

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    if settings.username.trim().is_empty() {
        return Err(account.refuse("username", "is empty"));
    }
    if settings.currency.as_ref().is_some_and(|word| word.len() != 3 || !word.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err(account.refuse("currency", "must be three capital letters, such as USD"));
    }
    let base = account.base_url(settings.base_url.as_deref(), "https://rest.interfax.net")?;
    let auth = Auth::Basic(settings.username.trim().to_owned(), account.secret("password")?);
    Ok(Arc::new(InterFax {
        client: Client::new(&account, base, auth, &answer::DIALECT),
        page_header: settings.page_header.unwrap_or_else(|| NO_HEADER.to_owned()),
        resolution: settings.resolution,
        rendering: settings.rendering,
        currency: settings.currency,
        callback: PathSecret::of(&account)?,
    }))
}

impl InterFax {
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, None, envelope)?;
        let request = self.client.post(&["outbound", "faxes"]).query(&self.options(&letter));
        Ok(request.header("content-type", "application/pdf").body(letter.pdf.to_vec()))
    }

    /// The options of a hand-over, all of them in the query, as the API wants them.
    fn options(&self, letter: &Letter<'_>) -> [(&'static str, String); 7] {
        let resolution = match self.resolution {
            Resolution::Fine => "fine",
            Resolution::Standard => "standard",
        };
        let rendering = match self.rendering {
            Rendering::Bw => "bw",
            Rendering::Grayscale => "grayscale",
        };
        [
            ("faxNumber", letter.to.as_str().to_owned()),
            // Attempts in all, by its documentation: one, so that Touchline alone decides about another call.
            ("retriesToPerform", "1".to_owned()),
            ("pageHeader", self.page_header.clone()),
            ("reference", letter.attempt.to_string()),
            ("pageSize", "letter".to_owned()),
            ("resolution", resolution.to_owned()),
            ("rendering", rendering.to_owned()),
        ]
    }
}

#[async_trait]
impl Provider for InterFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["outbound", "faxes", id(reference)?])).await?;
        let fax = Fax::read(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(Report { reference: reference.clone(), ..self.report(&fax) })
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        self.find_by_reference(query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let request = self.client.post_empty(&["outbound", "faxes", id(reference)?, "cancel"]);
        self.client.done(&self.client.answer(request).await?)
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let fields = Fields::of(parts);
        if fields.get(&["TransactionIDType"]).is_some_and(|kind| !kind.eq_ignore_ascii_case("outbound")) {
            return Some(Vec::new());
        }
        let fax = Fax::of_fields(&fields)?;
        let (fact, billed, status) = (fax.fact(), self.charge(&fax), fax.status.to_string());
        let occurred_ms = fields.get(&["CompletionTime"]).and_then(fax::gmt);
        Some(vec![DeliveryEvent { billed, occurred_ms, ..event(fax.id, &status, fact) }])
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.client.ask(self.client.get(&["accounts", "self", "ppcards", "balance"])).await?;
        let balance = words(&body).ok_or_else(|| unreadable("the answer holds no balance"))?;
        Ok(format!("InterFAX accepts the user and password; the balance is {balance}"))
    }
}
