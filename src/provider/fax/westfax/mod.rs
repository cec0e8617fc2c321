//! WestFax, for the United States and Canada: one method per address, `multipart/form-data` with the credentials among
//! its fields, answers that tell of success inside the body.
//!
//! Our attempt travels as the job's name. Its callback tells that a job is over, not how, and signs nothing: it only
//! makes us ask.

mod answer;
mod faults;
mod find;
mod job;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::multipart::Form;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use self::job::Job;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::letter::{Letter, not_sent, ten_digits};
use crate::provider::kit::listing;
use crate::provider::kit::reading::{event, id, is_path_safe, progress, taken, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// WestFax, as the registry knows it. No limits are published. It dials a busy or unanswered number again by itself.
pub const SPEC: Spec = Spec {
    kind: "westfax",
    title: "WestFax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Scan,
        status: true,
        cancel: true,
        webhook: WebhookAuthenticity::SecretPath,
        redials: true,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("product_id", "The id of the fax line (ProductId), from the portal.", true),
        Setting::secret("api_key", "The API key; or else give username and password.", false),
        Setting::plain("username", "The user name, where there is no API key.", false),
        Setting::secret("password", "The password that belongs to username.", false),
        Setting::plain(
            "from",
            "The fax number that sends (ANI and CSID), which the account must own; the practice's own unless given.",
            false,
        ),
        Setting::plain("quality", "fine (unless given) or normal.", false),
        callback::SETTING,
        Setting::plain(
            "base_url",
            "The API's address: https://apisecure.westfax.com unless given; WestFax may name another one with an API key, and \
             its library names https://integrate.westfax.com as a sandbox.",
            false,
        ),
    ],
    sources: &[
        "github.com/westfax/snippets @ a65365c (integration guide), @ 8279efb (result values), @ d340799 (API keys)",
        "github.com/westfax/API-Postman @ 034c5d2",
        "github.com/westfax/SDK-Fax @ ba1535b",
        "https://www.westfax.com/fax-api-details-of-faxsendfax/",
    ],
    setup: &[
        "Ask WestFax for a business associate agreement before sending anything about patients.",
        "Ask WestFax support to switch off the printed header and the retries of the fax line: the letter has a header of \
         its own, and Touchline decides about another try.",
        "Ask WestFax for the line's ProductId and for an API key that may send with it.",
        "Give `callback_secret` so that WestFax tells at once when a job is over; nothing has to be entered there.",
    ],
    gaps: &[
        "Retries after a busy or unanswered call are WestFax' own and cannot be switched off per fax: one hand-over may dial \
         several times.",
        "Faxes can be marked as removed, but it is not published whether that deletes the document, so it is not offered.",
        "Whether the listing holds every job that has just begun is not published; a look-up is repeated before a fax counts \
         as not sent.",
        "The callback tells that a job is over and not how: the state is asked for.",
        "Charges are not reported: the API gives an estimate only.",
        "The terms of a business associate agreement are not published: ask before setting `baa`.",
    ],
    build,
};

/// `FaxQuality` of the published arguments.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Quality {
    #[default]
    Fine,
    Normal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    product_id: String,
    username: Option<String>,
    from: Option<FaxNumber>,
    #[serde(default)]
    quality: Quality,
}

/// A name and a password, which are among the fields of every call where there is no API key.
struct Login {
    username: String,
    password: SecretString,
}

/// Who calls: a key goes into a header, a login among the fields.
fn credentials(account: &Account, username: Option<String>) -> Result<(Auth, Option<Login>), SettingsError> {
    if let Some(key) = account.optional_secret("api_key")? {
        return Ok((Auth::Header("x-api-key".to_owned(), key), None));
    }
    let username = username.filter(|name| !name.trim().is_empty()).ok_or_else(|| {
        account.refuse("api_key", "is missing, and so is username with password: one of them is needed")
    })?;
    Ok((Auth::None, Some(Login { username, password: account.secret("password")? })))
}

/// One ready account.
struct WestFax {
    client: Client,
    login: Option<Login>,
    product_id: String,
    from: Option<FaxNumber>,
    quality: Quality,
    callback: PathSecret,
    callback_address: Option<SecretString>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    Ok(Arc::new(WestFax::of(account)?))
}

