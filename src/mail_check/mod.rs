//! What DNS says of the practice's mail: asks for it, within bounded time, and hands it to the rules
//! ([`crate::policy::mail_setup`]).

mod asking;
mod spf;
pub mod standing;

use std::time::Duration;

use asking::Asking;
use futures_util::future::join_all;

use crate::domain::dns_name::is_dns_name;
use crate::http::dns::Dns;
use crate::policy::mail_setup::{AccountFacts, Facts, KeyFacts, dmarc, known};

/// The longest that all questions together may take where a person waits for the answers.
pub const ALL_ANSWERS_TIMEOUT: Duration = Duration::from_secs(30);

/// Who sends: what must be known before DNS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The domain of From, in ASCII.
    pub from: String,
    /// The accounts that send mail.
    pub relays: Vec<Relay>,
}

/// One account that sends mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Its name.
    pub account: String,
    /// The relay's host name, or its address.
    pub host: String,
    /// The domain of the return path, in ASCII.
    pub return_path: String,
    /// The domain that letters are signed for, if the account signs.
    pub signs_for: Option<String>,
    /// The records of its keys: name and value.
    pub keys: Vec<(String, String)>,
}

/// Asks for all of it, each question once. What is not answered within that time counts as not answered.
pub async fn look(dns: &dyn Dns, sender: &Sender, within: Duration) -> Facts {
    let asking = Asking::new(dns, within);
    let (dmarc, accounts) =
        tokio::join!(walk(&asking, &sender.from), join_all(sender.relays.iter().map(|relay| account(&asking, relay))));
    Facts { from: sender.from.clone(), dmarc, accounts }
}

async fn account(asking: &Asking<'_>, relay: &Relay) -> AccountFacts {
    let (domain, host) = (relay.return_path.as_str(), relay.host.as_str());
    let (addresses, spf, exchangers, has_address, return_path_dmarc, signs_for, keys) = tokio::join!(
        addresses(asking, host),
        spf::walk(asking, domain),
        asking.exchangers(domain),
        asking.addresses(domain),
        walk(asking, domain),
        signs_for(asking, relay),
        join_all(relay.keys.iter().map(|key| published(asking, key)))
    );
    AccountFacts {
        name: relay.account.clone(),
        host: relay.host.clone(),
        addresses,
        return_path: relay.return_path.clone(),
        spf,
        exchangers,
        has_address: has_address.map(|addresses| !addresses.is_empty()),
        return_path_dmarc,
        signs_for,
        keys,
    }
}

/// The relay's addresses, unless it is known by name.
async fn addresses(asking: &Asking<'_>, host: &str) -> Option<Vec<std::net::IpAddr>> {
    if let Ok(address) = host.parse() {
        return Some(vec![address]);
    }
    if known::relay_of(host).is_some() || !is_dns_name(host) {
        return None;
    }
    asking.addresses(host).await
}

async fn signs_for(asking: &Asking<'_>, relay: &Relay) -> Option<(String, dmarc::Walk)> {
    let domain = relay.signs_for.as_ref()?;
    Some((domain.clone(), walk(asking, domain).await))
}

async fn published(asking: &Asking<'_>, (name, value): &(String, String)) -> KeyFacts {
    KeyFacts { name: name.clone(), value: value.clone(), published: asking.texts(name).await }
}

/// Walks up the tree from a domain (RFC 9989 §4.10).
async fn walk(asking: &Asking<'_>, domain: &str) -> dmarc::Walk {
    let mut walk = dmarc::Walk::default();
    for name in dmarc::names(domain) {
        let reading = asking.texts(&format!("_dmarc.{name}")).await.map(|texts| dmarc::read(&texts));
        if walk.note(name, reading) {
            break;
        }
    }
    walk
}

#[cfg(test)]
mod tests;
