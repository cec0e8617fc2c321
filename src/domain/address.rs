//! Addresses that cannot be wrong: a fax number in E.164 and a mailbox, each parsed in one place. Neither prints
//! itself whole; logs get [`FaxNumber::masked`] and [`EmailAddress::masked`].

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

pub use super::address_error::AddressError;
use super::address_key::AddressKey;
use super::channel::Channel;
use super::number::{self, Line, Reading, is_invisible};
use super::words::text_column;

/// RFC 5321 §4.5.3.1.3 allows a path of 256 octets including its angle brackets.
const EMAIL_OCTETS_MAX: usize = 254;
const SEVERAL: AddressError = AddressError("there are several numbers: give one");

/// A fax number in E.164, for instance `+13125550142`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaxNumber(String);

crate::domain::words::field_column!(FaxNumber: String);

impl FaxNumber {
    /// Reads one number as people and spreadsheets write it, national (US) or international.
    ///
    /// # Errors
    /// Says in plain words what is wrong: empty, letters among the digits, digits lost by a spreadsheet, an extension
    /// (a fax cannot dial one), several numbers, not a number that can exist, a premium-rate number (900, 976).
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let read = Self::read(text)?;
        if read.others > 0 {
            return Err(SEVERAL);
        }
        Ok(read.value)
    }

    /// As [`FaxNumber::parse`], but of several numbers takes the one marked as a fax number, else the first, and says
    /// how many others there are.
    ///
    /// # Errors
    /// As [`FaxNumber::parse`].
    pub fn read(text: &str) -> Result<Reading<Self>, AddressError> {
        let read = number::read(text, Line::Fax)?;
        Ok(Reading { value: Self(read.value.e164), others: read.others })
    }

    /// The number in E.164. For dialing and storing, never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For logs and errors: only the last two digits.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("fax …{}", &self.0[self.0.len().saturating_sub(2)..])
    }

    /// For people who may see it: `(312) 555-0142`, or the international form outside North America.
    #[must_use]
    pub fn pretty(&self) -> String {
        pretty_number(&self.0)
    }

    /// Whether the number lies in the range reserved for fiction, (NPA) 555-0100 to 555-0199, which no one owns.
    #[must_use]
    pub fn is_fictional(&self) -> bool {
        self.0.len() == 12 && self.0.starts_with("+1") && &self.0[5..10] == "55501"
    }
}

/// `+13125550142` as `(312) 555-0142`, with the extension of a telephone number; anything else unchanged.
#[must_use]
pub fn pretty_number(stored: &str) -> String {
    if let Some((number, extension)) = stored.split_once(EXTENSION) {
        return format!("{} ext. {extension}", pretty_number(number));
    }
    match stored.strip_prefix("+1") {
        Some(n) if n.len() == 10 && n.is_ascii() => format!("({}) {}-{}", &n[..3], &n[3..6], &n[6..]),
        _ => stored.to_owned(),
    }
}

/// Between a number and its extension (RFC 3966 §3).
const EXTENSION: &str = ";ext=";

/// A telephone number on which a person answers: E.164, with `;ext=12` behind it where there is an extension.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads one number, as [`FaxNumber::parse`], and keeps its extension.
    ///
    /// # Errors
    /// As [`FaxNumber::parse`], but for the extension: one of more than seven digits.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let read = Self::read(text)?;
        if read.others > 0 {
            return Err(SEVERAL);
        }
        Ok(read.value)
    }

    /// Of several numbers, the one marked as a telephone number, else the first, and how many others there are.
    ///
    /// # Errors
    /// As [`PhoneNumber::parse`].
    pub fn read(text: &str) -> Result<Reading<Self>, AddressError> {
        let Reading { value, others } = number::read(text, Line::Voice)?;
        let extension = value.extension.map(|digits| format!("{EXTENSION}{digits}")).unwrap_or_default();
        Ok(Reading { value: Self(format!("{}{extension}", value.e164)), others })
    }

    /// The stored form. Never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For people who may see it: `(312) 555-0142 ext. 12`.
    #[must_use]
    pub fn pretty(&self) -> String {
        pretty_number(&self.0)
    }

    /// For logs and errors: only the last two characters.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("phone …{}", &self.0[self.0.len().saturating_sub(2)..])
    }
}

/// One mailbox, `local@domain`, the domain in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

crate::domain::words::field_column!(EmailAddress: String);

