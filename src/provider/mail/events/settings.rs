//! The keys by which an account takes callbacks, and what is refused before anything starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::declared::{Declared, FILE};
use super::mailgun::Mailgun;
use super::postmark::Postmark;
use super::resend::Resend;
use super::secret::{CHARS_MIN, Shared};
use super::sendgrid::SendGrid;
use super::ses::{self, Ses};
use super::standard_webhooks::{Key, StandardWebhooks};
use super::{MailEvents, TOLERANCE};
use crate::provider::{Account, Setting, SettingsError};

/// The keys, for the settings of the kind.
pub(in super::super) const SETTINGS: [Setting; 8] = [
    Setting::plain(
        "events",
        "Take callbacks about what became of a letter at PUBLIC_URL/hooks/ACCOUNT: ses, sendgrid, postmark, mailgun, resend, \
         standard_webhooks, or declared (any other, by events_file).",
        false,
    ),
    Setting::secret(
        "events_key",
        "What callbacks are signed with. sendgrid: the Verification Key. mailgun: the HTTP webhook signing key. resend, \
         standard_webhooks: the endpoint's secret, whsec_… (or whpk_…). postmark: the value of events_header. declared: as \
         its file says.",
        false,
    ),
    Setting::plain("events_topic", "ses: the ARN of the SNS topic that SES reports to.", false),
    Setting::plain("events_user", "postmark, declared: the user in the webhook's basic auth credentials.", false),
    Setting::secret("events_password", "The password that goes with it, at least 16 characters.", false),
    Setting::plain(
        "events_header",
        "postmark: the name of a custom header that carries events_key, instead of user and password.",
        false,
    ),
    Setting::plain(
        FILE,
        "declared: the description's file name, such as \"acme-events.toml\", in the folder `providers` beside the configuration.",
        false,
    ),
    Setting::plain(
        "events_tolerance_minutes",
        "How far a callback's signed time may be from ours: 5 unless given; 65 with ses, which keeps the time of the first \
         sending for an hour of tries. Up to 1,440.",
        false,
    ),
];

/// The scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scheme {
    Ses,
    Sendgrid,
    Postmark,
    Mailgun,
    Resend,
    StandardWebhooks,
    Declared,
}

impl Scheme {
    /// Of the keys, those that count with it.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Ses => &["events_topic", "events_tolerance_minutes"],
            Self::Sendgrid | Self::Mailgun | Self::Resend | Self::StandardWebhooks => {
                &["events_key", "events_tolerance_minutes"]
            }
            Self::Postmark => &["events_key", "events_user", "events_password", "events_header"],
            Self::Declared => &["events_key", "events_user", "events_password", FILE],
        }
    }
}

/// Of the keys, what is not secret, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    events: Scheme,
    events_topic: Option<String>,
    events_user: Option<String>,
    events_header: Option<String>,
    events_file: Option<PathBuf>,
    events_tolerance_minutes: Option<u64>,
}

/// Takes these keys out of an account's section, and opens what they name; `None` if it takes no callbacks.
///
/// # Errors
/// Names the key that is missing, wrong or of another scheme, and what to do.
pub(in super::super) fn open(account: &mut Account) -> Result<Option<Arc<dyn MailEvents>>, SettingsError> {
    let Some(settings) = take(account)? else { return Ok(None) };
    let given = |key: &str| account.secrets.contains_key(key) || settings.gives(key);
    let stray = SETTINGS
        .iter()
        .map(|setting| setting.key)
        .skip(1)
        .find(|key| given(key) && !settings.events.keys().contains(key));
    if let Some(key) = stray {
        return Err(account.refuse(key, "is not used with this value of events: remove it"));
    }
    settings.open(account).map(Some)
}

fn take(account: &mut Account) -> Result<Option<Settings>, SettingsError> {
    let mut own = toml::Table::new();
    for setting in SETTINGS {
        let value = account.settings.remove(setting.key);
        own.extend(value.map(|value| (setting.key.to_owned(), value)));
    }
    let is_given = |key: &&str| own.contains_key(*key) || account.secrets.contains_key(*key);
    let stray = SETTINGS.iter().map(|setting| setting.key).find(is_given);
    if !own.contains_key("events") {
        let refused =
            |key| account.refuse(key, "needs events = \"ses\", \"sendgrid\", … : say whose callbacks they are");
        return stray.map_or(Ok(None), |key| Err(refused(key)));
    }
    let read = own.try_into::<Settings>();
    read.map(Some).map_err(|error| SettingsError(format!("providers.{}: {}", account.name, error.message().trim())))
}

