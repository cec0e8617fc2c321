//! Mail domains, as far as routes tell them apart: the patterns in the configuration, and which of them a mailbox falls under.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::address::Address;

/// The longest domain, in octets (RFC 1035 section 3.1).
const OCTETS_MAX: usize = 253;

/// A domain (`gmail.com`), or all domains below one (`*.edu`). In the form in which addresses are compared: lower case, A-labels.
#[derive(Clone, PartialEq, Eq)]
pub struct DomainPattern(Arc<str>);

impl DomainPattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everything that falls under `other` falls under this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }

    fn matches(&self, domain: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(end) => domain.ends_with(end) && domain.len() > end.len(),
            None => *self.0 == *domain,
        }
    }
}

impl FromStr for DomainPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = "write domains as \"gmail.com\", or \"*.edu\" for all below one";
        let text = text.trim();
        let (start, domain) = text.strip_prefix("*.").map_or(("", text), |domain| ("*.", domain));
        let fits = !domain.is_empty()
            && domain.len() <= OCTETS_MAX
            && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
        let domain = Some(domain).filter(|_| fits).and_then(|domain| url::Host::parse(domain).ok()).ok_or(refused)?;
        match domain {
            url::Host::Domain(domain) if domain.contains('.') || start == "*." => {
                Ok(Self(format!("{start}{domain}").into()))
            }
            _ => Err(refused),
        }
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for DomainPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// All patterns of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailDomains(Arc<[DomainPattern]>);

impl MailDomains {
    /// These patterns, in any order.
    #[must_use]
    pub fn new(mut patterns: Vec<DomainPattern>) -> Self {
        // The closest first: of two that a domain falls under, an exact one, else the longer. The order is the same on every node.
        patterns.sort_by(|one, other| {
            let rank = |pattern: &DomainPattern| (pattern.0.starts_with('*'), std::cmp::Reverse(pattern.0.len()));
            rank(one).cmp(&rank(other)).then_with(|| one.0.cmp(&other.0))
        });
        patterns.dedup();
        Self(patterns.into())
    }

    /// The closest pattern that a mailbox falls under. It stands for the mailbox: every other pattern that the mailbox falls
    /// under covers it, and no further one does. None for a number, and for a mailbox that falls under none.
    #[must_use]
    pub fn of(&self, address: &Address) -> Option<DomainPattern> {
        if self.0.is_empty() {
            return None;
        }
        let key = address.key();
        let (_, domain) = key.mailbox()?;
        self.0.iter().find(|pattern| pattern.matches(domain)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> DomainPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn a_pattern_is_a_domain_or_all_below_one() {
        for text in
            ["", "*", "*.", "gmail", "@gmail.com", "a@b.example", "*gmail.com", "a b.example", "1.2.3.4", "a/b.com"]
        {
            assert!(text.parse::<DomainPattern>().is_err(), "{text}");
        }
        assert_eq!(pattern(" Gmail.COM ").as_str(), "gmail.com");
        assert_eq!(pattern("praxis-müller.example").as_str(), "xn--praxis-mller-klb.example");
        assert!(pattern("*.edu").covers(&pattern("mit.edu")) && pattern("*.edu").covers(&pattern("*.mit.edu")));
        assert!(!pattern("*.mit.edu").covers(&pattern("*.edu")) && !pattern("*.mit.edu").covers(&pattern("mit.edu")));
        assert!(!pattern("*.edu").covers(&pattern("med.education")));
    }

    proptest! {
        /// What the routing relies on: asking the class gives the same answer as asking the mailbox.
        #[test]
        fn the_closest_pattern_stands_for_the_mailbox(
            written in prop::collection::vec("(\\*\\.)?([ab]\\.){0,3}(edu|com)", 0..8), domain in "([ab]\\.){1,4}(edu|com)",
        ) {
            let patterns: Vec<DomainPattern> = written.iter().filter_map(|text| text.parse().ok()).collect();
            let address: Address = format!("front@{domain}").parse().expect("an address");
            let class = MailDomains::new(patterns.clone()).of(&address);
            for one in &patterns {
                prop_assert_eq!(class.as_ref().is_some_and(|class| one.covers(class)), one.matches(&domain), "{}", one);
            }
        }
    }
}
