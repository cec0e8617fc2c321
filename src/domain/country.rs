//! Countries, as far as a fax number shows them.

use std::fmt;
use std::str::FromStr;

use phonenumber::country::Id;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::address::FaxNumber;

/// A country by its two letters (ISO 3166-1), such as `US`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country(Id);

impl Country {
    /// The country of a number. Among the countries that share +1, the area code decides; an area code too new for the
    /// tables counts as the United States. `None`: the number belongs to no country, such as a satellite's.
    #[must_use]
    pub fn of(number: &FaxNumber) -> Option<Self> {
        let parsed = phonenumber::parse(None, number.as_str()).ok()?;
        let shared = parsed.country().code() == 1;
        parsed.country().id().or_else(|| shared.then_some(Id::US)).map(Self)
    }

    /// Its two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl FromStr for Country {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().to_ascii_uppercase().parse().map(Self).map_err(|_| "write countries by two letters, such as \"US\"")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_code_tells_the_countries_that_share_one_code_apart() {
        for (number, country) in [
            ("+13125550142", "US"),
            ("+18005550142", "US"),
            ("+14165550142", "CA"),
            ("+16045550142", "CA"),
            ("+17875550142", "PR"),
            ("+18765550142", "JM"),
            ("+442079460123", "GB"),
            ("+4930123456", "DE"),
        ] {
            let number = FaxNumber::parse(number).expect("a number");
            assert_eq!(Country::of(&number).map(|found| found.to_string()).as_deref(), Some(country));
        }
    }

    #[test]
    fn a_country_is_read_by_its_two_letters_and_nothing_else() {
        assert_eq!(" us ".parse::<Country>().map(|country| country.to_string()), Ok("US".to_owned()));
        assert!("USA".parse::<Country>().is_err() && "1".parse::<Country>().is_err());
    }
}
