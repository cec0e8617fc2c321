//! Routes: which accounts may carry what. Each channel has a list of accounts in the order in which they are tried, and an
//! entry may be limited to some messages.

use crate::domain::country::Country;
use crate::domain::mail_domains::DomainPattern;
use crate::domain::{PhiClass, Purpose, RouteKey};

/// One entry of a channel's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The account's name.
    pub account: String,
    /// Which messages it is for.
    pub only: Conditions,
}

/// Conditions on a message. What is not set does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// It goes to a number in one of these countries.
    pub countries: Option<Vec<Country>>,
    /// It goes to a mailbox of one of these domains.
    pub domains: Option<Vec<DomainPattern>>,
    /// It is for one of these purposes.
    pub purposes: Option<Vec<Purpose>>,
    /// It identifies a patient (true), or it does not (false).
    pub phi: Option<bool>,
    /// It has no more pages than this.
    pub pages_max: Option<u32>,
}

/// A message, as far as its route depends on it.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// All of it that is known before it is typeset.
    pub key: RouteKey,
    /// Its pages, once known; until then a page limit excludes no account.
    pub pages: Option<u32>,
}

impl Parcel {
    /// Whether it may go only where a business associate agreement is signed (45 CFR § 164.502(e)).
    pub(crate) fn needs_agreement(&self) -> bool {
        self.key.phi == PhiClass::Identified
    }
}

impl Route {
    /// An entry for every message.
    #[must_use]
    pub fn to(account: &str) -> Self {
        Self { account: account.to_owned(), only: Conditions::default() }
    }
}

impl Conditions {
    /// Whether the entry is for this message.
    #[must_use]
    pub fn fit(&self, parcel: &Parcel) -> bool {
        let key = &parcel.key;
        let domain = key.domain.as_ref();
        let holds = |wanted: bool| wanted == (key.phi == PhiClass::Identified);
        self.purposes.as_ref().is_none_or(|purposes| purposes.contains(&key.purpose))
            && self.phi.is_none_or(holds)
            && self.pages_max.is_none_or(|most| parcel.pages.is_none_or(|pages| pages <= most))
            && self.countries.as_ref().is_none_or(|known| key.country.is_some_and(|it| known.contains(&it)))
            && self.domains.as_ref().is_none_or(|all| domain.is_some_and(|it| all.iter().any(|one| one.covers(it))))
    }

    /// Each condition in words; empty if it is for all messages.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let list = |words: Vec<&str>| words.join(", ");
        let countries = self.countries.as_ref().map(|all| list(all.iter().map(Country::as_str).collect()));
        let domains = self.domains.as_ref().map(|all| list(all.iter().map(DomainPattern::as_str).collect()));
        let purposes = self.purposes.as_ref().map(|all| list(all.iter().map(|one| one.as_str()).collect()));
        let phi = self.phi.map(|wanted| if wanted { "with health information" } else { "no health information" });
        let pages = self.pages_max.map(|most| format!("{most} pages at most"));
        [countries.or(domains).map(|all| format!("to {all}")), purposes, phi.map(str::to_owned), pages]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::domain::Address;
    use crate::domain::mail_domains::MailDomains;

    const DOMAINS: [&str; 3] = ["gmail.com", "*.edu", "mit.edu"];

    fn domains() -> MailDomains {
        MailDomains::new(DOMAINS.map(|text| text.parse().expect("a pattern")).to_vec())
    }

    fn letter() -> Parcel {
        static TO: LazyLock<Address> = LazyLock::new(|| "+13125550142".parse().expect("an address"));
        Parcel {
            key: RouteKey::new(&TO, Purpose::Informational, PhiClass::None, &MailDomains::default()),
            pages: Some(3),
        }
    }

    fn to(address: &Address) -> Parcel {
        Parcel { key: RouteKey::new(address, Purpose::Informational, PhiClass::None, &domains()), ..letter() }
    }

    fn of(purpose: Purpose, phi: PhiClass) -> Parcel {
        Parcel { key: RouteKey { purpose, phi, ..letter().key }, ..letter() }
    }

    fn only(change: impl FnOnce(&mut Conditions)) -> Conditions {
        let mut conditions = Conditions::default();
        change(&mut conditions);
        conditions
    }

    #[test]
    fn each_condition_leaves_out_what_it_does_not_mean() {
        let london: Address = "+442079460123".parse().expect("an address");
        let mailbox: Address = "front@clinic.example".parse().expect("an address");
        let country = |text: &str| text.parse::<Country>().ok();
        let north = only(|it| it.countries = Some([country("US"), country("CA")].into_iter().flatten().collect()));
        assert!(north.fit(&letter()) && !north.fit(&to(&london)));
        assert!(!north.fit(&to(&mailbox)));
        let at = |domain: &str| to(&format!("front@{domain}").parse().expect("an address"));
        let schools = only(|it| it.domains = Some(vec!["*.edu".parse().expect("a pattern")]));
        let one = only(|it| it.domains = Some(vec!["mit.edu".parse().expect("a pattern")]));
        assert_eq!(
            ["mit.edu", "cs.MIT.edu", "gmail.com", "edu.example"].map(|it| schools.fit(&at(it))),
            [true, true, false, false]
        );
        assert_eq!(["mit.edu", "cs.mit.edu"].map(|it| one.fit(&at(it))), [true, false]);
        assert!(!schools.fit(&letter()), "a number has no domain");
        let reports = only(|it| it.purposes = Some(vec![Purpose::Treatment]));
        assert!(!reports.fit(&letter()) && reports.fit(&of(Purpose::Treatment, PhiClass::None)));
        let patients = only(|it| it.phi = Some(true));
        assert!(!patients.fit(&letter()) && patients.fit(&of(Purpose::Informational, PhiClass::Identified)));
        let others = only(|it| it.phi = Some(false));
        assert!(others.fit(&letter()) && !others.fit(&of(Purpose::Informational, PhiClass::Identified)));
        let short = only(|it| it.pages_max = Some(2));
        assert!(!short.fit(&letter()) && short.fit(&Parcel { pages: None, ..letter() }));
    }

    #[test]
    fn conditions_are_told_in_words() {
        let all = only(|it| {
            it.purposes = Some(vec![Purpose::Treatment, Purpose::Operational]);
            it.phi = Some(true);
            it.pages_max = Some(10);
        });
        assert_eq!(all.words(), ["treatment, operational", "with health information", "10 pages at most"]);
        let domains = only(|it| it.domains = Some(DOMAINS.map(|text| text.parse().expect("a pattern")).to_vec()));
        assert_eq!(domains.words(), ["to gmail.com, *.edu, mit.edu"]);
        assert!(Conditions::default().words().is_empty());
    }
}
