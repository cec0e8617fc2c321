//! Whom and what a refusal names: one that names us, or speaks of a host that is not the recipient's, proves nothing against the
//! recipient.

use super::opening::refused_before_a_recipient;
use super::words::{addresses, is_same};
use crate::domain::Fault;
use crate::domain::mail_reply::Phase;

/// How many hosts of a mailer's account, and how many names in a reply, are looked at.
const NAMES_MAX: usize = 100;
/// What stands before the name of a host of which something is said.
const SPOKEN_OF: &[&str] =
    &["host", "domain", "server", "machine", "client", "helo", "ehlo", "name", "hostname", "gateway"];
/// What stands behind such a name.
const SAID_OF_IT: &[&str] = &[
    "does not exist",
    "doesn't exist",
    "has no",
    "not found",
    "is unknown",
    "unknown",
    "is not",
    "could not be found",
    "couldn't be found",
    "cannot be found",
    "has null",
    "does not resolve",
];
/// What stands behind the name of a host that says something itself.
const IT_SAYS: &[&str] = &["said", "says", "replied", "responded", "returned", "reports", "reported"];
/// How words of Exchange begin that only look like a host's name.
const OF_EXCHANGE: &[&str] = &["resolver.", "storedrv.", "smtpsend."];

/// Who else has a part in a return, beside the recipient.
#[derive(Debug, Default)]
pub(super) struct Parties {
    /// The domains of our addresses.
    ours: Vec<String>,
    /// The hosts with which the mailer spoke.
    hosts: Vec<String>,
    /// Where in the dialogue every recipient of the letter was refused, if no recipient had been named yet.
    pub opening: Option<Phase>,
}

/// The recipient, as far as names tell: the domains of its addresses, and the host that refused it.
#[derive(Debug)]
pub(super) struct Addressee<'a> {
    pub addresses: Vec<&'a str>,
    pub host: &'a str,
}

/// A name in a text, and the words around it.
struct Named {
    host: String,
    before: String,
    behind: String,
    /// Whether it stands apart: in brackets, or behind a dash, as servers sign.
    is_aside: bool,
}

impl Parties {
    /// From our own addresses and the whole report of a mailer.
    pub fn of(ours: &[String], report: &str) -> Self {
        let mut domains: Vec<String> = ours.iter().filter_map(|address| domain_of(address)).collect();
        domains.dedup();
        Self { ours: domains, hosts: hosts_in(report), opening: refused_before_a_recipient(report) }
    }

    /// Whether a refusal with this fault speaks of us, or of a host that is not the recipient's.
    pub fn are_meant_by(&self, text: &str, to: &Addressee<'_>, fault: Fault) -> bool {
        self.names_us(text, to) || self.speaks_of_another_host(text, to, fault)
    }

    /// Whether it names an address or a host of ours, and nobody at the recipient's.
    fn names_us(&self, text: &str, to: &Addressee<'_>) -> bool {
        let theirs = self.theirs(to);
        let is_ours = |name: &str| self.ours.iter().any(|ours| is_within(name, ours)) && !is_of(name, &theirs);
        let mut us = false;
        for found in addresses(text).into_iter().take(NAMES_MAX) {
            if to.addresses.iter().any(|address| is_same(address, &found.address)) {
                return false;
            }
            us |= domain_of(&found.address).is_some_and(|domain| is_ours(&domain));
        }
        us || names(text).iter().any(|named| is_ours(&named.host))
    }

    /// Whether it says something of a host that is not the recipient's: where it is about a domain, of any that it names.
    pub fn speaks_of_another_host(&self, text: &str, to: &Addressee<'_>, fault: Fault) -> bool {
        let theirs = self.theirs(to);
        let names: Vec<Named> = names(text).into_iter().filter(|named| !named.is_aside).collect();
        if fault == Fault::DomainUnknown {
            return !names.is_empty() && !names.iter().any(|named| is_of(&named.host, &theirs));
        }
        names.iter().any(|named| named.is_spoken_of() && !is_of(&named.host, &theirs))
    }

