//! What placeholders stand for: which names there are at which moment and place, and their values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

use super::description::{Description, Find};
use super::fill::Scope;
use crate::domain::id::AttemptId;
use crate::provider::FindQuery;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::listing::Window;

/// When something is filled in.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// Any time: only the account is known.
    Account,
    /// A letter is handed over, and these values were taken from answers before.
    Letter(&'a [String]),
    /// Something is asked about a hand-over by their reference.
    Reference,
    /// A hand-over is looked for.
    Find,
    /// Our reference is compared.
    Attempt,
}

/// Where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A part of a URL's path.
    Path,
    /// A query parameter's value.
    Query,
    /// A header's value.
    Header,
    /// A field of a body.
    Body,
}

impl Place {
    const fn is_url(self) -> bool {
        matches!(self, Self::Path | Self::Query)
    }
}

const SECRET_IN_URL: &str = "a secret in a URL ends in logs; send it in a header or in the body";
const PERSON_IN_URL: &str = "what names a person does not belong into a URL";
const NUMBER_IN_URL: &str = "a fax number in a URL ends in logs; if the API leaves no choice, write number_in_url = true, and put it into query";
const DOCUMENT_ELSEWHERE: &str = "the document stands in json, form or multipart only";

/// The names that may be used at a moment in a place.
#[must_use]
pub fn scope(description: &Description, moment: Moment<'_>, place: Place) -> Scope {
    let mut scope = Scope { blocks: place != Place::Path, ..Scope::default() };
    scope.names.extend(description.settings.keys().map(|key| format!("settings.{}", key.get_ref())));
    for key in description.secrets.keys() {
        grant(&mut scope, &format!("secrets.{}", key.get_ref()), (place.is_url()).then_some(SECRET_IN_URL));
    }
    let number_refused = place == Place::Path || (place == Place::Query && !description.number_in_url);
    let number = number_refused.then_some(NUMBER_IN_URL);
    match moment {
        Moment::Account => {}
        Moment::Attempt => grant_all(&mut scope, &["attempt", "attempt_hex"]),
        Moment::Reference => grant_all(&mut scope, &["reference"]),
        Moment::Letter(taken) => {
            grant_all(&mut scope, &["attempt", "attempt_hex", "pages"]);
            scope.names.extend(taken.iter().cloned());
            grant(&mut scope, "to", number);
            grant(&mut scope, "from", number);
            grant(&mut scope, "sender", place.is_url().then_some(PERSON_IN_URL));
            grant(&mut scope, "callback", place.is_url().then_some(SECRET_IN_URL));
            grant(&mut scope, "document_base64", (place != Place::Body).then_some(DOCUMENT_ELSEWHERE));
        }
        Moment::Find => {
            grant_all(&mut scope, &["attempt", "attempt_hex", "page", "offset", "page_size"]);
            for end in ["window_start", "window_end"] {
                scope.names.extend(["", "_seconds", "_unix", "_day"].map(|form| format!("{end}{form}")));
            }
            grant(&mut scope, "to", number);
        }
    }
    scope
}

fn grant(scope: &mut Scope, name: &str, refused: Option<&'static str>) {
    match refused {
        None => drop(scope.names.insert(name.to_owned())),
        Some(why) => scope.refused.push((name.to_owned(), why)),
    }
}

fn grant_all(scope: &mut Scope, names: &[&str]) {
    scope.names.extend(names.iter().map(|name| (*name).to_owned()));
}

/// The values of one account. They hold secrets, so they do not print.
#[derive(Clone)]
pub struct Values(pub Map<String, Value>);

impl Values {
    /// What is known at any time. A setting or secret that was not given is empty.
    #[must_use]
    pub fn of_account(settings: &BTreeMap<String, String>, secrets: &BTreeMap<String, SecretString>) -> Self {
        let secrets: Map<String, Value> =
            secrets.iter().map(|(key, secret)| (key.clone(), Value::from(secret.expose_secret()))).collect();
        let mut map = Map::new();
        map.insert("settings".to_owned(), json!(settings));
        map.insert("secrets".to_owned(), Value::Object(secrets));
        Self(map)
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// With our reference.
    #[must_use]
    pub fn with_attempt(self, attempt: AttemptId) -> Self {
        self.with("attempt", attempt.to_string()).with("attempt_hex", attempt.0.simple().to_string())
    }

    /// With a letter, but for its document.
    #[must_use]
    pub fn with_letter(self, letter: &Letter<'_>, callback: Option<&SecretString>) -> Self {
        self.with_attempt(letter.attempt)
            .with("to", letter.to.as_str())
            .with("from", letter.from.as_str())
            .with("pages", letter.pages)
            .with("sender", letter.sender)
            .with("callback", callback.map_or("", |callback| callback.expose_secret()))
    }

    /// With the document, where a text asks for it.
    #[must_use]
    pub fn with_document(self, letter: &Letter<'_>) -> Self {
        self.with("document_base64", BASE64.encode(letter.pdf))
    }

    /// With what is looked for, and where in the listing.
    #[must_use]
    pub fn with_query(self, query: &FindQuery, find: &Find, index: u32) -> Self {
        let window = window(query, find);
        let size = find.page_size.unwrap_or(0);
        let mut values = self
            .with_attempt(query.attempt)
            .with("to", query.to.as_str())
            .with("page", find.page_first.saturating_add(index))
            .with("offset", index.saturating_mul(size))
            .with("page_size", find.page_size.map(|size| size.to_string()).unwrap_or_default());
        for (name, at) in [("window_start", window.from), ("window_end", window.until)] {
            let time = at.to_utc();
            values = values
                .with(name, at.to_string())
                .with(&format!("{name}_seconds"), time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
                .with(&format!("{name}_unix"), (at.0 / 1000).to_string())
                .with(&format!("{name}_day"), time.format("%Y%m%d").to_string());
        }
        values
    }
}

/// The time in which a hand-over of unknown outcome can have been made.
#[must_use]
pub fn window(query: &FindQuery, find: &Find) -> Window {
    let minutes = |count: u32| Duration::from_secs(u64::from(count) * 60);
    Window::of(query.opened_ms, minutes(find.minutes_before), minutes(find.minutes_after))
}
