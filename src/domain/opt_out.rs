//! Opt-out links (RFC 8058): `/o/{token}`, where the token names one message and cannot be guessed or forged. It holds
//! no address and no name; from a mark in it, which nobody else can compute, we see to which address of the message the link was sent.

use ring::hmac;

use super::Address;
use super::AddressKey;
use super::id::MessageId;

/// Octets of the signature in the link; 128 bits cannot be guessed.
const TAG_OCTETS: usize = 16;

/// Octets of the mark that tells the few addresses of a message apart.
const MARK_OCTETS: usize = 8;
/// Characters of a token without the mark, as links had it at first.
const UNMARKED_CHARS: usize = 32 + TAG_OCTETS * 2;

/// Signs and reads opt-out links.
#[derive(Debug, Clone)]
pub struct OptOutLinks {
    base: Option<url::Url>,
    key: hmac::Key,
}

impl OptOutLinks {
    /// Links below the public URL; none are created without one.
    #[must_use]
    pub fn new(base: Option<url::Url>, secret: &[u8]) -> Self {
        Self { base, key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The link that opts the address out to which the letter is sent of further letters of that message's kind.
    #[must_use]
    pub fn link(&self, message: MessageId, to: &AddressKey) -> Option<String> {
        let base = self.base.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/o/{}{}", self.token(message), self.mark(message, to)))
    }

    /// Of the addresses of a message, the one to which the link of this token was sent. None if it was sent to none of them, or says
    /// nothing of that.
    pub fn sent_to<'a>(
        &self,
        token: &str,
        message: MessageId,
        mut among: impl Iterator<Item = &'a Address>,
    ) -> Option<&'a Address> {
        let mark = token.get(UNMARKED_CHARS..).filter(|mark| !mark.is_empty())?;
        among.find(|address| self.mark(message, &address.key()) == mark)
    }

    fn mark(&self, message: MessageId, to: &AddressKey) -> String {
        let tag = hmac::sign(&self.key, &[message.0.as_bytes().as_slice(), to.as_str().as_bytes()].concat());
        hex::encode(&tag.as_ref()[..MARK_OCTETS])
    }

    /// The token alone, without the mark.
    #[must_use]
    pub fn token(&self, message: MessageId) -> String {
        let tag = hmac::sign(&self.key, message.0.as_bytes());
        format!("{}{}", message.0.simple(), hex::encode(&tag.as_ref()[..TAG_OCTETS]))
    }

    /// The message a token names, if the token is genuine. Takes the same time for every wrong token.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<MessageId> {
        let is_marked = token.len() == UNMARKED_CHARS + MARK_OCTETS * 2;
        if !(token.len() == UNMARKED_CHARS || is_marked) || !token.is_ascii() {
            return None;
        }
        let (id, rest) = token.split_at(32);
        let (tag, _) = rest.split_at(TAG_OCTETS * 2);
        let message = MessageId(uuid::Uuid::parse_str(id).ok()?);
        let ours = hmac::sign(&self.key, message.0.as_bytes());
        let theirs = hex::decode(tag).ok()?;
        let same: bool = subtle::ConstantTimeEq::ct_eq(&ours.as_ref()[..TAG_OCTETS], theirs.as_slice()).into();
        same.then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_token_but_ours_is_believed(id in any::<u128>(), text in "\\PC{0,80}|[0-9a-f]{64}", place in 0usize..64) {
            let links = OptOutLinks::new(None, b"key");
            prop_assert_eq!(links.read(&text), None);
            let message = MessageId(uuid::Uuid::from_u128(id));
            let token = links.token(message);
            prop_assert_eq!(links.read(&token), Some(message));
            let mut changed = token.clone();
            let other = if &token[place..=place] == "0" { "1" } else { "0" };
            changed.replace_range(place..=place, other);
            prop_assert_eq!(links.read(&changed), None, "one character changed");
        }
    }

    #[test]
    fn a_link_is_read_back_and_a_changed_one_is_not() {
        let links = OptOutLinks::new(url::Url::parse("https://fax.example/t/").ok(), b"key");
        let message = MessageId::new();
        let [old, new, other] = ["old@clinic.example", "new@clinic.example", "other@clinic.example"]
            .map(|at| Address::guess(at).expect("one"));
        let link = links.link(message, &old.key()).expect("a link");
        let given = link.strip_prefix("https://fax.example/t/o/").expect("the place of such links");
        assert_eq!(links.read(given), Some(message));
        assert_eq!(links.sent_to(given, message, [&new, &old].into_iter()), Some(&old), "not the corrected one");
        assert_eq!(links.sent_to(given, message, [&new, &other].into_iter()), None);
        assert!(!given.contains("old"), "no address in it");
        let token = links.token(message);
        assert_eq!(links.read(&token), Some(message));
        assert_eq!(links.sent_to(&token, message, [&new].into_iter()), None, "an older link");
        assert_eq!(links.read(&token.replace(&token[40..42], "zz")), None);
        assert_eq!(OptOutLinks::new(None, b"other").read(&token), None);
    }
}