    /// The domains of the recipient and the hosts of its mail.
    fn theirs(&self, to: &Addressee<'_>) -> Vec<String> {
        let domains = to.addresses.iter().filter_map(|address| domain_of(address));
        let hosts = std::iter::once(to.host.to_ascii_lowercase()).chain(self.hosts.iter().cloned());
        // A mail host's neighbors are of the same mail service.
        let services = hosts.filter(|host| is_host(host)).map(|host| service_of(&host));
        domains.chain(services).collect()
    }
}

impl Named {
    fn is_spoken_of(&self) -> bool {
        let says = IT_SAYS.iter().any(|word| self.behind.starts_with(word));
        !says
            && (SPOKEN_OF.contains(&self.before.as_str())
                || SAID_OF_IT.iter().any(|words| self.behind.starts_with(words))
                    && self.before != "at"
                    && self.before != "on")
    }
}

/// Whether a name is one of those domains, within one, or above one.
fn is_of(name: &str, domains: &[String]) -> bool {
    domains.iter().any(|domain| is_within(name, domain) || is_within(domain, name))
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn domain_of(address: &str) -> Option<String> {
    address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase())
}

/// Who runs a host, by its name: the last two labels. Below a country's domain, where the second may be everybody's (`com.au`, `nhs.uk`,
/// `k12.mn.us`), as many as it takes to reach a label of more than three letters, four at most.
fn service_of(host: &str) -> String {
    let labels: Vec<&str> = host.trim_end_matches('.').rsplit('.').take(4).collect();
    let is_below_a_country = labels.first().is_some_and(|last| last.len() == 2);
    let own = labels.iter().skip(1).position(|label| label.len() > 3).map_or(labels.len(), |place| place + 2);
    let count = if is_below_a_country { own } else { 2 };
    labels.into_iter().take(count).rev().collect::<Vec<_>>().join(".")
}

/// The hosts of which a mailer writes that it spoke with them: `host mx.clinic.example[192.0.2.9] said:` (Postfix), the same in a
/// line of its own (Exim), `while talking to mx.clinic.example.:` (Sendmail).
fn hosts_in(report: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let spoke = line.split_once("talking to ").or_else(|| {
            let place = line
                .find("host ")
                .filter(|place| *place == 0 || line.contains("] said") || line.contains("] refused"))?;
            line.split_at_checked(place).map(|(before, rest)| (before, rest.trim_start_matches("host ")))
        });
        let name = spoke?.1.split(|c: char| c.is_whitespace() || matches!(c, '[' | ':')).next()?;
        Some(name.trim_end_matches('.').to_ascii_lowercase()).filter(|name| is_host(name))
    };
    report.lines().map(str::trim).filter_map(of_line).take(NAMES_MAX).collect()
}

/// The names of hosts in a text. Links and addresses are none.
fn names(text: &str) -> Vec<Named> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let named = |(place, word): (usize, &&str)| {
        if word.contains(['@', '/', '\\']) || word.starts_with("www.") {
            return None;
        }
        let (key, value) = word.split_once('=').unwrap_or(("", word));
        let is_bracketed = value.starts_with(['[', '(']) && value.ends_with([']', ')']);
        let core = value.trim_start_matches(|c: char| !c.is_alphanumeric());
        let core = core.split(['[', '(']).next()?.trim_end_matches(|c: char| !c.is_alphanumeric());
        let before = place.checked_sub(1).and_then(|place| words.get(place)).copied().unwrap_or_default();
        let is_name = is_host(&core.to_lowercase()) && !is_mixed(core);
        is_name.then(|| Named {
            host: core.to_lowercase(),
            before: if key.is_empty() { bare(before) } else { bare(key) },
            behind: words.iter().skip(place + 1).take(4).map(|word| word.to_lowercase()).collect::<Vec<_>>().join(" "),
            is_aside: is_bracketed || matches!(before, "-" | "--"),
        })
    };
    words.iter().enumerate().filter_map(named).take(NAMES_MAX).collect()
}

