//! The configuration that sends to the sandbox: as sections of the file, and as variables that stand in for them.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::rehearsal::{FAX_ACCOUNT, KEY_VARIABLE, MAIL_ACCOUNT, MAIL_KIND, SECRET_VARIABLE, mail_settings};
use crate::cli::{INSTALLED_CONFIG_FOLDER, INSTALLED_DATA_FOLDER};
use crate::config::Config;
use crate::sandbox::fax::{Guise, telnyx_public_key};

/// The name of the customer's account at the sandbox, where the guise needs one.
pub(super) const ACCOUNT: &str = "rehearsal";
/// The database of a rehearsal, where the configuration has one for real letters.
const RECORDS_FILE: &str = "rehearsal.db";
/// The variable for that name, where the guise takes it for a secret.
const ACCOUNT_VARIABLE: &str = "TOUCHLINE_SANDBOX_ACCOUNT";
/// The variable that stands in for `store.url`.
const STORE_VARIABLE: &str = "TOUCHLINE_STORE__URL";

/// A running sandbox, as its customers must know it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// What the fax line imitates.
    pub(super) like: Guise,
    /// Where it answers.
    pub(super) base_url: String,
    /// The port of the mail catcher.
    pub(super) mail_port: u16,
    /// The key.
    pub(super) key: String,
    /// The secret of its callbacks.
    pub(super) secret: String,
    /// The database of a rehearsal beside real accounts, as `store.url` names it.
    pub(super) records: String,
}

/// A setting's value.
enum Given {
    /// As it is.
    Plain(String),
    /// A secret: in this variable.
    Variable(&'static str),
}

/// The database of a rehearsal, as `store.url` names it: beside that of the configuration at this path.
pub(super) fn records(config: &Path) -> String {
    let folder = if config.starts_with(INSTALLED_CONFIG_FOLDER) { INSTALLED_DATA_FOLDER } else { "" };
    format!("sqlite:{}", Path::new(folder).join(RECORDS_FILE).display())
}

/// The name of the account for faxes in the configuration. A guise has one of its own, because its settings are others.
pub(super) fn name(like: Guise) -> String {
    if like == Guise::Own { FAX_ACCOUNT.to_owned() } else { format!("{FAX_ACCOUNT}_{}", like.kind()) }
}

impl Rehearsal {
    fn address(&self) -> String {
        format!("{}{}", self.base_url, self.like.base_path())
    }

    /// The settings of the account for faxes.
    fn settings(&self) -> Vec<(&'static str, Given)> {
        let mut settings =
            vec![("kind", Given::Plain(self.like.kind().to_owned())), ("base_url", Given::Plain(self.address()))];
        settings.extend(match self.like {
            Guise::Own => {
                vec![("api_key", Given::Variable(KEY_VARIABLE)), ("webhook_secret", Given::Variable(SECRET_VARIABLE))]
            }
            Guise::Telnyx => vec![
                ("connection_id", Given::Plain(ACCOUNT.to_owned())),
                ("api_key", Given::Variable(KEY_VARIABLE)),
                ("public_key", Given::Plain(telnyx_public_key(&self.secret))),
                ("document", Given::Plain("media".to_owned())),
            ],
            Guise::Phaxio => vec![
                ("api_key", Given::Variable(ACCOUNT_VARIABLE)),
                ("api_secret", Given::Variable(KEY_VARIABLE)),
                ("callback_token", Given::Variable(SECRET_VARIABLE)),
            ],
            Guise::InterFax => vec![
                ("username", Given::Plain(ACCOUNT.to_owned())),
                ("password", Given::Variable(KEY_VARIABLE)),
                ("callback_secret", Given::Variable(SECRET_VARIABLE)),
            ],
        });
        settings
    }

    /// Sections for `touchline.toml`, without any secret.
    pub(super) fn section(&self) -> String {
        let mut text = format!(
            "# Where real letters wait, set store.url to \"{}\" as well: they would go to the sandbox and be recorded as sent.\n\
             [providers.{}]\n",
            self.records,
            name(self.like)
        );
        for (key, given) in self.settings() {
            let value = match given {
                Given::Plain(value) => toml::Value::String(value).to_string(),
                Given::Variable(variable) => format!("{{ env = \"{variable}\" }}"),
            };
            let _ = writeln!(text, "{key} = {value}");
        }
        let _ = writeln!(text, "\n[providers.{MAIL_ACCOUNT}]\nkind = \"{MAIL_KIND}\"");
        for (key, value) in mail_settings(self.mail_port) {
            let value = value.parse().map_or(toml::Value::String(value), toml::Value::Integer);
            let _ = writeln!(text, "{key} = {value}");
        }
        let _ = writeln!(text, "\n[routes]\nfax = [\"{}\"]\nemail = [\"{MAIL_ACCOUNT}\"]", name(self.like));
        text
    }

