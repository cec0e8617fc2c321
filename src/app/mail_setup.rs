//! Who sends the practice's mail, by the configuration, for the check of what its domains publish; and a look at all of the setup.

mod look;
mod own;
mod quota;

use std::net::IpAddr;
use std::sync::Arc;

use crate::config::{Config, MailSetupPolicy, ProviderConfig};
use crate::http::dns::NameServers;
use crate::mail_check::standing::Checked;
use crate::mail_check::{Relay, Sender};
use crate::policy::mail_setup::standing::{NothingKnown, Standing};
use crate::provider::DnsRecord;
use crate::provider::mail::SPEC;
use crate::provider::sign_in::Authority;

pub use look::{LastLook, Look, NoNameServer, of_installation, published};

/// What stands against mail to many when there is no opt-out link: RFC 8058 asks for a web address.
const NO_OPT_OUT_LINK: &str = "letters have no opt-out link, which Gmail and Yahoo ask for: set server.public_url";
/// The ports of real relays: one of them on this machine passes letters on.
const RELAY_PORTS: [i64; 3] = [25, 465, 587];

/// Who sends: the domain of From, and every account in the routes of mail. `records` gives what an account of that name
/// wants published.
#[must_use]
pub fn sender(config: &Config, records: &dyn Fn(&str) -> Vec<DnsRecord>) -> Sender {
    let from = ascii(config.practice.email.domain());
    let routes =
        config.routes.email.iter().filter_map(|route| Some((&route.account, config.providers.get(&route.account)?)));
    let relays = routes.filter(|(_, account)| account.kind == SPEC.kind).map(|(name, account)| Relay {
        account: name.clone(),
        host: host(account),
        return_path: text(account, "return_path")
            .and_then(|path| path.rsplit_once('@'))
            .map_or(from.clone(), |(_, domain)| ascii(domain)),
        signs_for: text(account, "dkim_domain").map(ascii),
        keys: records(name).into_iter().map(|record| (record.name, record.value)).collect(),
    });
    let mut relays: Vec<Relay> = relays.collect();
    relays.dedup_by(|one, other| one.account == other.account);
    Sender { from, relays }
}

/// What stands against mail to many, unless the policy is to send all the same or nothing leaves this machine.
pub(super) fn standing(config: &Config, records: &dyn Fn(&str) -> Vec<DnsRecord>) -> Arc<dyn Standing> {
    let mut sender = sender(config, records);
    sender.relays.retain(|relay| config.providers.get(&relay.account).is_some_and(leaves_this_machine));
    if config.policy.mail_setup == MailSetupPolicy::Send || sender.relays.is_empty() {
        return Arc::new(NothingKnown);
    }
    let known = config.server.public_url.is_none().then(|| NO_OPT_OUT_LINK.to_owned());
    match NameServers::new(config.dns.server) {
        Ok(dns) => Arc::new(Checked::new(Arc::new(dns), sender, known)),
        Err(_) => Arc::new(NothingKnown),
    }
}

/// The accounts whose provider is to report by callbacks although it has no address at which it reaches this installation, each with
/// what is said of it. Nothing it reports would arrive, and nothing would say so.
#[must_use]
pub fn unreachable_events(config: &Config) -> Vec<(String, String)> {
    let why = match &config.server.public_url {
        None => "server.public_url is not set".to_owned(),
        Some(url) if is_loopback(url.host_str().unwrap_or_default()) => {
            "server.public_url is an address of this machine alone".to_owned()
        }
        Some(_) => return Vec::new(),
    };
    let takes_events = |account: &ProviderConfig| {
        account.kind == SPEC.kind && text(account, "events").is_some() && leaves_this_machine(account)
    };
    let accounts = config.providers.iter().filter(|(_, account)| takes_events(account));
    let told = accounts.map(|(name, account)| {
        let events = text(account, "events").unwrap_or_default();
        let words = format!(
            "providers.{name}.events is \"{events}\", but {why}: the provider cannot reach this installation, and no bounce or complaint \
             that it reports arrives. Set server.public_url to the https address at which the Internet reaches it, and give the provider \
             that address followed by /hooks/{name}"
        );
        (name.clone(), words)
    });
    told.collect()
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether letters that are handed over to the account leave this machine: not those to a sandbox.
fn leaves_this_machine(account: &ProviderConfig) -> bool {
    let host = host(account);
    let port = account.settings.get("port").and_then(toml::Value::as_integer);
    !is_loopback(&host) || port.is_none_or(|port| RELAY_PORTS.contains(&port))
}

/// The relay's host, as given or as it follows from the service that is signed in to.
fn host(account: &ProviderConfig) -> String {
    let service = || Authority::named(text(account, "oauth")?)?.relay().map(|(host, _)| host);
    text(account, "host").or_else(service).unwrap_or_default().to_owned()
}

fn text<'a>(account: &'a ProviderConfig, key: &str) -> Option<&'a str> {
    account.settings.get(key).and_then(toml::Value::as_str)
}

/// A domain as DNS has it.
fn ascii(domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}
