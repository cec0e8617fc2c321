//! Any other provider, described by a TOML file alone: requests with placeholders, pointers into the answers, tables from
//! their words to ours, and how callbacks are proved. The file lies in the folder `providers` beside the configuration;
//! `docs/adding-a-provider.md` tells how to write one.
//!
//! It keeps the same promises as an adapter in Rust: one call that can take effect, no guess about what was not answered,
//! and nothing secret or personal in URLs, errors and logs.

mod answer;
mod auth;
mod check;
mod description;
pub mod examples;
mod fax;
mod fill;
mod find;
mod hosts;
mod open;
mod probe;
mod replies;
mod request;
#[cfg(test)]
mod tests;
mod values;
mod webhook;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;

pub use self::open::{open, spec_of};
pub use self::request::Watch;
pub use crate::provider::kit::description_file::{FOLDER, is_plain_name, locate};
pub use crate::provider::kit::problem::{DescriptionError, Problem};

use self::answer::Reader;
use self::description::{Act, Description};
use self::request::Caller;
use self::values::Values;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::{DeliveryEvent, Report};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, FaxNumber, Outcome, Timestamp};
use crate::http::{Answer, Trouble, Verdict, oauth};
use crate::provider::kit::callback::PathSecret;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing;
use crate::provider::kit::reading::unreadable;
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, Setting, SettingsError, Spec,
    WebhookParts,
};

/// The setting that names the description.
pub const DESCRIPTION: Setting = Setting::plain(
    "description",
    "The description's file name, such as \"acme.toml\", in the folder `providers` beside the configuration.",
    true,
);

/// The caller number, which every account may have.
pub const FROM: Setting =
    Setting::plain("from", "The caller number, which the account must own; the practice's own unless given.", false);

/// What is known before a description is read. What an account needs and can do, its description says.
pub const SPEC: Spec = Spec {
    kind: "http",
    title: "Any other fax API, described by a TOML file",
    channel: Channel::Fax,
    capabilities: Capabilities { reconciliation: Reconciliation::None, status: true, ..Capabilities::NONE },
    settings: &[DESCRIPTION, FROM],
    sources: &["docs/adding-a-provider.md"],
    setup: &[
        "Begin a description: touchline provider new NAME, or with --from telnyx, telnyx-media or phaxio.",
        "Name it in an account: kind = \"http\", description = \"NAME.toml\", and the settings and secrets that it declares.",
        "Send one test page to a number of yours: touchline provider try NAME.toml --to NUMBER.",
    ],
    gaps: &[
        "What the row above says is the least; what an account can do is in its description, and touchline provider check shows it.",
        "An API that takes its key only in the URL cannot be described: it would stand in every log between here and there.",
        "Documents and answers are JSON, forms or plain; XML (SOAP) needs an adapter in Rust.",
    ],
    build,
};

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let path = account.settings.get(DESCRIPTION.key).and_then(toml::Value::as_str);
    let path =
        path.ok_or_else(|| account.refuse(DESCRIPTION.key, "is missing: write the name of the description's file"))?;
    let path = PathBuf::from(path);
    open(&path, account, None)
}

/// The specification and the whole path of a description, by its name in the folder `providers` of `folder`.
///
/// # Errors
/// Everything that is wrong with the name or with the description, with file, line and column.
pub fn find(folder: &Path, name: &str) -> Result<(&'static Spec, PathBuf), DescriptionError> {
    let path = locate(&folder.join(FOLDER), name)?;
    Ok((spec_of(&path)?, path))
}

/// One ready account.
struct Declared {
    spec: &'static Spec,
    description: Description,
    caller: Caller,
    values: Values,
    from: Option<FaxNumber>,
    callback: Option<SecretString>,
    path_secret: Option<PathSecret>,
    webhook_key: Option<Vec<u8>>,
}