/// Whether a word in lower case has the form of a host's name.
fn is_host(word: &str) -> bool {
    let last = word.rsplit('.').next().unwrap_or_default();
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    word.contains('.')
        && word.split('.').all(is_label)
        && last.chars().count() >= 2
        && last.chars().all(char::is_alphabetic)
        && !OF_EXCHANGE.iter().any(|start| word.starts_with(start))
}

/// Whether a sentence ends in it and another begins: `found.Please`.
fn is_mixed(word: &str) -> bool {
    word.chars().any(char::is_lowercase) && word.split('.').skip(1).any(|label| label.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties() -> Parties {
        Parties::of(
            &["bounce+a@bounces.harbor.example".to_owned(), "letters@harbor.example".to_owned()],
            "<dana@clinic.example>: host mx.hoster.example[192.0.2.9] said: 550 no",
        )
    }

    fn addressee() -> Addressee<'static> {
        Addressee { addresses: vec!["dana@clinic.example"], host: "" }
    }

    #[test]
    fn what_names_us_or_another_host_is_not_about_the_recipient() {
        for (text, fault, is_meant) in [
            ("<bounce+b@bounces.harbor.example>: User unknown", Fault::MailboxUnknown, true),
            ("<dana@clinic.example>: unknown, from letters@harbor.example", Fault::MailboxUnknown, false),
            ("harbor.example has no MX or A records", Fault::DomainUnknown, true),
            ("Domain harbor.example does not exist", Fault::MailboxUnknown, true),
            ("unknown host gw.harbor.example", Fault::DomainUnknown, true),
            ("Name service error for name=relay.office.example type=A: Host not found", Fault::DomainUnknown, true),
            ("unable to look up host smtp.relay.example: not known", Fault::DomainUnknown, true),
            ("Name service error for name=clinic.example type=A: Host not found", Fault::DomainUnknown, false),
            ("Name service error for name=mx.clinic.example type=A: Host not found", Fault::DomainUnknown, false),
            ("Domain not found - mx1.other.example", Fault::DomainUnknown, false),
            ("Domain not found", Fault::DomainUnknown, false),
            ("no such user on server mail.other.example", Fault::MailboxUnknown, true),
            ("no such user on server mx2.hoster.example", Fault::MailboxUnknown, false),
            ("no such user at mail.other.example, see https://relay.example/x", Fault::MailboxUnknown, false),
            ("RESOLVER.ADR.RecipNotFound; not found", Fault::MailboxUnknown, false),
            ("user not found.Please check", Fault::MailboxUnknown, false),
        ] {
            assert_eq!(parties().are_meant_by(text, &addressee(), fault), is_meant, "{text}");
        }
    }

    #[test]
    fn our_own_domain_is_the_recipients_too_where_we_wrote_to_ourselves() {
        let to = Addressee { addresses: vec!["sam@harbor.example"], host: "" };
        assert!(!parties().are_meant_by("harbor.example has no such user", &to, Fault::MailboxUnknown));
    }

    #[test]
    fn a_domain_that_everybody_is_below_is_nobodys_own() {
        for (host, service) in [
            ("mx.clinic9.com.au", "clinic9.com.au"),
            ("gw.trust.nhs.uk", "trust.nhs.uk"),
            ("mail.district.k12.mn.us", "district.k12.mn.us"),
            ("mx1.t-online.de", "t-online.de"),
            ("mx.hoster.example.", "hoster.example"),
            ("aspmx.l.google.com", "google.com"),
            ("localhost", "localhost"),
            ("", ""),
        ] {
            assert_eq!(service_of(host), service);
        }
    }
}