impl Settings {
    fn gives(&self, key: &str) -> bool {
        match key {
            "events_topic" => self.events_topic.is_some(),
            "events_user" => self.events_user.is_some(),
            "events_header" => self.events_header.is_some(),
            "events_tolerance_minutes" => self.events_tolerance_minutes.is_some(),
            FILE => self.events_file.is_some(),
            _ => false,
        }
    }

    fn open(&self, account: &Account) -> Result<Arc<dyn MailEvents>, SettingsError> {
        let key = || account.secret("events_key");
        let unfit = |what: &str| account.refuse("events_key", what);
        Ok(match self.events {
            Scheme::Ses => {
                let missing = || account.refuse("events_topic", "is missing: write the ARN of the SNS topic");
                let topic = self.events_topic.as_deref().ok_or_else(missing)?;
                Arc::new(Ses::new(account, topic, self.tolerance(account, ses::TOLERANCE)?)?)
            }
            Scheme::Sendgrid => {
                let sendgrid = SendGrid::new(key()?.expose_secret(), self.tolerance(account, TOLERANCE)?);
                Arc::new(sendgrid.ok_or_else(|| unfit("must be SendGrid's Verification Key: base64, beginning MFkw"))?)
            }
            Scheme::Mailgun => Arc::new(Mailgun::new(&key()?, self.tolerance(account, TOLERANCE)?)),
            Scheme::Resend => {
                let key = Key::read(key()?.expose_secret()).ok_or_else(|| unfit(STANDARD))?;
                Arc::new(Resend { key, tolerance: self.tolerance(account, TOLERANCE)? })
            }
            Scheme::StandardWebhooks => {
                let key = Key::read(key()?.expose_secret()).ok_or_else(|| unfit(STANDARD))?;
                Arc::new(StandardWebhooks { key, tolerance: self.tolerance(account, TOLERANCE)? })
            }
            Scheme::Postmark => Arc::new(Postmark(self.shared(account)?)),
            Scheme::Declared => {
                let missing = || account.refuse(FILE, "is missing: write the name of the description's file");
                let file = self.events_file.as_deref().ok_or_else(missing)?;
                Arc::new(Declared::open(account, file, self.basic(account)?)?)
            }
        })
    }

    fn tolerance(&self, account: &Account, otherwise: Duration) -> Result<Duration, SettingsError> {
        match self.events_tolerance_minutes {
            None => Ok(otherwise),
            Some(minutes @ 1..=1_440) => Ok(Duration::from_secs(minutes * 60)),
            Some(_) => Err(account.refuse("events_tolerance_minutes", "must lie between 1 and 1440")),
        }
    }

    /// What an unsigned callback carries: a header of its own, or user and password.
    fn shared(&self, account: &Account) -> Result<Shared, SettingsError> {
        let Some(name) = &self.events_header else {
            let basic = self.basic(account)?;
            return basic.ok_or_else(|| {
                account.refuse(
                    "events_user",
                    "is missing: give events_user and events_password, or events_header and events_key",
                )
            });
        };
        if self.events_user.is_some() || account.secrets.contains_key("events_password") {
            return Err(account
                .refuse("events_header", "stands instead of events_user and events_password: remove one of them"));
        }
        let name = name.to_ascii_lowercase();
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(account.refuse("events_header", "must be the name of a header, such as X-Touchline-Key"));
        }
        Ok(Shared::Header(name, long(account, "events_key")?))
    }

    fn basic(&self, account: &Account) -> Result<Option<Shared>, SettingsError> {
        match (&self.events_user, account.secrets.contains_key("events_password")) {
            (None, false) => Ok(None),
            (Some(user), true) if !user.is_empty() && !user.contains(':') => {
                Ok(Some(Shared::Basic(user.clone(), long(account, "events_password")?)))
            }
            (Some(_), true) => Err(account.refuse("events_user", "must be a name without a colon")),
            (Some(_), false) => Err(account.refuse("events_password", "is missing: it goes with events_user")),
            (None, true) => Err(account.refuse("events_user", "is missing: it goes with events_password")),
        }
    }
}

/// What a key of the standard is.
const STANDARD: &str =
    "must be the endpoint's secret: whsec_ and base64 of at least 16 bytes, or whpk_ and a public key";

/// A secret that alone keeps strangers out.
fn long(account: &Account, key: &str) -> Result<SecretString, SettingsError> {
    let secret = account.secret(key)?;
    if secret.expose_secret().chars().count() < CHARS_MIN {
        return Err(account.refuse(key, "must have at least 16 characters: it alone keeps strangers out"));
    }
    Ok(secret)
}
