//! DMARC (RFC 9989): which record counts for a domain, whom its domains belong to, and whether two are of one owner.

/// Labels of a name above which the walk leaves out its middle (RFC 9989 §4.10).
const LABELS_WALKED: usize = 8;

/// What is asked of receivers for mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    None,
    /// To treat it as suspicious.
    Quarantine,
    /// To refuse it.
    Reject,
}

impl Policy {
    /// As it stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(word))
    }
}

/// A record, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `p=`.
    pub policy: Policy,
    /// `sp=`: the same for domains below.
    pub below: Option<Policy>,
    /// `adkim=s`: the signing domain must be the very domain of From.
    pub strict_dkim: bool,
    /// `aspf=s`: so must that of the return path.
    pub strict_spf: bool,
    /// `psd=`: whether it stands at a public suffix (`y`) or at the top of an organization (`n`).
    pub public_suffix: Option<bool>,
    /// `rua=`: whether reports go anywhere.
    pub reports: bool,
}

/// What stands at `_dmarc` of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No record.
    Nothing,
    /// Several, of which none counts.
    Several,
    /// One that no receiver can use, and why.
    Unusable(&'static str),
    /// One.
    One(Record),
}

impl Reading {
    fn record(&self) -> Option<&Record> {
        match self {
            Self::One(record) => Some(record),
            _ => None,
        }
    }
}

/// Reads the TXT records of a `_dmarc` name.
#[must_use]
pub fn read(texts: &[String]) -> Reading {
    let records: Vec<&String> = texts.iter().filter(|text| is_dmarc(text)).collect();
    match records.as_slice() {
        [] => Reading::Nothing,
        [text] => read_one(text),
        _ => Reading::Several,
    }
}

/// `v=DMARC1` stands first, written exactly so (RFC 9989 §4.7).
fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(tag, value)| tag.trim() == "v" && value.trim() == "DMARC1")
}

fn read_one(text: &str) -> Reading {
    let tags = || text.split(';').filter_map(|tag| tag.split_once('=')).map(|(tag, value)| (tag.trim(), value.trim()));
    let tag = |name: &str| tags().find(|(tag, _)| tag.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let is = |name: &str, word: &str| tag(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let reports = tag("rua").is_some_and(|to| to.to_ascii_lowercase().contains("mailto:"));
    let policy = match tag("p").map(Policy::read) {
        Some(Some(policy)) => policy,
        // A record that asks for reports counts as p=none (RFC 9989 §4.7).
        _ if reports => Policy::None,
        Some(None) => return Reading::Unusable("its p= is none of none, quarantine, reject"),
        None => return Reading::Unusable("it has no p="),
    };
    let public_suffix = if is("psd", "y") {
        Some(true)
    } else if is("psd", "n") {
        Some(false)
    } else {
        None
    };
    Reading::One(Record {
        policy,
        below: tag("sp").and_then(Policy::read),
        strict_dkim: is("adkim", "s"),
        strict_spf: is("aspf", "s"),
        public_suffix,
        reports,
    })
}

/// What a walk up the tree found, from the domain itself upward. A step whose reading is `None` was not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    steps: Vec<(String, Option<Reading>)>,
}

/// The domains whose `_dmarc` is asked for, in this order, at most eight (RFC 9989 §4.10).
#[must_use]
pub fn names(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let lengths = std::iter::once(labels.len()).chain((1..labels.len().min(LABELS_WALKED)).rev());
    lengths.map(|length| labels[labels.len() - length..].join(".")).collect()
}

impl Walk {
    /// Notes what stands at the next of the [`names`]; true if the walk ends there.
    pub fn note(&mut self, domain: String, reading: Option<Reading>) -> bool {
        let ends = reading.as_ref().and_then(Reading::record).is_some_and(|record| record.public_suffix.is_some());
        self.steps.push((domain, reading));
        ends
    }

    /// Whether some name was not answered, so that nothing follows from what was not found.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.steps.iter().any(|(_, reading)| reading.is_none())
    }

    /// What stands at the domain itself.
    #[must_use]
    pub fn own(&self) -> Option<&Reading> {
        self.steps.first().and_then(|(_, reading)| reading.as_ref())
    }

    /// Where the record stands that counts for mail from the domain, the record, and the policy it has for it.
    #[must_use]
    pub fn effective(&self) -> Option<(&str, &Record, Policy)> {
        let (start, own) = self.steps.first()?;
        if let Some(record) = own.as_ref().and_then(Reading::record) {
            return Some((start, record, record.policy));
        }
        let top = self.organization()?;
        let found = self.records().find(|(name, _)| *name == top).or_else(|| self.records().last())?;
        Some((found.0, found.1, found.1.below.unwrap_or(found.1.policy)))
    }

    /// The domain of the organization that the domain belongs to; `None` if there is no record at all.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        let (start, _) = self.steps.first()?;
        let is = |suffix: bool| self.records().find(|(_, record)| record.public_suffix == Some(suffix));
        if let Some((name, _)) = is(false) {
            return Some(name);
        }
        if let Some((suffix, _)) = is(true).filter(|(name, _)| *name != start.as_str()) {
            return Some(one_below(start, suffix));
        }
        self.records().last().map(|(name, _)| name)
    }

    fn records(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.steps.iter().filter_map(|(name, reading)| Some((name.as_str(), reading.as_ref()?.record()?)))
    }
}

