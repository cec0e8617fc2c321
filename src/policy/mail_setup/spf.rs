//! SPF (RFC 7208): a record, and what is found when its includes are followed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// Terms that need a look-up, of which a receiver follows so many (RFC 7208 §4.6.4).
pub const LOOKUPS_MAX: usize = 10;

/// What a match means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`: may send.
    Pass,
    /// `-`: may not.
    Fail,
    /// `~`: probably may not.
    SoftFail,
    /// `?`: nothing is said.
    Neutral,
}

/// Whose addresses are meant: those of a domain, or of networks around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The domain; `None`: that of the record.
    pub of: Option<String>,
    /// Length of the prefix of an IPv4 address, 32 unless given.
    pub v4: u8,
    /// The same of an IPv6 address, 128 unless given.
    pub v6: u8,
}

/// One term of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Everybody.
    All,
    /// Whoever passes the record of another domain.
    Include(String),
    /// The addresses of a domain.
    Addresses(Hosts),
    /// Those of its mail exchangers.
    Exchangers(Hosts),
    /// A network.
    Network(IpNet),
    /// `ptr`, which RFC 7208 §5.5 advises against.
    Pointer,
    /// Whether a made-up name exists.
    Exists,
    /// The record of another domain in place of this one's end.
    Redirect(String),
}

/// A record: its terms in their order, and those that nobody can read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub terms: Vec<(Qualifier, Term)>,
    /// Terms that make receivers give up on all of it, as they stand there.
    pub unreadable: Vec<String>,
}

/// What the TXT records of a domain hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No record.
    Nothing,
    /// Several, of which none counts (RFC 7208 §4.5).
    Several(usize),
    /// One.
    One(Record),
}

/// Reads the TXT records of a domain.
#[must_use]
pub fn read(texts: &[String]) -> Reading {
    let is_spf = |text: &&String| {
        let lower = text.to_ascii_lowercase();
        lower == "v=spf1" || lower.starts_with("v=spf1 ")
    };
    let records: Vec<&String> = texts.iter().filter(is_spf).collect();
    match records.as_slice() {
        [] => Reading::Nothing,
        [text] => Reading::One(read_one(text)),
        several => Reading::Several(several.len()),
    }
}

fn read_one(text: &str) -> Record {
    let mut record = Record::default();
    for word in text.split_ascii_whitespace().skip(1) {
        match read_term(word) {
            Some(Some(term)) => record.terms.push(term),
            Some(None) => {}
            None => record.unreadable.push(word.chars().take(80).collect()),
        }
    }
    record
}

/// The term; `Some(None)` for a modifier that says nothing about who may send.
#[allow(clippy::option_option, reason = "whether it can be read, and whether it matters")]
fn read_term(word: &str) -> Option<Option<(Qualifier, Term)>> {
    let (qualifier, rest) = match word.as_bytes().first()? {
        b'+' => (Qualifier::Pass, &word[1..]),
        b'-' => (Qualifier::Fail, &word[1..]),
        b'~' => (Qualifier::SoftFail, &word[1..]),
        b'?' => (Qualifier::Neutral, &word[1..]),
        _ => (Qualifier::Pass, word),
    };
    if let Some((name, value)) = rest.split_once('=')
        && !name.contains([':', '/'])
    {
        let redirects = name.eq_ignore_ascii_case("redirect");
        return Some(redirects.then(|| (Qualifier::Pass, Term::Redirect(value.to_ascii_lowercase()))));
    }
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = (rest[..end].to_ascii_lowercase(), &rest[end..]);
    let domain = argument.strip_prefix(':');
    let term = match name.as_str() {
        "all" if argument.is_empty() => Term::All,
        "include" => Term::Include(domain.filter(|domain| !domain.is_empty())?.to_ascii_lowercase()),
        "ip4" => Term::Network(network(domain?, IpAddr::is_ipv4)?),
        "ip6" => Term::Network(network(domain?, IpAddr::is_ipv6)?),
        "a" | "mx" => {
            let hosts = hosts(argument)?;
            if name == "a" { Term::Addresses(hosts) } else { Term::Exchangers(hosts) }
        }
        "ptr" => Term::Pointer,
        "exists" if domain.is_some() => Term::Exists,
        _ => return None,
    };
    Some(Some((qualifier, term)))
}

fn network(text: &str, is_kind: fn(&IpAddr) -> bool) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    is_kind(&network.addr()).then_some(network)
}