impl WestFax {
    fn of(account: Account) -> Result<Self, SettingsError> {
        let settings: Settings = account.read()?;
        if !is_path_safe(&settings.product_id) {
            return Err(account.refuse("product_id", "must be the line's id: letters, digits and hyphens"));
        }
        if settings.from.as_ref().is_some_and(|from| ten_digits(from).is_none()) {
            return Err(account.refuse("from", "must be a number of the United States or Canada"));
        }
        let base = account.base_url(settings.base_url.as_deref(), "https://apisecure.westfax.com")?;
        let (auth, login) = credentials(&account, settings.username)?;
        let callback = PathSecret::of(&account)?;
        Ok(Self {
            client: Client::new(&account, base, auth, &answer::DIALECT),
            login,
            product_id: settings.product_id,
            from: settings.from,
            quality: settings.quality,
            callback_address: callback.address(&account),
            callback,
        })
    }

    /// The fields that every call has.
    fn form(&self) -> Form {
        let form = match &self.login {
            None => Form::new(),
            Some(Login { username, password }) => {
                Form::new().text("Username", username.clone()).text("Password", password.expose_secret().to_owned())
            }
        };
        form.text("Cookies", "false").text("ProductId", self.product_id.clone())
    }

    fn request(&self, method: &str, form: Form) -> RequestBuilder {
        self.client.post(&["REST", method, "json"]).multipart(form)
    }

    /// Makes a call that changes nothing or can be repeated without harm; its result.
    async fn ask(&self, method: &str, form: Form) -> Result<Value, Failure> {
        let body = self.client.ask(self.request(method, form)).await?;
        if answer::succeeds(&body) { Ok(taken(body, "Result")) } else { Err(unreadable("the answer cannot be read")) }
    }

    /// The fields of `Fax_SendFax`: one number, one file, no header of theirs.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let to = ten_digits(letter.to);
        let to = to.ok_or_else(|| not_sent(Fault::Blocked, "WestFax faxes to the United States and Canada only"))?;
        let why = "the caller number must be one of the United States or Canada";
        let from = ten_digits(letter.from).ok_or_else(|| not_sent(Fault::AccountError, why))?;
        let quality = match self.quality {
            Quality::Fine => "Fine",
            Quality::Normal => "Normal",
        };
        let form = self
            .form()
            .text("JobName", letter.attempt.to_string())
            .text("Header", "")
            .text("BillingCode", "")
            .text("Numbers1", to.to_owned())
            .text("CSID", from.to_owned())
            .text("ANI", from.to_owned())
            .text("FaxQuality", quality)
            .part("Files0", letter.part());
        let form = match &self.callback_address {
            Some(address) => form.text("CallbackUrl", callback_template(address)),
            None => form,
        };
        Ok(self.request("Fax_SendFax", form))
    }
}

/// The method in brackets, and marks that WestFax fills in.
fn callback_template(address: &SecretString) -> String {
    format!("[post]{}?jobid={{@jobid}}&prodid={{@prodid}}&dir={{@dir}}", address.expose_secret())
}

