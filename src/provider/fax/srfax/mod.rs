//! SRFax, for the United States and Canada: one address for everything, JSON with the credentials in the body, the
//! document in base64.
//!
//! The first twenty digits of our attempt's id travel as `sAccountCode`. An answer tells of a failure in its words only,
//! and few of those words are published: the rest is kept and called unknown.

mod answer;
mod faults;
mod find;
mod record;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use self::record::{Record, account_code};
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, EmailAddress, FaxNumber, Outcome, Timestamp};
use crate::http;
use crate::provider::kit::auth::Auth;
use crate::provider::kit::callback;
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::client::Client;
use crate::provider::kit::fields::Fields;
use crate::provider::kit::letter::{Letter, not_sent, ten_digits};
use crate::provider::kit::reading::{event, id, taken, unreadable};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookAuthenticity, WebhookParts,
};

/// SRFax, as the registry knows it. No limits are published.
pub const SPEC: Spec = Spec {
    kind: "srfax",
    title: "SRFax",
    channel: Channel::Fax,
    capabilities: Capabilities {
        // By our reference where it is listed, but absence proves nothing: see `find`.
        reconciliation: Reconciliation::Heuristic,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::SecretPath,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("account_number", "The number of the SRFax account (access_id).", true),
        Setting::secret("password", "The password of that account (access_pwd).", true),
        Setting::plain("sender_email", "The mail address that SRFax knows the account by.", true),
        Setting::plain(
            "from",
            "The fax number that sends, which the account must own; the practice's own unless given.",
            false,
        ),
        callback::SETTING,
        Setting::plain("base_url", "The service's address: https://secure.srfax.com unless given.", false),
    ],
    sources: &[
        "https://www.srfax.com/developers/internet-fax-api/queue_fax/",
        "https://www.srfax.com/developers/internet-fax-api/get_faxstatus/",
        "https://www.srfax.com/developers/internet-fax-api/get_fax_outbox/",
        "https://www.srfax.com/developers/internet-fax-api/ (Delete_Fax, Get_Fax_Usage)",
        "https://www.srfax.com/api-page/stop_fax/",
        "github.com/mfridman/srfax @ 9084244 (error texts seen)",
        "the package srfax 0.1.2 (reasons as a list); a customer's program that cites the reference of September 2026 for the \
         110 characters of sNotifyURL",
    ],
    setup: &[
        "Ask SRFax for a business associate agreement before sending anything about patients.",
        "In the account's settings choose \"Attachments ONLY\" as the default cover page: it cannot be switched off per \
         fax, and the letter brings its own.",
        "Set the account's default for retries to none; each fax asks for none as well.",
        "Give `callback_secret` so that SRFax tells at once when a fax has ended; nothing has to be entered there.",
    ],
    gaps: &[
        "After a lost answer a fax is found by our reference once SRFax lists it as sent; whether unfinished ones are listed \
         is not published, so one that is not found is left to a person.",
        "Of the reasons for a failure only Busy, No Answer and No Remote Fax are published; others are shown in SRFax' words \
         and called unknown.",
        "Whether the page count of a failed fax means pages sent is not published: a failure with pages that does not exclude \
         a transmission is shown as partly sent.",
        "\"FaxDetailsID Not Found\" can mean that a fax was dropped because its document could not be converted: it is asked \
         for again until the waiting ends.",
        "The names of the fields in SRFax' notifications are those of its status record, as far as it says.",
        "Charges are not reported.",
        "The terms of a business associate agreement are not published: ask before setting `baa`.",
    ],
    build,
};

/// The one path of the service.
const SERVICE: &str = "SRF_SecWebSvc.php";
/// Longest `sNotifyURL`.
const NOTIFY_URL_CHARS_MAX: usize = 110;
/// Longest sender on the header line.
const FROM_HEADER_CHARS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    account_number: String,
    sender_email: EmailAddress,
    from: Option<FaxNumber>,
}

/// One ready account.
struct SrFax {
    /// For the one address of the service; the credentials are in each body.
    client: Client,
    account_number: u64,
    password: SecretString,
    sender_email: EmailAddress,
    from: Option<FaxNumber>,
    callback: PathSecret,
    callback_address: Option<SecretString>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    let account_number = settings.account_number.trim().parse();
    let account_number = account_number.map_err(|_| account.refuse("account_number", "must be a number"))?;
    if settings.from.as_ref().is_some_and(|from| ten_digits(from).is_none()) {
        return Err(account.refuse("from", "must be a number of the United States or Canada"));
    }
    let base_url = account.base_url(settings.base_url.as_deref(), "https://secure.srfax.com")?;
    let service = if base_url.path().ends_with(SERVICE) { base_url } else { http::endpoint(&base_url, &[SERVICE]) };
    let callback = PathSecret::of(&account)?;
    let callback_address = callback.address(&account);
    if callback_address.as_ref().is_some_and(|url| url.expose_secret().chars().count() > NOTIFY_URL_CHARS_MAX) {
        let why = "makes the callback address longer than the 110 characters that SRFax takes: choose a shorter word";
        return Err(account.refuse(callback::SETTING.key, why));
    }
    Ok(Arc::new(SrFax {
        client: Client::new(&account, service, Auth::None, &answer::DIALECT),
        account_number,
        password: account.secret("password")?,
        sender_email: settings.sender_email,
        from: settings.from,
        callback_address,
        callback,
    }))
}

