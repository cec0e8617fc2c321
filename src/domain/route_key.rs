//! What the route of a message depends on before its pages are known: messages with the same key compete for the same
//! accounts.

use std::fmt;
use std::str::FromStr;

use super::address::Address;
use super::channel::{Channel, PhiClass, Purpose};
use super::country::Country;
use super::message::Message;

/// The key of a message's route. Its word, such as `fax/advertisement none US`, is the pool of the message's entry in the
/// queue; what stands before the slash is the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteKey {
    /// The channel.
    pub channel: Channel,
    /// What the message is for.
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// The country of a fax number, if it shows one.
    pub country: Option<Country>,
}

impl RouteKey {
    /// The key of what goes to that address.
    #[must_use]
    pub fn new(address: &Address, purpose: Purpose, phi: PhiClass) -> Self {
        let country = match address {
            Address::Fax(number) => Country::of(number),
            Address::Email(_) => None,
        };
        Self { channel: address.channel(), purpose, phi, country }
    }

    /// The key of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self::new(&message.address, message.purpose, message.phi)
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.channel, self.purpose, self.phi)?;
        self.country.map_or(Ok(()), |country| write!(f, " {country}"))
    }
}

impl FromStr for RouteKey {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let (channel, rest) = word.split_once('/').ok_or(())?;
        let mut rest = rest.split(' ');
        let mut next = || rest.next().ok_or(());
        let (purpose, phi) = (next()?.parse().map_err(|_| ())?, next()?.parse().map_err(|_| ())?);
        let country = rest.next().map(|country| country.parse().map_err(|_| ())).transpose()?;
        let channel = channel.parse().map_err(|_| ())?;
        rest.next().is_none().then_some(Self { channel, purpose, phi, country }).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_word() {
        for address in ["+13125550142", "+442079460123", "front@clinic.example"] {
            let address: Address = address.parse().expect("an address");
            for purpose in Purpose::ALL {
                for phi in PhiClass::ALL {
                    let key = RouteKey::new(&address, *purpose, *phi);
                    assert_eq!(key.to_string().parse(), Ok(key), "{key}");
                }
            }
        }
        let abroad: Address = "+442079460123".parse().expect("an address");
        let key = RouteKey::new(&abroad, Purpose::Treatment, PhiClass::Identified);
        assert_eq!(key.to_string(), "fax/treatment identified GB");
        for other in ["", "fax", "fax/", "fax/treatment", "fax/treatment identified GB x", "fax/treatment identified "]
        {
            assert_eq!(other.parse::<RouteKey>(), Err(()), "{other}");
        }
    }
}