/// `[:domain][/v4][//v6]`.
fn hosts(argument: &str) -> Option<Hosts> {
    let (domain, lengths) = argument.split_at(argument.find('/').unwrap_or(argument.len()));
    let of = match domain.strip_prefix(':') {
        Some(domain) if !domain.is_empty() => Some(domain.to_ascii_lowercase()),
        None if domain.is_empty() => None,
        _ => return None,
    };
    let (v4, v6) = lengths.split_once("//").unwrap_or((lengths, ""));
    let length = |text: &str, most: u8| match text.trim_start_matches('/') {
        "" => Some(most),
        digits => digits.parse().ok().filter(|length| *length <= most),
    };
    Some(Hosts { of, v4: length(v4, 32)?, v6: length(v6, 128)? })
}

/// What was found when a record and its includes were followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// What stands at the domain itself.
    pub own: Reading,
    /// Terms met that need a look-up, in the record and in all that it includes.
    pub lookups: usize,
    /// Domains whose records it includes, with those that they include.
    pub includes: BTreeSet<String>,
    /// Included domains that have no record, or several: receivers give up on all of it.
    pub broken: BTreeSet<String>,
    /// Terms that cannot be read, wherever they stand.
    pub unreadable: Vec<String>,
    /// Networks that may send.
    pub networks: Vec<IpNet>,
    /// What is said of everybody else; `None` if nothing is.
    pub all: Option<Qualifier>,
    /// Whether `ptr` is used.
    pub pointer: bool,
    /// Whether something was not answered, so that nothing follows from what was not found.
    pub is_incomplete: bool,
}

impl Walk {
    /// A walk that begins with what stands at the domain.
    #[must_use]
    pub const fn new(own: Reading) -> Self {
        Self {
            own,
            lookups: 0,
            includes: BTreeSet::new(),
            broken: BTreeSet::new(),
            unreadable: Vec::new(),
            networks: Vec::new(),
            all: None,
            pointer: false,
            is_incomplete: false,
        }
    }

    /// Whether a domain, or one above or below it, is included.
    #[must_use]
    pub fn names(&self, domain: &str) -> bool {
        let is_it = |one: &String| one == domain || one.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        self.includes.iter().any(is_it)
    }

    /// Whether one of these addresses may send.
    #[must_use]
    pub fn allows(&self, addresses: &[IpAddr]) -> bool {
        addresses.iter().any(|address| self.networks.iter().any(|network| network.contains(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Record {
        match read(&[text.to_owned()]) {
            Reading::One(record) => record,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_record_is_read_term_by_term() {
        let record =
            one("v=spf1 +a mx/24 a:mail.example/28//64 ip4:192.0.2.0/24 ip6:2001:db8::1 include:_SPF.google.com ~all");
        assert_eq!(record.unreadable, Vec::<String>::new());
        let terms: Vec<&Term> = record.terms.iter().map(|(_, term)| term).collect();
        assert_eq!(terms[1], &Term::Exchangers(Hosts { of: None, v4: 24, v6: 128 }));
        assert_eq!(terms[2], &Term::Addresses(Hosts { of: Some("mail.example".to_owned()), v4: 28, v6: 64 }));
        assert_eq!(terms[5], &Term::Include("_spf.google.com".to_owned()));
        assert_eq!(record.terms.last(), Some(&(Qualifier::SoftFail, Term::All)));
        let other = one("V=SPF1 redirect=_spf.example exp=why.example ?exists:%{i}.example ptr -all");
        assert_eq!((other.terms.len(), other.unreadable.len()), (4, 0));
    }

    #[test]
    fn what_makes_receivers_give_up_is_kept_as_it_stands() {
        for word in ["ip4:300.1.1.1", "ip4:2001:db8::1", "include:", "include", "alll", "a/33", "mx:", "exists"] {
            assert_eq!(one(&format!("v=spf1 {word} -all")).unreadable, [word], "{word}");
        }
    }

    #[test]
    fn only_one_record_counts() {
        assert_eq!(read(&["v=spf10 -all".to_owned(), "google-site-verification=1".to_owned()]), Reading::Nothing);
        assert_eq!(read(&["v=spf1 -all".to_owned(), "v=spf1".to_owned()]), Reading::Several(2));
    }

    #[test]
    fn an_include_below_the_one_that_is_looked_for_counts() {
        let mut walk = Walk::new(Reading::Nothing);
        walk.includes.insert("_netblocks.zoho.com".to_owned());
        assert!(walk.names("zoho.com") && !walk.names("oho.com"));
    }
}