#[async_trait]
impl Provider for WestFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let result = self.ask("Fax_GetFaxStatus", self.form().text("Ids1", id(reference)?.to_owned())).await?;
        let listed = if result.is_array() { result.as_array().cloned().unwrap_or_default() } else { vec![result] };
        let jobs = listed.iter().filter_map(Job::of_status);
        let job = jobs.into_iter().find(|job| job.id.0.eq_ignore_ascii_case(&reference.0));
        let job = job.ok_or_else(|| unreadable("the answer does not hold the job"))?;
        let fact = job.fact().ok_or_else(|| unreadable("the job is over, but none of its calls is told"))?;
        Ok(Report::new(reference.clone(), fact))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.ask("Fax_CancelFax", self.form().text("Ids1", id(reference)?.to_owned())).await.map(|_| ())
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let fields = Fields::of(parts);
        let job = fields.get(&["jobid"]).map(|id| Value::from(id.to_owned()));
        let reference = job.as_ref().and_then(job::reference)?;
        let is_inbound = fields.get(&["dir"]).is_some_and(|word| faults::plain(word) == "inbound");
        let is_of_another = fields.get(&["prodid"]).is_some_and(|id| !id.eq_ignore_ascii_case(&self.product_id));
        if is_inbound || is_of_another {
            return Some(Vec::new());
        }
        Some(vec![event(reference, "over", progress("over"))])
    }

    async fn check(&self) -> Result<String, Failure> {
        self.ask("Security_Authenticate", self.form()).await?;
        Ok("WestFax accepts the credentials for this fax line".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::SystemClock;
    use crate::http;

    const JOB: &str = "f7e8d9c0-b1a2-4456-8def-789012345678";

    fn account(username: Option<&str>, secrets: &[(&str, &str)]) -> Account {
        let product = [("product_id", "12345678-e5f6-4890-abcd-123456789abc")];
        let settings = product.into_iter().chain(username.map(|name| ("username", name)));
        Account {
            name: "office".to_owned(),
            settings: settings.map(|(key, value)| (key.to_owned(), value.into())).collect(),
            secrets: secrets.iter().map(|(key, word)| ((*key).to_owned(), SecretString::from(*word))).collect(),
            http: http::client().expect("the machine has a trust store"),
            timeout: Duration::from_secs(5),
            concurrency: 1,
            sender: None,
            callback_url: Some("https://us.example/hooks/office".to_owned()),
            documents_url: None,
            tokens: Arc::new(crate::provider::sign_in::Unkept),
            returns: crate::domain::return_path::ReturnPaths::new(b"key"),
            baa: false,
            clock: Arc::new(SystemClock),
        }
    }

    #[test]
    fn the_callback_address_is_a_template_of_theirs() {
        let address = SecretString::from("https://us.example/hooks/office/word");
        assert_eq!(
            callback_template(&address),
            "[post]https://us.example/hooks/office/word?jobid={@jobid}&prodid={@prodid}&dir={@dir}"
        );
    }

    #[test]
    fn a_callback_may_have_its_fields_in_the_address() {
        let secret = "a-word-of-sixteen-letters";
        let office = build(account(None, &[("api_key", "key"), ("callback_secret", secret)])).expect("it is complete");
        let parts = WebhookParts {
            url: format!("https://us.example/hooks/office/{secret}?jobid={JOB}&dir=Outbound"),
            secret: Some(secret.to_owned()),
            ..WebhookParts::default()
        };
        let events = office.receive(&parts, Timestamp::default()).expect("it is authentic");
        assert_eq!(events[0].reference, ProviderReference::new(JOB));
    }

    #[tokio::test]
    async fn a_key_travels_in_a_header_and_a_password_never_does() {
        let office = |username, secrets: &[(&str, &str)]| WestFax::of(account(username, secrets)).expect("complete");
        let (by_key, by_password) =
            (office(None, &[("api_key", "canary-key")]), office(Some("clinic"), &[("password", "canary-word")]));
        let request = async |office: &WestFax| {
            let request = office.client.signed(office.request("Security_Authenticate", office.form())).await;
            request.expect("signed").0.build().expect("valid")
        };
        let by_key = request(&by_key).await;
        assert_eq!(by_key.url().as_str(), "https://apisecure.westfax.com/REST/Security_Authenticate/json");
        assert_eq!(by_key.headers()["x-api-key"], "canary-key");
        let by_password = request(&by_password).await;
        assert!(!format!("{:?}", by_password.headers()).contains("canary-word"));
        assert!(!by_password.headers().contains_key("x-api-key"));
    }

    #[test]
    fn an_account_without_credentials_is_refused() {
        let complaint = |username, secrets: &[(&str, &str)]| {
            build(account(username, secrets)).map(|_| ()).map_err(|SettingsError(text)| text).expect_err("incomplete")
        };
        assert!(complaint(None, &[]).contains("api_key"));
        assert!(complaint(None, &[("password", "word")]).contains("username"));
        assert!(complaint(Some("clinic"), &[]).contains("password"));
    }
}
