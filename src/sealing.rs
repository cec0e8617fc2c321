//! What nobody may read in the database is sealed before it is stored: AES-256-GCM (NIST SP 800-38D) under a key that is not in
//! the database. A key for each use is derived by HKDF-SHA256 (RFC 5869) from one secret of the installation: what is sealed for
//! one use cannot be opened for another.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

use crate::files::{ReadError, create_once, read_regular};

/// The form of what is sealed: this octet, the nonce, the text with its tag.
const VERSION: u8 = 1;
/// The fewest characters of a secret: a random one of 32 octets has 43 in base64.
pub const SECRET_CHARS_MIN: usize = 32;
/// Octets of randomness in a secret that is made here.
const SECRET_OCTETS: usize = 32;
/// Largest file with a secret.
const FILE_BYTES_MAX: u64 = 4_096;

/// What a key is for. Each has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The tokens of accounts that sign in by OAuth.
    MailTokens,
    /// What people answer.
    Replies,
}

impl Purpose {
    /// What the key is derived for (RFC 5869 `info`). Never to be changed: what was sealed before would not be opened again.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::MailTokens => b"touchline mail tokens 1",
            Self::Replies => b"touchline replies 1",
        }
    }
}

/// Where the secret is. Prints nothing of it.
#[derive(Clone)]
pub enum KeyPlace {
    /// The configuration gives it.
    Given(SecretString),
    /// In a file, which is made when something is sealed for the first time; only its owner can read it.
    File(PathBuf),
    /// Nowhere: nothing can be sealed.
    Nowhere,
}

impl fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Nowhere => f.write_str("Nowhere"),
        }
    }
}

/// Why nothing can be sealed or opened: what is wrong and what to do, without a word of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no key file: none yet, or it was lost. What was sealed with a lost one is never opened again.
    #[error("{0}")]
    Absent(String),
    /// The system does not let it be read or made now.
    #[error("{0}")]
    Unavailable(String),
    /// None is set, or what is there is no key: the configuration or the file must be put right.
    #[error("{0}")]
    Unusable(String),
}

/// A key, read for one use.
pub struct Sealer(LessSafeKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl KeyPlace {
    /// The key, to open what was sealed for that purpose.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn sealer(&self, purpose: Purpose) -> Result<Sealer, KeyError> {
        match self {
            Self::Given(secret) => Sealer::from_secret(secret, purpose),
            Self::File(path) => match read_regular(path, FILE_BYTES_MAX) {
                Ok(bytes) => {
                    let secret = text(bytes).ok_or_else(|| KeyError::Unusable(self.in_words("is not text")))?;
                    Sealer::from_secret(&secret, purpose)
                }
                Err(error) => Err(self.unreadable(&error)),
            },
            Self::Nowhere => Err(KeyError::Unusable(
                "store.key is not set: several nodes share what is sealed, and need the same key. Write \
                 key = { file = \"PATH\" } into [store], the same file for each node: openssl rand -base64 32 > PATH"
                    .to_owned(),
            )),
        }
    }

    /// The key, to seal with for that purpose; the secret is made where there is none yet.
    ///
    /// # Errors
    /// As [`KeyPlace::sealer`]; or it cannot be made.
    pub fn sealer_or_new(&self, purpose: Purpose) -> Result<Sealer, KeyError> {
        if let Self::File(path) = self
            && matches!(read_regular(path, 0), Err(ReadError::System(error)) if error.kind() == ErrorKind::NotFound)
        {
            let mut octets = [0; SECRET_OCTETS];
            let unmade = |why: &str| KeyError::Unavailable(self.in_words(&format!("cannot be made ({why})")));
            SystemRandom::new().fill(&mut octets).map_err(|_| unmade("no randomness"))?;
            create_once(path, format!("{}\n", BASE64.encode(octets)).as_bytes())
                .map_err(|error| unmade(&error.kind().to_string()))?;
        }
        self.sealer(purpose)
    }

    fn unreadable(&self, error: &ReadError) -> KeyError {
        let words = self.in_words(&error.to_string());
        match error {
            ReadError::System(error) if error.kind() == ErrorKind::NotFound => KeyError::Absent(words),
            ReadError::System(_) => KeyError::Unavailable(words),
            ReadError::NotRegular | ReadError::TooLarge(_) | ReadError::Outside => KeyError::Unusable(words),
        }
    }

    fn in_words(&self, what: &str) -> String {
        let Self::File(path) = self else { return what.to_owned() };
        format!(
            "the key file {} {what}: it must be readable by who runs Touchline, and is kept beside the database",
            path.display()
        )
    }
}

fn text(bytes: Vec<u8>) -> Option<SecretString> {
    String::from_utf8(bytes).ok().map(SecretString::from)
}

/// Lets HKDF derive a key of 32 octets.
struct KeyOctets;

impl ring::hkdf::KeyType for KeyOctets {
    fn len(&self) -> usize {
        AES_256_GCM.key_len()
    }
}

