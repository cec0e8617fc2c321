//! Failures by chance: a share of all faxes to ordinary numbers, drawn with a seed, so that the same faxes in the same
//! order get the same outcome again.

use super::behaviour::{Behaviour, Ending, Intake, Manners, fault_of_call};

/// What happens to a share of the faxes.
#[derive(Debug, Clone, Default)]
pub struct Chances {
    seed: u64,
    shares: Vec<(Behaviour, f64)>,
    words: Vec<String>,
}

impl Chances {
    /// Reads shares such as `("busy", 0.1)`: the word is a fault in which the call ends, one of `silence`, `dropped`,
    /// `server_error`, `server_error_taken`, `garbage`, `slow_down` for how the request is answered, or `lost`, `late`,
    /// `twice`, `reversed`, `forged`, `stale` for the callbacks; the share is from 0 to 1. The same seed draws the same.
    ///
    /// # Errors
    /// An unknown word, a share out of range, or a total above 1.
    pub fn new<'a>(shares: impl IntoIterator<Item = (&'a str, f64)>, seed: u64) -> Result<Self, String> {
        let read = |(word, share): (&str, f64)| {
            if (0.0..=1.0).contains(&share) {
                Ok((behaviour(word)?, share))
            } else {
                Err(format!("the share of {word} is not between 0 and 1"))
            }
        };
        let shares: Vec<(&str, f64)> = shares.into_iter().collect();
        let words = shares.iter().map(|(word, share)| format!("{word} {}%", (share * 1e5).round() / 1e3)).collect();
        let shares = shares.into_iter().map(read).collect::<Result<Vec<_>, String>>()?;
        // Sums of decimal shares may be slightly off 1.
        if shares.iter().map(|(_, share)| share).sum::<f64>() > 1.0 + 1e-9 {
            return Err("the shares add up to more than 1".to_owned());
        }
        Ok(Self { seed, shares, words })
    }

    /// The chances, for people; empty if there are none.
    pub(super) fn words(&self) -> String {
        self.words.join(", ")
    }

    /// The seed.
    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }

    /// The outcome for a draw from 0 to 1.
    pub(super) fn of(&self, draw: f64) -> Behaviour {
        let mut below = 0.0;
        for (behaviour, share) in &self.shares {
            below += share;
            if draw < below {
                return *behaviour;
            }
        }
        Behaviour::ORDINARY
    }
}

fn behaviour(word: &str) -> Result<Behaviour, String> {
    if let Some((_, intake)) = Intake::WORDS.iter().find(|(known, _)| *known == word) {
        return Ok(Behaviour { intake: *intake, ..Behaviour::ORDINARY });
    }
    if let Ok(manners) = word.parse::<Manners>() {
        return Ok(Behaviour { manners, ..Behaviour::ORDINARY });
    }
    Ok(Behaviour { ending: Ending::with(fault_of_call(word)?), ..Behaviour::ORDINARY })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fault;

    #[test]
    fn each_has_its_share_and_the_rest_is_ordinary() {
        let chances = Chances::new([("busy", 0.25), ("garbage", 0.25)], 1).expect("shares");
        assert_eq!(chances.of(0.1).ending, Ending::Fails(Fault::Busy));
        assert_eq!(chances.of(0.3).intake, Intake::TakesAndGarbles);
        assert_eq!(chances.of(0.5), Behaviour::ORDINARY);
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        for shares in [vec![("busy", 1.5)], vec![("busy", 0.6), ("no_answer", 0.6)], vec![("sunburn", 0.1)]] {
            assert!(Chances::new(shares.clone(), 1).is_err(), "{shares:?}");
        }
        assert!(Chances::new([("busy", 0.7), ("no_answer", 0.2), ("late", 0.1)], 1).is_ok());
    }
}