    /// The same and the secrets as lines for a shell: what they set counts more than the file. The records are others too:
    /// letters that wait in the real ones must not go to the sandbox and count as delivered.
    pub(super) fn exports(&self) -> String {
        let mut text = format!("export {STORE_VARIABLE}={}\n", self.records);
        let _ = writeln!(text, "export {KEY_VARIABLE}={}\nexport {SECRET_VARIABLE}={}", self.key, self.secret);
        if self.like == Guise::Phaxio {
            let _ = writeln!(text, "export {ACCOUNT_VARIABLE}={ACCOUNT}");
        }
        let account = format!("TOUCHLINE_PROVIDERS__{}", name(self.like).to_ascii_uppercase());
        for (key, given) in self.settings() {
            let key = key.to_ascii_uppercase();
            let _ = match given {
                Given::Plain(value) => writeln!(text, "export {account}__{key}={value}"),
                Given::Variable(variable) => writeln!(text, "export {account}__{key}__ENV={variable}"),
            };
        }
        let account = format!("TOUCHLINE_PROVIDERS__{}", MAIL_ACCOUNT.to_ascii_uppercase());
        let _ = writeln!(text, "export {account}__KIND={MAIL_KIND}");
        for (key, value) in mail_settings(self.mail_port) {
            let _ = writeln!(text, "export {account}__{}={value}", key.to_ascii_uppercase());
        }
        let _ = writeln!(text, "export TOUCHLINE_ROUTES__FAX='[\"{}\"]'", name(self.like));
        let _ = writeln!(text, "export TOUCHLINE_ROUTES__EMAIL='[\"{MAIL_ACCOUNT}\"]'");
        text
    }

    /// Whether a configuration sends its faxes here, with this key, and its mail or none.
    pub(super) fn is_in(&self, config: &Config) -> bool {
        use secrecy::ExposeSecret;
        let fax = name(self.like);
        let text = |account: &str, key: &str| {
            config
                .providers
                .get(account)?
                .settings
                .get(key)
                .map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
        };
        let has_key = config
            .providers
            .get(&fax)
            .is_some_and(|account| account.secrets.values().any(|secret| *secret.expose_secret() == *self.key));
        let is_first = config.routes.fax.first().is_some_and(|route| route.account == fax);
        let mail = config.routes.email.first().is_none_or(|route| {
            route.account != MAIL_ACCOUNT || text(MAIL_ACCOUNT, "port") == Some(self.mail_port.to_string())
        });
        is_first && has_key && mail && text(&fax, "base_url") == Some(self.address())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::Environment;

    fn rehearsal(like: Guise) -> Rehearsal {
        let (key, secret) = ("a-key".to_owned(), "a-secret".to_owned());
        let records = records(Path::new("touchline.toml"));
        Rehearsal { like, base_url: "http://127.0.0.1:8026".to_owned(), mail_port: 8027, key, secret, records }
    }

    const PRACTICE: &str = include_str!("../../../config/sample-practice.toml");

    #[test]
    fn what_is_shown_for_the_configuration_is_toml_and_holds_no_secret() {
        for like in Guise::ALL {
            let rehearsal = rehearsal(like);
            let section = rehearsal.section();
            assert!(!section.contains("a-secret") && !section.contains("a-key"), "{section}");
            let lookup = |name: &str| match name {
                KEY_VARIABLE => Some("a-key".to_owned()),
                SECRET_VARIABLE | ACCOUNT_VARIABLE => Some("a-secret".to_owned()),
                _ => None,
            };
            let config = Config::parse_with_env(&format!("{PRACTICE}\n{section}"), "t", Path::new("."), &lookup);
            assert!(rehearsal.is_in(&config.expect("a configuration")), "{section}");
        }
    }

    #[test]
    fn the_lines_for_a_shell_send_any_configuration_to_the_sandbox() {
        let before = "[providers.fax-sandbox]\nkind = \"sandbox\"\nbase_url = \"http://elsewhere\"\n\
                      api_key = { env = \"TOUCHLINE_SANDBOX_KEY\" }\n[routes]\nfax = [\"fax-sandbox\"]\n";
        for like in Guise::ALL {
            let rehearsal = rehearsal(like);
            let exports = rehearsal.exports();
            let variables: Vec<(String, String)> = exports
                .lines()
                .map(|line| {
                    let (name, value) = line.strip_prefix("export ").and_then(|l| l.split_once('=')).expect("a line");
                    (name.to_owned(), value.trim_matches('\'').to_owned())
                })
                .collect();
            let lookup = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let environment = Environment { lookup: &lookup, overrides: variables.clone() };
            let config = Config::parse_in(&format!("{PRACTICE}\n{before}"), "t", Path::new("."), &environment);
            let config = config.unwrap_or_else(|error| panic!("{error}\n{exports}"));
            assert!(rehearsal.is_in(&config), "{exports}");
            assert_eq!(config.routes.email[0].account, MAIL_ACCOUNT);
        }
    }

    #[test]
    fn letters_that_wait_in_the_real_records_never_go_to_the_sandbox() {
        for store in ["", "[store]\nurl = \"sqlite:touchline.db\"\n", "[store]\nurl = { env = \"DATABASE_URL\" }\n"] {
            let exports = rehearsal(Guise::Own).exports();
            let variables: Vec<(String, String)> = exports
                .lines()
                .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
                .collect();
            let lookup = |name: &str| match name {
                "DATABASE_URL" => Some("postgres://touchline@db/touchline".to_owned()),
                name => variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
            };
            let environment = Environment { lookup: &lookup, overrides: variables.clone() };
            let config = Config::parse_in(&format!("{PRACTICE}\n{store}"), "t", Path::new("/ours"), &environment);
            let config = config.unwrap_or_else(|error| panic!("{error}\n{exports}"));
            assert_eq!(config.store.url.expose_secret(), "sqlite:/ours/rehearsal.db", "{store}");
        }
        assert_eq!(records(Path::new("/etc/touchline/touchline.toml")), "sqlite:/var/lib/touchline/rehearsal.db");
    }
}
