//! The key by which addresses are compared.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::address::{Address, EmailAddress, FaxNumber};
use super::channel::Channel;

/// The form in which addresses are compared: what two spellings of one mailbox or number have in common. A mailbox
/// compares without regard to case and Unicode form, and to quotation marks that it does not need (RFC 5321 §4.1.2), its
/// domain as the name system knows it (IDNA, RFC 5891). Made by
/// [`Address::key`] alone, or read back from the database.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressKey(String);

crate::domain::words::field_column!(AddressKey: String);

impl AddressKey {
    /// The key as it is stored. Never for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name and the domain of a mailbox; `None` for a number.
    #[must_use]
    pub fn mailbox(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('@')
    }

    /// The channel that the address belongs to.
    #[must_use]
    pub fn channel(&self) -> Channel {
        if self.mailbox().is_some() { Channel::Email } else { Channel::Fax }
    }

    /// An address that has this key: for a number the number itself, for a mailbox one spelling of it.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.0.parse().ok()
    }

    /// For people who may see it.
    #[must_use]
    pub fn pretty(&self) -> String {
        self.address().map_or_else(|| self.0.clone(), |address| address.pretty())
    }

    /// For logs and errors.
    #[must_use]
    pub fn masked(&self) -> String {
        self.0.parse::<Address>().map_or_else(|_| "an address".to_owned(), |address| address.masked())
    }
}

impl fmt::Display for AddressKey {
    /// The masked form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl From<&FaxNumber> for AddressKey {
    fn from(number: &FaxNumber) -> Self {
        Self(number.as_str().to_lowercase())
    }
}

impl From<&EmailAddress> for AddressKey {
    fn from(mailbox: &EmailAddress) -> Self {
        let domain = idna::domain_to_ascii(mailbox.domain()).unwrap_or_else(|_| mailbox.domain().to_lowercase());
        Self(format!("{}@{domain}", unquoted(&folded(mailbox.local()))))
    }
}

/// The local part of a mailbox without the quotation marks and backslashes that it does not need: `"al"` and `"a\l"` are
/// `al`.
fn unquoted(local: &str) -> Cow<'_, str> {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(local);
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    let is_atom = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if plain.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom)) {
        return Cow::Owned(plain);
    }
    Cow::Owned(format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Without regard to case and to the ways in which Unicode writes one letter (UAX #15, form NFKC).
fn folded(text: &str) -> String {
    // Upper case first: ß and SS are one spelling.
    text.nfkc().collect::<String>().to_uppercase().to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_have_one_key_and_a_key_never_prints_itself_whole() {
        let key = |text: &str| Address::guess(text).expect("an address").key();
        assert_eq!(key("Dana.Lee@Clinic.example"), key("dana.lee@clinic.EXAMPLE"));
        assert_ne!(key("dana.lee@clinic.example"), key("danalee@clinic.example"));
        assert_eq!(key("(312) 555-0142"), key("+1 312 555 0142"));
        for (one, other) in [
            ("dana@bücher.example", "dana@xn--bcher-kva.example"),
            ("dana@BÜCHER.example", "dana@bu\u{308}cher.example"),
            ("josé@clinic.example", "JOSE\u{301}@clinic.example"),
            ("dana\u{200b}@clinic.example", "da\u{ad}na@\u{feff}clinic.example"),
            ("straße@clinic.example", "STRASSE@clinic.example"),
            ("\"al\"@clinic.example", "al@clinic.example"),
            ("\"A.L\"@clinic.example", "a.l@clinic.example"),
            ("\"a\\l\"@clinic.example", "al@clinic.example"),
        ] {
            assert_eq!(key(one), key(other), "{one:?} {other:?}");
        }
        assert_eq!(key("\"a\\@b\"@clinic.example"), key("\"a@b\"@clinic.example"));
        for needed in ["\"a@b\"@clinic.example", "\"a..b\"@clinic.example", "\".a\"@clinic.example"] {
            assert_eq!(key(needed).as_str(), needed, "without its quotation marks it would be no mailbox");
        }
        assert_eq!(
            (key("dana@clinic.example").channel(), key("312 555 0142").channel()),
            (Channel::Email, Channel::Fax)
        );
        let shown = format!("{0} {0:?} {1} {1:?}", key("dana@clinic.example"), key("312 555 0142"));
        assert!(!shown.contains("dana@") && !shown.contains("5550142"), "{shown}");
    }
}
