//! What sending costs, in the practice's one currency.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of money in millionths, never negative. The currency is up to the practice: amounts are added and
/// compared, never converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cost(pub i64);

crate::domain::words::field_column!(Cost: i64);

/// The largest amount accepted: a million.
const MILLIONTHS_MAX: f64 = 1e12;

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From an amount as people write it, such as 0.07. `None`: negative, not a number, or more than a million.
    #[must_use]
    pub fn new(amount: f64) -> Option<Self> {
        let millionths = (amount * 1e6).round();
        #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
        (0.0..=MILLIONTHS_MAX).contains(&millionths).then_some(Self(millionths as i64))
    }

    /// That many times this amount; saturates.
    #[must_use]
    pub const fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count as i64))
    }

    /// The sum of both; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// With two decimal places, or as many more as are needed.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, (self.0 % 1_000_000).abs());
        let places = format!("{rest:06}");
        let kept = places.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &places[..kept])
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = f64::deserialize(deserializer)?;
        Self::new(amount).ok_or_else(|| serde::de::Error::custom("write an amount from 0 to 1,000,000, such as 0.07"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_shown_as_people_write_them() {
        let page = Cost::new(0.07).expect("an amount");
        assert_eq!(page.times(3).plus(page).to_string(), "0.28");
        assert_eq!(Cost::new(0.0045).map(|cost| cost.to_string()).as_deref(), Some("0.0045"));
        assert_eq!(Cost::new(20.0).map(|cost| cost.to_string()).as_deref(), Some("20.00"));
        assert_eq!([Cost::new(-0.01), Cost::new(f64::NAN), Cost::new(1e9)], [None; 3]);
        assert_eq!(Cost(i64::MAX).times(2), Cost(i64::MAX));
    }
}
