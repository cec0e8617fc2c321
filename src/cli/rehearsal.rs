//! The accounts with which a practice rehearses before it has a provider: their letters go to `touchline sandbox` on this
//! machine. `init` writes them, the sandbox answers them, and `provider add` takes their place.

use std::collections::BTreeMap;
use std::net::IpAddr;

use url::Url;

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
/// The ports of real relays: what is there is no sandbox, whatever the account's name.
const RELAY_PORTS: [u16; 3] = [25, 465, 587];
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

/// Whether an account has a name that is kept for rehearsals: `rehearsal`, `rehearsal_mail`, `rehearsal_telnyx` and so on.
#[must_use]
pub fn is_named(name: &str) -> bool {
    name.strip_prefix(FAX_ACCOUNT).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Whether what is handed over to an account goes to the sandbox. It does if the account is of the sandbox's own kind, or if it
/// is on this machine and has a name that is kept for rehearsals or one of the sandbox's ports. Any other address of this
/// machine may be a relay or a fax server that passes letters on.
#[must_use]
pub fn is_rehearsal(name: &str, account: &ProviderConfig) -> bool {
    if account.kind == FAX_KIND {
        return true;
    }
    let Some((host, port)) = address(account) else { return false };
    let is_of_sandbox = [FAX_PORT, MAIL_PORT].contains(&port) || (is_named(name) && !RELAY_PORTS.contains(&port));
    is_this_machine(&host) && is_of_sandbox
}

/// Host and port of an account, if its settings give both.
fn address(account: &ProviderConfig) -> Option<(String, u16)> {
    let setting = |key: &str| account.settings.get(key);
    if let Some(text) = setting("base_url").and_then(toml::Value::as_str) {
        let url = Url::parse(text).ok()?;
        return Some((url.host_str()?.to_owned(), url.port_or_known_default()?));
    }
    let host = setting("host")?.as_str()?.to_owned();
    let port = setting("port")?;
    let port = port.as_integer().or_else(|| port.as_str()?.parse().ok())?;
    Some((host, u16::try_from(port).ok()?))
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether everything that is sent goes to the sandbox, or nothing is sent at all.
#[must_use]
pub fn sends_nothing(config: &Config) -> bool {
    let Routes { fax, email, .. } = &config.routes;
    let is_sandbox = |name: &str| config.providers.get(name).is_none_or(|account| is_rehearsal(name, account));
    fax.iter().chain(email).all(|route| is_sandbox(&route.account))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const PRACTICE: &str = include_str!("../../config/sample-practice.toml");

    fn is_sandbox(name: &str, section: &str) -> bool {
        let text = format!("{PRACTICE}\n[providers.{name}]\n{section}");
        let config = Config::parse_with_env(&text, "t", Path::new("."), &|_| Some("a-secret".to_owned()));
        let config = config.unwrap_or_else(|error| panic!("{error}\n{text}"));
        is_rehearsal(name, &config.providers[name])
    }

    #[test]
    fn a_relay_or_fax_server_on_this_machine_is_no_sandbox() {
        let relay = |host: &str, port: &str| format!("kind = \"smtp\"\nhost = \"{host}\"\n{port}tls = \"off\"\n");
        for (name, section) in [
            ("email-smtp", relay("localhost", "port = 25\n")),
            ("email-smtp", relay("127.0.0.1", "")),
            ("email-smtp", relay("127.0.0.1", "port = 2525\n")),
            ("rehearsal_mail", relay("127.0.0.1", "port = 25\n")),
            ("rehearsal_mail", relay("127.example.com", "port = 8027\n")),
            ("rehearsals", relay("127.0.0.1", "port = 2525\n")),
        ] {
            assert!(!is_sandbox(name, &section), "{name}: {section}");
        }
    }

    #[test]
    fn the_accounts_that_init_and_the_sandbox_write_are_rehearsals_at_any_port() {
        let relay =
            |host: &str, port: u16| format!("kind = \"smtp\"\nhost = \"{host}\"\nport = {port}\ntls = \"off\"\n");
        let fax = "kind = \"sandbox\"\nbase_url = \"http://127.0.0.1:9\"\napi_key = { env = \"KEY\" }\n";
        let telnyx = "kind = \"telnyx\"\nconnection_id = \"1\"\nbase_url = \"http://127.0.0.1:40001/v2\"\n\
                      api_key = { env = \"KEY\" }\n";
        for (name, section) in [
            ("rehearsal", fax.to_owned()),
            ("fax-sandbox", fax.to_owned()),
            ("rehearsal_telnyx", telnyx.to_owned()),
            ("rehearsal_mail", relay("127.0.0.1", 40_002)),
            ("caught", relay("LOCALHOST", MAIL_PORT)),
        ] {
            assert!(is_sandbox(name, &section), "{name}: {section}");
        }
        assert!(!is_sandbox("fax-telnyx", telnyx), "a proxy or a test server may pass faxes on");
    }
}
