//! SignalWire, the compatibility API: a form posted to `/Accounts/{project}/Faxes`, which names the document by an address
//! that SignalWire fetches. There is no upload, so an account must say `public_link = true`: then the document is served by
//! this installation below an address that cannot be guessed, for an hour at most and only while the attempt is open.
//!
//! Nothing of ours comes back in a fax, so a lost answer is looked up by number and time; callbacks carry our attempt in
//! their address.

mod fax;
mod find;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, Clock, FaxNumber, Outcome, PhiClass, Timestamp};
use crate::http;
use crate::http::Answer;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::link;
use crate::provider::kit::link::DocumentLinks;
use crate::provider::kit::listing;
use crate::provider::kit::reading;
use crate::provider::kit::reading::{id, is_path_safe, text, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// SignalWire, as the registry knows it. One call a second.
pub const SPEC: Spec = Spec {
    kind: "signalwire",
    title: "SignalWire (compatibility API)",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Heuristic,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::SecretPath,
        submits_per_minute: Some(60),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("space", "The name of your space: the first part of NAME.signalwire.com.", true),
        Setting::plain("project_id", "The project's id, from the dashboard under API.", true),
        Setting::secret("api_token", "An API token with the scope Fax, from the dashboard under API.", true),
        link::SWITCH,
        link::SETTING,
        Setting::plain(
            "from",
            "The caller number, which the project must own and which must take faxes; the practice's own unless given.",
            false,
        ),
        Setting::plain("quality", "standard, fine (unless given) or superfine.", false),
        Setting::plain(
            "base_url",
            "The API's address with its version: https://SPACE.signalwire.com/api/laml/2010-04-01 unless given.",
            false,
        ),
        callback::SETTING,
    ],
    sources: &[
        "https://github.com/signalwire/docs at 01da87c: fern/apis/compatibility/openapi.yaml",
        "https://signalwire.com/docs/compatibility-api/rest/faxes/send-fax",
        "https://signalwire.com/docs/compatibility-api/sdks/reference/faxes/list",
        "https://developer.signalwire.com/compatibility-api/reference/callbacks",
        "https://developer.signalwire.com/freeswitch: the results of a fax",
    ],
    setup: &[
        "Ask SignalWire for a business associate agreement before any letter about a patient goes this way.",
        "Buy a number that can send faxes.",
        "Make an API token with the scope Fax under API; the project's id and the space's name stand on the same page.",
        "Make sure that `server.public_url` is an https address that the Internet reaches: SignalWire fetches every document \
         from it, below /documents.",
        "Set `public_link = true` once it is clear that documents may be fetched so, and give a long random `link_secret`.",
    ],
    gaps: &[
        "Documents are taken by a public link only: anyone who learns a link within its hour can read that one document while \
         the fax is under way.",
        "Nothing of ours comes back with a fax: after a lost answer it is found by number and time alone.",
        "The signature of callbacks, which only SignalWire's own libraries describe, is not relied upon: each callback only \
         makes us ask SignalWire for the state.",
        "Why a fax failed is told in the words of its fax engine; what they mean is our reading of them, and others count \
         as unknown.",
        "Whether the page count of a failed fax means pages that arrived is not published: where the reason does not exclude \
         it, such a fax counts as a partial send, which a person looks into.",
        "Which terms its business associate agreement has for faxes is not published: ask before setting `baa`.",
    ],
    build,
};

/// How long SignalWire may try, in minutes; it takes 5 to 300. A busy line is ours to dial again.
const TTL_MINUTES: u64 = 30;
/// How long a document can be fetched: as long as they may try, and as long again for a queue on their side.
const LINK_LIFE: Duration = Duration::from_secs(2 * TTL_MINUTES * 60);
/// Files deleted for one fax at most; there is one.
const MEDIA_MAX: usize = 10;

/// `Quality` of the published schema, same words.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quality {
    Standard,
    #[default]
    Fine,
    Superfine,
}

impl Quality {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fine => "fine",
            Self::Superfine => "superfine",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    space: String,
    project_id: String,
    #[serde(default, rename = "public_link")]
    _public_link: bool,
    from: Option<FaxNumber>,
    #[serde(default)]
    quality: Quality,
    base_url: Option<String>,
}

/// One ready account.
struct SignalWire {
    /// For paths below the project's faxes.
    client: Client,
    links: DocumentLinks,
    baa: bool,
    from: Option<FaxNumber>,
    quality: Quality,
    callback: PathSecret,
    /// Where callbacks shall come, without our attempt.
    callback_url: Option<SecretString>,
    clock: Arc<dyn Clock>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let links = DocumentLinks::of(&account)?;
    let host = settings.space.trim_end_matches(".signalwire.com");
    if !is_path_safe(host) {
        return Err(account.refuse("space", "must be the first part of NAME.signalwire.com"));
    }
    if !is_path_safe(&settings.project_id) {
        return Err(account.refuse("project_id", "must be the project's id: letters, digits and hyphens"));
    }
    let own = format!("https://{host}.signalwire.com/api/laml/2010-04-01");
    let base = account.base_url(settings.base_url.as_deref(), &own)?;
    let faxes = http::endpoint(&base, &["Accounts", &settings.project_id, "Faxes"]);
    let auth = Auth::Basic(settings.project_id, account.secret("api_token")?);
    let callback = PathSecret::of(&account)?;
    Ok(Arc::new(SignalWire {
        client: Client::new(&account, faxes, auth, &DIALECT),
        links,
        baa: account.baa,
        from: settings.from,
        quality: settings.quality,
        callback_url: callback.address(&account),
        callback,
        clock: account.clock,
    }))
}