impl Sealer {
    fn from_secret(secret: &SecretString, purpose: Purpose) -> Result<Self, KeyError> {
        let secret = secret.expose_secret().trim();
        if secret.len() < SECRET_CHARS_MIN {
            let words =
                format!("store.key is shorter than {SECRET_CHARS_MIN} characters: make one by openssl rand -base64 32");
            return Err(KeyError::Unusable(words));
        }
        let unusable = |_| KeyError::Unusable("store.key cannot be used".to_owned());
        let mut key = [0; 32];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        derived.expand(&[purpose.info()], KeyOctets).and_then(|octets| octets.fill(&mut key)).map_err(unusable)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(unusable)?)))
    }

    /// Seals a text that can be opened only with the same `context`. A nonce is random: with 96 bits and some thousand texts a
    /// day none comes twice (SP 800-38D §8.3 allows 2^32 under one key).
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn seal(&self, text: &SecretString, context: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Unavailable("nothing could be sealed: this machine has no randomness".to_owned());
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.expose_secret().as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, Aad::from(context), &mut sealed).map_err(failed)?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed with the same key and context; `None` if it was not.
    #[must_use]
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Option<SecretString> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok().filter(|_| *version == VERSION)?;
        let mut text = text.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(context), &mut text).ok()?;
        String::from_utf8(opened.to_vec()).ok().map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::Purpose::{MailTokens, Replies};
    use super::*;

    /// Made by another program from the secret of forty times `k`.
    const SEALED_BEFORE: &str =
        "01000102030405060708090a0ba6c236544289ee304694bb3b3303ec3dec323f5fd3619a14ef85d947fa9a7b";

    fn given(secret: &str) -> KeyPlace {
        KeyPlace::Given(SecretString::from(secret))
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_in_the_same_place_only() {
        let (token, key) = (SecretString::from("a refresh token"), "k".repeat(40));
        let sealer = given(&key).sealer(MailTokens).expect("a key");
        let sealed = sealer.seal(&token, b"office refresh").expect("sealed");
        assert!(!String::from_utf8_lossy(&sealed).contains("refresh"));
        assert_ne!(sealed, sealer.seal(&token, b"office refresh").expect("sealed"), "the nonce is new each time");
        let again = given(&format!(" {key}\n")).sealer(MailTokens).expect("a key");
        assert_eq!(
            again.open(&sealed, b"office refresh").map(|it| it.expose_secret().to_owned()),
            Some("a refresh token".into())
        );
        assert!(sealer.open(&sealed, b"other refresh").is_none(), "it cannot be moved to another account");
        assert!(given(&"x".repeat(40)).sealer(MailTokens).expect("a key").open(&sealed, b"office refresh").is_none());
        let for_replies = given(&key).sealer(Replies).expect("a key");
        assert!(for_replies.open(&sealed, b"office refresh").is_none(), "nor to another use");
        for place in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[place] ^= 1;
            assert!(sealer.open(&broken, b"office refresh").is_none(), "octet {place}");
        }
        for short in 0..sealed.len() {
            assert!(sealer.open(&sealed[..short], b"office refresh").is_none());
        }
    }

    #[test]
    fn what_was_sealed_by_earlier_versions_is_opened_still() {
        // Under the secret and context below, when tokens were all that was sealed.
        let sealed = hex::decode(SEALED_BEFORE).expect("hexadecimal");
        let sealer = given(&"k".repeat(40)).sealer(MailTokens).expect("a key");
        let opened = sealer.open(&sealed, b"office refresh").map(|it| it.expose_secret().to_owned());
        assert_eq!(opened.as_deref(), Some("a refresh token"));
    }

    #[test]
    fn a_key_that_is_missing_or_short_is_refused_in_words_that_do_not_repeat_it() {
        let short = given("canary").sealer(MailTokens).expect_err("too short").to_string();
        assert!(short.contains("32 characters") && !short.contains("canary"), "{short}");
        assert!(KeyPlace::Nowhere.sealer_or_new(MailTokens).expect_err("none").to_string().contains("store.key"));
        assert!(!format!("{:?}", given("canary")).contains("canary"));
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("touchline.db.key");
        let place = KeyPlace::File(path.clone());
        assert!(place.sealer(MailTokens).expect_err("none yet").to_string().contains("touchline.db.key"));
        let sealed =
            place.sealer_or_new(MailTokens).expect("made").seal(&SecretString::from("t"), b"c").expect("sealed");
        let written = std::fs::read(&path).expect("there");
        assert!(place.sealer_or_new(MailTokens).expect("kept").open(&sealed, b"c").is_some());
        assert_eq!(std::fs::read(&path).expect("there"), written);
        #[cfg(unix)]
        assert_eq!(crate::files::is_open_to_others(&path), Some(false));
        std::fs::write(&path, "short").expect("written");
        assert!(place.sealer_or_new(MailTokens).is_err(), "one that is there is never written over");
    }
}