/// The part of a name that has one label more than a suffix of it.
fn one_below<'n>(name: &'n str, suffix: &str) -> &'n str {
    let before = name.len().saturating_sub(suffix.len() + 1);
    name[..before].rfind('.').map_or(name, |dot| &name[dot + 1..])
}

/// Whether a domain that was proven speaks for the domain of From: it is the same, or, unless that is asked for strictly,
/// of the same organization (RFC 9989 §4.10). Where neither has any record, one must lie below the other.
#[must_use]
pub fn is_aligned(from: (&str, &Walk), proven: (&str, &Walk), strict: bool) -> bool {
    if from.0.eq_ignore_ascii_case(proven.0) {
        return true;
    }
    if strict {
        return false;
    }
    match (from.1.organization(), proven.1.organization()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => is_below(from.0, proven.0) || is_below(proven.0, from.0),
    }
}

fn is_below(one: &str, other: &str) -> bool {
    one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(domain: &str, published: &[(&str, &str)]) -> Walk {
        let mut walk = Walk::default();
        for name in names(domain) {
            let texts: Vec<String> =
                published.iter().filter(|(at, _)| *at == name).map(|(_, text)| (*text).to_owned()).collect();
            if walk.note(name, Some(read(&texts))) {
                break;
            }
        }
        walk
    }

    #[test]
    fn a_record_is_read_as_receivers_read_it() {
        for (text, policy) in [
            ("v=DMARC1; p=none", Some(Policy::None)),
            ("v=DMARC1;p=Reject;rua=mailto:d@clinic.example", Some(Policy::Reject)),
            (" v = DMARC1 ; p = quarantine ; pct=20", Some(Policy::Quarantine)),
            ("v=DMARC1; p=block; rua=mailto:d@clinic.example", Some(Policy::None)),
            ("v=DMARC1; rua=mailto:d@clinic.example", Some(Policy::None)),
            ("v=DMARC1", None),
            ("v=DMARC1; p=block", None),
            ("v=dmarc1; p=none", None),
            ("p=none; v=DMARC1", None),
            ("v=spf1 -all", None),
        ] {
            let found = read(&[text.to_owned()]);
            assert_eq!(found.record().map(|record| record.policy), policy, "{text}");
        }
        let twice = ["v=DMARC1; p=none".to_owned(), "v=DMARC1; p=reject".to_owned()];
        assert_eq!(read(&twice), Reading::Several);
    }

    #[test]
    fn a_walk_asks_at_most_eight_names() {
        assert_eq!(names("a.mail.example.com"), ["a.mail.example.com", "mail.example.com", "example.com", "com"]);
        let long = names("a.b.c.d.e.f.g.h.i.j.mail.example.com");
        assert_eq!(long.len(), 8);
        assert_eq!((long[1].as_str(), long[7].as_str()), ("g.h.i.j.mail.example.com", "com"));
        assert_eq!(names("com"), ["com"]);
    }

    #[test]
    fn the_record_of_the_organization_counts_for_the_domains_below_it() {
        let own = walk("clinic.example", &[("clinic.example", "v=DMARC1; p=none; sp=reject")]);
        assert_eq!(own.effective().map(|(at, _, policy)| (at, policy)), Some(("clinic.example", Policy::None)));
        let below = walk("news.clinic.example", &[("clinic.example", "v=DMARC1; p=none; sp=reject")]);
        assert_eq!(below.effective().map(|(at, _, policy)| (at, policy)), Some(("clinic.example", Policy::Reject)));
        assert_eq!(below.organization(), Some("clinic.example"));
        let suffix = [("example", "v=DMARC1; p=reject; psd=y")];
        assert_eq!(walk("news.clinic.example", &suffix).organization(), Some("clinic.example"));
        let split = [("a.clinic.example", "v=DMARC1; p=none; psd=n"), ("clinic.example", "v=DMARC1; p=none")];
        assert_eq!(walk("news.a.clinic.example", &split).organization(), Some("a.clinic.example"));
        assert_eq!(walk("clinic.example", &[]).effective(), None);
    }

    #[test]
    fn domains_of_one_organization_are_aligned_unless_that_is_asked_for_strictly() {
        let record = [("clinic.example", "v=DMARC1; p=none")];
        let (from, mail) = (walk("clinic.example", &record), walk("mail.clinic.example", &record));
        let foreign = walk("relay.example", &[("relay.example", "v=DMARC1; p=none")]);
        assert!(is_aligned(("clinic.example", &from), ("mail.clinic.example", &mail), false));
        assert!(!is_aligned(("clinic.example", &from), ("mail.clinic.example", &mail), true));
        assert!(is_aligned(("clinic.example", &from), ("CLINIC.example", &from), true));
        assert!(!is_aligned(("clinic.example", &from), ("relay.example", &foreign), false));
        let none = Walk::default();
        assert!(is_aligned(("clinic.example", &none), ("mail.clinic.example", &none), false));
        assert!(!is_aligned(("clinic.example", &none), ("otherclinic.example", &none), false));
    }
}