impl Declared {
    fn reader(&self) -> Reader<'_> {
        Reader { answers: &self.description.answer, secrets: self.caller.client.secrets() }
    }

    /// The calls before the one that dials. Whatever goes wrong here, no fax was made.
    async fn prepare(&self, letter: &Letter<'_>) -> Result<Values, Outcome> {
        let mut values = self.values.clone().with_letter(letter, self.callback.as_ref());
        for step in &self.description.prepare {
            let name = step.name.get_ref();
            self.caller.tell(|| format!("step {name}: nothing is dialed by it"));
            let request = self.caller.prepare(&step.request, values.clone(), Some(letter)).map_err(oauth::outcome)?;
            let answer = self.caller.call(request, self.caller.client.share()).await;
            let answer = answer.map_err(Trouble::outcome_before_dialing)?;
            let is_definite = answer.verdict() != Verdict::Open;
            let refused = |failure: Failure| match failure.fault {
                Fault::ProtocolError => Outcome::NotSent(failure),
                _ if is_definite => Outcome::Refused(failure),
                _ => Outcome::NotSent(failure),
            };
            self.reader().done(&answer, step.signs()).map_err(refused)?;
            values = values.with(name, self.take(step, &answer)?);
        }
        Ok(values)
    }

    fn take(&self, step: &description::Step, answer: &Answer) -> Result<Value, Outcome> {
        let json = answer.json().unwrap_or_default();
        let mut taken = serde_json::Map::new();
        for (name, at) in &step.take {
            let word = at.word_of(answer, &json);
            self.caller.tell(|| format!("{} at {at}: {}", name.get_ref(), found(word.as_deref())));
            let word = word.ok_or_else(|| {
                Outcome::NotSent(
                    unreadable("the answer of a preparing call lacks a value").code(answer.status.to_string()),
                )
            })?;
            taken.insert(name.get_ref().clone(), Value::from(word));
        }
        Ok(Value::Object(taken))
    }

    async fn hand_over(&self, envelope: &Envelope) -> Result<Outcome, Outcome> {
        let letter = Letter::of(self.spec, self.from.as_ref(), envelope)?;
        let values = self.prepare(&letter).await?;
        let send = &self.description.send;
        self.caller.tell(|| "step send: this one dials".to_owned());
        let request = self.caller.prepare(&send.request, values, Some(&letter)).map_err(oauth::outcome)?;
        let answer = self.caller.call(request, self.caller.client.share()).await.map_err(Trouble::outcome)?;
        let outcome = self.reader().outcome(&answer, send);
        self.caller.tell(|| {
            let reference = match &outcome {
                Outcome::Accepted { reference } => Some(reference.0.as_str()),
                _ => None,
            };
            format!("reference at {}: {}", send.reference, found(reference))
        });
        Ok(outcome)
    }

    async fn act(&self, act: Option<&Act>, reference: &ProviderReference) -> Result<(), Failure> {
        let act = act.ok_or_else(crate::provider::unsupported)?;
        let answer = self.caller.ask(&act.request, self.asked(reference)?).await?;
        if act.done.contains(&answer.status) { Ok(()) } else { self.reader().done(&answer, act.signs()) }
    }

    fn asked(&self, reference: &ProviderReference) -> Result<Values, Failure> {
        let known = answer::reference(&reference.0);
        let known = known.ok_or_else(|| unreadable("the reference is not one of this provider's"))?;
        Ok(self.values.clone().with("reference", known.0))
    }
}

/// What a pointer led to; of what may be a number, its length alone.
fn found(word: Option<&str>) -> String {
    match word {
        None => "nothing".to_owned(),
        Some(word) if crate::domain::fault::clean(word, 60) == word => format!("found ({word})"),
        Some(word) => format!("found ({} characters)", word.chars().count()),
    }
}

#[async_trait]
impl Provider for Declared {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.hand_over(envelope).await.unwrap_or_else(|ended| ended)
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let status = self.description.status.as_ref().ok_or_else(crate::provider::unsupported)?;
        let answer = self.caller.ask(&status.request, self.asked(reference)?).await?;
        let body = self.reader().json(&answer, status.signs())?;
        let fax = status.at.part(&body).ok_or_else(|| unreadable("the answer holds no fax"))?;
        let shape = &self.description.fax;
        self.caller.tell(|| format!("state at {}: {}", shape.state, found(shape.state.word(fax).as_deref())));
        let fact = shape.fact(fax, &self.reader()).ok_or_else(|| unreadable("the answer holds no state"))?;
        let billed = shape.billed(fax, &fact);
        Ok(Report { reference: reference.clone(), fact, billed })
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        listing::find(self, &self.sought(query)?).await
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.act(self.description.cancel.as_ref(), reference).await
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.act(self.description.purge.as_ref(), reference).await
    }

    fn verify(&self, parts: &WebhookParts, now: Timestamp) -> Result<(), Rejection> {
        let webhook = self.description.webhook.as_ref().ok_or(Rejection::Unsupported)?;
        match &self.path_secret {
            Some(secret) => secret.verify(parts),
            None => webhook.verify(self.webhook_key.as_deref(), parts, now),
        }
    }

    fn secret_header(&self) -> Option<&str> {
        self.description.webhook.as_ref()?.secret_header()
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        let webhook = self.description.webhook.as_ref()?;
        webhook.events(&parts.body, &self.description.fax, &self.reader())
    }

    async fn check(&self) -> Result<String, Failure> {
        let check = &self.description.check;
        let answer = self.caller.ask(&check.request, self.values.clone()).await?;
        let title = self.spec.title;
        if check.has.is_empty() {
            return self.reader().done(&answer, check.signs()).map(|()| format!("{title} accepts the credentials"));
        }
        let body = self.reader().json(&answer, check.signs())?;
        match check.has.value(&body) {
            Some(_) => Ok(format!("{title} accepts the credentials")),
            None => Err(Failure::new(Fault::ProtocolError).text("the answer lacks what the description expects")),
        }
    }
}
