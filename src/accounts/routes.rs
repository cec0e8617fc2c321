//! Routes: which accounts may carry what. Each channel has a list of accounts in the order in which they are tried, and an
//! entry may be meant for some messages only.

use crate::domain::Address;
use crate::domain::country::Country;
use crate::domain::{Channel, FaxNumber, PhiClass, Purpose};

/// One entry of a channel's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The account's name.
    pub account: String,
    /// For which messages it is meant.
    pub only: Conditions,
}

/// What a message must be like. What is not said does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// It goes to a number in one of these countries.
    pub countries: Option<Vec<Country>>,
    /// It is for one of these purposes.
    pub purposes: Option<Vec<Purpose>>,
    /// It identifies a patient (true), or it does not (false).
    pub phi: Option<bool>,
    /// It has no more pages than this.
    pub pages_max: Option<u32>,
}

/// A message, as far as its route depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// Where to, and with it how it travels.
    pub address: &'a Address,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// Its pages, once they are known; until then they stand in nobody's way.
    pub pages: Option<u32>,
}

impl Parcel<'_> {
    /// Whether it may go only where a business associate agreement is signed (45 CFR § 164.502(e)).
    pub(crate) fn needs_agreement(&self) -> bool {
        self.phi == PhiClass::Identified
    }

    fn country(&self) -> Option<Country> {
        match self.address {
            Address::Fax(number) => Country::of(number),
            Address::Email(_) => None,
        }
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
    /// Whether a message is one of those meant.
    #[must_use]
    pub fn fit(&self, parcel: &Parcel<'_>) -> bool {
        let holds = |wanted: bool| wanted == (parcel.phi == PhiClass::Identified);
        self.purposes.as_ref().is_none_or(|purposes| purposes.contains(&parcel.purpose))
            && self.phi.is_none_or(holds)
            && self.pages_max.is_none_or(|most| parcel.pages.is_none_or(|pages| pages <= most))
            && self.countries.as_ref().is_none_or(|known| parcel.country().is_some_and(|it| known.contains(&it)))
    }

    /// In words, each condition; empty if it is meant for all.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let list = |words: Vec<&str>| words.join(", ");
        let countries = self.countries.as_ref().map(|all| list(all.iter().map(Country::as_str).collect()));
        let purposes = self.purposes.as_ref().map(|all| list(all.iter().map(|one| one.as_str()).collect()));
        let phi = self.phi.map(|wanted| if wanted { "with health information" } else { "no health information" });
        let pages = self.pages_max.map(|most| format!("{most} pages at most"));
        [countries.map(|all| format!("to {all}")), purposes, phi.map(str::to_owned), pages]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: Parcel<'static> = Parcel {
        channel: Channel::Fax,
        address: "+13125550142",
        purpose: Purpose::Informational,
        phi: PhiClass::None,
        pages: Some(3),
    };

    fn only(change: impl FnOnce(&mut Conditions)) -> Conditions {
        let mut conditions = Conditions::default();
        change(&mut conditions);
        conditions
    }

    #[test]
    fn each_condition_leaves_out_what_it_does_not_mean() {
        let country = |text: &str| text.parse::<Country>().ok();
        let north = only(|it| it.countries = Some([country("US"), country("CA")].into_iter().flatten().collect()));
        assert!(north.fit(&LETTER) && !north.fit(&Parcel { address: "+442079460123", ..LETTER }));
        assert!(!north.fit(&Parcel { address: "nowhere", ..LETTER }));
        let reports = only(|it| it.purposes = Some(vec![Purpose::Treatment]));
        assert!(!reports.fit(&LETTER) && reports.fit(&Parcel { purpose: Purpose::Treatment, ..LETTER }));
        let patients = only(|it| it.phi = Some(true));
        assert!(!patients.fit(&LETTER) && patients.fit(&Parcel { phi: PhiClass::Identified, ..LETTER }));
        let others = only(|it| it.phi = Some(false));
        assert!(others.fit(&LETTER) && !others.fit(&Parcel { phi: PhiClass::Identified, ..LETTER }));
        let short = only(|it| it.pages_max = Some(2));
        assert!(!short.fit(&LETTER) && short.fit(&Parcel { pages: None, ..LETTER }));
    }

    #[test]
    fn conditions_are_told_in_words() {
        let all = only(|it| {
            it.purposes = Some(vec![Purpose::Treatment, Purpose::Operational]);
            it.phi = Some(true);
            it.pages_max = Some(10);
        });
        assert_eq!(all.words(), ["treatment, operational", "with health information", "10 pages at most"]);
        assert!(Conditions::default().words().is_empty());
    }
}