impl EmailAddress {
    /// Reads one address (RFC 5321 §4.1.2, RFC 6531 §3.3), without display name.
    ///
    /// # Errors
    /// Says in plain words what is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text: String = text.nfc().filter(|c| !is_invisible(*c)).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError("the email address is empty"));
        }
        if text.len() > EMAIL_OCTETS_MAX {
            return Err(AddressError("the email address is longer than 254 characters"));
        }
        if text.contains([',', ';', ' ', '<', '>']) {
            return Err(AddressError("give one plain email address, without a name or a list"));
        }
        let (local, domain) = mailbox(text).ok_or(AddressError("this is not an email address"))?;
        if !domain.contains('.') && domain != "localhost" {
            return Err(AddressError("the part after @ is not a full domain name"));
        }
        // Some characters outside ASCII are longer in lower case, so the domain may no longer be valid.
        let text = format!("{local}@{}", domain.to_lowercase());
        if text.len() > EMAIL_OCTETS_MAX || mailbox(&text).is_none() {
            return Err(AddressError("this is not an email address"));
        }
        Ok(Self(text))
    }

    /// The address. For sending and storing, never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the @.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// For logs and errors: neither mailbox nor domain.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("email {}…", self.0.chars().next().unwrap_or('?'))
    }
}

/// An address in its two parts, if both can be what they should.
fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let is_address = email_address::EmailAddress::is_valid_local_part(local) && is_host(domain);
    is_address.then_some((local, domain))
}

/// A domain name, in any script, or an IP address, bare or in brackets.
fn is_host(text: &str) -> bool {
    let is_ascii_host = |text: &str| {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        email_address::EmailAddress::is_valid_domain(text) || bare.parse::<IpAddr>().is_ok()
    };
    is_ascii_host(text) || idna::domain_to_ascii(text).is_ok_and(|ascii| is_ascii_host(&ascii))
}

macro_rules! guarded {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.masked())
            }
        }
        impl FromStr for $name {
            type Err = AddressError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}
guarded!(FaxNumber);
guarded!(PhoneNumber);
guarded!(EmailAddress);

/// Where a message goes: the channel and the address in one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A fax number.
    Fax(FaxNumber),
    /// A mailbox.
    Email(EmailAddress),
}

impl Address {
    /// Reads an address of the given channel.
    ///
    /// # Errors
    /// As [`FaxNumber::parse`] and [`EmailAddress::parse`].
    pub fn parse(channel: Channel, text: &str) -> Result<Self, AddressError> {
        Ok(match channel {
            Channel::Fax => Self::Fax(FaxNumber::parse(text)?),
            Channel::Email => Self::Email(EmailAddress::parse(text)?),
        })
    }

    /// Reads an address and infers its channel: an @ makes it a mailbox.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn guess(text: &str) -> Result<Self, AddressError> {
        Self::parse(if text.contains('@') { Channel::Email } else { Channel::Fax }, text)
    }

    /// The channel.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Fax(_) => Channel::Fax,
            Self::Email(_) => Channel::Email,
        }
    }

    /// The stored form: E.164 or the mailbox. Never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fax(number) => number.as_str(),
            Self::Email(address) => address.as_str(),
        }
    }

    /// The one key by which addresses are compared, looked up, locked, suppressed and matched: see [`AddressKey`].
    #[must_use]
    pub fn key(&self) -> AddressKey {
        match self {
            Self::Fax(number) => number.into(),
            Self::Email(mailbox) => mailbox.into(),
        }
    }

    /// For logs and errors.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Fax(number) => number.masked(),
            Self::Email(address) => address.masked(),
        }
    }

    /// For people who may see it.
    #[must_use]
    pub fn pretty(&self) -> String {
        match self {
            Self::Fax(number) => number.pretty(),
            Self::Email(address) => address.as_str().to_owned(),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads an address in its stored form, as [`Address::as_str`] writes it. Judges its shape only: a rule for new
    /// addresses that grew stricter must not make an old record unreadable.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() <= EMAIL_OCTETS_MAX && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let fax =
            text.strip_prefix('+').is_some_and(|rest| rest.len() >= 3 && rest.bytes().all(|b| b.is_ascii_digit()));
        let mailbox = text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        match (fax, mailbox) {
            (true, _) if fits => Ok(Self::Fax(FaxNumber(text.to_owned()))),
            (_, true) if fits => Ok(Self::Email(EmailAddress(text.to_owned()))),
            _ => Err(AddressError("this is not an address in its stored form")),
        }
    }
}