impl SrFax {
    /// A call by its name. The credentials stand in the body, so nothing may print it.
    fn request(&self, action: &str, mut fields: Value) -> RequestBuilder {
        fields["action"] = json!(action);
        fields["access_id"] = json!(self.account_number);
        fields["access_pwd"] = json!(self.password.expose_secret());
        fields["sResponseFormat"] = json!("JSON");
        self.client.post(&[]).json(&fields)
    }

    /// Makes a call that changes nothing or can be repeated without harm; its result.
    async fn ask(&self, action: &str, fields: Value) -> Result<Value, Failure> {
        let body = self.client.ask(self.request(action, fields)).await?;
        if answer::succeeds(&body) { Ok(taken(body, "Result")) } else { Err(unreadable("the answer cannot be read")) }
    }

    /// The fields of `Queue_Fax`.
    fn order(&self, envelope: &Envelope) -> Result<RequestBuilder, Outcome> {
        let letter = Letter::of(&SPEC, self.from.as_ref(), envelope)?;
        let to = ten_digits(letter.to);
        let to = to.ok_or_else(|| not_sent(Fault::Blocked, "SRFax faxes to the United States and Canada only"))?;
        let from = ten_digits(letter.from).and_then(|digits| digits.parse::<u64>().ok());
        let why = "the caller number must be one of the United States or Canada";
        let from = from.ok_or_else(|| not_sent(Fault::AccountError, why))?;
        let mut fields = json!({
            "sCallerID": from,
            "sSenderEmail": self.sender_email.as_str(),
            "sFaxType": "SINGLE",
            "sToFaxNumber": format!("1{to}"),
            "sAccountCode": account_code(letter.attempt),
            "sRetries": 0,
            "sFaxFromHeader": letter.sender.chars().take(FROM_HEADER_CHARS_MAX).collect::<String>(),
            "sFileName_1": "letter.pdf",
            "sFileContent_1": BASE64.encode(letter.pdf),
        });
        if let Some(address) = &self.callback_address {
            fields["sNotifyURL"] = json!(address.expose_secret());
        }
        Ok(self.request("Queue_Fax", fields))
    }
}

#[async_trait]
impl Provider for SrFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.client.act(self.order(envelope), answer::created).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let result = self.ask("Get_FaxStatus", json!({ "sFaxDetailsID": id(reference)? })).await?;
        // Documented as one record; a list of one is read alike.
        let record = if result.is_array() { &result[0] } else { &result };
        let record = Record::read(record).ok_or_else(|| unreadable("the answer tells no state"))?;
        Ok(record.report(reference.clone()))
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        self.find_in_outbox(query).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let result = self.ask("Stop_Fax", json!({ "sFaxDetailsID": id(reference)? })).await?;
        match result.as_str().filter(|words| faults::is_over(words)) {
            Some(words) => Err(self.client.failed(faults::of_result(words), Some(answer::plain(words)), None)),
            None => Ok(()),
        }
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let fields = json!({ "sDirection": "OUT", "sFaxDetailsID_1": id(reference)? });
        self.ask("Delete_Fax", fields).await.map(|_| ())
    }

    fn verify(&self, parts: &WebhookParts, _now: Timestamp) -> Result<(), Rejection> {
        self.callback.verify(parts)
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let record = Record::of_fields(&Fields::of(parts))?;
        let reference = record.reference.clone()?;
        let fact = record.fact();
        // The account code holds only the beginning of our attempt's id, so the event names none.
        Some(vec![event(reference, fact.as_str(), record.fact())])
    }

    async fn check(&self) -> Result<String, Failure> {
        self.ask("Get_Fax_Usage", json!({})).await?;
        Ok("SRFax accepts the account number and password".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::SystemClock;

    fn complaint(callback_secret: &str) -> Option<String> {
        let settings = [("account_number", "12345"), ("sender_email", "letters@practice.example")];
        let secrets = [("password", "canary-word"), ("callback_secret", callback_secret)];
        let account = Account {
            name: "office".to_owned(),
            settings: settings.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect(),
            secrets: secrets.map(|(key, word)| (key.to_owned(), SecretString::from(word))).into(),
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
        };
        build(account).err().map(|SettingsError(text)| text)
    }

    #[test]
    fn a_callback_address_that_srfax_cannot_take_is_refused_and_not_told() {
        // "https://us.example/hooks/office/" has 32 characters.
        assert_eq!(complaint(&"w".repeat(78)), None);
        let text = complaint(&"w".repeat(79)).expect("it is one too long");
        assert!(text.contains("callback_secret") && !text.contains("www"), "{text}");
    }
}
