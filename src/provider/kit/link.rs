//! Links to one document, for providers that fetch a document instead of accepting it. A link names one attempt and an
//! end; it contains no number and no name, cannot be guessed or forged, and is valid only while the attempt is open
//! (which the document's server checks).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::domain::id::AttemptId;
use crate::provider::{Account, Setting, SettingsError};

/// The setting that switches such links on.
pub const SWITCH: Setting = Setting::plain(
    "public_link",
    "true: the provider takes a document only by a link that anybody who knows it can open for an hour, so it must be \
     switched on knowingly.",
    true,
);

/// The setting that signs them.
pub const SETTING: Setting = Setting::secret(
    "link_secret",
    "A long random word of yours, at least 32 characters, the same on every node; it signs the links to documents.",
    true,
);

/// Fewest characters of the secret.
const SECRET_CHARS_MIN: usize = 32;
/// Octets of a token before its signature: the attempt and the second at which the link ends.
const PAYLOAD_OCTETS: usize = 16 + 8;
/// Octets of the signature.
const TAG_OCTETS: usize = 32;
/// Both in base64: four characters for three octets, the last one cut short.
const TOKEN_CHARS: usize = ((PAYLOAD_OCTETS + TAG_OCTETS) * 4).div_ceil(3);
/// The purpose of the signature, so that the same secret used elsewhere does not make a link.
const PURPOSE: &[u8] = b"touchline document link 1\0";

/// Makes and reads the links of one account.
pub struct DocumentLinks {
    base: String,
    key: hmac::Key,
}

impl DocumentLinks {
    /// The links of an account that has them switched on.
    ///
    /// # Errors
    /// They are not switched on, the secret is missing or too short, or there is no public https address.
    pub fn of(account: &Account) -> Result<Self, SettingsError> {
        if account.settings.get(SWITCH.key).and_then(toml::Value::as_bool) != Some(true) {
            return Err(account.refuse(SWITCH.key, "must be true: this provider takes documents by a public link only"));
        }
        let secret = account.secret(SETTING.key)?;
        if secret.expose_secret().chars().count() < SECRET_CHARS_MIN {
            return Err(account.refuse(SETTING.key, "must have at least 32 characters"));
        }
        match &account.documents_url {
            Some(base) if base.starts_with("https://") => Ok(Self::new(base, secret.expose_secret().as_bytes())),
            _ => {
                Err(account.refuse(SWITCH.key, "needs server.public_url with https: documents are fetched from there"))
            }
        }
    }

    /// Links below that base URL.
    #[must_use]
    pub fn new(base: &str, secret: &[u8]) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The link to an attempt's document, valid for a limited time. Anyone who has it can read the document.
    #[must_use]
    pub fn link(&self, attempt: AttemptId, now: Timestamp, life: Duration) -> SecretString {
        SecretString::from(format!("{}/{}", self.base, self.token(attempt, now.after(life))))
    }

    /// The last part of the link alone.
    fn token(&self, attempt: AttemptId, until: Timestamp) -> String {
        let mut octets = [attempt.0.as_bytes().as_slice(), &(until.0 / 1000).to_be_bytes()].concat();
        let tag = hmac::sign(&self.key, &signed(&octets));
        octets.extend_from_slice(tag.as_ref());
        BASE64.encode(octets)
    }

    /// The attempt that a token names, if the token is genuine and has not expired.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<AttemptId> {
        if token.len() != TOKEN_CHARS {
            return None;
        }
        let octets = BASE64.decode(token).ok()?;
        let (payload, tag) = octets.split_at_checked(PAYLOAD_OCTETS)?;
        hmac::verify(&self.key, &signed(payload), tag).ok()?;
        let (attempt, until) = payload.split_at(16);
        let until = i64::from_be_bytes(until.try_into().ok()?);
        (now.0 / 1000 < until).then(|| Uuid::from_slice(attempt).ok().map(AttemptId))?
    }
}

fn signed(payload: &[u8]) -> Vec<u8> {
    [PURPOSE, payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp(1_795_446_000_000);

    fn links() -> DocumentLinks {
        DocumentLinks::new("https://fax.example/t/documents/", &[7; 32])
    }

    fn token(attempt: AttemptId) -> String {
        links().token(attempt, NOW.after(HOUR))
    }

    #[test]
    fn a_link_is_read_back_until_its_time_ends() {
        let attempt = AttemptId::new();
        let link = links().link(attempt, NOW, HOUR);
        let token = link.expose_secret().strip_prefix("https://fax.example/t/documents/").expect("below the base");
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')), "{token}");
        assert_eq!(links().read(token, NOW), Some(attempt));
        assert_eq!(links().read(token, NOW.after(HOUR).before(Duration::from_secs(1))), Some(attempt));
        assert_eq!(links().read(token, NOW.after(HOUR)), None, "over");
    }

    #[test]
    fn a_link_tells_nothing_but_its_attempt_and_names_only_that_one() {
        let (one, other) = (AttemptId::new(), AttemptId::new());
        assert_ne!(token(one), token(other));
        assert_eq!(links().read(&token(other), NOW), Some(other));
        assert_eq!(
            DocumentLinks::new("https://fax.example", &[8; 32]).read(&token(one), NOW),
            None,
            "another's secret"
        );
    }

    proptest! {
        #[test]
        fn no_token_but_ours_is_believed(id in any::<u128>(), text in "\\PC{0,90}|[A-Za-z0-9_-]{75}", place in 0usize..75) {
            prop_assert_eq!(links().read(&text, NOW), None);
            let token = token(AttemptId(Uuid::from_u128(id)));
            let mut changed = token.clone();
            let other = if &token[place..=place] == "A" { "B" } else { "A" };
            changed.replace_range(place..=place, other);
            prop_assert_eq!(links().read(&changed, NOW), None, "one character changed");
        }
    }
}
