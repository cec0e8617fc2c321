//! What the route of a message depends on before its pages are known: messages with the same key compete for the same
//! accounts. Of a mailbox's domain, a key knows only what the configured routes tell apart: there are as many keys as classes of
//! domains, not as domains.

use std::fmt;
use std::str::FromStr;

use super::address::Address;
use super::channel::{Channel, PhiClass, Purpose};
use super::country::Country;
use super::mail_domains::{DomainPattern, MailDomains};
use super::message::Message;

/// The key of a message's route. Its word, such as `fax/advertisement none US` or `email/treatment identified *.edu`, is the pool
/// of the message's entry in the queue; what stands before the slash is the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteKey {
    /// The channel.
    pub channel: Channel,
    /// What the message is for.
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// The country of a fax number, if it shows one.
    pub country: Option<Country>,
    /// The closest of the configured domains that a mailbox falls under, if it does.
    pub domain: Option<DomainPattern>,
}

impl RouteKey {
    /// The key of what goes to that address, by the domains that the configured routes name.
    #[must_use]
    pub fn new(address: &Address, purpose: Purpose, phi: PhiClass, domains: &MailDomains) -> Self {
        let country = match address {
            Address::Fax(number) => Country::of(number),
            Address::Email(_) => None,
        };
        Self { channel: address.channel(), purpose, phi, country, domain: domains.of(address) }
    }

    /// The key of a message.
    #[must_use]
    pub fn of(message: &Message, domains: &MailDomains) -> Self {
        Self::new(&message.address, message.purpose, message.phi, domains)
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.channel, self.purpose, self.phi)?;
        match (&self.country, &self.domain) {
            (Some(country), _) => write!(f, " {country}"),
            (None, Some(domain)) => write!(f, " {domain}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for RouteKey {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let (channel, rest) = word.split_once('/').ok_or(())?;
        let mut rest = rest.split(' ');
        let mut next = || rest.next().ok_or(());
        let (purpose, phi) = (next()?.parse().map_err(|_| ())?, next()?.parse().map_err(|_| ())?);
        let (last, more) = (rest.next(), rest.next());
        let channel = channel.parse().map_err(|_| ())?;
        let country = last.filter(|_| channel == Channel::Fax).map(|country| country.parse().map_err(|_| ()));
        let domain = last.filter(|_| channel == Channel::Email).map(|domain| domain.parse().map_err(|_| ()));
        let (country, domain) = (country.transpose()?, domain.transpose()?);
        more.is_none().then_some(Self { channel, purpose, phi, country, domain }).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_word() {
        let domains = MailDomains::new(["*.edu", "gmail.com"].map(|text| text.parse().expect("a pattern")).to_vec());
        let none = MailDomains::default();
        for address in ["+13125550142", "+442079460123", "front@clinic.example", "front@MIT.edu", "front@gmail.com"] {
            let address: Address = address.parse().expect("an address");
            for purpose in Purpose::ALL {
                for phi in PhiClass::ALL {
                    let key = RouteKey::new(&address, *purpose, *phi, &domains);
                    assert_eq!(key.to_string().parse(), Ok(key.clone()), "{key}");
                }
            }
        }
        let abroad: Address = "+442079460123".parse().expect("an address");
        let key = RouteKey::new(&abroad, Purpose::Treatment, PhiClass::Identified, &none);
        assert_eq!(key.to_string(), "fax/treatment identified GB");
        let school: Address = "front@mit.edu".parse().expect("an address");
        let key = |domains| RouteKey::new(&school, Purpose::Treatment, PhiClass::None, domains).to_string();
        assert_eq!([key(&domains), key(&none)], ["email/treatment none *.edu", "email/treatment none"]);
        for other in ["", "fax", "fax/", "fax/treatment", "fax/treatment identified GB x", "fax/treatment identified "]
        {
            assert_eq!(other.parse::<RouteKey>(), Err(()), "{other}");
        }
    }
}
