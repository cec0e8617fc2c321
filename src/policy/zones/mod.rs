//! In which time zone a recipient is, as far as it is known: from the referrer's record, else from a number's area code or
//! country, else not at all.

mod area_codes;
mod countries;

use chrono_tz::Tz;

use crate::domain::country::Country;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, FaxNumber};

/// The zones in which a recipient may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zones {
    /// In this one.
    Known(Tz),
    /// In one of these, and nothing says in which; the one with the most people first. Not empty.
    OneOf(&'static [Tz]),
    /// Somewhere in the fifty states.
    Unknown,
}

/// The contiguous states.
const CONTIGUOUS: &[Tz] =
    &[Tz::America__New_York, Tz::America__Chicago, Tz::America__Denver, Tz::America__Phoenix, Tz::America__Los_Angeles];
/// All fifty, with Alaska, its western Aleutians, and Hawaii. The territories lie beyond: their numbers name them.
const STATES: &[Tz] = &[
    Tz::America__New_York,
    Tz::America__Chicago,
    Tz::America__Denver,
    Tz::America__Phoenix,
    Tz::America__Los_Angeles,
    Tz::America__Anchorage,
    Tz::America__Adak,
    Tz::Pacific__Honolulu,
];

impl Zones {
    /// Where the recipient of a message is. The referrer's own zone decides; then the number of a fax itself, then the
    /// referrer's fax number and telephone number, the first that says anything.
    #[must_use]
    pub fn of(referrer: &Referrer, to: &Address) -> Self {
        if let Some(zone) = referrer.time_zone.as_deref().and_then(|name| name.trim().parse().ok()) {
            return Self::Known(zone);
        }
        let faxed = match to {
            Address::Fax(number) => Self::of_number(number),
            Address::Email(_) => None,
        };
        let phone = || referrer.phone.as_deref().and_then(|number| FaxNumber::parse(number).ok());
        faxed
            .or_else(|| referrer.fax.as_ref().and_then(Self::of_number))
            .or_else(|| phone().as_ref().and_then(Self::of_number))
            .unwrap_or(Self::Unknown)
    }

    /// What a number says: by its area code where +1 is dialled, else by its country. `None`: nothing, such as a
    /// toll-free number.
    #[must_use]
    pub fn of_number(number: &FaxNumber) -> Option<Self> {
        let zones = match number.as_str().strip_prefix("+1") {
            Some(national) => of_area(national.get(..3)?.parse().ok()?)?,
            None => of_country(Country::of(number)?.as_str())?,
        };
        Some(match zones {
            [one] => Self::Known(*one),
            several => Self::OneOf(several),
        })
    }

    /// The sets of zones to be asked, the strictest first: a set counts only where those before it are never open at
    /// the same time.
    pub(super) fn choices(self, practice: Tz) -> Vec<Vec<Tz>> {
        match self {
            Self::Known(zone) => vec![vec![zone]],
            Self::OneOf(zones) => vec![zones.to_vec(), zones.iter().take(1).copied().collect()],
            Self::Unknown => vec![STATES.to_vec(), CONTIGUOUS.to_vec(), vec![practice]],
        }
    }
}

/// The zones of a North American area code.
fn of_area(code: u16) -> Option<&'static [Tz]> {
    area_codes::AREAS.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, zones)| *zones)
}

