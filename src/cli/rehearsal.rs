//! The accounts with which a practice rehearses before it has a provider: their letters go to `touchline sandbox` on this
//! machine. `init` writes them, the sandbox answers them, and `provider add` takes their place.

use std::collections::BTreeMap;

use crate::config::{Config, ProviderConfig, Routes};
use crate::domain::Channel;

/// The account for faxes.
pub const FAX_ACCOUNT: &str = "rehearsal";
/// The account for email. Its name can stand in the name of a variable as well.
pub const MAIL_ACCOUNT: &str = "rehearsal_mail";
/// The kind of the account for faxes, unless the sandbox imitates another.
pub const FAX_KIND: &str = "sandbox";
/// The kind of the account for email.
pub const MAIL_KIND: &str = "smtp";
/// The port of the sandbox's fax line and pages.
pub const FAX_PORT: u16 = 8026;
/// The port of its mail catcher.
pub const MAIL_PORT: u16 = 8027;
/// Where the sandbox's key and the secret of its callbacks are set, so that they stay the same from run to run.
pub const KEY_VARIABLE: &str = "TOUCHLINE_SANDBOX_KEY";
/// The secret with which it signs callbacks.
pub const SECRET_VARIABLE: &str = "TOUCHLINE_SANDBOX_SECRET";

/// The variable that holds a secret of the account for faxes.
#[must_use]
pub fn variable(key: &str) -> &'static str {
    if key == "api_key" { KEY_VARIABLE } else { SECRET_VARIABLE }
}

/// A key or secret that nobody has used before.
#[must_use]
pub fn new_word() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The settings of the account for faxes, at a port of this machine.
#[must_use]
pub fn fax_settings(port: u16) -> BTreeMap<String, String> {
    BTreeMap::from([("base_url".to_owned(), format!("http://127.0.0.1:{port}"))])
}

/// The settings of the account for email, at a port of this machine.
#[must_use]
pub fn mail_settings(port: u16) -> BTreeMap<String, String> {
    let settings = [("host", "127.0.0.1".to_owned()), ("port", port.to_string()), ("tls", "off".to_owned())];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether what is handed over to an account stays on this machine: the sandbox, or an address of this machine.
#[must_use]
pub fn stays_here(account: &ProviderConfig) -> bool {
    let is_here = |key: &str| {
        let text = account.settings.get(key).and_then(toml::Value::as_str)?;
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        Some(["127.", "localhost", "[::1]", "::1"].iter().any(|here| host.starts_with(here)))
    };
    account.kind == FAX_KIND || is_here("base_url").or_else(|| is_here("host")).unwrap_or(false)
}

/// Whether everything that is sent stays on this machine, or nothing is sent at all.
#[must_use]
pub fn sends_nothing(config: &Config) -> bool {
    let Routes { fax, email, .. } = &config.routes;
    fax.iter().chain(email).all(|route| config.providers.get(&route.account).is_none_or(stays_here))
}

/// Whether an account is in the route of its channel.
#[must_use]
pub fn is_routed(config: &Config, name: &str) -> bool {
    Channel::ALL.iter().any(|channel| {
        let routes = match channel {
            Channel::Fax => &config.routes.fax,
            Channel::Email => &config.routes.email,
        };
        routes.iter().any(|route| route.account == name)
    })
}