impl fmt::Display for Address {
    /// The masked form: printing an address by accident must not show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

text_column!(Address, String, |address| address.as_str().to_owned());

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_that_its_own_digits_do_not_make_is_none() {
        for text in ["gp@+3(311) 1555l0142", "+3(311) 1555l0142"] {
            if let Ok(number) = FaxNumber::parse(text) {
                assert_eq!(FaxNumber::parse(number.as_str()), Ok(number), "{text}");
            }
        }
        assert!(FaxNumber::parse("gp@+3(311) 1555l0142").is_err());
    }

    #[test]
    fn a_domain_that_is_none_in_small_letters_is_refused() {
        // One label of 63 octets; its Ⱥ takes two of them, and three as ⱥ.
        let label = format!("{}Ⱥ{}", "Y".repeat(41), "Y".repeat(20));
        let text = format!("dana@{label}.x");
        match EmailAddress::parse(&text) {
            Err(_) => {}
            Ok(mailbox) => assert_eq!(EmailAddress::parse(mailbox.as_str()), Ok(mailbox)),
        }
        assert!(EmailAddress::parse("dana@Clinic.Example").is_ok());
    }

    #[test]
    fn a_number_longer_than_any_that_can_be_dialled_is_refused() {
        // German metadata count up to seventeen digits as possible.
        for text in ["@0114Y4333pl14Y4333p0", "+49 4333 75149433370"] {
            assert!(FaxNumber::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for text in [
            "(312) 555-0142",
            "1-312-555-0142",
            "312.555.0142",
            "+1 312 555 0142",
            "fax: 312 555 0142",
            "tel:+13125550142",
        ] {
            assert_eq!(FaxNumber::parse(text).map(|n| n.as_str().to_owned()), Ok("+13125550142".to_owned()), "{text}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_dialled_are_refused_in_words() {
        for (text, reason) in [
            ("", "empty"),
            ("911", "digits"),
            ("555-0142", "digits"),
            ("312-555-0142 x12", "extension"),
            ("900-555-0142", "premium"),
            ("212-155-0142", "0 or 1"),
            ("hello", "not a telephone number"),
        ] {
            let error = FaxNumber::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_never_prints_itself_whole() {
        let number = FaxNumber::parse("312 555 0142").expect("valid");
        let email = EmailAddress::parse("Dana@Clinic.Example").expect("valid");
        assert!(!format!("{number:?} {}", number.masked()).contains("5550142"));
        assert!(!format!("{email:?}").to_lowercase().contains("clinic"));
        assert_eq!(email.as_str(), "Dana@clinic.example");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,80}") {
            let _ = FaxNumber::parse(&text);
            let _ = EmailAddress::parse(&text);
        }

        #[test]
        fn a_parsed_number_parses_to_itself(area in 201u32..999, line in 0u32..9999) {
            if let Ok(number) = FaxNumber::parse(&format!("{area}555{line:04}")) {
                prop_assert_eq!(FaxNumber::parse(number.as_str()), Ok(number));
            }
        }
    }

    #[test]
    fn an_email_address_is_what_a_relay_can_be_told() {
        let (local_64, local_65) = (format!("{}@x.example", "a".repeat(64)), format!("{}@x.example", "a".repeat(65)));
        let label_64 = format!("a@{}.example", "b".repeat(64));
        for (text, is_address) in [
            ("dana.o'neil+x@clinic.example", true),
            ("\"a@b\"@clinic.example", true),
            ("dana@[192.0.2.1]", true),
            ("dana@192.0.2.1", true),
            ("dana@localhost", true),
            ("größe@bücher.example", true),
            ("dana@xn--bcher-kva.example", true),
            (&local_64, true),
            ("dana@[IPv6:2001:db8::1]", false),
            (".dana@clinic.example", false),
            ("dana.@clinic.example", false),
            ("da..na@clinic.example", false),
            ("dana@clinic..example", false),
            ("dana@-clinic.example", false),
            ("dana@clinic.example.", false),
            ("dana@xn--zzzz--.example", false),
            ("dana@clinic", false),
            ("dana(there)@clinic.example", false),
            ("a@b@c.example", false),
            ("dana\0@clinic.example", false),
            ("dana@clinic.example\r\nBcc:x@y.example", false),
            ("@clinic.example", false),
            ("dana@", false),
            (&local_65, false),
            (&label_64, false),
        ] {
            assert_eq!(EmailAddress::parse(text).is_ok(), is_address, "{text:?}");
        }
    }
}