/// How SignalWire words its answers: a code and a message.
const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let (code, words) = (reading::words(&body["code"]), text(body, "message").unwrap_or_default());
    let fault = code.as_deref().and_then(fault_of_code).unwrap_or_else(|| fault_of_words(&words));
    Complaint { fault: Some(fault), code, text: Some(without_links(&words)), ..Complaint::NONE }
}

/// Their words without a link to a document, should they repeat one.
fn without_links(words: &str) -> String {
    let words = words.split_whitespace().map(|word| if word.contains("/documents/") { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// The id of a fax just made.
fn created(_: &Answer, body: &Value) -> Option<ProviderReference> {
    Fax::read(body).map(|fax| fax.id)
}

impl SignalWire {
    /// A form that names the document. `StoreMedia` is off: what is not kept need not be deleted.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        if envelope.phi == PhiClass::Identified && !self.baa {
            let why = "a letter about a patient goes by a public link only where an agreement is signed";
            return Err(Outcome::Refused(Failure::new(Fault::Blocked).text(why)));
        }
        let link = self.links.link(letter.attempt, self.clock.now(), LINK_LIFE);
        let mut fields = vec![
            ("To", letter.to.as_str().to_owned()),
            ("From", letter.from.as_str().to_owned()),
            ("MediaUrl", link.expose_secret().to_owned()),
            ("Quality", self.quality.as_str().to_owned()),
            ("StoreMedia", "false".to_owned()),
            ("Ttl", TTL_MINUTES.to_string()),
        ];
        if let Some(url) = &self.callback_url {
            fields.push(("StatusCallback", format!("{}?attempt={}", url.expose_secret(), letter.attempt)));
            fields.push(("StatusCallbackMethod", "POST".to_owned()));
        }
        Ok(self.client.post(&[]).form(&fields))
    }

    /// The files kept for a fax; none where the fax is gone.
    async fn media(&self, fax: &str) -> Result<Vec<String>, Failure> {
        let answer = self.client.answer(self.client.get(&[fax, "Media"])).await?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        let body = self.client.body(&answer)?;
        let list = ["media", "fax_media"].into_iter().find_map(|key| body[key].as_array());
        let files = list.ok_or_else(|| unreadable("the list of files cannot be read"))?;
        Ok(files.iter().filter_map(|file| text(file, "sid")).filter(|sid| is_path_safe(sid)).take(MEDIA_MAX).collect())
    }
}

/// The API's own codes. 21601 is about the number that sends: it cannot send faxes.
fn fault_of_code(code: &str) -> Option<Fault> {
    match code {
        "4001" | "21601" => Some(Fault::AccountError),
        _ => None,
    }
}

/// What is refused, by the field with which a message begins: `To is invalid`, `Media url can't be blank`.
fn fault_of_words(words: &str) -> Fault {
    let plain: String = words.to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').collect();
    let begins = |field: &str| plain == field || plain.strip_prefix(field).is_some_and(|rest| rest.starts_with(' '));
    match () {
        () if begins("to") => Fault::InvalidNumber,
        () if begins("from") => Fault::AccountError,
        () if begins("media url") || begins("mediaurl") => Fault::DocumentError,
        () => Fault::Unknown,
    }
}

#[async_trait]
impl Provider for SignalWire {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&[id(reference)?])).await?;
        let fax = Fax::read(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        Ok(self.report(&fax, reference.clone()))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    /// Possible while it is queued.
    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let request = self.client.post(&[id(reference)?]).form(&[("Status", "canceled")]);
        self.client.ask(request).await.map(drop)
    }

    /// The files first, then the fax: a fax that is gone no longer tells its files.
    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let fax = id(reference)?;
        for file in self.media(fax).await? {
            self.client.delete(&[fax, "Media", &file]).await?;
        }
        self.client.delete(&[fax]).await
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        self.events(parts)
    }

    fn document_links(&self) -> Option<&DocumentLinks> {
        Some(&self.links)
    }

    async fn check(&self) -> Result<String, Failure> {
        let body = self.client.ask(self.client.get(&[]).query(&[("PageSize", "1")])).await?;
        if !body["faxes"].is_array() {
            return Err(unreadable("the answer holds no list of faxes"));
        }
        Ok("SignalWire accepts the token; it fetches documents from server.public_url, which only a real fax can show"
            .to_owned())
    }
}