/// The zones of another country.
fn of_country(letters: &str) -> Option<&'static [Tz]> {
    let place = countries::COUNTRIES.binary_search_by_key(&letters, |(country, _)| country).ok()?;
    countries::COUNTRIES.get(place).map(|(_, zones)| *zones)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::domain::EmailAddress;
    use crate::domain::Timestamp;
    use crate::domain::referrer::ReferrerType;

    fn number(text: &str) -> FaxNumber {
        FaxNumber::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn referrer(zone: Option<&str>, fax: Option<&str>, phone: Option<&str>) -> Referrer {
        let mut referrer = Referrer::new(ReferrerType::Other, Timestamp(0));
        referrer.fax = fax.map(number);
        referrer.phone = phone.map(str::to_owned);
        referrer.time_zone = zone.map(str::to_owned);
        referrer
    }

    #[test]
    fn a_number_says_where_its_area_is_and_both_zones_where_that_lies_in_two() {
        use Tz::*;
        for (text, zones) in [
            ("(312) 555-0142", &[America__Chicago][..]),
            ("(212) 555-0142", &[America__New_York]),
            ("(303) 555-0142", &[America__Denver]),
            ("(602) 555-0142", &[America__Phoenix]),
            ("(415) 555-0142", &[America__Los_Angeles]),
            ("(907) 555-0142", &[America__Anchorage, America__Adak]),
            ("(808) 555-0142", &[Pacific__Honolulu]),
            ("(787) 555-0142", &[America__Puerto_Rico]),
            ("(671) 555-0142", &[Pacific__Guam]),
            ("(850) 555-0142", &[America__New_York, America__Chicago]),
            ("(208) 555-0142", &[America__Los_Angeles, America__Denver]),
            ("(605) 555-0142", &[America__Chicago, America__Denver]),
            ("(915) 555-0142", &[America__Denver]),
            ("(416) 555-0142", &[America__Toronto]),
            ("(709) 555-0142", &[America__St_Johns, America__Goose_Bay]),
            ("+44 20 7946 0123", &[Europe__London]),
            ("+49 30 123456", &[Europe__Berlin]),
            ("+81 3 1234 5678", &[Asia__Tokyo]),
        ] {
            let found = Zones::of_number(&number(text)).expect(text);
            let found = match &found {
                Zones::Known(zone) => std::slice::from_ref(zone),
                Zones::OneOf(zones) => zones,
                Zones::Unknown => &[],
            };
            assert_eq!(found, zones, "{text}");
        }
        for nowhere in ["800-555-0199", "(888) 555-0199", "(833) 555-0199", "(500) 555-0199", "(700) 555-0199"] {
            assert_eq!(Zones::of_number(&number(nowhere)), None, "{nowhere}");
        }
    }

    #[test]
    fn the_record_decides_before_the_number_and_the_fax_before_the_telephone() {
        let fax = Address::Fax(number("(312) 555-0142"));
        let mail = Address::Email(EmailAddress::parse("a@b.example").expect("a mailbox"));
        let (boston, chicago) = (Zones::Known(Tz::America__New_York), Zones::Known(Tz::America__Chicago));
        let of = |zone, fax, phone, to: &Address| Zones::of(&referrer(zone, fax, phone), to);
        assert_eq!(of(Some("America/New_York"), Some("(312) 555-0142"), None, &fax), boston);
        assert_eq!(of(Some(" America/New_York "), None, None, &fax), boston);
        assert_eq!(of(None, Some("(617) 555-0142"), None, &fax), chicago, "the number that is dialled");
        assert_eq!(of(Some("the moon"), None, None, &fax), chicago, "a zone that cannot be read says nothing");
        assert_eq!(of(None, Some("(312) 555-0142"), Some("+16175550142"), &mail), chicago);
        assert_eq!(of(None, None, Some("+16175550142"), &mail), boston);
        let toll_free = Address::Fax(number("800-555-0199"));
        assert_eq!(of(None, Some("800-555-0199"), Some("+16175550142"), &toll_free), boston);
        assert_eq!(of(None, Some("800-555-0199"), None, &toll_free), Zones::Unknown);
        assert_eq!(of(None, None, None, &mail), Zones::Unknown);
    }

    fn all_differ(zones: &[Tz]) -> bool {
        zones.iter().map(|zone| zone.name()).collect::<BTreeSet<_>>().len() == zones.len()
    }

    #[test]
    fn every_area_code_stands_once_and_belongs_to_a_country_of_north_america() {
        let mut seen = BTreeSet::new();
        for (codes, zones) in area_codes::AREAS {
            assert!(!zones.is_empty() && all_differ(zones));
            for code in *codes {
                assert!((201..990).contains(code) && code % 100 != 11, "{code}");
                assert!(seen.insert(*code), "{code} stands twice");
                let country = Country::of(&number(&format!("({code}) 555-0142"))).expect("a country");
                let canadian =
                    zones.iter().any(|zone| zone.name().parse::<Tz>().is_ok_and(|zone| CANADIAN.contains(&zone)));
                assert_eq!(country.as_str() == "CA", canadian, "{code} is in {country}");
            }
        }
        assert!(seen.len() > 440);
    }

    /// One of these stands with each Canadian code, and with no other.
    const CANADIAN: &[Tz] = &[
        Tz::America__Toronto,
        Tz::America__Halifax,
        Tz::America__St_Johns,
        Tz::America__Winnipeg,
        Tz::America__Regina,
        Tz::America__Edmonton,
        Tz::America__Vancouver,
    ];

    #[test]
    fn every_country_stands_once_in_order_with_its_zones() {
        assert!(countries::COUNTRIES.is_sorted_by(|(a, _), (b, _)| a < b));
        for (letters, zones) in countries::COUNTRIES {
            assert!(letters.len() == 2 && letters.bytes().all(|byte| byte.is_ascii_uppercase()), "{letters}");
            assert!(!zones.is_empty() && all_differ(zones), "{letters}");
            assert!(of_country(letters).is_some());
        }
        assert!(of_country("US").is_none(), "where +1 is dialled, the area code decides");
    }
}
