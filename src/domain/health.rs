//! What past results say about an address.

use super::address_key::AddressKey;
use super::channel::Channel;
use super::fault::{AddressEvidence, Fault};
use super::words::words;

words! {
    /// Trust in an address.
    Health {
        /// Nothing is known yet.
        Unverified = "unverified",
        /// Something was delivered there.
        Confirmed = "confirmed",
        /// It looks wrong: sending continues, a person should check.
        Doubtful = "doubtful",
        /// It is wrong: nothing is sent until a person corrects or confirms it.
        Dead = "dead",
    }
}

/// Doubtful evidence in a row after which an address counts as doubtful, and twice that as dead.
const STRIKES_DOUBTFUL: i64 = 2;

/// An address's health record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressHealth {
    /// Channel.
    pub channel: Channel,
    /// The address's key.
    pub value: AddressKey,
    /// Trust.
    pub health: Health,
    /// Doubtful evidence since the last success.
    pub strikes: i64,
    /// The latest evidence against it.
    pub fault: Option<Fault>,
}

impl AddressHealth {
    /// An address of which nothing is known, or to which a person gives another chance.
    #[must_use]
    pub fn fresh(key: AddressKey) -> Self {
        Self { channel: key.channel(), value: key, health: Health::Unverified, strikes: 0, fault: None }
    }

    /// After a delivery.
    #[must_use]
    pub fn after_success(&self) -> Self {
        Self { health: Health::Confirmed, strikes: 0, fault: None, ..self.clone() }
    }

    /// After a failure.
    #[must_use]
    pub fn after_fault(&self, fault: Fault) -> Self {
        match fault.evidence() {
            AddressEvidence::Neutral => self.clone(),
            AddressEvidence::Dead => {
                Self { health: Health::Dead, strikes: self.strikes + 1, fault: Some(fault), ..self.clone() }
            }
            AddressEvidence::Doubtful => {
                let strikes = self.strikes + 1;
                let health = match strikes {
                    n if n >= STRIKES_DOUBTFUL * 2 => Health::Dead,
                    n if n >= STRIKES_DOUBTFUL => Health::Doubtful,
                    _ => self.health,
                };
                Self { health, strikes, fault: Some(fault), ..self.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_line_becomes_dead_only_by_repetition_and_an_unknown_number_at_once() {
        let fresh = AddressHealth {
            channel: Channel::Fax,
            value: AddressKey::from(&crate::domain::FaxNumber::parse("312 555 0142").expect("a number")),
            health: Health::Unverified,
            strikes: 0,
            fault: None,
        };
        let mut voice = fresh.clone();
        let mut seen = Vec::new();
        for _ in 0..4 {
            voice = voice.after_fault(Fault::NotAFax);
            seen.push(voice.health);
        }
        assert_eq!(seen, [Health::Unverified, Health::Doubtful, Health::Doubtful, Health::Dead]);
        assert_eq!(fresh.after_fault(Fault::InvalidNumber).health, Health::Dead);
        assert_eq!(voice.after_success().health, Health::Confirmed);
    }
}
