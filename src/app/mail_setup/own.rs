//! What the configuration alone says: what every letter shows, and who reads what comes back.

use crate::config::{Config, ProviderConfig};
use crate::domain::EmailAddress;
use crate::policy::mail_setup::Finding;

/// All of it.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let practice = &config.practice;
    let address = format!("{}, {}, {} {}", practice.street, practice.city, practice.state, practice.zip);
    let postal = Finding::ok("postal address", &practice.name, format!("every letter shows {address}"));
    let answers = practice.reply_to.as_ref().unwrap_or(&practice.email);
    let mut findings = vec![postal, opt_out_link(config), read(config, "answers", answers.as_str())];
    let mut paths: Vec<String> =
        config.routes.email.iter().filter_map(|route| return_path(config, &route.account)).collect();
    paths.sort();
    paths.dedup();
    findings.extend(paths.iter().map(|path| read(config, "returns", path)));
    findings
}

/// The mailbox that bounces of an account's letters come to: its own, or else that of From.
fn return_path(config: &Config, account: &str) -> Option<String> {
    let path = |account: &ProviderConfig| {
        let written = account.settings.get("return_path").and_then(toml::Value::as_str);
        let path =
            written.and_then(|path| EmailAddress::parse(path).ok()).unwrap_or_else(|| config.practice.email.clone());
        path.as_str().to_owned()
    };
    config.providers.get(account).map(path)
}

fn opt_out_link(config: &Config) -> Finding {
    let (check, about) = ("opt-out link", config.practice.name.as_str());
    match &config.server.public_url {
        None => Finding::breach(
            check,
            about,
            "letters have no opt-out link, which Gmail and Yahoo ask for (RFC 8058)",
            "set server.public_url to the https address at which receivers reach this installation",
        ),
        Some(url) if url.scheme() != "https" => {
            let words =
                format!("opt-out links are {} addresses; one-click opt-out needs https (RFC 8058)", url.scheme());
            Finding::problem(check, about, words, "set server.public_url to an https address")
        }
        Some(url) => {
            let host = url.host_str().unwrap_or_default();
            Finding::ok(check, about, format!("letters that may be refused have a one-click link to {host}"))
        }
    }
}

/// Whether the mailbox of that address is read.
fn read(config: &Config, check: &'static str, address: &str) -> Finding {
    let is_it = |user: &str| user.eq_ignore_ascii_case(address);
    let found = config.mailboxes.iter().find(|(_, mailbox)| mailbox.settings.username.as_deref().is_some_and(is_it));
    if let Some((name, _)) = found {
        return Finding::ok(check, address, format!("mailboxes.{name} reads what comes to this address"));
    }
    if config.mailboxes.is_empty() {
        let words = "nobody reads what comes back: bounces and answers stay there, and bad addresses stay in use";
        return Finding::advice(
            check,
            address,
            words,
            "name the mailbox in a section [mailboxes.NAME] of touchline.toml",
        );
    }
    let words =
        "no mailbox that is read has this name: whether its mail arrives in one of them cannot be seen from here";
    Finding::advice(check, address, words, "see that mail to this address is delivered to one of [mailboxes]")
}
