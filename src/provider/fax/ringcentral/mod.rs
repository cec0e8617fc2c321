//! RingCentral: `POST …/fax` as multipart, states from the extension's message store, tokens by JWT grant.
//!
//! RingCentral takes no reference of ours, so a doubtful hand-over is looked up by number and time. Its notifications
//! only say that something changed and have to be renewed, so states are asked for. There is no cancel: the API
//! deletes messages, and whether that stops one that waits to be sent is not published, while the record from which
//! its end could be learnt would be gone.

mod answer;
mod faults;
mod fax;
mod find;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder};
use secrecy::SecretString;
use serde::Deserialize;

use self::fax::Fax;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::Report;
use crate::domain::fault::Failure;
use crate::domain::{Channel, Clock, Outcome};
use crate::http;
use crate::http::oauth::Grant;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::client::Client;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing;
use crate::provider::kit::listing::Window;
use crate::provider::kit::reading::{id, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Setting, SettingsError, Spec,
};

/// RingCentral, as the registry knows it. Limits: 50 MB and 200 pages; sending is in the group of 10 calls a minute and
/// user, reading the message store in that of 50.
pub const SPEC: Spec = Spec {
    kind: "ringcentral",
    title: "RingCentral",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Heuristic,
        status: true,
        purge: true,
        redials: true,
        pages_max: Some(200),
        bytes_max: Some(50_000_000),
        submits_per_minute: Some(10),
        questions_per_minute: Some(50),
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("client_id", "The app's client id, from the Developer Console under Credentials.", true),
        Setting::secret("client_secret", "The app's client secret, from the same page.", true),
        Setting::secret(
            "jwt",
            "The JWT credential of the user who sends, from the Developer Console under Credentials.",
            true,
        ),
        Setting::plain(
            "base_url",
            "The server's address: https://platform.ringcentral.com unless given, \
             https://platform.devtest.ringcentral.com for the sandbox.",
            false,
        ),
    ],
    sources: &[
        "https://github.com/ringcentral/ringcentral-api-docs specs/ringcentral_openapi3.json @64067a5 (API 1.0.46)",
        "https://github.com/ringcentral/ringcentral-api-docs docs/basics/errors.md @03cea43",
        "https://developers.ringcentral.com/guide/messaging/fax/fax-multipart-formats",
        "https://developers.ringcentral.com/guide/authentication/jwt-flow",
        "the package @rc-ex/core 1.8.6 by RingCentral (definitions of the current API)",
    ],
    setup: &[
        "In RingCentral's Developer Console, create a REST API app with JWT auth flow, for your own company only.",
        "Give the app the permissions Faxes, Read Messages and Edit Messages; its client id and secret are under \
         Credentials.",
        "As the user whose extension shall send, create a JWT credential there and allow it for this app; it is `jwt`.",
        "In the Admin Portal, check that this user may send faxes and which number recipients see: it is always the \
         user's own fax number.",
    ],
    gaps: &[
        "The sending number cannot be chosen: recipients see the one set for the user in RingCentral, not `from`.",
        "RingCentral takes no reference of ours: a doubtful hand-over is found by number and time, and where that does \
         not tell, it waits for a person.",
        "Notifications are not used: they carry no data and expire unless renewed; states are asked for instead.",
        "No cancel: the published API only deletes messages, and whether that stops a waiting fax is not said. Purge a \
         fax only after its end, for nothing can be learnt of it afterwards.",
        "RingCentral dials again by itself after a busy line; how often is set in its own portal and not by the API.",
        "The number of pages is that of the fax: how many arrived of a partly sent one is not told apart from it.",
        "`Sent` is taken as delivered; the schema also knows `Delivered`, and a failure told after `Sent` is not seen.",
        "The terms of a business associate agreement were not verified: ask before setting `baa`.",
    ],
    build,
};

/// How far back `check` lists, which must be some window.
const CHECK_WINDOW: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    client_id: String,
}

/// One ready account.
struct RingCentral {
    /// For paths within the token's own extension.
    client: Client,
    clock: Arc<dyn Clock>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    if settings.client_id.trim().is_empty() {
        return Err(account.refuse("client_id", "is empty"));
    }
    let base = account.base_url(settings.base_url.as_deref(), "https://platform.ringcentral.com")?;
    let grant = Grant {
        form: vec![
            ("grant_type", SecretString::from("urn:ietf:params:oauth:grant-type:jwt-bearer")),
            ("assertion", account.secret("jwt")?),
        ],
        basic: Some((settings.client_id.trim().to_owned(), account.secret("client_secret")?)),
    };
    let tokens = http::endpoint(&base, &["restapi", "oauth", "token"]);
    let auth = Auth::tokens(&account, account.http.clone(), tokens, grant);
    let extension = http::endpoint(&base, &["restapi", "v1.0", "account", "~", "extension", "~"]);
    let client = Client::new(&account, extension, auth, &answer::DIALECT);
    Ok(Arc::new(RingCentral { client, clock: account.clock }))
}

impl RingCentral {
    /// One multipart call. The default cover page is refused with index 0.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, None, envelope)?;
        let form = Form::new()
            .text("to", letter.to.as_str().to_owned())
            .text("faxResolution", "High")
            .text("coverIndex", "0")
            .part("attachment", letter.part());
        Ok(self.client.post(&["fax"]).multipart(form))
    }
}

#[async_trait]
impl Provider for RingCentral {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let body = self.client.ask(self.client.get(&["message-store", id(reference)?])).await?;
        let fax = Fax::read(&body).ok_or_else(|| unreadable("the answer holds no message"))?;
        Ok(Report::new(reference.clone(), fax.fact()))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let request = self.client.request(Method::DELETE, &["message-store", id(reference)?]);
        self.client.delete_by(request.query(&[("purge", "true")])).await
    }

    async fn check(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let window = Window { from: now.before(CHECK_WINDOW), until: now };
        let body = self.client.ask(self.messages(window, 1, 1)).await?;
        if !body["records"].is_array() {
            return Err(unreadable("the answer holds no list of messages"));
        }
        Ok("RingCentral accepts the app and the user, and lists the user's faxes".to_owned())
    }
}
